#include "probes/wire/wsd.hpp"

#include "probes/wire/xml.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kMostMatches = 16;
constexpr std::size_t kKeptValue = 2048;

}  // namespace

std::string wsd_probe(std::string_view id, WsdTypes types) {
  const std::string_view body =
      types == WsdTypes::any ? "<wsd:Probe/>" : "<wsd:Probe><wsd:Types>wsdp:Device</wsd:Types></wsd:Probe>";
  return R"(<?xml version="1.0" encoding="utf-8"?>)"
         R"(<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope")"
         R"( xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing")"
         R"( xmlns:wsd="http://schemas.xmlsoap.org/ws/2005/04/discovery")"
         R"( xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof"><s:Header>)"
         R"(<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>)"
         R"(<a:MessageID>urn:uuid:)" +
         std::string{id} +
         R"(</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>)"
         "<s:Body>" +
         std::string{body} + "</s:Body></s:Envelope>";
}

WsdParse parse_wsd(std::string_view datagram) {
  WsdParse parse;
  bool inside = false;
  for (const auto& event : xml_events(datagram)) {
    if (event.name == "ProbeMatches" || event.name == "Hello") {
      parse.state = Parse::complete;
    }
    if (event.name == "ProbeMatch" || event.name == "Hello") {
      inside = event.open && parse.matches.size() < kMostMatches;
      if (inside) {
        parse.matches.emplace_back();
      }
      continue;
    }
    if (event.open) {
      continue;
    }
    if (event.name == "RelatesTo") {
      parse.relates_to = event.text.substr(0, kKeptValue);
    }
    if (!inside) {
      continue;
    }
    auto& match = parse.matches.back();
    auto* place = event.name == "Address"  ? &match.address
                  : event.name == "Types"  ? &match.types
                  : event.name == "Scopes" ? &match.scopes
                  : event.name == "XAddrs" ? &match.xaddrs
                                           : nullptr;
    if (place != nullptr && place->empty()) {
      *place = event.text.substr(0, kKeptValue);
    }
  }
  return parse;
}

}  // namespace assay::wire

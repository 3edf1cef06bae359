#include "probes/discovery/questions.hpp"

#include <algorithm>

#include "probes/discovery/gathered.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::discovery {

namespace {

/// A version 4 UUID (RFC 9562).
std::string random_uuid() {
  auto bytes = sessions::random_bytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  auto text = wire::hex(bytes);
  for (const std::size_t place : {20U, 16U, 12U, 8U}) {
    text.insert(place, "-");
  }
  return text;
}

std::uint16_t random_id() {
  const auto bytes = sessions::random_bytes(2);
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[0]) << 8U | static_cast<unsigned char>(bytes[1]));
}

/// The group's address in a Host header.
std::string_view ssdp_host(std::string_view address) {
  return address.find(':') == std::string_view::npos ? "239.255.255.250:1900" : "[FF02::C]:1900";
}

std::string mdns_first(std::string_view address) {
  std::vector<wire::DnsQuestion> questions{{std::string{kServiceTypes}, wire::kDnsPtr, wire::kDnsInternet}};
  if (const auto reverse = wire::dns_reverse_name(address)) {
    questions.push_back({*reverse, wire::kDnsPtr, wire::kDnsInternet});
  }
  return wire::dns_query(random_id(), questions);
}

std::string llmnr_first(std::string_view address) {
  const auto reverse = wire::dns_reverse_name(address);
  return wire::dns_query(random_id(), {{reverse.value_or(""), wire::kDnsPtr, wire::kDnsInternet}});
}

}  // namespace

Bytes to_bytes(std::string_view text) {
  const auto view = wire::bytes_of(text);
  return {view.begin(), view.end()};
}

std::uint16_t port_of(DiscoveryGroup group) {
  switch (group) {
    case DiscoveryGroup::mdns:
      return 5353;
    case DiscoveryGroup::ssdp:
      return 1900;
    case DiscoveryGroup::wsd:
      return 3702;
    case DiscoveryGroup::llmnr:
      break;
  }
  return 5355;
}

std::vector<GroupQuestion> first_questions(std::string_view address, int wait_s) {
  return {{DiscoveryGroup::mdns, to_bytes(mdns_first(address))},
          {DiscoveryGroup::ssdp, to_bytes(wire::ssdp_search(ssdp_host(address), wait_s))},
          {DiscoveryGroup::wsd, to_bytes(wire::wsd_probe(random_uuid(), wire::WsdTypes::any))},
          {DiscoveryGroup::wsd, to_bytes(wire::wsd_probe(random_uuid(), wire::WsdTypes::device))},
          {DiscoveryGroup::llmnr, to_bytes(llmnr_first(address))}};
}

GroupQuestion direct_question(DiscoveryGroup group, std::string_view address) {
  const auto all = first_questions(address, 1);
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& question) { return question.group == group; });
  if (group != DiscoveryGroup::ssdp) {
    return *found;
  }
  const auto host = sessions::host_header(address, port_of(group), false);
  return {group, to_bytes(wire::ssdp_search(host, 1))};
}

std::vector<GroupQuestion> llmnr_questions(std::string_view host_name) {
  const auto labels = wire::dns_labels(host_name);
  if (labels.empty() || labels.front().find_first_of(".\\") != std::string::npos) {
    return {};
  }
  std::vector<GroupQuestion> out;
  for (const auto type : {wire::kDnsA, wire::kDnsAaaa}) {
    const auto query = wire::dns_query(random_id(), {{labels.front(), type, wire::kDnsInternet}});
    out.push_back({DiscoveryGroup::llmnr, to_bytes(query)});
  }
  return out;
}

}  // namespace assay::probes::discovery

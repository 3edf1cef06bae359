#include "probes/services/variants.hpp"

#include <algorithm>

#include "probes/wire/bytes.hpp"
#include "probes/wire/documents.hpp"

namespace assay::probes::services {

namespace {

constexpr std::uint16_t kHnapPorts[] = {80, 443, 8080, 8443};
constexpr std::uint16_t kOnvifPorts[] = {80, 443, 2020, 8000, 8080, 8899, 10080};
constexpr std::uint16_t kUpnpPorts[] = {1400, 1900, 2869, 5000, 49000, 49152, 49153, 49154};
constexpr std::uint16_t kIppPorts[] = {631};
constexpr std::uint16_t kConnectionRequestPorts[] = {7547};
constexpr std::uint32_t kIppRequest = 0x61737379;

json::object& variant_of(Sighting& sighting, std::string_view name) {
  auto& all = sighting.details["variants"];
  if (!all.is_object()) {
    all = json::object{};
  }
  auto& one = all.as_object()[name];
  one = json::object{};
  return one.as_object();
}

void note_document(const wire::DeviceDocument& document, std::string_view name, Sighting& sighting) {
  auto& one = variant_of(sighting, name);
  one["name"] = document.name;
  one["maker"] = document.maker;
  one["model"] = document.model;
  one["version"] = document.version;
}

void note_upnp(const wire::HttpResponse& answer, Sighting& sighting) {
  if (const auto document = wire::upnp_description(answer.body)) {
    note_document(*document, "upnp", sighting);
  }
}

void note_hnap(const wire::HttpResponse& answer, Sighting& sighting) {
  if (const auto document = wire::hnap_settings(answer.body)) {
    note_document(*document, "hnap", sighting);
  }
}

void note_onvif(const wire::HttpResponse& answer, Sighting& sighting) {
  if (wire::is_onvif(answer.body)) {
    variant_of(sighting, "onvif")["status"] = answer.status;
    add_login(sighting, "onvif", false, {}, "/onvif/device_service");
  }
}

void note_ipp(const wire::HttpResponse& answer, Sighting& sighting) {
  const auto parse = wire::parse_ipp(answer.body, kIppRequest);
  if (parse.state == wire::Parse::complete) {
    auto& one = variant_of(sighting, "ipp");
    one["status"] = parse.status;
    one["model"] = parse.model;
  }
}

/// A CPE asks for Digest on its connection request URL, whose path is secret: any path does (TR-069, 3.2.2).
void note_connection_request(const wire::HttpResponse& answer, Sighting& sighting) {
  const auto* challenge = answer.header("WWW-Authenticate");
  if (answer.status == 401 && challenge != nullptr && wire::contains_ignoring_case(*challenge, "Digest")) {
    variant_of(sighting, "tr069")["challenge"] = wire::printable(*challenge, 256);
  }
}

std::string soap(const Place& place, std::string_view path, std::string_view type, std::string body) {
  wire::HttpRequest request;
  request.method = "POST";
  request.target = path;
  request.host = sessions::host_header(place.address, place.endpoint.port, place.tls);
  request.headers = {{"User-Agent", "assay"}, {"Content-Type", std::string{type}}, {"Connection", "close"}};
  request.body = std::move(body);
  return wire::http_request(request);
}

std::string ask_onvif(const Place& place) {
  return soap(place, "/onvif/device_service", "application/soap+xml; charset=utf-8", wire::onvif_time_request());
}

std::string ask_ipp(const Place& place) {
  const auto uri = "ipp://" + sessions::host_header(place.address, place.endpoint.port, false) + "/ipp/print";
  return soap(place, "/ipp/print", "application/ipp", wire::ipp_printer_request(uri, kIppRequest));
}

constexpr Variant kVariants[] = {
    {"hnap", kHnapPorts, [](const Place& place) { return http_get(place, "/HNAP1/"); }, &note_hnap},
    {"onvif", kOnvifPorts, &ask_onvif, &note_onvif},
    {"upnp", kUpnpPorts, [](const Place& place) { return http_get(place, "/rootDesc.xml"); }, &note_upnp},
    {"upnp", kUpnpPorts, [](const Place& place) { return http_get(place, "/description.xml"); }, &note_upnp},
    {"ipp", kIppPorts, &ask_ipp, &note_ipp},
    {"tr069", kConnectionRequestPorts, [](const Place& place) { return http_get(place, "/assay"); },
     &note_connection_request},
};

}  // namespace

std::span<const Variant> variants() {
  return kVariants;
}

bool usual_for(const Variant& variant, const Place& place, const Sighting& sighting) {
  const auto* known = sighting.details.if_contains("variants");
  if (known != nullptr && known->is_object() && known->get_object().contains(variant.name)) {
    return false;
  }
  if (std::find(variant.ports.begin(), variant.ports.end(), place.endpoint.port) != variant.ports.end()) {
    return true;
  }
  const auto* server = sighting.details.if_contains("server");
  return variant.name == "upnp" && server != nullptr && server->is_string() &&
         wire::contains_ignoring_case(std::string_view{server->get_string()}, "UPnP");
}

}  // namespace assay::probes::services

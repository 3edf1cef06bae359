#include "probes/discovery/gathered.hpp"

#include <algorithm>

namespace assay::probes::discovery {

namespace {

constexpr std::size_t kMostAnnounced = 128;
constexpr std::size_t kMostLocations = 16;
constexpr std::size_t kMostMatches = 32;
constexpr std::size_t kMostAnswers = 64;

/// Fields of a description by the names of the standard; empty ones are left out.
json::object fields_of(const wire::UpnpDevice& device) {
  json::object out;
  const std::pair<std::string_view, const std::string&> fields[] = {
      {"deviceType", device.device_type},          {"friendlyName", device.friendly_name},
      {"manufacturer", device.manufacturer},       {"modelName", device.model_name},
      {"modelNumber", device.model_number},        {"modelDescription", device.model_description},
      {"serialNumber", device.serial_number},      {"UDN", device.udn},
      {"presentationURL", device.presentation_url}};
  for (const auto& [name, value] : fields) {
    if (!value.empty()) {
      out[name] = shown(value);
    }
  }
  return out;
}

void add(json::array& into, std::string_view protocol, std::string_view item, std::string value) {
  const json::value entry{{"protocol", protocol}, {"item", item}, {"value", std::move(value)}};
  if (std::find(into.begin(), into.end(), entry) == into.end()) {
    into.push_back(entry);
  }
}

/// Takes what `more` says of the endpoint that `known` is, where the two do not contradict each other: a Hello has its
/// addresses, a match its types, and either may have all.
bool joins(wire::WsdMatch& known, const wire::WsdMatch& more) {
  const auto fits = [](const std::string& one, const std::string& other) {
    return one.empty() || other.empty() || one == other;
  };
  if (known.address != more.address || !fits(known.types, more.types) || !fits(known.scopes, more.scopes) ||
      !fits(known.xaddrs, more.xaddrs)) {
    return false;
  }
  const auto fill = [](std::string& place, const std::string& value) { place = place.empty() ? value : place; };
  fill(known.types, more.types);
  fill(known.scopes, more.scopes);
  fill(known.xaddrs, more.xaddrs);
  return true;
}

}  // namespace

bool SsdpPicture::take(std::string_view datagram) {
  const auto parse = wire::parse_ssdp(datagram);
  if (parse.state != wire::Parse::complete || parse.message.kind == wire::SsdpMessage::Kind::search) {
    return false;
  }
  const auto& message = parse.message;
  if (announced_.size() < kMostAnnounced) {
    announced_.emplace(message.usn + "\n" + message.target + "\n" + message.location, message);
  }
  if (!message.location.empty() && locations_.size() < kMostLocations &&
      std::find(locations_.begin(), locations_.end(), message.location) == locations_.end()) {
    locations_.push_back(message.location);
  }
  return true;
}

json::object SsdpPicture::fact() const {
  json::array announced;
  for (const auto& [key, message] : announced_) {
    announced.push_back({{"target", shown(message.target)},
                         {"usn", shown(message.usn)},
                         {"location", shown(message.location)},
                         {"server", shown(message.server)}});
  }
  json::array described;
  for (const auto& description : descriptions) {
    json::array devices;
    for (const auto& device : description.devices) {
      auto fields = fields_of(device);
      json::array services;
      for (const auto& service : device.services) {
        services.emplace_back(shown(service));
      }
      fields["services"] = std::move(services);
      devices.push_back(std::move(fields));
    }
    described.push_back({{"location", shown(description.location)},
                         {"status", description.status},
                         {"reason", shown(description.reason)},
                         {"devices", std::move(devices)}});
  }
  json::array away;
  for (const auto& location : elsewhere) {
    away.emplace_back(shown(location));
  }
  return {{"announced", std::move(announced)}, {"descriptions", std::move(described)}, {"elsewhere", std::move(away)}};
}

void SsdpPicture::tell(json::array& into) const {
  for (const auto& [key, message] : announced_) {
    if (!message.server.empty()) {
      add(into, "ssdp", "server", shown(message.server));
    }
    if (!message.usn.empty()) {
      add(into, "ssdp", "unique name", shown(message.usn));
    }
  }
  for (const auto& description : descriptions) {
    for (const auto& device : description.devices) {
      for (const auto& field : fields_of(device)) {
        add(into, "ssdp", std::string{"description: "} + std::string{field.key()},
            std::string{field.value().as_string()});
      }
    }
  }
}

bool WsdPicture::take(std::string_view datagram) {
  const auto parse = wire::parse_wsd(datagram);
  if (parse.state != wire::Parse::complete) {
    return false;
  }
  for (const auto& match : parse.matches) {
    const bool told =
        std::any_of(matches_.begin(), matches_.end(), [&](auto& known) { return joins(known, match); });
    if (!told && matches_.size() < kMostMatches) {
      matches_.push_back(match);
    }
  }
  return true;
}

json::array WsdPicture::fact() const {
  json::array out;
  for (const auto& match : matches_) {
    out.push_back({{"address", shown(match.address)},
                   {"types", shown(match.types)},
                   {"scopes", wire::printable(match.scopes, 2048)},
                   {"xaddrs", shown(match.xaddrs)}});
  }
  return out;
}

void WsdPicture::tell(json::array& into) const {
  for (const auto& match : matches_) {
    const std::pair<std::string_view, std::string_view> items[] = {
        {"endpoint", match.address}, {"types", match.types}, {"scopes", match.scopes}, {"addresses", match.xaddrs}};
    for (const auto& [item, value] : items) {
      if (!value.empty()) {
        add(into, "wsd", item, wire::printable(value, 2048));
      }
    }
  }
}

bool LlmnrPicture::take(std::string_view datagram) {
  const auto parse = wire::parse_dns(datagram);
  if (parse.state != wire::Parse::complete || !parse.message.is_response()) {
    return false;
  }
  for (const auto& record : parse.message.records) {
    const auto value = record.type == wire::kDnsPtr ? record.target : record.address;
    if (!value.empty() && answers_.size() < kMostAnswers) {
      const auto* type = record.type == wire::kDnsPtr ? "PTR" : record.type == wire::kDnsA ? "A" : "AAAA";
      answers_.emplace(record.name + "\n" + value,
                       json::object{{"name", shown(record.name)}, {"type", type}, {"value", shown(value)}});
    }
  }
  return true;
}

json::array LlmnrPicture::fact() const {
  json::array out;
  for (const auto& [key, answer] : answers_) {
    out.push_back(answer);
  }
  return out;
}

void LlmnrPicture::tell(json::array& into) const {
  for (const auto& [key, answer] : answers_) {
    const bool reverse = answer.at("type").as_string() == "PTR";
    add(into, "llmnr", "host name", std::string{answer.at(reverse ? "value" : "name").as_string()});
  }
}

}  // namespace assay::probes::discovery

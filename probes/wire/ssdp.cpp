#include "probes/wire/ssdp.hpp"

#include <algorithm>

#include "probes/wire/xml.hpp"

namespace assay::wire {

namespace {

constexpr int kMostHeaders = 64;
constexpr std::size_t kKeptValue = 1024;
constexpr std::size_t kMostDevices = 16;
constexpr std::size_t kMostServices = 32;

std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  auto line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

bool read_start(std::string_view line, SsdpMessage& message) {
  if (line.starts_with("HTTP/1.")) {
    message.kind = SsdpMessage::Kind::reply;
    return line.size() > 12 && line.substr(8, 4) == " 200";
  }
  if (!line.ends_with("HTTP/1.1") && !line.ends_with("HTTP/1.0")) {
    return false;
  }
  message.kind = line.starts_with("NOTIFY ") ? SsdpMessage::Kind::notify : SsdpMessage::Kind::search;
  return line.starts_with("NOTIFY ") || line.starts_with("M-SEARCH ");
}

std::string* place_of(SsdpMessage& message, std::string_view name) {
  const std::pair<std::string_view, std::string*> known[] = {{"ST", &message.target}, {"NT", &message.target},
                                                             {"USN", &message.usn},   {"LOCATION", &message.location},
                                                             {"NTS", &message.nts},   {"SERVER", &message.server}};
  for (const auto& [key, place] : known) {
    if (equal_ignoring_case(name, key)) {
      return place;
    }
  }
  return nullptr;
}

std::string* place_of(UpnpDevice& device, std::string_view element) {
  const std::pair<std::string_view, std::string*> known[] = {
      {"deviceType", &device.device_type},          {"friendlyName", &device.friendly_name},
      {"manufacturer", &device.manufacturer},       {"modelName", &device.model_name},
      {"modelNumber", &device.model_number},        {"modelDescription", &device.model_description},
      {"serialNumber", &device.serial_number},      {"UDN", &device.udn},
      {"presentationURL", &device.presentation_url}};
  for (const auto& [key, place] : known) {
    if (key == element) {
      return place;
    }
  }
  return nullptr;
}

}  // namespace

std::string ssdp_search(std::string_view host, int wait_s) {
  return "M-SEARCH * HTTP/1.1\r\nHOST: " + std::string{host} +
         "\r\nMAN: \"ssdp:discover\"\r\nMX: " + std::to_string(wait_s) + "\r\nST: ssdp:all\r\n\r\n";
}

SsdpParse parse_ssdp(std::string_view datagram) {
  SsdpParse parse;
  if (!read_start(next_line(datagram), parse.message)) {
    return parse;
  }
  for (int count = 0; count < kMostHeaders && !datagram.empty(); ++count) {
    const auto line = next_line(datagram);
    const auto colon = line.find(':');
    if (line.empty()) {
      break;
    }
    auto* place = colon == std::string_view::npos ? nullptr : place_of(parse.message, trim(line.substr(0, colon)));
    if (place != nullptr && place->empty()) {
      *place = trim(line.substr(colon + 1)).substr(0, kKeptValue);
    }
  }
  parse.state = Parse::complete;
  return parse;
}

std::vector<UpnpDevice> upnp_devices(std::string_view description) {
  std::vector<UpnpDevice> devices;
  std::vector<std::size_t> open;  // places in `devices`; kMostDevices for those beyond the bound
  for (const auto& event : xml_events(description)) {
    if (event.name == "device") {
      if (!event.open && !open.empty()) {
        open.pop_back();
      } else if (event.open) {
        open.push_back(std::min(devices.size(), kMostDevices));
        if (devices.size() < kMostDevices) {
          devices.emplace_back();
        }
      }
      continue;
    }
    if (event.open || open.empty() || open.back() >= kMostDevices || event.text.empty()) {
      continue;
    }
    auto& device = devices[open.back()];
    if (event.name == "serviceType" && device.services.size() < kMostServices) {
      device.services.push_back(event.text.substr(0, kKeptValue));
    } else if (auto* place = place_of(device, event.name); place != nullptr && place->empty()) {
      *place = event.text.substr(0, kKeptValue);
    }
  }
  return devices;
}

}  // namespace assay::wire

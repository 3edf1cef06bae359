#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// SSDP and UPnP device descriptions (UPnP Device Architecture 2.0, clauses 1 and 2).
namespace assay::wire {

/// M-SEARCH for everything ("ssdp:all"). `host` is the group as it stands in the Host header, `wait_s` the longest time
/// a device may take for its answer (MX).
std::string ssdp_search(std::string_view host, int wait_s);

struct SsdpMessage {
  enum class Kind : std::uint8_t { reply, notify, search };

  Kind kind = Kind::reply;
  std::string target;  // ST of replies and searches, NT of notifications
  std::string usn;
  std::string location;
  std::string server;
  std::string nts;  // notifications: ssdp:alive, ssdp:byebye, ssdp:update
};

struct SsdpParse {
  Parse state = Parse::malformed;
  SsdpMessage message;
};

/// One datagram; 64 header lines are read, 1 KiB of a value is kept. Bare line feeds are taken for line ends.
SsdpParse parse_ssdp(std::string_view datagram);

/// One device of a description; embedded devices stand beside their parent.
struct UpnpDevice {
  std::string device_type;
  std::string friendly_name;
  std::string manufacturer;
  std::string model_name;
  std::string model_number;
  std::string model_description;
  std::string serial_number;
  std::string udn;
  std::string presentation_url;
  std::vector<std::string> services;  // service types
};

/// Reads what it finds: no device at all gives an empty list. At most 16 devices with 32 services each.
std::vector<UpnpDevice> upnp_devices(std::string_view description);

}  // namespace assay::wire

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "probes/wire/bytes.hpp"

/// What devices tell about themselves inside HTTP: UPnP device description, HNAP, ONVIF, IPP (RFC 8010). Elements are
/// found by their local names; nothing is expanded, included or followed.
namespace assay::wire {

struct DeviceDocument {
  std::string name;
  std::string maker;
  std::string model;
  std::string version;
};

/// Text of the first element of that local name, printable, at most 128 bytes; empty when there is none.
std::string xml_text(std::string_view xml, std::string_view name);

/// A document of the namespace urn:schemas-upnp-org:device-1-0.
std::optional<DeviceDocument> upnp_description(std::string_view body);
/// A GetDeviceSettingsResponse of the HNAP namespace.
std::optional<DeviceDocument> hnap_settings(std::string_view body);

/// SOAP request GetSystemDateAndTime, which ONVIF answers to anybody.
std::string onvif_time_request();
/// Its response, or a SOAP fault that names the device service's namespace.
bool is_onvif(std::string_view body);

std::string ipp_printer_request(std::string_view uri, std::uint32_t request_id);

struct IppParse {
  Parse state = Parse::malformed;
  std::uint16_t status = 0;
  std::string model;  // printer-make-and-model
};

IppParse parse_ipp(std::string_view body, std::uint32_t request_id);

}  // namespace assay::wire

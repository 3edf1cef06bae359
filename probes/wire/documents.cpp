#include "probes/wire/documents.hpp"

#include <cctype>

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumText = 128;
constexpr std::uint8_t kEndOfAttributes = 0x03;
constexpr std::uint8_t kFirstValueTag = 0x10;
constexpr std::uint16_t kGetPrinterAttributes = 0x000b;
constexpr std::string_view kOnvifDevice = "http://www.onvif.org/ver10/device/wsdl";

bool name_ends(char c) {
  return c == '>' || c == '/' || std::isspace(static_cast<unsigned char>(c)) != 0;
}

/// Place behind the '>' of the first start tag with that local name.
std::size_t behind_tag(std::string_view xml, std::string_view name) {
  for (auto at = xml.find('<'); at != std::string_view::npos; at = xml.find('<', at + 1)) {
    auto tag = xml.substr(at + 1, name.size() + 32);
    const auto colon = tag.substr(0, tag.find_first_of("> /")).find(':');
    tag.remove_prefix(colon == std::string_view::npos ? 0 : colon + 1);
    if (tag.size() > name.size() && tag.starts_with(name) && name_ends(tag[name.size()])) {
      const auto end = xml.find('>', at);
      return end == std::string_view::npos || xml[end - 1] == '/' ? std::string_view::npos : end + 1;
    }
  }
  return std::string_view::npos;
}

void put_attribute(std::string& out, std::uint8_t tag, std::string_view name, std::string_view value) {
  put_u8(out, tag);
  put_u16(out, static_cast<std::uint32_t>(name.size()));
  out.append(name);
  put_u16(out, static_cast<std::uint32_t>(value.size()));
  out.append(value);
}

}  // namespace

std::string xml_text(std::string_view xml, std::string_view name) {
  const auto start = behind_tag(xml, name);
  if (start == std::string_view::npos) {
    return {};
  }
  const auto rest = xml.substr(start);
  const auto end = rest.find('<');
  return end == std::string_view::npos ? std::string{} : printable(trim(rest.substr(0, end)), kMaximumText);
}

std::optional<DeviceDocument> upnp_description(std::string_view body) {
  const bool ours = body.find("urn:schemas-upnp-org:device-1-0") != std::string_view::npos;
  if (!ours || behind_tag(body, "root") == std::string_view::npos) {
    return std::nullopt;
  }
  return DeviceDocument{xml_text(body, "friendlyName"), xml_text(body, "manufacturer"), xml_text(body, "modelName"),
                        xml_text(body, "modelNumber")};
}

std::optional<DeviceDocument> hnap_settings(std::string_view body) {
  const bool ours = body.find("http://purenetworks.com/HNAP1/") != std::string_view::npos;
  if (!ours || behind_tag(body, "GetDeviceSettingsResponse") == std::string_view::npos) {
    return std::nullopt;
  }
  return DeviceDocument{xml_text(body, "DeviceName"), xml_text(body, "VendorName"), xml_text(body, "ModelName"),
                        xml_text(body, "FirmwareVersion")};
}

std::string onvif_time_request() {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\">"
         "<s:Body><GetSystemDateAndTime xmlns=\"" +
         std::string{kOnvifDevice} + "\"/></s:Body></s:Envelope>";
}

bool is_onvif(std::string_view body) {
  return behind_tag(body, "Envelope") != std::string_view::npos && body.find(kOnvifDevice) != std::string_view::npos &&
         (behind_tag(body, "GetSystemDateAndTimeResponse") != std::string_view::npos ||
          behind_tag(body, "Fault") != std::string_view::npos);
}

std::string ipp_printer_request(std::string_view uri, std::uint32_t request_id) {
  std::string out;
  put_u16(out, 0x0101);
  put_u16(out, kGetPrinterAttributes);
  put_u32(out, request_id);
  put_u8(out, 0x01);  // operation attributes
  put_attribute(out, 0x47, "attributes-charset", "utf-8");
  put_attribute(out, 0x48, "attributes-natural-language", "en");
  put_attribute(out, 0x45, "printer-uri", uri);
  put_attribute(out, 0x44, "requested-attributes", "printer-make-and-model");
  put_u8(out, kEndOfAttributes);
  return out;
}

IppParse parse_ipp(std::string_view body, std::uint32_t request_id) {
  IppParse parse;
  Reader reader{body};
  const auto major = reader.u8();
  reader.u8();
  parse.status = reader.u16();
  const auto echoed = reader.u32();
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  if (major < 1 || major > 2 || echoed != request_id) {
    return parse;
  }
  while (!reader.failed()) {
    const auto tag = reader.u8();
    if (tag == kEndOfAttributes) {
      parse.state = reader.failed() ? Parse::malformed : Parse::complete;
      return parse;
    }
    if (tag < kFirstValueTag) {
      continue;  // the beginning of a group
    }
    const auto name = reader.take(reader.u16());
    const auto value = reader.take(reader.u16());
    if (name == "printer-make-and-model") {
      parse.model = printable(value, kMaximumText);
    }
  }
  return parse;
}

}  // namespace assay::wire

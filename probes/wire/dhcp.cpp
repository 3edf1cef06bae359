#include "probes/wire/dhcp.hpp"

#include <algorithm>
#include <map>

namespace assay::wire {

namespace {

constexpr std::uint8_t kBootRequest = 1;
constexpr std::size_t kFixedFields = 236;  // op to file
constexpr std::uint32_t kCookie = 0x63825363;
constexpr std::uint8_t kPad = 0, kEnd = 255;
constexpr std::uint8_t kHostName = 12, kMessageType = 53, kParameters = 55, kLargestMessage = 57, kVendorClass = 60,
                       kClientId = 61;
constexpr std::size_t kLongestOption = 1024;  // of one put together

}  // namespace

DhcpParse parse_dhcp_request(std::string_view payload) {
  DhcpParse out;
  Reader reader{payload};
  const auto fixed = reader.take(kFixedFields);
  if (reader.u32() != kCookie || reader.failed() || static_cast<std::uint8_t>(fixed[0]) != kBootRequest) {
    return out;
  }
  std::map<std::uint8_t, std::string> values;
  while (!reader.failed() && !reader.rest().empty()) {
    const auto code = reader.u8();
    if (code == kPad) {
      continue;
    }
    if (code == kEnd) {
      break;
    }
    const auto value = reader.take(reader.u8());
    if (reader.failed()) {
      break;
    }
    const auto [place, fresh] = values.try_emplace(code);
    if (fresh) {
      out.request.options.push_back(code);
    }
    place->second += value.substr(0, kLongestOption - std::min(kLongestOption, place->second.size()));
  }
  const auto number = [&](std::uint8_t code) {
    std::int64_t sum = 0;
    for (const char byte : values[code].substr(0, 2)) {
      sum = sum << 8 | static_cast<std::uint8_t>(byte);
    }
    return sum;
  };
  out.state = Parse::complete;
  out.request.type = static_cast<int>(number(kMessageType));
  out.request.largest_message = number(kLargestMessage);
  out.request.parameters.assign(values[kParameters].begin(), values[kParameters].end());
  out.request.vendor_class = values[kVendorClass];
  out.request.host_name = values[kHostName];
  out.request.client_id = values[kClientId];
  return out;
}

std::string dhcp_type_text(int type) {
  static constexpr const char* kNames[] = {"bootp", "discover", "offer",   "request", "decline",
                                           "ack",   "nak",      "release", "inform"};
  return type >= 0 && type < static_cast<int>(std::size(kNames)) ? kNames[type] : std::to_string(type);
}

}  // namespace assay::wire

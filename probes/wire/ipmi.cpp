#include "probes/wire/ipmi.hpp"

namespace assay::wire {

namespace {

constexpr std::string_view kRmcp{"\x06\x00\xff\x07", 4};
constexpr std::uint8_t kSessionless = 0x00;  // the format of IPMI 1.5
constexpr std::uint8_t kFormat2 = 0x06;
constexpr std::uint8_t kOpenRequest = 0x10;
constexpr std::uint8_t kOpenResponse = 0x11;
constexpr std::uint8_t kRakp1 = 0x12;
constexpr std::uint8_t kRakp2 = 0x13;
constexpr std::uint8_t kRakp3 = 0x14;
constexpr std::uint8_t kRakp4 = 0x15;
constexpr std::uint8_t kGetCapabilities = 0x38;
constexpr std::uint8_t kCloseSession = 0x3c;
constexpr std::uint8_t kApplication = 0x06U << 2U;
constexpr std::uint8_t kApplicationReply = 0x07U << 2U;
constexpr std::size_t kRandom = 16;
constexpr std::size_t kLongestName = 16;
constexpr std::size_t kLongestCode = 32;
constexpr std::size_t kShortestKeyed = 12;  // bytes of a code

std::uint32_t little(Reader& reader, int bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value |= static_cast<std::uint32_t>(reader.u8()) << (8U * static_cast<unsigned>(i));
  }
  return value;
}

char checksum(std::string_view bytes) {
  unsigned sum = 0;
  for (const char c : bytes) {
    sum += static_cast<unsigned char>(c);
  }
  return static_cast<char>(0x100U - (sum & 0xffU));
}

/// A command for the application of the management controller (13.8).
std::string command(std::uint8_t code, std::string_view data) {
  std::string head{"\x20"};
  put_u8(head, kApplication);
  head += checksum(head);
  std::string body{"\x81"};
  put_u8(body, 0);
  put_u8(body, code);
  body.append(data);
  return head + body + checksum(body);
}

std::string packet(std::uint8_t type, std::string_view payload) {
  std::string out{kRmcp};
  put_u8(out, kFormat2);
  put_u8(out, type);
  out.append(8, '\0');  // session and number: there is none yet
  out += ipmi_little(static_cast<std::uint32_t>(payload.size())).substr(0, 2);
  return out.append(payload);
}

void put_algorithm(std::string& out, std::uint8_t kind, std::uint8_t algorithm) {
  put_u8(out, kind);
  put_u16(out, 0);
  put_u8(out, 8);  // length of this part
  put_u8(out, algorithm);
  out.append(3, '\0');
}

std::uint8_t algorithm_of(Reader& reader) {
  reader.take(4);
  const auto algorithm = reader.u8();
  reader.take(3);
  return algorithm & 0x3fU;
}

}  // namespace

std::string ipmi_little(std::uint32_t value) {
  std::string out;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    put_u8(out, value >> shift & 0xffU);
  }
  return out;
}

std::string ipmi_capabilities_request() {
  const auto message = command(kGetCapabilities, "\x8e\x04");  // this channel, IPMI 2.0 too; administrator
  std::string out{kRmcp};
  put_u8(out, kSessionless);
  out.append(8, '\0');
  put_u8(out, static_cast<std::uint32_t>(message.size()));
  return out + message;
}

IpmiCapabilities parse_ipmi_capabilities(std::string_view datagram) {
  IpmiCapabilities out;
  Reader reader{datagram};
  const bool ours = reader.take(kRmcp.size()) == kRmcp && reader.u8() == kSessionless;
  reader.take(8);
  const std::size_t length = reader.u8();
  Reader message{reader.take(length)};
  message.u8();
  const auto function = message.u8();
  message.take(3);
  const auto code = message.u8();
  const auto completion = message.u8();
  message.u8();
  const auto types = message.u8();
  const auto status = message.u8();
  const auto extended = message.u8();
  if (!ours || reader.failed() || message.failed() || function != kApplicationReply || code != kGetCapabilities ||
      completion != 0) {
    return out;
  }
  out.state = Parse::complete;
  out.version2 = (types & 0x80U) != 0 && (extended & 0x02U) != 0;
  out.none = (types & 0x01U) != 0;
  out.anonymous = (status & 0x01U) != 0;
  out.null_names = (status & 0x02U) != 0;
  return out;
}

std::string ipmi_open_session(std::uint8_t tag, std::uint32_t console, const IpmiSuite& suite) {
  std::string payload;
  put_u8(payload, tag);
  payload.append(3, '\0');  // the highest privilege that these algorithms allow
  payload += ipmi_little(console);
  put_algorithm(payload, 0, suite.authentication);
  put_algorithm(payload, 1, suite.integrity);
  put_algorithm(payload, 2, suite.confidentiality);
  return packet(kOpenRequest, payload);
}

std::string ipmi_rakp1(const IpmiHello& hello) {
  const auto name = hello.name.substr(0, kLongestName);
  std::string payload;
  put_u8(payload, hello.tag);
  payload.append(3, '\0');
  payload += ipmi_little(hello.managed) + hello.random;
  put_u8(payload, hello.role);
  put_u16(payload, 0);
  put_u8(payload, static_cast<std::uint32_t>(name.size()));
  return packet(kRakp1, payload + name);
}

std::string ipmi_rakp3(std::uint8_t tag, std::uint32_t managed, std::string_view code) {
  std::string payload;
  put_u8(payload, tag);
  payload.append(3, '\0');
  payload += ipmi_little(managed);
  return packet(kRakp3, payload.append(code));
}

std::string ipmi_close_payload(std::uint32_t managed) {
  return command(kCloseSession, ipmi_little(managed));
}

std::string ipmi_session_packet(std::uint32_t managed, std::uint32_t number, bool encrypted, bool authenticated,
                                std::string_view payload) {
  std::string out{kRmcp};
  put_u8(out, kFormat2);
  put_u8(out, (encrypted ? 0x80U : 0U) | (authenticated ? 0x40U : 0U));
  out += ipmi_little(managed) + ipmi_little(number);
  out += ipmi_little(static_cast<std::uint32_t>(payload.size())).substr(0, 2);
  return out.append(payload);
}

std::vector<std::string> ipmi_keyed_parts(std::string_view datagram) {
  Reader reader{datagram};
  const bool ours = reader.take(kRmcp.size()) == kRmcp && reader.u8() == kFormat2;
  const auto type = reader.u8();
  reader.take(8);
  const std::size_t length = little(reader, 2);
  const std::string payload{reader.take(length)};
  std::vector<std::string> out;
  if (!ours || reader.failed()) {
    return out;
  }
  if ((type & 0x80U) != 0 && payload.size() >= kShortestKeyed) {
    out.push_back(payload);
  }
  std::string trailer{reader.rest()};
  if ((type & 0x40U) != 0 && trailer.size() >= kShortestKeyed) {
    out.push_back(std::move(trailer));
  }
  return out;
}

IpmiOpening parse_ipmi_opening(std::string_view datagram) {
  using Kind = IpmiOpening::Kind;
  IpmiOpening out;
  Reader reader{datagram};
  const bool ours = reader.take(kRmcp.size()) == kRmcp && reader.u8() == kFormat2;
  const auto type = reader.u8();
  reader.take(8);
  const std::size_t length = little(reader, 2);
  Reader payload{reader.take(length)};
  out.tag = payload.u8();
  out.status = payload.u8();
  payload.take(2);
  out.console = little(payload, 4);
  const bool known = type == kOpenResponse || type == kRakp2 || type == kRakp4;
  if (!ours || !known || reader.failed() || (payload.failed() && out.status == 0)) {
    return out;
  }
  out.kind = type == kOpenResponse ? Kind::open_session : type == kRakp2 ? Kind::rakp2 : Kind::rakp4;
  if (out.status == 0 && out.kind == Kind::open_session) {
    out.managed = little(payload, 4);
    out.suite.authentication = algorithm_of(payload);
    out.suite.integrity = algorithm_of(payload);
    out.suite.confidentiality = algorithm_of(payload);
  } else if (out.status == 0) {
    if (out.kind == Kind::rakp2) {
      out.random = payload.take(kRandom);
      out.guid = payload.take(kRandom);
    }
    out.code = payload.rest().substr(0, kLongestCode);
  }
  out.state = payload.failed() && out.status == 0 ? Parse::malformed : Parse::complete;
  return out;
}

}  // namespace assay::wire

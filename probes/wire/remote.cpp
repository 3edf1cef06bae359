#include "probes/wire/remote.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace assay::wire {

namespace {

constexpr std::size_t kRfbVersion = 12;
constexpr std::size_t kMaximumReason = 1024;
constexpr std::size_t kSmbHeader = 64;
constexpr std::size_t kMaximumSmb = 64U << 10U;
constexpr std::size_t kMaximumAdb = 4096;
constexpr std::uint32_t kAdbVersion = 0x01000000;

std::uint32_t little32(Reader& reader) {
  std::uint32_t value = 0;
  for (std::uint32_t shift = 0; shift < 32; shift += 8) {
    value |= static_cast<std::uint32_t>(reader.u8()) << shift;
  }
  return value;
}

std::uint16_t little16(Reader& reader) {
  const std::uint32_t low = reader.u8();
  return static_cast<std::uint16_t>(low | static_cast<std::uint32_t>(reader.u8()) << 8U);
}

void put_little(std::string& out, std::uint32_t value, int size) {
  for (int i = 0; i < size; ++i) {
    put_u8(out, value >> static_cast<unsigned>(8 * i) & 0xffU);
  }
}

int three_digits(std::string_view text) {
  int value = 0;
  for (const char c : text.substr(0, 3)) {
    if (c < '0' || c > '9') {
      return -1;
    }
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

RfbParse parse_rfb_version(std::string_view bytes) {
  RfbParse parse;
  const std::string_view mark{"RFB "};
  if (bytes.substr(0, 4) != mark.substr(0, bytes.size())) {
    return parse;
  }
  if (bytes.size() < kRfbVersion) {
    parse.state = Parse::need_more;
    return parse;
  }
  parse.major = three_digits(bytes.substr(4));
  parse.minor = three_digits(bytes.substr(8));
  const bool fits = parse.major >= 0 && parse.minor >= 0 && bytes[7] == '.' && bytes[11] == '\n';
  parse.state = fits ? Parse::complete : Parse::malformed;
  return parse;
}

RfbSecurity parse_rfb_security(std::string_view bytes) {
  RfbSecurity parse;
  Reader reader{bytes};
  const std::size_t count = reader.u8();
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  if (count == 0) {
    const std::size_t length = reader.u32();
    if (!reader.failed() && length > kMaximumReason) {
      return parse;
    }
    parse.refusal = printable(reader.take(length), 256);
    parse.state = reader.failed() ? Parse::need_more : Parse::complete;
    return parse;
  }
  for (const char c : reader.take(count)) {
    parse.types.push_back(static_cast<std::uint8_t>(c));
  }
  parse.state = reader.failed() ? Parse::need_more : Parse::complete;
  return parse;
}

std::string rdp_request() {
  // TPKT, X.224 connection request, negotiation request for TLS and CredSSP.
  return std::string{"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", 19};
}

RdpParse parse_rdp(std::string_view bytes) {
  RdpParse parse;
  Reader reader{bytes};
  const auto version = reader.u8();
  const auto reserved = reader.u8();
  const std::size_t length = reader.u16();
  if (reader.failed() || (version == 3 && reserved == 0 && length <= 19 && bytes.size() < length)) {
    parse.state = bytes.empty() || (version == 3 && reserved == 0) ? Parse::need_more : Parse::malformed;
    return parse;
  }
  if (version != 3 || reserved != 0 || (length != 11 && length != 19)) {
    return parse;
  }
  const std::size_t indicator = reader.u8();
  const auto code = reader.u8();
  reader.take(5);
  if (indicator != length - 5 || (code & 0xf0U) != 0xd0) {
    return parse;
  }
  if (length == 19) {
    const auto type = reader.u8();
    reader.u8();
    const bool size_fits = little16(reader) == 8;
    const auto value = little32(reader);
    if (!size_fits || (type != 2 && type != 3)) {
      return parse;
    }
    parse.negotiated = true;
    (type == 2 ? parse.protocol : parse.failure) = value;
  }
  parse.state = reader.failed() ? Parse::malformed : Parse::complete;
  return parse;
}

std::string smb2_negotiate(std::string_view guid) {
  std::string body{"\xfeSMB", 4};
  put_little(body, 64, 2);
  body.append(58, '\0');  // command 0 (negotiate), message 0, no session
  put_little(body, 36, 2);
  put_little(body, 4, 2);
  put_little(body, 1, 2);  // signing is possible
  body.append(6, '\0');
  body.append(guid.substr(0, 16)).append(16 - std::min<std::size_t>(16, guid.size()), '\0');
  body.append(8, '\0');
  for (const std::uint32_t dialect : {0x0202U, 0x0210U, 0x0300U, 0x0302U}) {
    put_little(body, dialect, 2);
  }
  std::string out;
  put_u32(out, static_cast<std::uint32_t>(body.size()));
  return out + body;
}

SmbParse parse_smb2(std::string_view bytes) {
  SmbParse parse;
  Reader reader{bytes};
  const std::size_t length = reader.u32();
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  const std::string_view mark{"\xfeSMB"};
  const auto begin = reader.rest().substr(0, 4);
  if (length < kSmbHeader + 65 || length > kMaximumSmb || begin != mark.substr(0, begin.size())) {
    return parse;
  }
  if (reader.rest().size() < length) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader header{reader.take(length)};
  header.take(12);
  const auto command = little16(header);
  header.take(kSmbHeader - 14);
  const auto size = little16(header);
  const auto security = little16(header);
  parse.dialect = little16(header);
  parse.signing_required = (security & 2U) != 0;
  parse.state = command == 0 && size == 65 && !header.failed() ? Parse::complete : Parse::malformed;
  return parse;
}

std::string adb_connect() {
  const std::string_view system{"host::\0", 7};
  const auto sum = std::accumulate(system.begin(), system.end(), 0U,
                                   [](std::uint32_t all, char c) { return all + static_cast<unsigned char>(c); });
  std::string out{"CNXN"};
  put_little(out, kAdbVersion, 4);
  put_little(out, kMaximumAdb, 4);
  put_little(out, static_cast<std::uint32_t>(system.size()), 4);
  put_little(out, sum, 4);
  put_little(out, 0x4e584e43U ^ 0xffffffffU, 4);
  return out.append(system);
}

AdbParse parse_adb(std::string_view bytes) {
  AdbParse parse;
  const auto command = bytes.substr(0, 4);
  const auto known = [&](std::string_view name) { return name.substr(0, command.size()) == command; };
  if (!known("CNXN") && !known("AUTH") && !known("STLS")) {
    return parse;
  }
  if (bytes.size() < 24) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader reader{bytes};
  const auto word = little32(reader);
  little32(reader);
  little32(reader);
  const std::size_t length = little32(reader);
  little32(reader);
  const auto magic = little32(reader);
  if (magic != (word ^ 0xffffffffU) || length > kMaximumAdb) {
    return parse;
  }
  if (reader.rest().size() < length) {
    parse.state = Parse::need_more;
    return parse;
  }
  parse.command = command;
  const auto banner = reader.take(length);
  if (parse.command == "CNXN") {
    parse.banner = printable(banner.substr(0, banner.find('\0')), 256);
  }
  parse.state = Parse::complete;
  return parse;
}

}  // namespace assay::wire

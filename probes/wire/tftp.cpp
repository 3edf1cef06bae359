#include "probes/wire/tftp.hpp"

#include <algorithm>
#include <charconv>

namespace assay::wire {

namespace {

constexpr std::uint16_t kData = 3;
constexpr std::uint16_t kAcknowledgement = 4;
constexpr std::uint16_t kError = 5;
constexpr std::uint16_t kAgreement = 6;
constexpr std::uint16_t kMostErrors = 8;  // RFC 2347 added the last one
constexpr std::size_t kMaximumMessage = 128;
constexpr std::size_t kMaximumName = 255;
constexpr std::size_t kMostOptions = 16;
constexpr std::size_t kMostDigits = 12;

void put_text(std::string& out, std::string_view text) {
  out += text.substr(0, text.find('\0'));
  out += '\0';
}

void put_options(std::string& out, const std::vector<TftpOption>& options) {
  for (const auto& option : options) {
    put_text(out, option.name);
    put_text(out, option.value);
  }
}

/// The next text that a NUL ends; nothing when none does.
std::optional<std::string_view> take_text(std::string_view& rest) {
  const auto end = rest.find('\0');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const auto out = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return out;
}

bool take_options(std::string_view rest, std::vector<TftpOption>& into) {
  while (!rest.empty()) {
    const auto name = take_text(rest);
    const auto value = take_text(rest);
    if (!name || !value || into.size() == kMostOptions) {
      return false;
    }
    into.push_back({lower(*name), std::string{*value}});
  }
  return true;
}

bool take_request(std::string_view rest, TftpPacket& into) {
  const auto file = take_text(rest);
  const auto mode = take_text(rest);
  if (!file || !mode || file->empty() || file->size() > kMaximumName) {
    return false;
  }
  into.file = std::string{*file};
  into.mode = lower(*mode);
  // What follows the mode without being options is of devices that pad their requests.
  if (!take_options(rest, into.options)) {
    into.options.clear();
  }
  return true;
}

bool take_numbered(std::uint16_t opcode, std::string_view rest, TftpPacket& into) {
  Reader reader{rest};
  into.number = reader.u16();
  rest = reader.rest();
  if (reader.failed()) {
    return false;
  }
  if (opcode == kData) {
    into.kind = TftpPacket::Kind::data;
    into.data = rest;
    return rest.size() <= kMostTftpBlock;
  }
  if (opcode == kAcknowledgement) {
    into.kind = TftpPacket::Kind::acknowledgement;
    return true;
  }
  into.message = printable(rest.substr(0, rest.find('\0')), kMaximumMessage);
  return into.number <= kMostErrors && (rest.empty() || rest.back() == '\0');
}

}  // namespace

std::optional<std::uint64_t> tftp_number(const std::vector<TftpOption>& options, std::string_view name) {
  const auto found = std::find_if(options.begin(), options.end(), [&](const auto& one) { return one.name == name; });
  if (found == options.end() || found->value.size() > kMostDigits) {
    return std::nullopt;
  }
  std::uint64_t out = 0;
  const auto* end = found->value.data() + found->value.size();
  const auto [stop, failed] = std::from_chars(found->value.data(), end, out);
  return failed == std::errc{} && stop == end ? std::optional{out} : std::nullopt;
}

std::string tftp_request(TftpPacket::Kind read_or_write, std::string_view file,
                         const std::vector<TftpOption>& options) {
  std::string out;
  put_u16(out, read_or_write == TftpPacket::Kind::write ? 2 : 1);
  put_text(out, file);
  put_text(out, "octet");
  put_options(out, options);
  return out;
}

std::string tftp_read_request(std::string_view file) {
  return tftp_request(TftpPacket::Kind::read, file, {});
}

std::string tftp_data(std::uint16_t number, std::string_view content) {
  std::string out;
  put_u16(out, kData);
  put_u16(out, number);
  out += content;
  return out;
}

std::string tftp_acknowledgement(std::uint16_t number) {
  std::string out;
  put_u16(out, kAcknowledgement);
  put_u16(out, number);
  return out;
}

std::string tftp_agreement(const std::vector<TftpOption>& options) {
  std::string out;
  put_u16(out, kAgreement);
  put_options(out, options);
  return out;
}

std::string tftp_error(std::uint16_t code, std::string_view words) {
  std::string out;
  put_u16(out, kError);
  put_u16(out, code);
  put_text(out, words);
  return out;
}

std::string tftp_stop() {
  return tftp_error(0, "enough");
}

TftpPacket parse_tftp_packet(std::string_view datagram) {
  TftpPacket packet;
  Reader reader{datagram};
  const auto opcode = reader.u16();
  const auto rest = reader.rest();
  bool right = false;
  if (opcode == 1 || opcode == 2) {
    packet.kind = opcode == 1 ? TftpPacket::Kind::read : TftpPacket::Kind::write;
    right = take_request(rest, packet);
  } else if (opcode == kAgreement) {
    packet.kind = TftpPacket::Kind::options;
    right = take_options(rest, packet.options);
  } else if (opcode >= kData && opcode <= kError) {
    right = take_numbered(opcode, rest, packet);
  }
  packet.state = right && !reader.failed() ? Parse::complete : Parse::malformed;
  return packet;
}

TftpParse parse_tftp(std::string_view datagram) {
  auto packet = parse_tftp_packet(datagram);
  TftpParse parse;
  parse.number = packet.number;
  if (packet.state != Parse::complete) {
    return parse;
  }
  if (packet.kind == TftpPacket::Kind::data && packet.number == 1 && packet.data.size() <= kTftpBlock) {
    parse.kind = TftpParse::Kind::data;
    parse.size = packet.data.size();
    parse.state = Parse::complete;
  } else if (packet.kind == TftpPacket::Kind::error) {
    parse.message = std::move(packet.message);
    parse.state = Parse::complete;
  }
  return parse;
}

}  // namespace assay::wire

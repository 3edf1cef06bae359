#include "probes/wire/ssh.hpp"

#include <algorithm>

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumPreamble = 16U << 10U;
constexpr std::size_t kMaximumIdent = 255;
constexpr std::size_t kMaximumPacket = 64U << 10U;
constexpr std::size_t kCookie = 16;
constexpr std::size_t kMaximumNames = 128;
constexpr std::uint8_t kKexInit = 20;

std::vector<std::string> names(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty() && out.size() < kMaximumNames) {
    const auto comma = list.find(',');
    if (comma != 0) {
      out.push_back(printable(list.substr(0, comma), 64));
    }
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return out;
}

}  // namespace

SshIdentParse parse_ssh_ident(std::string_view bytes) {
  SshIdentParse parse;
  std::size_t at = 0;
  while (at <= bytes.size() && at < kMaximumPreamble) {
    const auto newline = bytes.find('\n', at);
    auto line = bytes.substr(at, newline - at);
    constexpr std::string_view kStart = "SSH-";
    const auto shared = std::min(line.size(), kStart.size());
    if (newline == std::string_view::npos) {
      const bool hopeful = at == 0 ? line.substr(0, shared) == kStart.substr(0, shared) : true;
      parse.state = hopeful && line.size() <= kMaximumIdent ? Parse::need_more : Parse::malformed;
      return parse;
    }
    at = newline + 1;
    if (!line.starts_with(kStart)) {
      continue;
    }
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    line.remove_prefix(kStart.size());
    const auto dash = line.find('-');
    if (dash == std::string_view::npos || dash == 0 || dash > 8 || line.size() > kMaximumIdent ||
        text_share(line) != 100) {
      return parse;
    }
    const auto rest = line.substr(dash + 1);
    const auto space = rest.find(' ');
    parse.ident.protocol = printable(line.substr(0, dash));
    parse.ident.software = printable(rest.substr(0, space));
    parse.ident.comment = space == std::string_view::npos ? std::string{} : printable(rest.substr(space + 1));
    parse.used = at;
    parse.state = Parse::complete;
    return parse;
  }
  return parse;
}

SshPacketParse take_ssh_packet(std::string_view bytes) {
  SshPacketParse parse;
  Reader reader{bytes};
  const auto length = reader.u32();
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  if (length < 2 || length > kMaximumPacket) {
    return parse;
  }
  Reader packet{reader.take(length)};
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  const std::size_t padding = packet.u8();
  if (padding + 2 > length) {
    return parse;
  }
  parse.payload = packet.take(length - 1 - padding);
  parse.used = sizeof(std::uint32_t) + length;
  parse.state = Parse::complete;
  return parse;
}

std::string ssh_packet(std::string_view payload) {
  constexpr std::size_t kBlock = 8;
  constexpr std::size_t kLeastPadding = 4;
  const auto unpadded = sizeof(std::uint32_t) + 1 + payload.size();
  auto padding = kBlock - unpadded % kBlock;
  padding += padding < kLeastPadding ? kBlock : 0;
  std::string out;
  put_u32(out, static_cast<std::uint32_t>(1 + payload.size() + padding));
  put_u8(out, static_cast<std::uint32_t>(padding));
  out += payload;
  out.append(padding, '\0');
  return out;
}

void put_ssh_string(std::string& out, std::string_view text) {
  put_u32(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

SshKexInitParse parse_ssh_kexinit_payload(std::string_view payload) {
  SshKexInitParse parse;
  Reader packet{payload};
  const auto message = packet.u8();
  packet.take(kCookie);
  if (packet.failed() || message != kKexInit) {
    return parse;
  }
  auto& offer = parse.offer;
  for (auto* list :
       {&offer.kex, &offer.host_key, &offer.cipher_to_server, &offer.cipher_to_client, &offer.mac_to_server,
        &offer.mac_to_client, &offer.compression_to_server, &offer.compression_to_client}) {
    const auto text = packet.take(packet.u32());
    *list = names(text);
    offer.cut = offer.cut || static_cast<std::size_t>(std::count(text.begin(), text.end(), ',')) >= kMaximumNames;
  }
  if (packet.failed() || offer.kex.empty()) {
    return parse;
  }
  // Old devices end here, without languages and guess.
  packet.take(packet.u32());
  packet.take(packet.u32());
  offer.first_packet_follows = packet.u8() != 0;
  parse.state = Parse::complete;
  return parse;
}

SshKexInitParse parse_ssh_kexinit(std::string_view bytes) {
  const auto packet = take_ssh_packet(bytes);
  if (packet.state != Parse::complete) {
    SshKexInitParse parse;
    parse.state = packet.state;
    return parse;
  }
  return parse_ssh_kexinit_payload(packet.payload);
}

std::string ssh_kexinit(const SshKexInit& offer, std::string_view cookie) {
  std::string out;
  put_u8(out, kKexInit);
  out += cookie;
  for (const auto* list :
       {&offer.kex, &offer.host_key, &offer.cipher_to_server, &offer.cipher_to_client, &offer.mac_to_server,
        &offer.mac_to_client, &offer.compression_to_server, &offer.compression_to_client}) {
    std::string text;
    for (const auto& name : *list) {
      text += (text.empty() ? "" : ",") + name;
    }
    put_ssh_string(out, text);
  }
  put_ssh_string(out, "");  // languages
  put_ssh_string(out, "");
  put_u8(out, 0);
  put_u32(out, 0);
  return out;
}

}  // namespace assay::wire

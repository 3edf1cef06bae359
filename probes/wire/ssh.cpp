#include "probes/wire/ssh.hpp"

#include <algorithm>

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumPreamble = 16U << 10U;
constexpr std::size_t kMaximumIdent = 255;
constexpr std::size_t kMaximumPacket = 35000;
constexpr std::size_t kMaximumNames = 128;
constexpr std::uint8_t kKexInit = 20;

std::vector<std::string> names(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty() && out.size() < kMaximumNames) {
    const auto comma = list.find(',');
    out.push_back(printable(list.substr(0, comma), 64));
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

SshKexInitParse parse_ssh_kexinit(std::string_view bytes) {
  SshKexInitParse parse;
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
  packet.u8();
  const auto message = packet.u8();
  packet.take(16);
  if (packet.failed() || message != kKexInit) {
    return parse;
  }
  auto& offer = parse.offer;
  for (auto* list :
       {&offer.kex, &offer.host_key, &offer.cipher_to_server, &offer.cipher_to_client, &offer.mac_to_server,
        &offer.mac_to_client, &offer.compression_to_server, &offer.compression_to_client}) {
    *list = names(packet.take(packet.u32()));
  }
  parse.state = packet.failed() || offer.kex.empty() ? Parse::malformed : Parse::complete;
  return parse;
}

}  // namespace assay::wire

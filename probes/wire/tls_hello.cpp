#include "probes/wire/tls_hello.hpp"

#include "probes/wire/tls_build.hpp"

namespace assay::wire {

namespace {

constexpr std::uint8_t kAlert = 21;
constexpr std::uint8_t kHandshake = 22;
constexpr std::uint8_t kServerHello = 2;
constexpr std::uint16_t kSupportedVersions = 43;
constexpr std::uint16_t kMaximumRecord = (1U << 14U) + 2048;

constexpr std::uint16_t kSuites[] = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
                                     0xc0ac, 0xc0ae, 0xc009, 0xc013, 0xc00a, 0xc014, 0x009e, 0x0033, 0x0039,
                                     0x009c, 0x009d, 0x002f, 0x0035, 0xc0a8, 0x00a8, 0x000a, 0x0005, 0x00ff};
constexpr std::uint16_t kGroups[] = {29, 23, 24, 25};
constexpr std::uint16_t kSignatures[] = {0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501,
                                         0x0806, 0x0601, 0x0807, 0x0203, 0x0201};
constexpr std::uint16_t kVersions[] = {0x0304, 0x0303, 0x0302, 0x0301};

/// The version a ServerHello chose: that of supported_versions when it is there.
std::uint16_t chosen_version(std::uint16_t legacy, Reader extensions) {
  while (!extensions.rest().empty() && !extensions.failed()) {
    const auto type = extensions.u16();
    Reader body{extensions.take(extensions.u16())};
    if (type == kSupportedVersions && body.rest().size() == 2) {
      return body.u16();
    }
  }
  return legacy;
}

}  // namespace

std::string tls_client_hello(const ClientHello& hello) {
  constexpr std::uint16_t kX25519 = 29;
  TlsHello out;
  out.random = hello.random;
  out.session_id = hello.random;  // middleboxes expect one
  out.suites.assign(std::begin(kSuites), std::end(kSuites));
  out.extensions = {supported_groups(kGroups),
                    {extension::kPointFormats, sized8(std::string(1, '\0'))},
                    signature_algorithms(kSignatures),
                    supported_versions(kVersions),
                    {extension::kPskModes, sized8(std::string(1, '\x01'))},
                    key_share(kX25519, hello.key_share)};
  if (!hello.alpn.empty()) {
    out.extensions.push_back(alpn_offer(hello.alpn));
  }
  return tls_hello_record(out);
}

TlsReplyParse parse_tls_reply(std::string_view bytes) {
  TlsReplyParse parse;
  Reader reader{bytes};
  const auto type = reader.u8();
  const auto version = reader.u16();
  const auto length = reader.u16();
  auto& reply = parse.reply;
  const bool possible =
      bytes.empty() || ((type == kAlert || type == kHandshake) && (bytes.size() < 2 || bytes[1] == 3));
  if (!possible) {
    return parse;
  }
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  if ((version & 0xffU) > 4 || length > kMaximumRecord || length < 2) {
    return parse;
  }
  reply.version = version;
  if (type == kAlert) {
    reply.kind = TlsReply::Kind::alert;
    reply.alert_level = reader.u8();
    reply.alert = reader.u8();
    const bool plausible = length == 2 && (reply.alert_level == 1 || reply.alert_level == 2);
    parse.state = reader.failed() ? Parse::need_more : plausible ? Parse::complete : Parse::malformed;
    return parse;
  }
  reply.kind = TlsReply::Kind::server_hello;
  const auto message = reader.u8();
  const auto size = reader.u24();
  Reader hello{reader.take(size)};
  if (message != kServerHello && !reader.rest().empty()) {
    return parse;
  }
  if (size > kMaximumRecord) {
    return parse;
  }
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  const auto legacy = hello.u16();
  hello.take(32);
  hello.take(hello.u8());
  reply.cipher = hello.u16();
  hello.u8();
  if (hello.failed() || message != kServerHello || legacy >> 8U != 3) {
    return parse;
  }
  reply.version = legacy;
  if (!hello.rest().empty()) {
    reply.version = chosen_version(legacy, Reader{hello.take(hello.u16())});
  }
  parse.state = Parse::complete;
  return parse;
}

}  // namespace assay::wire

#include "probes/wire/tls_build.hpp"

#include "probes/wire/bytes.hpp"

namespace assay::wire {

namespace {

constexpr std::uint8_t kHandshake = 22;
constexpr std::uint8_t kAlert = 21;
constexpr std::uint8_t kClientHello = 1;

std::string extensions_block(const std::vector<TlsExtension>& extensions) {
  std::string out;
  for (const auto& one : extensions) {
    put_u16(out, one.type);
    out += sized16(one.body);
  }
  return out;
}

}  // namespace

std::string sized8(std::string_view body) {
  std::string out;
  put_u8(out, static_cast<std::uint32_t>(body.size()));
  return out.append(body);
}

std::string sized16(std::string_view body) {
  std::string out;
  put_u16(out, static_cast<std::uint32_t>(body.size()));
  return out.append(body);
}

std::string numbers16(std::span<const std::uint16_t> list) {
  std::string out;
  for (const auto number : list) {
    put_u16(out, number);
  }
  return out;
}

TlsExtension server_name(std::string_view host) {
  std::string entry(1, '\0');
  entry += sized16(host);
  return {extension::kServerName, sized16(entry)};
}

TlsExtension supported_groups(std::span<const std::uint16_t> groups) {
  return {extension::kGroups, sized16(numbers16(groups))};
}

TlsExtension signature_algorithms(std::span<const std::uint16_t> schemes) {
  return {extension::kSignatures, sized16(numbers16(schemes))};
}

TlsExtension supported_versions(std::span<const std::uint16_t> versions) {
  return {extension::kSupportedVersions, sized8(numbers16(versions))};
}

TlsExtension alpn_offer(std::span<const std::string> names) {
  std::string list;
  for (const auto& name : names) {
    list += sized8(name);
  }
  return {extension::kAlpn, sized16(list)};
}

TlsExtension key_share(std::uint16_t group, std::string_view key) {
  std::string share;
  put_u16(share, group);
  return {extension::kKeyShare, sized16(share + sized16(key))};
}

TlsExtension no_key_share() {
  return {extension::kKeyShare, sized16({})};
}

std::string tls_hello_message(const TlsHello& hello) {
  std::string body;
  put_u16(body, hello.version);
  body += hello.random;
  body += sized8(hello.session_id);
  body += sized16(numbers16(hello.suites));
  body += sized8(hello.compression);
  if (!hello.extensions.empty()) {
    body += sized16(extensions_block(hello.extensions));
  }
  std::string message;
  put_u8(message, kClientHello);
  put_u24(message, static_cast<std::uint32_t>(body.size()));
  return message + body;
}

std::string tls_record(std::uint8_t type, std::uint16_t version, std::string_view body) {
  std::string record;
  put_u8(record, type);
  put_u16(record, version);
  return record + sized16(body);
}

std::string tls_hello_record(const TlsHello& hello) {
  return tls_record(kHandshake, hello.record_version, tls_hello_message(hello));
}

std::string tls_alert_record(std::uint16_t version, std::uint8_t level, std::uint8_t alert) {
  return tls_record(kAlert, version, std::string{static_cast<char>(level), static_cast<char>(alert)});
}

std::string ssl2_hello(std::string_view challenge) {
  constexpr std::uint32_t kCiphers[] = {0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700c0};
  std::string ciphers;
  for (const auto cipher : kCiphers) {
    put_u24(ciphers, cipher);
  }
  std::string body;
  put_u8(body, kClientHello);
  put_u16(body, kSsl2);
  put_u16(body, static_cast<std::uint32_t>(ciphers.size()));
  put_u16(body, 0);
  put_u16(body, static_cast<std::uint32_t>(challenge.size()));
  body += ciphers;
  body += challenge;
  std::string record;
  put_u16(record, 0x8000U | static_cast<std::uint32_t>(body.size()));
  return record + body;
}

}  // namespace assay::wire

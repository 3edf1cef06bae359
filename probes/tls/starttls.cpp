#include "probes/tls/starttls.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <iterator>
#include <string>

#include "probes/wire/bytes.hpp"

namespace assay::probes::tls {

namespace {

using Clock = std::chrono::steady_clock;
using Step = UpgradeDialect::Step;
using namespace std::string_view_literals;

constexpr std::size_t kMostBytes = 16 * 1024;

/// Whole lines have come and the last one begins with the code and a space (RFC 5321, 4.2.1; RFC 959, 4.2).
bool last_line(std::string_view bytes, std::string_view code) {
  if (!bytes.ends_with('\n')) {
    return false;
  }
  bytes.remove_suffix(1);
  const auto start = bytes.rfind('\n');
  const auto line = start == std::string_view::npos ? bytes : bytes.substr(start + 1);
  return line.starts_with(code) && line.size() > code.size() && line[code.size()] == ' ';
}

bool says_220(std::string_view bytes) {
  return last_line(bytes, "220");
}

bool says_250(std::string_view bytes) {
  return last_line(bytes, "250");
}

bool says_234(std::string_view bytes) {
  return last_line(bytes, "234");
}

bool says_pop_ok(std::string_view bytes) {
  return bytes.starts_with("+OK") && bytes.ends_with('\n');
}

bool says_imap_ok(std::string_view bytes) {
  return bytes.starts_with("* OK") && bytes.ends_with('\n');
}

bool says_imap_begin(std::string_view bytes) {
  return bytes.find("a1 OK") != std::string_view::npos;
}

bool says_features(std::string_view bytes) {
  return bytes.find("</stream:features>") != std::string_view::npos;
}

bool says_proceed(std::string_view bytes) {
  return bytes.find("<proceed") != std::string_view::npos;
}

bool says_s(std::string_view bytes) {
  return bytes == "S";
}

/// The reply 220 that `bytes` begin with, to the end of its last line; "" when there is none. What a service says to a
/// hello that it took for commands may follow in the same segment.
std::string_view greeting_220(std::string_view bytes) {
  const auto last = bytes.starts_with("220 ")   ? 0
                    : bytes.starts_with("220-") ? bytes.find("\n220 ")
                                                : std::string_view::npos;
  const auto end = last == std::string_view::npos ? last : bytes.find('\n', last + 1);
  return end == std::string_view::npos ? std::string_view{} : bytes.substr(0, end + 1);
}

/// SMTP and FTP greet with the same code; the word tells them apart.
bool greets_smtp(std::string_view bytes) {
  return wire::contains_ignoring_case(greeting_220(bytes), "smtp");
}

bool greets_ftp(std::string_view bytes) {
  const auto greeting = greeting_220(bytes);
  return !greeting.empty() && !wire::contains_ignoring_case(greeting, "smtp");
}

/// ExtendedResponse with resultCode success (RFC 4511, 4.12): the code is an ENUMERATED of one byte.
bool ldap_agrees(std::string_view bytes) {
  return bytes.size() >= 14 && bytes[0] == '\x30' && bytes.find("\x0a\x01\x00"sv) != std::string_view::npos;
}

/// Handshake of protocol 10 whose capabilities hold CLIENT_SSL.
bool greets_mysql(std::string_view bytes) {
  if (bytes.size() < 6 || bytes[4] != '\x0a') {
    return false;
  }
  const auto end = bytes.find('\0', 5);
  constexpr std::size_t kToCapabilities = 1 + 4 + 8 + 1;  // terminator, thread, salt, filler
  constexpr std::size_t kSslByte = 1;
  constexpr unsigned kClientSsl = 0x08;  // 0x0800 in the little-endian pair
  return end != std::string_view::npos && bytes.size() > end + kToCapabilities + kSslByte &&
         (static_cast<unsigned char>(bytes[end + kToCapabilities + kSslByte]) & kClientSsl) != 0;
}

constexpr Step kSmtpSteps[] = {{"EHLO probe.invalid\r\n", &says_250, {}}, {"STARTTLS\r\n", &says_220, {}}};
constexpr Step kFtpSteps[] = {{"AUTH TLS\r\n", &says_234, {}}};
constexpr Step kPopSteps[] = {{"STLS\r\n", &says_pop_ok, {}}};
constexpr Step kImapSteps[] = {{"a1 STARTTLS\r\n", &says_imap_begin, {}}};
// ExtendedRequest of StartTLS, OID 1.3.6.1.4.1.1466.20037 (RFC 4511, 4.14.1).
constexpr Step kLdapSteps[] = {
    {"\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
     "1.3.6.1.4.1.1466.20037"sv,
     &ldap_agrees,
     {}}};
constexpr Step kXmppSteps[] = {
    // A server that knows more than one name, or goes by the book, ends a stream to nobody (RFC 6120, 4.7.2).
    {"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
     "version='1.0' to='"sv,
     &says_features, "'>"sv},
    {"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"sv, &says_proceed, {}}};
// SSLRequest: length 8, code 80877103.
constexpr Step kPostgresSteps[] = {{"\0\0\0\x08\x04\xd2\x16\x2f"sv, &says_s, {}}};
// SSLRequest: packet 1 of 32 bytes, capabilities PROTOCOL_41 | SSL | SECURE_CONNECTION, 16 MiB packets, utf8.
constexpr Step kMysqlSteps[] = {
    {"\x20\0\0\x01\0\x8a\0\0\0\0\0\x01\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv, nullptr, {}}};

constexpr std::uint16_t kLdapPorts[] = {389, 3268};
constexpr std::uint16_t kXmppPorts[] = {5222};
constexpr std::uint16_t kPostgresPorts[] = {5432};

constexpr UpgradeDialect kSmtp{"smtp", {}, &greets_smtp, kSmtpSteps};
constexpr UpgradeDialect kFtp{"ftp", {}, &greets_ftp, kFtpSteps};
constexpr UpgradeDialect kPop{"pop3", {}, &says_pop_ok, kPopSteps};
constexpr UpgradeDialect kImap{"imap", {}, &says_imap_ok, kImapSteps};
constexpr UpgradeDialect kMysql{"mysql", {}, &greets_mysql, kMysqlSteps};
constexpr UpgradeDialect kLdap{"ldap", kLdapPorts, nullptr, kLdapSteps};
constexpr UpgradeDialect kXmpp{"xmpp", kXmppPorts, nullptr, kXmppSteps};
constexpr UpgradeDialect kPostgres{"postgresql", kPostgresPorts, nullptr, kPostgresSteps};
constexpr const UpgradeDialect* kDialects[] = {&kSmtp, &kFtp, &kPop, &kImap, &kMysql, &kLdap, &kXmpp, &kPostgres};

/// Reads until it agrees; silence and the end of the stream are the error.
asio::awaitable<Result<>> read_until(Stream& stream, bool (*agrees)(std::string_view), Transcript& transcript,
                                     Clock::time_point until) {
  std::string all;
  std::array<std::byte, 2048> buffer;
  const std::span<std::byte> room{buffer};
  while (all.size() < kMostBytes) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    if (left.count() <= 0) {
      break;
    }
    const auto count = co_await stream.read_some(room, left);
    if (!count) {
      co_return count.error();
    }
    const auto got = room.first(*count);
    transcript.received(got);
    all += wire::text_of(got);
    if (agrees(all)) {
      co_return Result<>{};
    }
  }
  co_return Error{ErrorKind::protocol, "the service did not agree to begin TLS: " + wire::printable(all, 128), {}};
}

std::string words_of(const Step& step, const std::string& name) {
  std::string out{step.say};
  if (!step.after_name.empty()) {
    std::copy_if(name.begin(), name.end(), std::back_inserter(out),
                 [](unsigned char one) { return std::isalnum(one) != 0 || one == '.' || one == '-' || one == ':'; });
    out += step.after_name;
  }
  return out;
}

}  // namespace

std::span<const UpgradeDialect* const> upgrade_dialects() {
  return kDialects;
}

const UpgradeDialect* dialect_for(std::string_view greeting, std::uint16_t port) {
  for (const auto* dialect : kDialects) {
    const bool fits = dialect->greets != nullptr
                          ? dialect->greets(greeting)
                          : std::find(dialect->ports.begin(), dialect->ports.end(), port) != dialect->ports.end();
    if (fits) {
      return dialect;
    }
  }
  return nullptr;
}

asio::awaitable<Result<>> begin_upgrade(Stream& stream, const UpgradeDialect& dialect, const std::string& name,
                                        Transcript& transcript, milliseconds within) {
  const auto until = Clock::now() + within;
  if (dialect.greets != nullptr) {
    const auto greeted = co_await read_until(stream, dialect.greets, transcript, until);
    if (!greeted) {
      co_return greeted;
    }
  }
  for (const auto& step : dialect.steps) {
    const auto said = words_of(step, name);
    const auto bytes = wire::bytes_of(said);
    transcript.sent(bytes);
    const auto sent = co_await stream.write_all(bytes, within);
    if (!sent) {
      co_return sent;
    }
    if (step.agrees != nullptr) {
      const auto agreed = co_await read_until(stream, step.agrees, transcript, until);
      if (!agreed) {
        co_return agreed;
      }
    }
  }
  co_return Result<>{};
}

}  // namespace assay::probes::tls

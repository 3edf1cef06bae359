#include "probes/tls/fingerprint.hpp"

#include <algorithm>
#include <vector>

#include <openssl/evp.h>

#include "probes/sessions/certificate.hpp"
#include "probes/tls/hellos.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::tls {

namespace {

namespace extension = wire::extension;
using Numbers = std::vector<std::uint16_t>;

// Lists of the method's own: a suite that Assay learns later must not change the fingerprint of a server.
constexpr std::uint16_t kSuites12[] = {0xc02f, 0xc030, 0xc02b, 0xc02c, 0xcca8, 0xcca9, 0xccaa, 0x009e, 0x009f, 0xc027,
                                       0xc028, 0xc023, 0xc024, 0x0067, 0x006b, 0xc013, 0xc014, 0xc009, 0xc00a, 0x0033,
                                       0x0039, 0x009c, 0x009d, 0xc09c, 0xc09d, 0xc0ac, 0xc0ad, 0x003c, 0x003d, 0x002f,
                                       0x0035, 0x0041, 0x0084, 0xc076, 0x00a8, 0xc012, 0x000a, 0x0005};
constexpr std::uint16_t kSuitesOfCbc[] = {0xc013, 0xc014, 0xc009, 0xc00a, 0x0033, 0x0039,
                                          0x002f, 0x0035, 0x0041, 0x0084, 0xc012, 0x000a};
constexpr std::uint16_t kSuites13[] = {0x1302, 0x1303, 0x1301, 0x1304, 0x1305};
constexpr std::uint16_t kGroups[] = {29, 23, 24, 25, 30, 26, 27, 28, 256, 257};
constexpr std::uint16_t kSignatures[] = {0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501,
                                         0x0603, 0x0806, 0x0601, 0x0807, 0x0203, 0x0201};
constexpr std::uint16_t kGreaseSuite = 0x5a5a;  // RFC 8701
constexpr std::uint16_t kGreaseGroup = 0x3a3a;
constexpr std::uint16_t kGreaseExtension = 0x7a7a;
constexpr std::uint16_t kGreaseVersion = 0x4a4a;
constexpr std::string_view kNobody = "assay.invalid";  // RFC 2606
constexpr std::size_t kDigits = 32;
constexpr std::string_view kMethod = "assay1:";

Numbers forward(std::span<const std::uint16_t> list) {
  return {list.begin(), list.end()};
}

Numbers backward(std::span<const std::uint16_t> list) {
  return {list.rbegin(), list.rend()};
}

void offer_common(wire::TlsHello& hello) {
  const std::vector<std::string> protocols{"h2", "http/1.1", "mqtt"};
  hello.extensions.push_back(wire::alpn_offer(protocols));
  hello.extensions.push_back({extension::kExtendedMasterSecret, {}});
  hello.extensions.push_back({extension::kSessionTicket, {}});
  hello.extensions.push_back({extension::kStatusRequest, std::string("\x01\0\0\0\0", 5)});
}

HelloWish wish_of(std::uint16_t version, Numbers suites, bool reversed, const std::string& name) {
  HelloWish wish;
  wish.version = version;
  wish.suites = std::move(suites);
  wish.groups = reversed ? backward(kGroups) : forward(kGroups);
  wish.signatures = reversed ? backward(kSignatures) : forward(kSignatures);
  wish.server_name = name;
  return wish;
}

/// TLS 1.0 to 1.2, with all that changes the ServerHello.
wire::TlsHello plain(std::uint16_t version, Numbers suites, bool reversed, const std::string& name) {
  auto hello = make_hello(wish_of(version, std::move(suites), reversed, name));
  offer_common(hello);
  return hello;
}

/// What older stacks answered and newer ones forgot.
wire::TlsHello old_extensions(const std::string& name) {
  auto hello = make_hello(wish_of(wire::kTls12, forward(kSuitesOfCbc), false, name));
  const std::vector<std::string> protocols{"spdy/3"};
  hello.extensions.push_back(wire::alpn_offer(protocols));
  hello.extensions.push_back({extension::kMaxFragment, std::string(1, '\x04')});
  hello.extensions.push_back({extension::kEncryptThenMac, {}});
  hello.extensions.push_back({extension::kTruncatedHmac, {}});
  hello.extensions.push_back({extension::kNpn, {}});
  return hello;
}

wire::TlsHello of_tls13(bool reversed, const std::string& name) {
  auto hello = make_hello(wish_of(wire::kTls13, reversed ? backward(kSuites13) : forward(kSuites13), reversed, name));
  const std::vector<std::string> protocols{"http/1.1", "h2"};
  hello.extensions.push_back(wire::alpn_offer(protocols));
  return hello;
}

/// Both versions, values that nobody knows, and a name that nobody has.
wire::TlsHello greased() {
  Numbers suites{kGreaseSuite};
  suites.insert(suites.end(), std::begin(kSuites13), std::end(kSuites13));
  suites.insert(suites.end(), std::begin(kSuites12), std::end(kSuites12));
  auto wish = wish_of(wire::kTls13, std::move(suites), false, std::string{kNobody});
  wish.groups.insert(wish.groups.begin(), kGreaseGroup);
  auto hello = make_hello(wish);
  const std::uint16_t versions[] = {kGreaseVersion, wire::kTls13, wire::kTls12};
  if (auto* offered = find_extension(hello, extension::kSupportedVersions)) {
    *offered = wire::supported_versions(versions);
  }
  hello.extensions.push_back({kGreaseExtension, std::string(1, '\0')});
  return hello;
}

/// No server can choose: how it says so is its own.
wire::TlsHello impossible(const std::string& name) {
  return make_hello(wish_of(wire::kTls12, {kGreaseSuite}, false, name));
}

wire::TlsHello hello_of(std::size_t index, const std::string& name) {
  switch (index) {
    case 0:
      return plain(wire::kTls12, forward(kSuites12), false, name);
    case 1:
      return plain(wire::kTls12, backward(kSuites12), true, name);
    case 2:
      return old_extensions(name);
    case 3:
      return plain(wire::kTls11, forward(kSuitesOfCbc), false, name);
    case 4:
      return plain(wire::kTls10, backward(kSuitesOfCbc), true, name);
    case 5:
      return of_tls13(false, name);
    case 6:
      return of_tls13(true, name);
    case 7:
      return greased();
    default:
      return impossible(name);
  }
}

std::string number(std::uint16_t value) {
  std::string bytes;
  wire::put_u16(bytes, value);
  return wire::hex(bytes);
}

/// Kind, group or length of the prime, signature scheme.
std::string exchange_text(const wire::ServerKeyExchange& exchange) {
  using Kind = wire::ServerKeyExchange::Kind;
  auto out = std::to_string(static_cast<int>(exchange.kind));
  if (exchange.kind == Kind::named_group) {
    out += "-" + number(exchange.group);
  } else if (exchange.kind == Kind::dh) {
    out += "-" + std::to_string(exchange.dh_p.size());
  }
  return out + "-" + (exchange.signature ? number(*exchange.signature) : "");
}

std::string hello_text(const wire::TlsFlight& flight) {
  const auto& hello = *flight.hello();
  std::string types;
  for (const auto type : hello.order) {
    types += (types.empty() ? "" : "-") + number(type);
  }
  const auto alpn = hello.extensions.find(extension::kAlpn);
  auto out = number(hello.version) + "|" + number(hello.suite) + "|" + types + "|" +
             (alpn == hello.extensions.end() ? "" : wire::hex(alpn->second)) + "|" +
             std::to_string(hello.session_id.size()) + (hello.retry ? "|retry-" + number(hello.group) : "|");
  out += "|" + (flight.key_exchange() ? exchange_text(*flight.key_exchange()) : "");
  return out + (flight.certificate_request() ? "|asks" : "|");
}

std::string digits_of(std::string_view text) {
  return sessions::sha256_hex(text).substr(0, kDigits);
}

/// Place of the suite in the lists of the method, in two digits, and a letter for the version; "000": refused.
std::string coarse(std::string_view answer) {
  if (answer.size() < 9 || answer[4] != '|') {
    return "000";
  }
  Numbers known = forward(kSuites12);
  known.insert(known.end(), std::begin(kSuites13), std::end(kSuites13));
  const auto suite = answer.substr(5, 4);
  const auto place = std::find_if(known.begin(), known.end(), [&](std::uint16_t one) { return number(one) == suite; });
  const auto index = place == known.end() ? 0xff : static_cast<unsigned>(place - known.begin()) + 1;
  const std::string byte(1, static_cast<char>(index));
  return wire::hex(byte) + static_cast<char>('a' + (answer[3] - '0'));
}

/// What JARM hashes of an answer: everything behind the suite.
std::string_view fine(std::string_view answer) {
  return answer.size() < 9 || answer[4] != '|' ? answer : answer.substr(9);
}

}  // namespace

std::string answer_text(const Reply& reply) {
  if (reply.hello() && reply.flight.hello()) {
    return hello_text(reply.flight);
  }
  if (reply.answer == Answer::refused) {
    const auto refusal = reply.flight.refusal();
    return "alert " + (refusal ? std::to_string(refusal->level) + " " + std::to_string(refusal->alert) : "");
  }
  return reply.answer == Answer::cut ? "cut" : "";
}

asio::awaitable<void> Fingerprint::ask() {
  for (std::size_t index = 0; index < kHellos && !over_; ++index) {
    const auto hello = hello_of(index, server_name_);
    auto title = "fingerprint, hello " + std::to_string(index + 1);
    const Enough enough = &at_end;
    const auto reply = co_await asker_.ask(std::move(title), hello, enough);
    over_ = reply.ends;
    answers_[index] = answer_text(reply);
  }
}

json::object ja3s_facts(std::string_view text) {
  json::object out{{"ja3s", text}};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (!text.empty() && EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) == 1) {
    out["ja3s_md5"] = wire::hex({reinterpret_cast<const char*>(digest.data()), size});
  }
  return out;
}

json::object fingerprint_facts(const Fingerprint::Answers& answers) {
  json::array texts;
  std::string whole;
  std::string places;
  std::string rest;
  bool settled = true;
  for (const auto& answer : answers) {
    texts.push_back(json::string(wire::printable(answer, 256)));
    settled = settled && !answer.empty();
    whole += answer + "\n";
    places += coarse(answer);
    rest += std::string{fine(answer)} + "\n";
  }
  json::object out{{"stack", nullptr}, {"jarm_like", nullptr}, {"answers", std::move(texts)}};
  if (settled) {
    out["stack"] = std::string{kMethod} + digits_of(whole);
    out["jarm_like"] = places + digits_of(rest);
  }
  return out;
}

}  // namespace assay::probes::tls

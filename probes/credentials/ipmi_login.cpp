#include <algorithm>
#include <array>
#include <optional>

#include "probes/credentials/dialects.hpp"
#include "probes/sessions/digests.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/ipmi.hpp"

/// Management controllers (IPMI 2.0, 13). Whoever names an account is given a digest that is keyed with its password,
/// so a candidate is held against that digest here, and only one that fits is sent. What nobody can repair is told as
/// it is: the digest given away, and sessions of cipher suite zero, which need no password at all.
namespace assay::probes::credentials {

namespace ipmi {

namespace {

using sessions::digest;
using sessions::encrypt;
using sessions::Hash;
using sessions::hmac;

constexpr milliseconds kSilence{500};  // controllers are slow, and so is a second try
constexpr int kRounds = 3;
constexpr int kMostDatagrams = 8;
constexpr std::uint8_t kLowestRole = 2;   // user
constexpr std::uint8_t kHighestRole = 4;  // administrator
constexpr std::uint8_t kByNameAlone = 0x10;
constexpr std::size_t kLongestPassword = 20;
constexpr std::size_t kLongestName = 16;
constexpr wire::IpmiSuite kNothing{0, 0, 0};
constexpr std::array<wire::IpmiSuite, 3> kSuites{{{1, 1, 0}, {1, 1, 1}, {3, 4, 1}}};
constexpr std::string_view kUsualNames[] = {"", "admin", "ADMIN", "root", "Administrator", "USERID"};

/// The first steps of a session.
struct Opened {
  wire::IpmiSuite suite;
  std::uint32_t console = 0;
  std::uint32_t managed = 0;
  std::uint8_t role = 0;
  std::string random;  // ours
  wire::IpmiOpening rakp2;
};

Hash hash_of(const wire::IpmiSuite& suite) {
  return suite.authentication == 1 ? Hash::sha1 : Hash::sha256;
}

std::size_t check_size(const wire::IpmiSuite& suite) {
  return suite.integrity == 1 ? 12 : 16;
}

class Exchange {
 public:
  Exchange(Door& door, std::unique_ptr<Datagrams> socket) : door_(door), socket_(std::move(socket)) {}

  /// Who is there. Nothing when nobody answers in this protocol.
  asio::awaitable<Result<std::optional<wire::IpmiCapabilities>>> capabilities() {
    std::optional<wire::IpmiCapabilities> known;
    for (int round = 0; round < kRounds && !known; ++round) {
      auto question = wire::ipmi_capabilities_request();
      auto answer = co_await exchange(std::move(question));
      if (!answer && answer.error().kind != ErrorKind::timed_out) {
        co_return answer.error();
      }
      const auto said = answer ? wire::parse_ipmi_capabilities(*answer) : wire::IpmiCapabilities{};
      if (said.state == wire::Parse::complete) {
        known = said;
      }
    }
    co_return known;
  }

  /// Opens a session up to the device's digest for a name; a status other than zero stands in `rakp2`.
  asio::awaitable<Result<Opened>> open(wire::IpmiSuite suite, std::string name) {
    Opened opened;
    opened.suite = suite;
    for (auto role = kHighestRole; role >= kLowestRole; --role) {
      opened.console = wire::Reader{sessions::random_bytes(4)}.u32();
      auto request = wire::ipmi_open_session(++tag_, opened.console, suite);
      auto session = co_await ask(std::move(request), wire::IpmiOpening::Kind::open_session);
      if (!session || session->status != 0) {
        opened.rakp2 = session ? *session : wire::IpmiOpening{};
        const Result<Opened> refused{opened};
        co_return session ? refused : Result<Opened>{session.error()};
      }
      opened.suite = session->suite;
      opened.managed = session->managed;
      opened.role = role | kByNameAlone;
      opened.random = sessions::random_bytes(16);
      wire::IpmiHello hello;
      hello.tag = ++tag_;
      hello.managed = opened.managed;
      hello.random = opened.random;
      hello.role = opened.role;
      hello.name = name;
      auto rakp1 = wire::ipmi_rakp1(hello);
      auto answer = co_await ask(std::move(rakp1), wire::IpmiOpening::Kind::rakp2);
      if (!answer) {
        co_return answer.error();
      }
      opened.rakp2 = *answer;
      if (answer->status != wire::kIpmiBadRole) {
        break;
      }
    }
    co_return opened;
  }

  /// The last step; with a code where the suite has one.
  asio::awaitable<Result<wire::IpmiOpening>> finish(const Opened& opened, std::string code) {
    auto rakp3 = wire::ipmi_rakp3(++tag_, opened.managed, code);
    auto answer = co_await ask(std::move(rakp3), wire::IpmiOpening::Kind::rakp4);
    co_return answer;
  }

  /// A last word whose fate does not matter: few sessions are kept, and an open one would stand in somebody's way. Its
  /// answer is waited for where it is keyed: it is among the packets in any case, and must not stand there.
  asio::awaitable<void> say_goodbye(std::string packet) {
    const auto view = wire::bytes_of(packet);
    const bool keyed = keep_out_keyed(packet);
    door_.transcript.sent(view);
    auto sent = co_await socket_->send(view);
    if (!sent) {
      door_.transcript.note("the last word was not sent: " + sent.error().what);
      co_return;
    }
    for (int datagrams = 0; keyed && datagrams < kMostDatagrams; ++datagrams) {
      auto received = co_await socket_->receive(door_.timers.reply);
      if (!received) {
        co_return;
      }
      const std::string payload{wire::text_of(received->payload)};
      keep_out(wire::parse_ipmi_opening(payload).code);
      const bool last = keep_out_keyed(payload);
      door_.transcript.received(received->payload);
      if (last) {
        co_return;
      }
    }
  }

 private:
  asio::awaitable<Result<wire::IpmiOpening>> ask(std::string question, wire::IpmiOpening::Kind kind) {
    for (int round = 0; round < kRounds; ++round) {
      auto bytes = question;
      auto answer = co_await exchange(std::move(bytes));
      if (!answer && answer.error().kind != ErrorKind::timed_out) {
        co_return answer.error();
      }
      const auto said = answer ? wire::parse_ipmi_opening(*answer) : wire::IpmiOpening{};
      if (said.state == wire::Parse::complete && said.kind == kind && said.tag == tag_) {
        co_return said;
      }
    }
    co_return Error{ErrorKind::timed_out, "no answer of this exchange came", {}};
  }

  /// One datagram there and the next one of RMCP back.
  asio::awaitable<Result<std::string>> exchange(std::string question) {
    const auto view = wire::bytes_of(question);
    door_.transcript.sent(view);
    auto sent = co_await socket_->send(view);
    if (!sent) {
      co_return sent.error();
    }
    const auto patience = std::max(kSilence, 2 * door_.timers.quiet);
    for (int datagrams = 0; datagrams < kMostDatagrams; ++datagrams) {
      auto received = co_await socket_->receive(patience);
      if (!received) {
        co_return received.error();
      }
      const std::string payload{wire::text_of(received->payload)};
      const auto opening = wire::parse_ipmi_opening(payload);
      keep_out(opening.code);
      keep_out_keyed(payload);
      door_.transcript.received(received->payload);
      const bool late = opening.state == wire::Parse::complete && opening.tag != tag_;
      if (!late) {
        co_return payload;
      }
    }
    co_return Error{ErrorKind::timed_out, "only late answers came", {}};
  }

  /// Whoever reads a digest that is keyed with the device's own password can guess at leisure.
  void keep_out(const std::string& code) {
    if (!code.empty()) {
      door_.transcript.conceal(code, "digest with a password");
      door_.record.conceal(code, "digest with a password");
    }
  }

  /// The keys of a session are made of the password and of what passed in clear: whatever they sign or encrypt tells
  /// whether a password is the right one, too.
  bool keep_out_keyed(std::string_view packet) {
    const auto parts = wire::ipmi_keyed_parts(packet);
    for (const auto& part : parts) {
      door_.transcript.conceal(part, "keyed with a password");
      door_.record.conceal(part, "keyed with a password");
    }
    return !parts.empty();
  }

  Door& door_;
  std::unique_ptr<Datagrams> socket_;
  std::uint8_t tag_ = 0;
};

/// Role and name as they stand in what is hashed.
std::string who(const Opened& opened, std::string_view name) {
  std::string out(1, static_cast<char>(opened.role));
  wire::put_u8(out, static_cast<std::uint32_t>(name.size()));
  return out.append(name);
}

std::string device_digest(const Opened& opened, std::string_view name, std::string_view password) {
  return hmac(hash_of(opened.suite), password,
              wire::ipmi_little(opened.console) + wire::ipmi_little(opened.managed) + opened.random +
                  opened.rakp2.random + opened.rakp2.guid + who(opened, name));
}

std::string our_code(const Opened& opened, std::string_view name, std::string_view password) {
  return hmac(hash_of(opened.suite), password,
              opened.rakp2.random + wire::ipmi_little(opened.console) + who(opened, name));
}

std::string session_key(const Opened& opened, std::string_view name, std::string_view password) {
  return hmac(hash_of(opened.suite), password, opened.random + opened.rakp2.random + who(opened, name));
}

/// The packet that closes the session, encrypted and signed as its suite asks (13.28, 13.29).
std::string closing_packet(const Opened& opened, std::string_view key) {
  const auto hash = hash_of(opened.suite);
  auto payload = wire::ipmi_close_payload(opened.managed);
  const bool encrypted = opened.suite.confidentiality != 0;
  if (encrypted) {
    const auto pad = (16 - (payload.size() + 1) % 16) % 16;
    for (std::size_t i = 1; i <= pad; ++i) {
      wire::put_u8(payload, static_cast<std::uint32_t>(i));
    }
    wire::put_u8(payload, static_cast<std::uint32_t>(pad));
    const auto iv = sessions::random_bytes(16);
    const auto second = hmac(hash, key, std::string(digest(hash, {}).size(), '\x02')).substr(0, 16);
    payload = iv + encrypt("AES-128-CBC", second, iv, payload);
  }
  const bool authenticated = opened.suite.integrity != 0;
  auto packet = wire::ipmi_session_packet(opened.managed, 1, encrypted, authenticated, payload);
  if (authenticated) {
    constexpr std::size_t kRmcp = 4;
    const auto pad = (4 - (packet.size() - kRmcp + 2) % 4) % 4;
    packet.append(pad, '\xff');
    wire::put_u8(packet, static_cast<std::uint32_t>(pad));
    wire::put_u8(packet, 0x07);
    const auto first = hmac(hash, key, std::string(digest(hash, {}).size(), '\x01'));
    packet += hmac(hash, first, std::string_view{packet}.substr(kRmcp)).substr(0, check_size(opened.suite));
  }
  return packet;
}

class IpmiLogin final : public Dialect {
 public:
  IpmiLogin(Door& door, std::unique_ptr<Exchange> exchange, wire::IpmiSuite suite, json::array given)
      : door_(door), exchange_(std::move(exchange)), suite_(suite), given_(std::move(given)) {}

  std::string_view name() const override { return "ipmi-rakp"; }

  bool clear() const override { return false; }

  void start_afresh() override {}

  json::array given_away() const override { return given_; }

  asio::awaitable<Attempt> attempt_control(std::string username, Secret password) override {
    auto attempted = co_await attempt(std::move(username), std::move(password));
    co_return attempted;
  }

  asio::awaitable<Attempt> attempt(std::string username, Secret password) override {
    Attempt attempted;
    const auto name = username.substr(0, kLongestName);
    auto opened = co_await exchange_->open(suite_, name);
    if (!opened) {
      note_failure(opened.error(), attempted);
      co_return attempted;
    }
    const auto status = opened->rakp2.status;
    if (opened->rakp2.kind != wire::IpmiOpening::Kind::rakp2 || status != 0) {
      attempted.outcome = status == wire::kIpmiBadName ? Outcome::rejected : Outcome::unclear;
      attempted.says = "status " + std::to_string(status);
      co_return attempted;
    }
    if (opened->rakp2.code.empty()) {
      attempted.says = "no digest came";
      co_return attempted;
    }
    note_given(name, *opened);
    const auto word = password.reveal().substr(0, kLongestPassword);
    const auto expected = device_digest(*opened, name, word);
    if (opened->rakp2.code != expected.substr(0, opened->rakp2.code.size())) {
      attempted.outcome = Outcome::rejected;
      attempted.says = "the device's digest is of another password";
      co_return attempted;
    }
    co_await prove(*opened, name, word, attempted);
    co_return attempted;
  }

 private:
  static void note_failure(const Error& error, Attempt& attempted) {
    attempted.outcome = error.kind == ErrorKind::refused ? Outcome::lost : Outcome::unclear;
    attempted.says = error.what;
    if (sessions::ends_probe(error.kind)) {
      attempted.ended = error;
    }
  }

  void note_given(const std::string& name, const Opened& opened) {
    if (std::find(names_.begin(), names_.end(), name) != names_.end() || names_.size() == kMostNames) {
      return;
    }
    names_.push_back(name);
    given_.emplace_back("a digest keyed with the password of \"" + wire::printable(name, 32) + "\" (RAKP message 2, " +
                        (opened.suite.authentication == 1 ? "HMAC-SHA1" : "HMAC-SHA256") + ") to whoever names it");
  }

  asio::awaitable<void> prove(const Opened& opened, std::string name, std::string word, Attempt& attempted) {
    auto code = our_code(opened, name, word);
    door_.record.conceal(code, "digest with a password");
    door_.transcript.conceal(code, "digest with a password");
    auto last = co_await exchange_->finish(opened, std::move(code));
    if (!last) {
      note_failure(last.error(), attempted);
      co_return;
    }
    if (last->status != 0) {
      attempted.says = "status " + std::to_string(last->status) + " after a digest that fits";
      co_return;
    }
    const auto key = session_key(opened, name, word);
    const auto check =
        hmac(hash_of(opened.suite), key, opened.random + wire::ipmi_little(opened.managed) + opened.rakp2.guid);
    const bool signed_by_key = last->code.size() >= 12 && last->code == check.substr(0, last->code.size());
    attempted.outcome = signed_by_key ? Outcome::accepted : Outcome::unclear;
    attempted.says = "RAKP message 4";
    attempted.proof = "RAKP message 4 opened a session, signed with the key that the password makes";
    auto goodbye = closing_packet(opened, key);
    co_await exchange_->say_goodbye(std::move(goodbye));
  }

  static constexpr std::size_t kMostNames = 16;

  Door& door_;
  std::unique_ptr<Exchange> exchange_;
  wire::IpmiSuite suite_;
  json::array given_;
  std::vector<std::string> names_;  // whose digest was given
};

/// Sessions of cipher suite zero: who gets in by a name alone. Empty: nobody of those that are tried.
asio::awaitable<Result<std::string>> find_zero(Exchange& exchange, bool& taken) {
  for (const auto name : kUsualNames) {
    std::string called{name};
    auto opened = co_await exchange.open(kNothing, called);
    if (!opened) {
      const bool silent = opened.error().kind == ErrorKind::timed_out;
      co_return silent ? Result<std::string>{std::string{}} : Result<std::string>{opened.error()};
    }
    if (opened->rakp2.kind == wire::IpmiOpening::Kind::open_session || !(opened->suite == kNothing)) {
      break;
    }
    taken = true;
    if (opened->rakp2.status != 0) {
      continue;
    }
    std::string no_code;
    auto last = co_await exchange.finish(*opened, std::move(no_code));
    if (last && last->status == 0) {
      const std::string no_key;
      auto goodbye = closing_packet(*opened, no_key);
      co_await exchange.say_goodbye(std::move(goodbye));
      co_return "RAKP message 4 opened a session of cipher suite zero for \"" + called + "\" without a password";
    }
  }
  co_return std::string{};
}

/// The first suite that the device takes.
asio::awaitable<Result<std::optional<wire::IpmiSuite>>> find_suite(Exchange& exchange) {
  std::optional<wire::IpmiSuite> known;
  for (const auto& suite : kSuites) {
    std::string nobody = "assay" + sessions::random_word(8);
    auto opened = co_await exchange.open(suite, nobody);
    if (!opened && opened.error().kind != ErrorKind::timed_out) {
      co_return opened.error();
    }
    if (opened && opened->rakp2.kind == wire::IpmiOpening::Kind::rakp2 && opened->suite == suite) {
      known = suite;
      break;
    }
  }
  co_return known;
}

asio::awaitable<Result<Detection>> find(Door& door) {
  Detection found;
  auto socket = co_await door.network.open_udp(door.endpoint);
  if (!socket) {
    co_return socket.error();
  }
  auto exchange = std::make_unique<Exchange>(door, std::move(*socket));
  auto capabilities = co_await exchange->capabilities();
  if (!capabilities) {
    if (sessions::ends_probe(capabilities.error().kind)) {
      co_return capabilities.error();
    }
    co_return found;  // a closed port
  }
  if (!*capabilities) {
    found.silent = true;
    co_return found;
  }
  found.answered = true;
  if (!(*capabilities)->version2) {
    found.other_login = "a login of IPMI 1.5";
    co_return found;
  }
  json::array given;
  if ((*capabilities)->anonymous) {
    given.emplace_back("that an account without name and password is enabled");
  }
  bool zero = false;
  auto open = co_await find_zero(*exchange, zero);
  if (!open && sessions::ends_probe(open.error().kind)) {
    co_return open.error();
  }
  found.open = open && !open->empty();
  found.open_proof = found.open ? *open : std::string{};
  if (zero) {
    given.emplace_back("sessions of cipher suite zero, which need no password");
  }
  auto suite = co_await find_suite(*exchange);
  if (!suite && sessions::ends_probe(suite.error().kind)) {
    co_return suite.error();
  }
  if (suite && *suite) {
    found.dialect = std::make_unique<IpmiLogin>(door, std::move(exchange), **suite, std::move(given));
  } else if (found.open) {
    found.dialect = std::make_unique<IpmiLogin>(door, std::move(exchange), kSuites[0], std::move(given));
  } else {
    found.other_login = "an IPMI 2.0 login of other algorithms than SHA-1 and SHA-256";
  }
  co_return found;
}

}  // namespace

}  // namespace ipmi

asio::awaitable<Result<Detection>> detect_ipmi(Door& door) {
  auto found = co_await ipmi::find(door);
  co_return found;
}

}  // namespace assay::probes::credentials

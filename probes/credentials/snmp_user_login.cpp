#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <utility>

#include "probes/credentials/dialects.hpp"
#include "probes/sessions/snmp_user_session.hpp"

/// Users of SNMP v3 (RFC 3414), asked through probes/sessions/snmp_user_session.
///
/// An agent reports what is wrong: a user that it does not know, a wrong digest, a level that the user does not have.
/// It does not tell which kind of digest a user has, so a password has to be tried with each, and each is a login: the
/// agent counts every message with a wrong digest, and so does the budget. A password that its budget did not let be
/// tried with all kinds is not refused. Reports and responses that are to say "right" must bear the digest of the same
/// key.
namespace assay::probes::credentials {

namespace snmp_user {

namespace {

using Clock = std::chrono::steady_clock;
using sessions::Hash;
using sessions::SnmpHeard;
using sessions::SnmpKeys;

constexpr milliseconds kSilence{500};  // agents answer within a round trip and a little work
constexpr std::uint32_t kNoError = 0;

/// A kind of authentication (RFC 3414, 6 and 7; RFC 7860, 4).
struct Kind {
  std::string_view name;
  Hash hash;
};

constexpr std::array<Kind, 6> kKinds{{{"SHA-1", Hash::sha1},
                                      {"MD5", Hash::md5},
                                      {"SHA-256", Hash::sha256},
                                      {"SHA-512", Hash::sha512},
                                      {"SHA-224", Hash::sha224},
                                      {"SHA-384", Hash::sha384}}};

std::string words(const SnmpHeard& heard) {
  if (heard.says.kind == wire::SnmpScoped::Kind::response) {
    return heard.says.error_status == kNoError ? "a response" : "error " + std::to_string(heard.says.error_status);
  }
  switch (heard.says.counter) {
    case wire::kUsmUnsupportedLevel:
      return "usmStatsUnsupportedSecLevels";
    case wire::kUsmNotInTime:
      return "usmStatsNotInTimeWindows";
    case wire::kUsmUnknownUser:
      return "usmStatsUnknownUserNames";
    case wire::kUsmUnknownEngine:
      return "usmStatsUnknownEngineIDs";
    case wire::kUsmWrongDigest:
      return "usmStatsWrongDigests";
    case wire::kUsmDecryption:
      return "usmStatsDecryptionErrors";
    default:
      return "a report";
  }
}

class SnmpUser final : public Dialect {
 public:
  SnmpUser(Door& door, std::unique_ptr<Datagrams> socket)
      : door_(door),
        talk_(std::move(socket), door.transcript, door.record, std::max(kSilence, 2 * door.timers.quiet),
              [this](std::string user) { return permit(std::move(user)); }) {}

  std::string_view name() const override { return "snmp-user"; }

  /// The password itself is never sent, and a user without one has none to lose.
  bool clear() const override { return false; }

  void start_afresh() override { talk_.start_afresh(); }

  asio::awaitable<Attempt> attempt_control(std::string username, Secret password) override {
    control_ = true;
    auto attempted = co_await log_in(std::move(username), std::move(password));
    control_ = false;
    co_return attempted;
  }

  asio::awaitable<Attempt> attempt(std::string username, Secret password) override {
    auto attempted = co_await log_in(std::move(username), std::move(password));
    co_return attempted;
  }

 private:
  asio::awaitable<Attempt> log_in(std::string username, Secret password) {
    Attempt attempted;
    attempted.sent = 0;
    permitted_ = true;
    auto ready = co_await talk_.synchronise();
    if (!ready) {
      note_failure(ready.error(), attempted);
      co_return attempted;
    }
    const auto start = Clock::now();
    Result<> done;
    if (password.empty()) {
      done = co_await try_without(std::move(username), attempted);
    } else {
      done = co_await try_kinds(std::move(username), std::move(password), attempted);
    }
    if (!done) {
      note_failure(done.error(), attempted);
    }
    attempted.sent = std::max(attempted.sent, 1);
    attempted.took = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
    co_return attempted;
  }

  static void note_failure(const Error& error, Attempt& attempted) {
    attempted.outcome = error.kind == ErrorKind::refused ? Outcome::lost : Outcome::unclear;
    attempted.says = error.what;
    if (sessions::ends_probe(error.kind)) {
      attempted.ended = error;
    }
  }

  /// A user may be let in by the name alone (noAuthNoPriv).
  asio::awaitable<Result<>> try_without(std::string username, Attempt& attempted) {
    SnmpKeys none;
    auto heard = co_await ask(std::move(username), std::move(none));
    if (!heard) {
      co_return heard.error();
    }
    attempted.says = words(*heard);
    if (heard->is_response() && heard->says.error_status == kNoError) {
      attempted.outcome = Outcome::accepted;
      attempted.proof = "sysDescr.0 was given to the name alone, " + std::to_string(heard->says.text.size()) +
                        " bytes, without any digest (noAuthNoPriv)";
    } else if (heard->any) {
      attempted.outcome = Outcome::rejected;
    }
    co_return Result<>{};
  }

  asio::awaitable<Result<>> try_kinds(std::string username, Secret password, Attempt& attempted) {
    bool all_refused = true;
    for (const auto& kind : kinds_for(username)) {
      SnmpKeys keys{kind.hash, sessions::localised_key(kind.hash, password.reveal(), talk_.engine()), {}};
      ++attempted.sent;
      auto heard = co_await ask(username, keys);
      if (!heard && heard.error().kind == ErrorKind::denied) {
        --attempted.sent;
        attempted.says = "the budget of the account ended before " + std::string{kind.name} + " was tried";
        all_refused = all_refused && control_;  // nobody has the password of a control, whatever the kind
        break;
      }
      if (!heard) {
        co_return heard.error();
      }
      attempted.says = heard->any ? words(*heard) : "silence";
      if (heard->is_report(wire::kUsmUnknownUser)) {
        attempted.outcome = Outcome::rejected;
        co_return Result<>{};
      }
      if (heard->proved) {
        attempted.outcome = Outcome::accepted;
        attempted.proof = proof_of(kind, *heard);
        proved_[username] = kind;
        auto more = co_await try_privacy(std::move(username), std::move(keys), attempted);
        co_return more;
      }
      all_refused = all_refused && heard->any && heard->says.kind == wire::SnmpScoped::Kind::report;
    }
    attempted.outcome = all_refused ? Outcome::rejected : Outcome::unclear;
    co_return Result<>{};
  }

  /// That of the right password first where it was seen: its second login is no wrong one.
  std::vector<Kind> kinds_for(const std::string& username) const {
    std::vector<Kind> kinds{kKinds.begin(), kKinds.end()};
    if (const auto known = proved_.find(username); known != proved_.end()) {
      kinds.insert(kinds.begin(), known->second);
    }
    return kinds;
  }

  static std::string proof_of(const Kind& kind, const SnmpHeard& heard) {
    const auto digest = "the agent answered with a digest (" + std::string{kind.name} + ") of the same key";
    if (heard.says.kind == wire::SnmpScoped::Kind::response && heard.says.error_status == kNoError) {
      return digest + " and gave sysDescr.0, " + std::to_string(heard.says.text.size()) + " bytes";
    }
    return digest + ": " + words(heard);
  }

  /// Whether the same word keys the encryption too. What was proved stays proved.
  asio::awaitable<Result<>> try_privacy(std::string username, SnmpKeys keys, Attempt& attempted) {
    constexpr std::size_t kAesKey = 16;
    if (keys.key.size() < kAesKey) {
      co_return Result<>{};
    }
    keys.privacy = keys.key.substr(0, kAesKey);
    known_ = true;
    auto heard = co_await ask(std::move(username), std::move(keys));
    known_ = false;
    if (heard && heard->proved && heard->is_response()) {
      attempted.proof += "; the same word is the key of its encryption (AES-128)";
    }
    const bool ends = !heard && sessions::ends_probe(heard.error().kind);
    const Result<> fine;
    const Result<> failed{ends ? heard.error() : Error{}};
    co_return ends ? failed : fine;
  }

  /// The first message of a password has its permit already, and what was proved right is no wrong login.
  asio::awaitable<Result<>> permit(std::string user) {
    Result<> permitted;
    if (!std::exchange(permitted_, false) && !known_) {
      permitted = co_await door_.network.permit_login(door_.endpoint, user);
    }
    co_return permitted;
  }

  asio::awaitable<Result<SnmpHeard>> ask(std::string user, SnmpKeys keys) {
    std::string object{wire::kSnmpSysDescr};
    auto heard = co_await talk_.ask(std::move(user), std::move(object), std::move(keys));
    co_return heard;
  }

  Door& door_;
  sessions::SnmpUserSession talk_;
  bool control_ = false;
  bool permitted_ = false;              // a permit was drawn for the next message with a digest
  bool known_ = false;                  // what is sent now was proved right before
  std::map<std::string, Kind> proved_;  // of users whose password was taken
};

}  // namespace

}  // namespace snmp_user

asio::awaitable<Result<std::unique_ptr<Dialect>>> make_snmp_user(Door& door) {
  auto socket = co_await door.network.open_udp(door.endpoint);
  if (!socket) {
    co_return socket.error();
  }
  std::unique_ptr<Dialect> dialect = std::make_unique<snmp_user::SnmpUser>(door, std::move(*socket));
  co_return dialect;
}

}  // namespace assay::probes::credentials

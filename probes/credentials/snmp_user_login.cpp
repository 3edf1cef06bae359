#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <utility>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/digests.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/snmp.hpp"
#include "probes/wire/snmp_user.hpp"

/// Users of SNMP v3 (RFC 3414). net-snmp opens its sockets itself, past scope, pace and transcript; messages are built
/// and read by probes/wire/snmp_user.
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

constexpr milliseconds kSilence{500};  // agents answer within a round trip and a little work
constexpr int kRounds = 3;
constexpr int kMostDatagrams = 8;
constexpr std::uint32_t kNoError = 0;

/// A kind of authentication (RFC 3414, 6 and 7; RFC 7860, 4) with the length of its digest in a message.
struct Kind {
  std::string_view name;
  Hash hash;
  std::size_t digest;
};

constexpr std::array<Kind, 6> kKinds{{{"SHA-1", Hash::sha1, 12},
                                      {"MD5", Hash::md5, 12},
                                      {"SHA-256", Hash::sha256, 24},
                                      {"SHA-512", Hash::sha512, 48},
                                      {"SHA-224", Hash::sha224, 16},
                                      {"SHA-384", Hash::sha384, 32}}};

std::uint32_t fresh_id() {
  return wire::Reader{sessions::random_bytes(4)}.u32() & 0x7fffffffU;
}

/// What an agent said to one message.
struct Heard {
  bool any = false;
  bool proved = false;  // it bears the digest of the same key
  wire::SnmpScoped says;
};

std::string words(const Heard& heard) {
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

bool is_report(const Heard& heard, std::uint32_t counter) {
  return heard.any && heard.says.kind == wire::SnmpScoped::Kind::report && heard.says.counter == counter;
}

class SnmpUser final : public Dialect {
 public:
  SnmpUser(Door& door, std::unique_ptr<Datagrams> socket) : door_(door), socket_(std::move(socket)) {}

  std::string_view name() const override { return "snmp-user"; }

  /// The password itself is never sent, and a user without one has none to lose.
  bool clear() const override { return false; }

  void start_afresh() override { synchronised_ = false; }

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
    auto ready = co_await synchronise();
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
    wire::SnmpUserQuestion question;
    question.user = std::move(username);
    const std::string no_key;
    auto heard = co_await ask(std::move(question), Hash::md5, no_key, no_key);
    if (!heard) {
      co_return heard.error();
    }
    attempted.says = words(*heard);
    const bool response = heard->any && heard->says.kind == wire::SnmpScoped::Kind::response;
    if (response && heard->says.error_status == kNoError) {
      attempted.outcome = Outcome::accepted;
      attempted.proof = "sysDescr.0 was given to the name alone, " + std::to_string(heard->says.text_size) +
                        " bytes, without any digest (noAuthNoPriv)";
    } else if (heard->any) {
      attempted.outcome = Outcome::rejected;
    }
    co_return Result<>{};
  }

  asio::awaitable<Result<>> try_kinds(std::string username, Secret password, Attempt& attempted) {
    bool all_refused = true;
    for (const auto& kind : kinds_for(username)) {
      const auto key = localised_key(kind.hash, password.reveal(), engine_.id);
      wire::SnmpUserQuestion question;
      question.user = username;
      question.digest = kind.digest;
      const std::string in_clear;
      ++attempted.sent;
      auto heard = co_await ask(std::move(question), kind.hash, key, in_clear);
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
      if (is_report(*heard, wire::kUsmUnknownUser)) {
        attempted.outcome = Outcome::rejected;
        co_return Result<>{};
      }
      if (heard->proved) {
        attempted.outcome = Outcome::accepted;
        attempted.proof = proof_of(kind, *heard);
        proved_[username] = kind;
        auto more = co_await try_privacy(std::move(username), kind, key, attempted);
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

  static std::string proof_of(const Kind& kind, const Heard& heard) {
    const auto digest = "the agent answered with a digest (" + std::string{kind.name} + ") of the same key";
    if (heard.says.kind == wire::SnmpScoped::Kind::response && heard.says.error_status == kNoError) {
      return digest + " and gave sysDescr.0, " + std::to_string(heard.says.text_size) + " bytes";
    }
    return digest + ": " + words(heard);
  }

  /// Whether the same word keys the encryption too. What was proved stays proved.
  asio::awaitable<Result<>> try_privacy(std::string username, const Kind& kind, std::string key, Attempt& attempted) {
    constexpr std::size_t kAesKey = 16;
    if (key.size() < kAesKey) {
      co_return Result<>{};
    }
    wire::SnmpUserQuestion question;
    question.user = std::move(username);
    question.digest = kind.digest;
    question.salt = sessions::random_bytes(8);
    const auto privacy = key.substr(0, kAesKey);
    auto heard = co_await ask(std::move(question), kind.hash, key, privacy);
    if (heard && heard->proved && heard->says.kind == wire::SnmpScoped::Kind::response) {
      attempted.proof += "; the same word is the key of its encryption (AES-128)";
    }
    const bool ends = !heard && sessions::ends_probe(heard.error().kind);
    const Result<> fine;
    const Result<> failed{ends ? heard.error() : Error{}};
    co_return ends ? failed : fine;
  }

  /// Boots and time as the agent counts them now.
  wire::SnmpEngine engine_now() const {
    auto engine = engine_;
    const auto passed = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - synchronised_at_);
    engine.time += static_cast<std::uint32_t>(std::max<std::int64_t>(passed.count(), 0));
    return engine;
  }

  void take_over(const wire::SnmpEngine& engine) {
    engine_ = engine;
    synchronised_at_ = Clock::now();
    synchronised_ = true;
  }

  /// Learns the engine's id and clock from its report to a question of nobody.
  asio::awaitable<Result<>> synchronise() {
    if (synchronised_) {
      co_return Result<>{};
    }
    for (int round = 0; round < kRounds; ++round) {
      const auto id = fresh_id();
      auto question = wire::snmp_v3_discovery(id);
      auto answer = co_await exchange(std::move(question), id);
      if (!answer && answer.error().kind != ErrorKind::timed_out) {
        co_return answer.error();
      }
      if (answer && !answer->engine.id.empty()) {
        take_over(answer->engine);
        co_return Result<>{};
      }
    }
    co_return Error{ErrorKind::timed_out, "the agent does not say which engine it is", {}};
  }

  /// The first message of a password has its permit already.
  asio::awaitable<Result<>> permit(std::string user) {
    Result<> permitted;
    if (!std::exchange(permitted_, false)) {
      permitted = co_await door_.network.permit_login(door_.endpoint, user);
    }
    co_return permitted;
  }

  /// One question, repeated when nothing comes, and once more when only the clock was wrong.
  asio::awaitable<Result<Heard>> ask(wire::SnmpUserQuestion question, Hash hash, std::string key, std::string privacy) {
    Heard heard;
    for (int round = 0; round < kRounds; ++round) {
      if (question.digest > 0 && question.salt.empty()) {
        auto permitted = co_await permit(question.user);
        if (!permitted) {
          co_return permitted.error();
        }
      }
      question.id = fresh_id();
      question.engine = engine_now();
      auto bytes = wrapped(question, hash, key, privacy);
      auto answer = co_await exchange(std::move(bytes), question.id);
      if (!answer) {
        if (answer.error().kind != ErrorKind::timed_out) {
          co_return answer.error();
        }
        continue;
      }
      heard = read(*answer, hash, key, privacy);
      if (!is_report(heard, wire::kUsmNotInTime) && !is_report(heard, wire::kUsmUnknownEngine)) {
        break;
      }
      if (!answer->engine.id.empty()) {
        take_over(answer->engine);
      }
    }
    co_return heard;
  }

  static std::string wrapped(const wire::SnmpUserQuestion& question, Hash hash, const std::string& key,
                             const std::string& privacy) {
    auto scoped = wire::snmp_scoped_get(question);
    if (!question.salt.empty()) {
      scoped = encrypt("AES-128-CFB", privacy, privacy_iv(question.engine, question.salt), scoped);
    }
    auto message = wire::snmp_user_message(question, scoped);
    if (question.digest > 0) {
      message.bytes.replace(message.digest_at, question.digest,
                            hmac(hash, key, message.bytes).substr(0, question.digest));
    }
    return message.bytes;
  }

  /// RFC 3826, 3.1.2.1.
  static std::string privacy_iv(const wire::SnmpEngine& engine, const std::string& salt) {
    std::string iv;
    wire::put_u32(iv, engine.boots);
    wire::put_u32(iv, engine.time);
    return iv + salt;
  }

  Heard read(const wire::SnmpUserAnswer& answer, Hash hash, const std::string& key, const std::string& privacy) const {
    Heard heard;
    auto scoped = answer.scoped;
    if (answer.encrypted) {
      scoped = privacy.empty() ? std::string{}
                               : decrypt("AES-128-CFB", privacy, privacy_iv(answer.engine, answer.salt), scoped);
    }
    heard.says = wire::parse_snmp_scoped(scoped);
    heard.any = heard.says.state == wire::Parse::complete;
    if (heard.any && answer.authenticated && !answer.digest.empty() && !key.empty()) {
      auto blank = datagram_;
      blank.replace(answer.digest_at, answer.digest.size(), std::string(answer.digest.size(), '\0'));
      heard.proved = hmac(hash, key, blank).substr(0, answer.digest.size()) == answer.digest;
    }
    return heard;
  }

  /// Sends, and waits for the answer with that id.
  asio::awaitable<Result<wire::SnmpUserAnswer>> exchange(std::string question, std::uint32_t id) {
    const auto view = wire::bytes_of(question);
    keep_out(wire::parse_snmp_user_answer(question).digest);
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
      datagram_ = wire::text_of(received->payload);
      auto answer = wire::parse_snmp_user_answer(datagram_);
      keep_out(answer.digest);
      door_.transcript.received(received->payload);
      if (answer.state == wire::Parse::complete && answer.id == id) {
        co_return answer;
      }
    }
    co_return Error{ErrorKind::timed_out, "only answers to other questions came", {}};
  }

  /// A digest with its message lets whoever reads it guess the password at leisure.
  void keep_out(const std::string& digest) {
    if (digest.find_first_not_of('\0') != std::string::npos) {
      door_.transcript.conceal(digest, "digest with a password");
      door_.record.conceal(digest, "digest with a password");
    }
  }

  Door& door_;
  std::unique_ptr<Datagrams> socket_;
  wire::SnmpEngine engine_;
  Clock::time_point synchronised_at_{};
  bool synchronised_ = false;
  bool control_ = false;
  bool permitted_ = false;              // a permit was drawn for the next message with a digest
  std::map<std::string, Kind> proved_;  // of users whose password was taken
  std::string datagram_;                // that came last
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

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "probes/credentials/dialects.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/snmp.hpp"

/// Communities of SNMP v1 and v2c: passwords in clear that have no name. The two messages that are needed are built and
/// read by probes/wire/snmp: net-snmp drops answers that come late (docs/decisions/0009).
///
/// An agent answers a wrong community with silence. Silence only says "wrong" of an agent that was heard: one that
/// reports to a question of SNMP v3, which needs no community, or that answered some community. Answers that come late
/// are known by the ids of earlier questions; what they speak of is asked again with more patience.
///
/// An agent counts every message with a wrong community, and so does the budget. One that reports shows by a report
/// that a question was not lost, so each is asked once there, by version 2c, and by version 1 at the end as far as the
/// budget goes; the two versions are each other's repetition where nothing reports.
namespace assay::probes::credentials {

namespace snmp {

namespace {

constexpr milliseconds kSilence{500};  // agents answer within a round trip and a little work
constexpr int kRounds = 2;
constexpr int kMostDatagrams = 8;
constexpr int kSlower = 4;                    // times as long, once an answer came late
constexpr std::uint32_t kNotAuthorised = 16;  // RFC 3416, 3

std::uint32_t fresh_id() {
  return wire::Reader{sessions::random_bytes(4)}.u32() & 0x7fffffffU;
}

milliseconds silence(const Door& door) {
  return std::max(kSilence, 2 * door.timers.quiet);
}

asio::awaitable<Result<>> send(Door& door, Datagrams& socket, std::string datagram) {
  const auto view = wire::bytes_of(datagram);
  door.transcript.sent(view);
  auto sent = co_await socket.send(view);
  co_return sent;
}

asio::awaitable<Result<std::string>> receive(Door& door, Datagrams& socket, milliseconds within) {
  auto received = co_await socket.receive(within);
  if (!received) {
    co_return received.error();
  }
  door.transcript.received(received->payload);
  co_return std::string{wire::text_of(received->payload)};
}

/// Whether somebody speaks SNMP v3 here: the name of the engine, which may be empty.
asio::awaitable<Result<std::optional<std::string>>> reports(Door& door, Datagrams& socket) {
  std::optional<std::string> engine;
  for (int round = 0; round < kRounds && !engine; ++round) {
    const auto id = fresh_id();
    auto question = wire::snmp_v3_discovery(id);
    auto sent = co_await send(door, socket, std::move(question));
    if (!sent) {
      co_return sent.error();
    }
    auto answer = co_await receive(door, socket, silence(door));
    if (!answer && answer.error().kind != ErrorKind::timed_out) {
      co_return answer.error();
    }
    const auto report = answer ? wire::parse_snmp_report(*answer) : wire::SnmpReport{};
    if (report.state == wire::Parse::complete && report.message_id == id) {
      engine = report.engine;
    }
  }
  co_return engine;
}

class SnmpCommunity final : public Dialect {
 public:
  SnmpCommunity(Door& door, std::unique_ptr<Datagrams> socket, bool reports)
      : door_(door), socket_(std::move(socket)), reports_(reports), heard_(reports) {}

  std::string_view name() const override { return "snmp-community"; }

  bool clear() const override { return true; }

  bool names_accounts() const override { return false; }

  std::string doubt() const override {
    if (!heard_) {
      return "nothing was ever heard: silence cannot be told from a refusal";
    }
    if (late_control_) {
      return "an answer to a community that nobody has came late";
    }
    if (!late_.empty()) {
      return "an answer came late, and not again when it was asked for";
    }
    return fell_silent_ ? "the agent reports no more: its last silences cannot be told from refusals" : std::string{};
  }

  std::vector<std::string> late() const override { return {late_.begin(), late_.end()}; }

  json::object left_out() const override {
    return skipped_version1_ > 0 ? json::object{{"skipped_version1", skipped_version1_}} : json::object{};
  }

  /// Hears what comes late, asks by version 1, then whether the agent that reported at first still does.
  asio::awaitable<Result<>> settle() override {
    Attempt none;
    auto drained = co_await listen(std::nullopt, none);
    if (!drained || !reports_) {
      co_return ended_only(drained);
    }
    auto older = co_await ask_by_version1();
    if (!older) {
      co_return ended_only(older);
    }
    auto still = co_await reports(door_, *socket_);
    fell_silent_ = !still || !*still;
    const Result<> fine;
    const Result<> failed{still ? Error{} : still.error()};
    co_return still ? fine : ended_only(failed);
  }

  void start_afresh() override {}

  asio::awaitable<Attempt> attempt_control(std::string, Secret password) override {
    auto attempted = co_await ask(std::move(password), true);
    co_return attempted;
  }

  asio::awaitable<Attempt> attempt(std::string, Secret password) override {
    auto attempted = co_await ask(std::move(password), false);
    co_return attempted;
  }

 private:
  /// A question that was taken for refused.
  struct Asked {
    std::string community;
    bool control = false;
  };

  /// The first message of a question has its permit already.
  asio::awaitable<Attempt> ask(Secret password, bool control) {
    Attempt attempted;
    attempted.sent = 0;
    bool lost = false;
    const auto id = fresh_id();
    for (const auto version : versions_for(password.reveal(), control)) {
      for (int round = 0; round < (reports_ ? kRounds : 1); ++round) {
        auto permitted = co_await permit(attempted.sent == 0);
        if (!permitted) {
          co_return cut_short(permitted.error(), std::move(attempted));
        }
        ++attempted.sent;
        auto question = wire::snmp_get_sysdescr(version, password.reveal(), id);
        auto done = co_await exchange(std::move(question), id, attempted);
        if (!done) {
          co_return failed(done.error());
        }
        if (attempted.outcome == Outcome::accepted) {
          late_.erase(password.reveal());
          remember(password.reveal(), version);
        }
        if (attempted.outcome != Outcome::unclear) {
          co_return attempted;
        }
        lost = !*done;
        if (!lost) {
          break;
        }
      }
    }
    asked_[id] = Asked{password.reveal(), control};
    if (lost) {
      attempted.says = "the agent reports no more";
      co_return attempted;
    }
    attempted.outcome = Outcome::rejected;
    attempted.says = "silence";
    co_return attempted;
  }

  /// Whoever was answered is asked again in the same version, so that the confirmation costs one message.
  void remember(const std::string& community, wire::SnmpVersion version) {
    if (version == wire::SnmpVersion::v1) {
      by_version1_.insert(community);
    }
  }

  std::vector<wire::SnmpVersion> versions_for(const std::string& community, bool control) const {
    using wire::SnmpVersion;
    if (by_version1_.contains(community)) {
      return {SnmpVersion::v1};
    }
    return reports_ || control ? std::vector{SnmpVersion::v2c} : std::vector{SnmpVersion::v2c, SnmpVersion::v1};
  }

  asio::awaitable<Result<>> permit(bool drawn) {
    Result<> permitted;
    if (!drawn) {
      permitted = co_await door_.network.permit_login(door_.endpoint, std::string());
    }
    co_return permitted;
  }

  /// The budget ended in the middle of a question: what was not asked is not refused.
  static Attempt cut_short(const Error& error, Attempt attempted) {
    attempted.outcome = Outcome::unclear;
    attempted.says = error.what;
    if (error.kind != ErrorKind::denied && sessions::ends_probe(error.kind)) {
      attempted.ended = error;
    }
    return attempted;
  }

  /// Asks and hears. True: the agent was heard after it, so the question was not lost.
  asio::awaitable<Result<bool>> exchange(std::string question, std::uint32_t id, Attempt& attempted) {
    auto sent = co_await send(door_, *socket_, std::move(question));
    if (!sent) {
      co_return sent.error();
    }
    // Agents answer in the order in which they are asked, so the report that is asked for right behind the question
    // says that this was refused. One that was seen to answer late is given time first.
    if (!reports_ || slowness_ > 1) {
      auto heard = co_await listen(id, attempted);
      if (!heard) {
        co_return heard.error();
      }
      if (attempted.outcome != Outcome::unclear || !reports_) {
        co_return true;
      }
    }
    const auto canary = fresh_id();
    auto discovery = wire::snmp_v3_discovery(canary);
    auto asked = co_await send(door_, *socket_, std::move(discovery));
    if (!asked) {
      co_return asked.error();
    }
    canary_ = canary;
    auto after = co_await listen(id, attempted);
    const bool alive = !canary_;
    canary_.reset();
    if (!after) {
      co_return after.error();
    }
    co_return alive || attempted.outcome != Outcome::unclear;
  }

  /// Communities that version 2c was silent to. What is answered is tried again as one whose answer came late.
  asio::awaitable<Result<>> ask_by_version1() {
    skipped_version1_ = 0;
    bool spent = false;
    const auto asked = asked_;
    for (const auto& [earlier, question] : asked) {
      if (question.control || by_version1_.contains(question.community)) {
        continue;
      }
      Result<> permitted;
      if (!spent) {
        permitted = co_await permit(false);
        spent = !permitted && permitted.error().kind == ErrorKind::denied;
      }
      if (spent) {
        ++skipped_version1_;
        continue;
      }
      if (!permitted) {
        co_return permitted;
      }
      by_version1_.insert(question.community);
      Attempt attempted;
      const auto id = fresh_id();
      asked_[id] = question;
      auto bytes = wire::snmp_get_sysdescr(wire::SnmpVersion::v1, question.community, id);
      auto done = co_await exchange(std::move(bytes), id, attempted);
      if (!done) {
        co_return done.error();
      }
      if (attempted.outcome == Outcome::accepted) {
        late_.insert(question.community);
        break;
      }
    }
    Attempt none;
    auto drained = co_await listen(std::nullopt, none);
    co_return drained;
  }

  static Result<> ended_only(const Result<>& done) {
    return done || sessions::ends_probe(done.error().kind) ? done : Result<>{};
  }

  static Attempt failed(const Error& error) {
    Attempt attempted;
    attempted.outcome = error.kind == ErrorKind::refused ? Outcome::lost : Outcome::unclear;
    attempted.says = error.what;
    if (sessions::ends_probe(error.kind)) {
      attempted.ended = error;
    }
    return attempted;
  }

  /// Until the first answer to this question (none: only late ones are waited for), or silence.
  asio::awaitable<Result<>> listen(std::optional<std::uint32_t> id, Attempt& attempted) {
    for (int datagrams = 0; datagrams < kMostDatagrams; ++datagrams) {
      auto answer = co_await receive(door_, *socket_, slowness_ * silence(door_));
      if (!answer) {
        const bool silent = answer.error().kind == ErrorKind::timed_out;
        const Result<> quiet;
        const Result<> broke{answer.error()};
        co_return silent ? quiet : broke;
      }
      const auto parse = wire::parse_snmp_response(*answer);
      if (parse.state == wire::Parse::complete && parse.response.request_id == id) {
        heard_ = true;
        read(parse.response, attempted);
        co_return Result<>{};
      }
      if (parse.state == wire::Parse::complete) {
        note_late(parse.response);
      }
      const auto report = canary_ ? wire::parse_snmp_report(*answer) : wire::SnmpReport{};
      if (canary_ && report.state == wire::Parse::complete && report.message_id == *canary_) {
        canary_.reset();
        co_return Result<>{};
      }
    }
    co_return Result<>{};
  }

  void note_late(const wire::SnmpResponse& response) {
    const auto asked = asked_.find(response.request_id);
    if (asked == asked_.end() || response.error_status == kNotAuthorised) {
      return;
    }
    heard_ = true;
    slowness_ = kSlower;
    late_control_ = late_control_ || asked->second.control;
    if (!asked->second.control) {
      late_.insert(asked->second.community);
    }
    asked_.erase(asked);
  }

  static void read(const wire::SnmpResponse& response, Attempt& attempted) {
    const std::string version = response.version == wire::SnmpVersion::v1 ? "SNMPv1" : "SNMPv2c";
    if (response.error_status == kNotAuthorised) {
      attempted.outcome = Outcome::rejected;
      attempted.says = "authorizationError";
      return;
    }
    attempted.outcome = Outcome::accepted;
    attempted.proof = response.has_text
                          ? "sysDescr.0 was given, " + std::to_string(response.text.size()) + " bytes by " + version
                          : "a question by " + version + " was answered, without sysDescr.0";
  }

  Door& door_;
  std::unique_ptr<Datagrams> socket_;
  bool reports_;  // to questions of SNMP v3, at first
  bool heard_;
  bool fell_silent_ = false;
  bool late_control_ = false;
  int slowness_ = 1;
  std::map<std::uint32_t, Asked> asked_;  // by id; as many as there are candidates and controls
  std::optional<std::uint32_t> canary_;   // of a question that the agent has yet to report to
  std::set<std::string> by_version1_;     // communities that were asked by it in the end
  std::int64_t skipped_version1_ = 0;     // communities that the budget was spent for
  std::set<std::string> late_;            // communities whose answers came too late
};

asio::awaitable<Result<Detection>> find(Door& door) {
  Detection found;
  auto socket = co_await door.network.open_udp(door.endpoint);
  if (!socket) {
    co_return socket.error();
  }
  auto heard = co_await reports(door, **socket);
  if (!heard) {
    if (sessions::ends_probe(heard.error().kind)) {
      co_return heard.error();
    }
    co_return found;  // a closed port
  }
  found.dialect = std::make_unique<SnmpCommunity>(door, std::move(*socket), heard->has_value());
  found.answered = heard->has_value();
  if (*heard && !(*heard)->empty()) {
    auto users = co_await make_snmp_user(door);
    if (!users) {
      co_return users.error();
    }
    found.more.push_back(std::move(*users));
  }
  co_return found;
}

}  // namespace

}  // namespace snmp

asio::awaitable<Result<Detection>> detect_snmp(Door& door) {
  return snmp::find(door);
}

}  // namespace assay::probes::credentials

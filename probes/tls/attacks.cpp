#include <algorithm>

#include "harness/model/never_kept.hpp"
#include "harness/probe/probe.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/sessions/fact_sheet.hpp"
#include "probes/tls/decisive.hpp"
#include "probes/tls/opening.hpp"
#include "probes/tls/record_checks.hpp"
#include "probes/tls/report.hpp"
#include "probes/wire/bytes.hpp"

/// The probe `tls_attacks`: what the probe `tls` must not ask, for no client says such things.
namespace assay::probes::tls_attacks {

namespace {

using namespace probes::tls;

constexpr ParameterSpec kAttackParameters[] = {
    {"server_name", ValueKind::text, "\"\"", "name that is asked for (SNI); \"\": none"},
};

constexpr FactSpec kAttackFacts[] = {
    {"tls_attacks.spoken", ValueKind::boolean,
     "the endpoint answered a ClientHello with TLS, at once or after STARTTLS"},
    {"tls_attacks.weaknesses", ValueKind::list,
     "[{name, state, why}] of heartbleed, ccs_injection, robot, tls_poodle, zombie_poodle, goldendoodle; state: shown, "
     "not_shown, unknown"},
    {"tls_attacks.alerts", ValueKind::object,
     "what was wrong -> how it was answered, by records, alert and end; of garbage_record, early_change_cipher_spec, "
     "lying_heartbeat, wrong_rsa_padding, wrong_mac and wrong_padding those that were sent"},
};

constexpr std::size_t kTranscriptLimit = 1024 * 1024;
constexpr std::uint16_t kWithOldHandshake[] = {wire::kTls12, wire::kTls11, wire::kTls10};

bool is_rsa(std::uint16_t suite, std::uint16_t) {
  const auto parts = wire::suite_parts(suite);
  return parts.rsa_transport && !parts.psk && !parts.export_grade;
}

bool is_cbc(std::uint16_t suite, std::uint16_t version) {
  return cbc_suite(suite, version).has_value();
}

class AttackSurvey {
 public:
  explicit AttackSurvey(ProbeContext& context)
      : context_(context),
        transcript_("Malformed TLS to " + context.endpoint->text(), kTranscriptLimit),
        server_name_(context.parameters.at("server_name").as_string()),
        asker_(context.network, *context.endpoint, transcript_),
        decisive_([this] { return exchange(); }, footing_),
        records_([this] { return exchange(); }) {}

  asio::awaitable<Result<>> run(sessions::FactSheet& sheet);

 private:
  using Fits = bool (*)(std::uint16_t suite, std::uint16_t version);

  Exchange exchange() {
    return {asker_, transcript_, [this](std::string_view bytes) { context_.record.conceal(bytes, kDeviceMemory); }};
  }

  asio::awaitable<Reply> ask_version(std::uint16_t version);
  asio::awaitable<void> find_any(const Reply& first);
  void settle();
  asio::awaitable<std::chrono::nanoseconds> find_suite(Fits fits, const char* title, Kinship& kin);
  asio::awaitable<Reply> ask_twice(std::string title, const wire::TlsHello& hello);
  asio::awaitable<void> attack();
  asio::awaitable<void> say_garbage();
  void note(std::uint16_t version, const Reply& reply);
  void plan_records();
  void record(sessions::FactSheet& sheet);

  ProbeContext& context_;
  Transcript transcript_;
  std::string server_name_;
  TcpAsker asker_;
  Footing footing_;
  std::vector<std::uint16_t> refused_;  // versions
  sessions::Jobs jobs_;
  std::size_t width_ = 1;
  Decisive decisive_;
  RecordChecks records_;
  Alerts alerts_;
  std::optional<Error> garbage_over_;
  std::optional<Error> over_;
};

/// A hello of every suite that takes heartbeats, if the server does.
asio::awaitable<Reply> AttackSurvey::ask_version(std::uint16_t version) {
  HelloWish wish;
  wish.version = version;
  wish.suites = suites_for(version);
  wish.server_name = server_name_;
  auto hello = make_hello(wish);
  hello.extensions.push_back({wire::extension::kHeartbeat, std::string(1, '\x01')});
  auto title = wire::tls_version_name(version) + " hello, every suite, heartbeats";
  auto reply = co_await asker_.ask(std::move(title), hello, &at_hello);
  const bool stumbled = reply.answer == Answer::cut || reply.answer == Answer::silent ||
                        (reply.answer == Answer::refused && reply.why == "alert decode_error");
  if (!stumbled || reply.ends) {
    co_return reply;
  }
  wish.suites = common_suites(version);
  hello = make_hello(wish);
  hello.extensions.push_back({wire::extension::kHeartbeat, std::string(1, '\x01')});
  auto again = co_await asker_.ask("the same with common suites", hello, &at_hello);
  co_return again.hello() || again.answer == Answer::refused ? again : reply;
}

void AttackSurvey::note(std::uint16_t version, const Reply& reply) {
  if (reply.ends) {
    over_ = reply.ends;
  }
  const bool other = reply.hello() && (!reply.flight.hello() || reply.flight.hello()->version != version);
  if (other || reply.answer == Answer::refused) {
    refused_.push_back(version);
  } else if (reply.hello()) {
    HelloWish wish;
    wish.version = version;
    wish.server_name = server_name_;
    wish.suites = {reply.flight.hello()->suite};
    footing_.any = wish;
    footing_.heartbeat = reply.flight.hello()->extensions.contains(wire::extension::kHeartbeat);
  }
}

/// The newest version below TLS 1.3 that is taken.
asio::awaitable<void> AttackSurvey::find_any(const Reply& first) {
  note(wire::kTls12, first);
  for (const auto version : {wire::kTls11, wire::kTls10}) {
    if (footing_.any || over_) {
      co_return;
    }
    const auto reply = co_await ask_version(version);
    note(version, reply);
  }
}

/// What is not there counts as refused only when every version above the one that is taken has refused, or all have.
void AttackSurvey::settle() {
  const auto* newest =
      footing_.any ? std::find(std::begin(kWithOldHandshake), std::end(kWithOldHandshake), footing_.any->version)
                   : std::end(kWithOldHandshake);
  const auto newer = static_cast<std::size_t>(newest - std::begin(kWithOldHandshake));
  footing_.settled = refused_.size() == newer;
  footing_.rsa.settled = footing_.settled;
  footing_.cbc.settled = footing_.settled;
}

/// The whole flight, so that the time it takes is that of the server's work too; once more where no answer came, for
/// one lost connection says nothing of a suite.
asio::awaitable<Reply> AttackSurvey::ask_twice(std::string title, const wire::TlsHello& hello) {
  auto reply = co_await asker_.ask(title, hello, &at_end);
  if (reply.ends || reply.hello() || reply.answer == Answer::refused) {
    co_return reply;
  }
  title += ", once more";
  auto again = co_await asker_.ask(std::move(title), hello, &at_end);
  co_return again;
}

/// The newest version in which a suite of a kind is taken; the older ones are asked when newer ones refuse. What the
/// flight took; 0: none came.
asio::awaitable<std::chrono::nanoseconds> AttackSurvey::find_suite(Fits fits, const char* title, Kinship& kin) {
  std::chrono::nanoseconds took{0};
  for (const auto version : kWithOldHandshake) {
    if (!footing_.any || kin.wish || over_ || version > footing_.any->version) {
      continue;
    }
    HelloWish wish;
    wish.version = version;
    wish.server_name = server_name_;
    for (const auto suite : suites_for(version)) {
      if (fits(suite, version)) {
        wish.suites.push_back(suite);
      }
    }
    // One that is of both kinds serves both.
    std::stable_partition(wish.suites.begin(), wish.suites.end(),
                          [&](std::uint16_t suite) { return is_cbc(suite, version); });
    const auto hello = make_hello(wish);
    auto what = wire::tls_version_name(version) + " hello, " + title;
    const auto reply = co_await ask_twice(std::move(what), hello);
    if (reply.ends) {
      over_ = reply.ends;
    } else if (reply.hello() && reply.flight.hello()->version == version) {
      wish.suites = {reply.flight.hello()->suite};
      kin.wish = wish;
      took = reply.took;
      const bool of_both = version == footing_.any->version && is_cbc(wish.suites.front(), version);
      footing_.cbc.wish = of_both ? wish : footing_.cbc.wish;
    } else if (reply.answer != Answer::refused && !reply.hello()) {
      kin.settled = false;
    }
  }
  co_return took;
}

asio::awaitable<void> AttackSurvey::attack() {
  const auto decryption = co_await decisive_.first_decryption();
  if (decisive_.over()) {
    over_ = decisive_.over();
    co_return;
  }
  width_ = std::min(width_, width_for(context_.network, decryption));
  jobs_.set_width(width_);
  decisive_.plan(jobs_);
  plan_records();
  jobs_.add([this] { return say_garbage(); });
  co_await jobs_.run();
  over_ = decisive_.over() ? decisive_.over() : records_.over() ? records_.over() : garbage_over_;
}

/// A whole record of a type that nobody knows, so that a server need not wait for the rest of it.
asio::awaitable<void> AttackSurvey::say_garbage() {
  constexpr std::uint8_t kNoType = 0x2a;
  constexpr std::size_t kGarbage = 32;
  auto record = wire::tls_record(kNoType, wire::kTls12, sessions::random_bytes(kGarbage));
  const auto reply = co_await asker_.ask("a record of an unknown type", std::move(record), &at_hello);
  if (reply.ends) {
    garbage_over_ = reply.ends;
  }
  alerts_["garbage_record"] = reply.hello() ? "went on" : reply.why;
}

void AttackSurvey::plan_records() {
  if (footing_.cbc.wish) {
    records_.plan(jobs_, *footing_.cbc.wish);
    return;
  }
  records_.decide(footing_.cbc.settled ? WeaknessState::not_shown : WeaknessState::unknown,
                  footing_.cbc.settled ? "no suite with CBC that is keyed by RSA or ECDHE is taken"
                                       : "whether such a suite is taken could not be told");
}

void AttackSurvey::record(sessions::FactSheet& sheet) {
  auto all = decisive_.results();
  all.insert(all.end(), records_.results().begin(), records_.results().end());
  json::array weaknesses;
  for (const auto& weakness : all) {
    weaknesses.push_back(json::object{
        {"name", weakness.name}, {"state", enum_name(weakness.state)}, {"why", wire::printable(weakness.why, 256)}});
  }
  sheet.fact("tls_attacks.weaknesses", std::move(weaknesses));
  auto alerts = alerts_;
  alerts.insert(decisive_.alerts().begin(), decisive_.alerts().end());
  alerts.insert(records_.alerts().begin(), records_.alerts().end());
  sheet.fact("tls_attacks.alerts", alerts_json(alerts));
}

asio::awaitable<Result<>> AttackSurvey::run(sessions::FactSheet& sheet) {
  const Question question = [this] { return ask_version(wire::kTls12); };
  auto name = server_name_.empty() ? context_.target.address : server_name_;
  const auto first = co_await ask_first(asker_, context_.endpoint->port, std::move(name), question);
  Result<> ended;
  const bool speaks = first.hello() || first.answer == Answer::refused;
  if (speaks) {
    sheet.fact("tls_attacks.spoken", true);
    width_ = width_for(context_.network, first.took);
    co_await find_any(first);
    settle();
    co_await find_suite(&is_rsa, "RSA key transport", footing_.rsa);
    width_ = co_await width_beside(asker_, width_);
    const auto flight = co_await find_suite(&is_cbc, "CBC", footing_.cbc);
    width_ = std::min(width_, width_for(context_.network, flight));
  }
  over_ = first.ends ? first.ends : over_;
  if (speaks && !over_) {
    co_await attack();
  }
  if (over_) {
    sheet.rest_unobserved(over_->what);
    ended = *over_;
  } else if (speaks) {
    record(sheet);
  } else if (first.answer == Answer::not_tls) {
    sheet.fact("tls_attacks.spoken", false);
    sheet.rest_absent();
  } else {
    const auto kind = first.answer == Answer::no_connection ? ErrorKind::refused : ErrorKind::timed_out;
    sheet.rest_unobserved("no answer to a TLS hello: " + first.why);
    ended = Error{kind, "no answer to a TLS hello: " + first.why, {}};
  }
  context_.record.coverage("questions", cost_json(asker_.cost(), width_));
  const auto digest =
      sheet.recorder().artifact("questions and answers", "text/plain; charset=utf-8", transcript_.text());
  sheet.evidence_for_values("tls_attacks.", digest);
  co_return ended;
}

class TlsAttacks final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet sheet{context.record, kAttackFacts};
    if (!context.endpoint || context.endpoint->transport != Transport::tcp) {
      const Error missing{ErrorKind::bad_input, "probe tls_attacks needs an endpoint such as tcp/443", {}};
      sheet.rest_unobserved(missing.what);
      co_return missing;
    }
    AttackSurvey survey{context};
    auto ended = co_await survey.run(sheet);
    co_return ended;
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<TlsAttacks>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "tls_attacks",
    .summary =
        "Sends a TLS server what no client says, a lying heartbeat, wrong paddings, wrong records, to see which "
        "known attacks it withstands.",
    .version = 1,
    .intrusiveness = Intrusiveness::intrusive,
    .exclusive = Exclusive::none,
    .subject = ProbeSubject::endpoint,
    .deadline = milliseconds{300'000},
    .parameters = kAttackParameters,
    .facts = kAttackFacts,
    .make = &make,
};

}  // namespace assay::probes::tls_attacks

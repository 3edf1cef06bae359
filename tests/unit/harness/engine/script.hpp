#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "harness/engine/device_states.hpp"
#include "harness/engine/run.hpp"
#include "harness/judge/judge.hpp"
#include "harness/plan/plan_run.hpp"
#include "tests/support/catch.hpp"

/// A scripted device, probes and recipes, and a run on them.
namespace assay {
inline namespace scripted {

namespace fs = std::filesystem;

/// The device of these tests: it refuses every connection, which proves that it is alive, until `dies` is set.
struct Device {
  bool dead = false;
  int connects = 0;
  std::string silent;  // vantage from which it never answers
  std::string mac;     // empty: behind a router
};

class ScriptedNetwork final : public Network {
 public:
  ScriptedNetwork(Device& device, const Target& target) : device_(device), silent_(target.vantage == device.silent) {}

  asio::awaitable<Result<std::unique_ptr<Stream>>> connect_tcp(Endpoint, milliseconds) override {
    ++device_.connects;
    co_return Error{device_.dead || silent_ ? ErrorKind::timed_out : ErrorKind::refused, "scripted", {}};
  }

  asio::awaitable<Result<std::unique_ptr<TlsStream>>> connect_tls(Endpoint, const TlsOptions&, milliseconds) override {
    co_return Error{ErrorKind::refused, "scripted", {}};
  }

  asio::awaitable<Result<std::unique_ptr<TlsStream>>> start_tls(std::unique_ptr<Stream>, const TlsOptions&,
                                                                milliseconds) override {
    co_return Error{ErrorKind::refused, "scripted", {}};
  }

  asio::awaitable<Result<std::unique_ptr<Datagrams>>> open_udp(Endpoint) override {
    co_return Error{ErrorKind::refused, "scripted", {}};
  }

  asio::awaitable<Result<std::unique_ptr<TlsStream>>> start_dtls(std::unique_ptr<Datagrams>, const TlsOptions&,
                                                                 milliseconds) override {
    co_return Error{ErrorKind::refused, "scripted", {}};
  }

  asio::awaitable<Result<GroupAnswers>> ask_groups(const std::vector<GroupQuestion>&, milliseconds) override {
    co_return GroupAnswers{};
  }

  Result<LinkNeighbour> neighbour() override {
    return device_.mac.empty() ? Result<LinkNeighbour>{Error{ErrorKind::unreachable, "scripted", {}}}
                               : Result<LinkNeighbour>{LinkNeighbour{device_.mac, "eth0"}};
  }

  asio::awaitable<Result<SweepReport>> sweep_tcp(const std::vector<PortRange>&, SweepMethod, const Progress&) override {
    co_return SweepReport{};
  }

  asio::awaitable<Result<UdpReport>> sweep_udp(const UdpSweep&, const Progress&) override { co_return UdpReport{}; }

  /// Lets others run, takes no time: until the run is interrupted for a wait without end.
  asio::awaitable<Result<>> wait(milliseconds time) override {
    if (time == milliseconds::max()) {
      asio::steady_timer timer(co_await asio::this_coro::executor);
      timer.expires_at(std::chrono::steady_clock::time_point::max());
      boost::system::error_code cut;
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cut));
      co_return Error{ErrorKind::cancelled, "cut", {}};
    }
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    co_return Result<>{};
  }

  asio::awaitable<Result<>> permit_login(Endpoint, const std::string&) override { co_return Result<>{}; }

  void return_permit(const Endpoint&, const std::string&) override {}

  milliseconds round_trip(milliseconds otherwise) const override { return otherwise; }

  std::size_t spare_connections() const override { return 1; }

  milliseconds connect_timeout() const override { return milliseconds{100}; }

  milliseconds reply_timeout() const override { return milliseconds{100}; }

 private:
  Device& device_;
  bool silent_;
};

/// What the scripted probes share with a test case.
struct Script {
  Device device;
  int logins_at_once = 0;
  int most_logins_at_once = 0;
  std::vector<std::string> ran;          // probes, and recipes with the state they lead to
  std::set<std::string> broken_recipes;  // command lines that fail
  std::string device_state;              // that an interrupted run left
  std::shared_ptr<ChangedPasswords> changed{};
  std::function<void()> while_running;
};

inline Script* script = nullptr;

class FindsPorts final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    const auto& state = context.target.state;
    script->ran.emplace_back(state == "initialised" ? "finds" : "finds in " + state);
    json::array open;
    open.push_back(json::object{{"endpoint", "tcp/80"}});
    open.push_back(json::object{{"endpoint", "tcp/23"}});
    context.record.fact("finds.open", std::move(open));
    co_return Result<>{};
  }
};

class LogsIn final : public Probe {
 public:
  explicit LogsIn(std::string name) : name_(std::move(name)) {}

  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    script->ran.push_back(name_ + " " + context.endpoint->text());
    script->most_logins_at_once = std::max(script->most_logins_at_once, ++script->logins_at_once);
    const milliseconds moment{1};
    for (int i = 0; i < 5; ++i) {
      const auto waited = co_await context.network.wait(moment);
      if (!waited) {
        co_return waited.error();
      }
    }
    --script->logins_at_once;
    context.record.fact(name_ + ".accepted", false);
    co_return Result<>{};
  }

 private:
  std::string name_;
};

class Throws final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    context.record.fact("throws.before", true);
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    throw std::runtime_error("a fault of ours");
  }
};

class KillsDevice final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    context.record.fact("kills.seen", true);
    script->device.dead = true;
    co_return Result<>{};
  }
};

class Forgets final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext&) override { co_return Result<>{}; }
};

class WaitsForEver final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    context.record.fact("waits.began", true);
    script->while_running();
    const auto waited = co_await context.network.wait(milliseconds::max());
    co_return waited.error();
  }
};

template <class P>
std::unique_ptr<Probe> make() {
  return std::make_unique<P>();
}

inline constexpr FactSpec kFindsFacts[] = {{"finds.open", ValueKind::list, "open ports"}};

inline std::unique_ptr<Probe> make_logs() {
  return std::make_unique<LogsIn>("logs");
}

inline std::unique_ptr<Probe> make_guesses() {
  return std::make_unique<LogsIn>("guesses");
}

inline std::unique_ptr<Probe> make_changes() {
  return std::make_unique<LogsIn>("changes");
}

inline constexpr FactSpec kLogsFacts[] = {{"logs.accepted", ValueKind::boolean, "whether it let us in"}};
inline constexpr FactSpec kChangesFacts[] = {{"changes.accepted", ValueKind::boolean, "whether it let us in"}};
inline constexpr FactSpec kGuessesFacts[] = {{"guesses.accepted", ValueKind::boolean, "whether it let us in"}};
inline constexpr FactSpec kThrowsFacts[] = {{"throws.before", ValueKind::boolean, "a"},
                                            {"throws.after", ValueKind::boolean, "b"}};
inline constexpr FactSpec kKillsFacts[] = {{"kills.seen", ValueKind::boolean, "seen before the end"}};
inline constexpr FactSpec kForgetsFacts[] = {{"forgets.it", ValueKind::boolean, "never settled"}};
inline constexpr FactSpec kWaitsFacts[] = {{"waits.began", ValueKind::boolean, "a"},
                                           {"waits.ended", ValueKind::boolean, "b"}};

inline ProbeDescriptor descriptor(std::string_view id, std::span<const FactSpec> facts,
                                  std::unique_ptr<Probe> (*factory)()) {
  ProbeDescriptor made;
  made.id = id;
  made.summary = "scripted";
  made.facts = facts;
  made.make = factory;
  return made;
}

inline const std::vector<const ProbeDescriptor*>& table() {
  static const auto descriptors = [] {
    std::vector<ProbeDescriptor> all{
        descriptor("finds", kFindsFacts, make<FindsPorts>),  descriptor("logs", kLogsFacts, make_logs),
        descriptor("throws", kThrowsFacts, make<Throws>),    descriptor("kills", kKillsFacts, make<KillsDevice>),
        descriptor("forgets", kForgetsFacts, make<Forgets>), descriptor("waits", kWaitsFacts, make<WaitsForEver>),
        descriptor("guesses", kGuessesFacts, make_guesses),  descriptor("changes", kChangesFacts, make_changes)};
    const std::map<std::string_view, Exclusive> logins{
        {"logs", Exclusive::login}, {"guesses", Exclusive::guesses}, {"changes", Exclusive::device}};
    for (auto& one : all) {
      if (const auto login = logins.find(one.id); login != logins.end()) {
        one.subject = ProbeSubject::endpoint;
        one.exclusive = login->second;
        one.intrusiveness = Intrusiveness::intrusive;
      } else {
        one.subject = ProbeSubject::device;
      }
    }
    return all;
  }();
  static const auto pointers = [] {
    std::vector<const ProbeDescriptor*> all;
    for (const auto& one : descriptors) {
      all.push_back(&one);
    }
    return all;
  }();
  return pointers;
}

class NoDictionaries final : public ProbeLibrary {
 public:
  const Dictionary* dictionary(std::string_view) const override { return nullptr; }

  const PayloadList* payloads(std::string_view) const override { return nullptr; }

  std::span<const Fingerprint> fingerprints() const override { return {}; }

  const KnownKeys& known_keys() const override {
    static const KnownKeys none;
    return none;
  }

  const PasswordRules* password_rules(std::string_view) const override { return nullptr; }
};

inline Unit unit_of(const std::string& id, std::vector<Observe> observe) {
  Unit unit;
  unit.id = id;
  unit.title = id;
  unit.observe = std::move(observe);
  return unit;
}

/// A plan of one requirement with the given units.
inline RunPlan plan_of(std::vector<Unit> units) {
  Plan plan;
  plan.id = "engine/1";
  plan.standard = "EN303645@2.1.1";
  plan.method = "TS103701@1.1.1";
  plan.ics_names = {"5.1-1"};
  plan.ixit_tables = {"1-AuthMech"};
  Requirement requirement;
  requirement.id = "EN303645@2.1.1:5.1-1";
  plan.requirements.push_back(requirement);
  Case made;
  made.id = "TS103701@1.1.1:5.1-1-2";
  made.covers = requirement.id;
  made.states = {"initialised"};
  made.vantages = {"lan"};
  made.units = std::move(units);
  plan.cases.push_back(made);
  Dut dut;
  Sample sample;
  sample.id = "A";
  sample.at["lan"] = {"127.0.0.1"};
  dut.samples.push_back(sample);
  dut.scope = {"127.0.0.1"};
  PlanOptions options;
  options.date = "2026-01-01T00:00:00Z";
  auto planned = make_run_plan(plan, dut, catalogue_of(table()), options);
  REQUIRE(planned);
  return *planned;
}

struct TemporaryFolder {
  fs::path path;

  TemporaryFolder() {
    auto pattern = (fs::temp_directory_path() / "assay-engine-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }

  ~TemporaryFolder() { fs::remove_all(path); }
};

struct Ran {
  RunOutcome outcome;
  std::vector<Event> events;
};

/// Runs the plan on the scripted device; `interrupt_soon` is called by a probe through the script.
inline Ran run(const RunPlan& plan, Script& shared, std::vector<Observation> earlier = {}) {
  script = &shared;
  const TemporaryFolder folder;
  auto bundle = BundleWriter::create(folder.path / "bundle", plan, {});
  REQUIRE(bundle);
  asio::io_context context;
  const NoDictionaries library;
  RunInputs inputs{plan, table(), library, **bundle, {}, std::move(earlier), 1, {}, 32};
  inputs.networks = [&](const Target& target, std::chrono::steady_clock::time_point, const std::string&) {
    return std::make_unique<ScriptedNetwork>(shared.device, target);
  };
  inputs.device_state = shared.device_state;
  inputs.secrets.changed = shared.changed;
  inputs.recipes =
      [&](const Recipe& recipe,
          const std::map<std::string, std::string>& environment) -> asio::awaitable<Result<RecipeOutcome>> {
    shared.ran.push_back(*recipe.exec + " " + environment.at("ASSAY_SAMPLE") + " to " + environment.at("ASSAY_STATE"));
    if (*recipe.exec == "swap") {
      shared.device.mac = "02:00:00:00:00:02";
    }
    if (shared.broken_recipes.contains(*recipe.exec)) {
      co_return Error{ErrorKind::io, "it broke", {}};
    }
    co_return RecipeOutcome{RecipeOutcome::Kind::done, "ok"};
  };
  auto running = make_run(std::move(inputs));
  shared.while_running = [&] { asio::post(context, [&] { running->interrupt(2); }); };
  std::optional<Result<RunOutcome>> result;
  auto work = running->execute();
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr failed, Result<RunOutcome> outcome) {
    REQUIRE_FALSE(failed);
    result = std::move(outcome);
  });
  context.run();
  REQUIRE(result);
  REQUIRE(*result);
  const auto opened = Bundle::open(folder.path / "bundle");
  REQUIRE(opened);
  return {**result, opened->events()};
}

inline const Observation& of_probe(const Ran& ran, std::string_view probe) {
  const auto found = std::find_if(ran.outcome.observations.begin(), ran.outcome.observations.end(),
                                  [&](const auto& observation) { return observation.invocation.probe == probe; });
  REQUIRE(found != ran.outcome.observations.end());
  return *found;
}

inline std::int64_t count(const Ran& ran, std::string_view type) {
  return std::count_if(ran.events.begin(), ran.events.end(), [&](const auto& event) { return event.type == type; });
}

}  // namespace scripted
}  // namespace assay

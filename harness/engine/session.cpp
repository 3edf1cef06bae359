#include "harness/engine/session.hpp"

#include <csignal>
#include <sys/eventfd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "harness/engine/device_names.hpp"
#include "harness/engine/kept_logins.hpp"
#include "harness/engine/observe.hpp"
#include "harness/engine/recipe_bench.hpp"
#include "harness/engine/run_capture.hpp"
#include "harness/lab/emulation.hpp"
#include "harness/net/backstop.hpp"
#include "harness/net/governor.hpp"
#include "harness/net/guarded_network.hpp"
#include "harness/net/scope.hpp"
#include "harness/net/unique_fd.hpp"
#include "harness/net/vantage_executor.hpp"

namespace assay {

namespace {

Result<Scope> scope_of(const Dut& dut, bool allow_public) {
  auto scope = make_scope(dut.scope, allow_public);
  if (!scope && scope.error().kind == ErrorKind::denied && !allow_public) {
    auto error = scope.error();
    if (error.what.find("--allow-public") == std::string::npos) {
      error.what += "; public addresses need --allow-public and a written authorisation";
    }
    return error;
  }
  return scope;
}

/// The vantages of a run, open. All of a run's work is done by one thread, which steps from one to the other.
class Vantages {
 public:
  Vantages() = default;
  Vantages(const Vantages&) = delete;
  Vantages& operator=(const Vantages&) = delete;

  ~Vantages() {
    if (home_) {
      home_->enter();
    }
  }

  /// Opens what the DUT file says of the vantages of these targets. An ordinary user reaches a namespace only by the
  /// user namespace above it, from which there is no way back: then this process moves there for good.
  Result<> open(const Dut& dut, const std::vector<Target>& targets) {
    for (const auto& target : targets) {
      const auto point = dut.lab.vantages.find(target.vantage);
      if (point == dut.lab.vantages.end() || points_.contains(target.vantage)) {
        continue;
      }
      auto vantage = Vantage::open(target.vantage, point->second);
      if (!vantage && vantage.error().kind == ErrorKind::denied) {
        if (auto moved = enter_namespace(namespace_path(point->second)); !moved) {
          return moved.error();
        }
        vantage = Vantage::open(target.vantage, point->second);
      }
      if (!vantage) {
        return vantage.error();
      }
      points_.emplace(target.vantage, std::move(*vantage));
    }
    if (!points_.empty()) {
      auto home = Vantage::here();
      if (!home) {
        return home.error();
      }
      home_ = std::move(*home);
    }
    return {};
  }

  /// Where the work of a vantage runs; that of the run itself with an unknown one. The plain executor where all are
  /// one.
  asio::any_io_executor executor(asio::io_context& context, const std::string& vantage) const {
    const auto* there = find(vantage);
    if (there == nullptr) {
      return context.get_executor();
    }
    return VantageExecutor(context.get_executor(), *there);
  }

  /// Null where all are one.
  const Vantage* find(const std::string& vantage) const {
    const auto point = points_.find(vantage);
    return point != points_.end() ? &point->second : home_ ? &*home_ : nullptr;
  }

  bool any() const { return !points_.empty(); }

 private:
  std::map<std::string, Vantage> points_;
  std::optional<Vantage> home_;
};

/// Recipes block: they run on a thread of their own, which ends when they do or when the run is interrupted.
class Recipes {
 public:
  explicit Recipes(RecipeSurroundings surroundings)
      : surroundings_(std::move(surroundings)), cancel_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    surroundings_.cancel = cancel_.get();
  }

  void cancel() {
    const std::uint64_t one = 1;
    std::ignore = ::write(cancel_.get(), &one, sizeof one);
  }

  RunRecipe runner() {
    return [this](const Recipe& recipe, const std::map<std::string, std::string>& environment) {
      return run(recipe, environment);
    };
  }

  asio::awaitable<Result<RecipeOutcome>> run(const Recipe& recipe, const std::map<std::string, std::string>& added) {
    auto surroundings = surroundings_;
    surroundings.environment = added;
    auto work = run_here(recipe, std::move(surroundings));
    const auto executor = pool_.get_executor();
    auto outcome = co_await asio::co_spawn(executor, std::move(work), asio::use_awaitable);
    co_return outcome;
  }

 private:
  static asio::awaitable<Result<RecipeOutcome>> run_here(const Recipe& recipe, RecipeSurroundings surroundings) {
    co_return run_recipe(recipe, surroundings);
  }

  RecipeSurroundings surroundings_;
  UniqueFd cancel_;
  asio::thread_pool pool_{1};
};

/// The outside of a run: one thread, one budget for each address, one of logins for each device, the scope guard and
/// its backstop.
class Session {
 public:
  Session(const Dut& dut, Scope scope, const SessionOptions& options)
      : pace_(dut.pace), devices_(device_names(dut)), scope_(std::move(scope)), options_(options) {
    if (auto sources = make_scope(dut.lab.sources, true)) {
      sources_ = std::move(*sources);
    }
    install_backstop(scope_);
  }

  Result<> open_vantages(const RunPlan& plan) { return vantages_.open(plan.dut, plan.targets); }

  /// Before any network is asked for.
  void keep_logins(std::vector<KeptLogin> kept) { kept_logins_ = std::move(kept); }

  asio::any_io_executor executor(const std::string& vantage) { return vantages_.executor(context_, vantage); }

  bool has_vantages() const { return vantages_.any(); }

  asio::io_context& context() { return context_; }

  Governor& governor(const std::string& address) {
    auto& governor = governors_[address];
    if (!governor) {
      governor = std::make_unique<Governor>(pace_, logins_of(device_at(address)));
      governor->on_login(
          [this, address](const Endpoint& endpoint, const std::string& account, std::uint32_t used) -> Result<> {
            return login_ ? login_(address, endpoint, account, used) : Result<>{};
          });
    }
    return *governor;
  }

  std::unique_ptr<Network> network(const Target& target, std::chrono::steady_clock::time_point deadline,
                                   const std::string& owner) {
    auto link = capture_ ? capture_->link_for(owner) : CaptureLink{};
    return make_network(executor(target.vantage), governor(target.address), scope_, target, deadline, std::move(link),
                        sources_);
  }

  /// Why there is no capture, empty when there is one or none is wanted; an error when there must be one.
  Result<std::string> begin_capture(const std::vector<Target>& targets, const Dut& dut, Keeping keep) {
    const auto& wanted = options_.capture;
    if (wanted.mode == CaptureMode::off) {
      return std::string{};
    }
    const VantageOf at = [this](const std::string& name) { return vantages_.find(name); };
    auto opened = RunCapture::open(context_.get_executor(), targets, at, dut, wanted, std::move(keep));
    if (opened) {
      capture_ = std::move(*opened);
      return std::string{};
    }
    if (wanted.mode == CaptureMode::on) {
      return opened.error();
    }
    return opened.error().what;
  }

  RunCapture* capture() { return capture_.get(); }

  /// Lets the io_context end.
  void end_capture() {
    if (capture_) {
      capture_->stop();
    }
  }

  /// Journals each login attempt before it is made.
  std::function<Result<>(const std::string&, const Endpoint&, const std::string&, std::uint32_t)> login_;

 private:
  Vantages vantages_;  // outlives all work

  std::string device_at(const std::string& address) const {
    const auto known = devices_.find(address);
    return known != devices_.end() ? known->second : address;
  }

  /// What is spent on the accounts of a device, at whatever address, also before the run was interrupted.
  std::shared_ptr<LoginBudget> logins_of(const std::string& device) {
    auto& budget = login_budgets_[device];
    if (!budget) {
      budget = std::make_shared<LoginBudget>(pace_);
      std::map<std::string, std::uint32_t> used;
      for (const auto& [key, count] : options_.logins) {
        const auto space = key.find(' ');
        if (device_at(key.substr(0, space)) == device) {
          used[key.substr(space + 1)] += static_cast<std::uint32_t>(count);
        }
      }
      budget->restore(std::move(used));
      for (const auto& kept : kept_logins_) {
        if (device_at(kept.address) == device) {
          budget->set_aside(kept.endpoint, kept.account);
        }
      }
    }
    return budget;
  }

  asio::io_context context_;
  Pace pace_;
  std::map<std::string, std::string> devices_;  // by address
  Scope scope_;
  Scope sources_;
  const SessionOptions& options_;
  std::vector<KeptLogin> kept_logins_;
  std::unique_ptr<RunCapture> capture_;
  std::map<std::string, std::shared_ptr<LoginBudget>> login_budgets_;  // by device
  std::map<std::string, std::unique_ptr<Governor>> governors_;         // by address
};

/// First signal: an orderly stop. Second: at once; the journal is valid at any instant.
class Interrupts {
 public:
  Interrupts(asio::io_context& context, std::function<void(int)> stop)
      : signals_(context, SIGINT, SIGTERM), stop_(std::move(stop)) {
    wait();
  }

  void done() { signals_.cancel(); }

 private:
  void wait() {
    signals_.async_wait([this](const boost::system::error_code& failed, int signal) {
      if (failed) {
        return;
      }
      if (++count_ > 1) {
        std::_Exit(130);
      }
      stop_(signal);
      wait();
    });
  }

  asio::signal_set signals_;
  std::function<void(int)> stop_;
  int count_ = 0;
};

template <class T>
Result<T> run_to_end(Session& session, asio::awaitable<Result<T>> work, std::function<void(int)> stop,
                     asio::cancellation_slot cancel = {}) {
  auto& context = session.context();
  std::optional<Interrupts> interrupts;
  if (stop) {
    interrupts.emplace(context, std::move(stop));
  }
  std::optional<Result<T>> result;
  auto ended = [&](std::exception_ptr failed, Result<T> value) {
    if (failed) {
      try {
        std::rethrow_exception(failed);
      } catch (const std::exception& failure) {
        value = Error{ErrorKind::internal, std::string{"the engine failed: "} + failure.what(), {}};
      }
    }
    result = std::move(value);
    session.end_capture();
    if (interrupts) {
      interrupts->done();
    }
  };
  asio::co_spawn(session.executor({}), std::move(work), asio::bind_cancellation_slot(cancel, std::move(ended)));
  context.run();
  return result ? *result : Result<T>{Error{ErrorKind::internal, "the engine ended without a result", {}}};
}

}  // namespace

Result<> check_scope(const RunPlan& plan, bool allow_public) {
  const auto scope = scope_of(plan.dut, allow_public);
  if (!scope) {
    return scope.error();
  }
  if (const auto sources = make_scope(plan.dut.lab.sources, true); !sources) {
    return Error{sources.error().kind, "lab.sources: " + sources.error().what, {}};
  }
  for (const auto& target : plan.targets) {
    if (!scope->contains(target.address)) {
      return Error{ErrorKind::denied,
                   target.address + " is outside the scope of the DUT file; nothing outside is ever contacted",
                   {}};
    }
  }
  return {};
}

Result<> check_vantages(const RunPlan& plan) {
  for (const auto& target : plan.targets) {
    const auto point = plan.dut.lab.vantages.find(target.vantage);
    if (point == plan.dut.lab.vantages.end()) {
      continue;
    }
    const auto opened = Vantage::open(target.vantage, point->second);
    if (!opened && opened.error().kind != ErrorKind::denied) {  // an ordinary user may still have a way
      return opened.error();
    }
  }
  return {};
}

Result<RunOutcome> run_session(const RunPlan& plan, ProbeTable probes, const ProbeLibrary& library,
                               BundleWriter& bundle, std::vector<Observation> earlier, const SessionOptions& options) {
  if (auto allowed = check_scope(plan, options.allow_public); !allowed) {
    return allowed.error();
  }
  Session session(plan.dut, *scope_of(plan.dut, options.allow_public), options);
  if (auto opened = session.open_vantages(plan); !opened) {
    return opened.error();
  }
  session.keep_logins(kept_logins(plan));
  session.login_ = [&bundle](const std::string& address, const Endpoint& endpoint, const std::string& account,
                             std::uint32_t used) {
    return bundle.append("login",
                         {{"address", address}, {"endpoint", endpoint.text()}, {"account", account}, {"count", used}});
  };
  RunInputs inputs{plan, probes, library, bundle, {}, std::move(earlier), options.first_invocation, options.progress};
  inputs.networks = [&session](const Target& target, std::chrono::steady_clock::time_point deadline,
                               const std::string& owner) { return session.network(target, deadline, owner); };
  inputs.secrets = options.secrets;
  if (options.secrets.changed) {
    options.secrets.changed->journal = [&bundle](json::object told) {
      return bundle.append("password_tried", std::move(told));
    };
  }
  auto keep = keeping_in(bundle, options.secrets);
  if (session.has_vantages()) {
    inputs.executors = [&session](const Target& target) { return session.executor(target.vantage); };
  }
  Recipes recipes(options.surroundings);
  inputs.recipes = recipes.runner();
  inputs.folder = options.surroundings.folder;
  if (!plan.phases.empty()) {
    inputs.device_state = options.device_state;
  }
  auto without = session.begin_capture(plan.targets, plan.dut, std::move(keep));
  if (!without) {
    return without.error();
  }
  inputs.capture = session.capture();
  inputs.no_capture = std::move(*without);
  const auto run = make_run(std::move(inputs));
  std::function<void(int)> stop;
  if (options.handle_signals) {
    stop = [&run, &recipes](int signal) {
      run->interrupt(signal);
      recipes.cancel();
    };
  }
  auto work = run->execute();
  return run_to_end<RunOutcome>(session, std::move(work), std::move(stop));
}

namespace {

Keeping keeping_of(const SingleProbe& single, const SecretHandling& secrets) {
  Keeping out;
  out.secrets = secrets;
  out.plain = [&single](std::string_view title, std::string_view type, std::string_view bytes) -> Result<ArtifactRef> {
    ArtifactRef artifact{sha256_hex(bytes), std::string{type}, static_cast<std::int64_t>(bytes.size()),
                         std::string{title}, false};
    if (single.keep) {
      single.keep(artifact, bytes);
    }
    return artifact;
  };
  return out;
}

asio::awaitable<Result<Observation>> single_observation(const SingleProbe& single, const ProbeDescriptor& probe,
                                                        const ProbeLibrary& library, Network& network,
                                                        const Progress& progress, RunCapture* capture,
                                                        const SecretHandling& secrets, const RunRecipe& recipes,
                                                        const std::filesystem::path& folder) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto info = describe_probe(probe);
  Observation observation;
  observation.id = "o1";
  observation.invocation = single.invocation;
  observation.began = utc_now();
  InvocationRecorder recorder(info, observation, keeping_of(single, secrets));
  const auto began = std::chrono::steady_clock::now();
  RecipeBench bench({single.invocation, probe.intrusiveness, single.dut, began + single.deadline, folder}, recipes,
                    recorder, {});
  co_await observe_once(single.invocation, probe, single.dut, library, network, recorder, progress, bench);
  observation.took_ns = std::chrono::nanoseconds(std::chrono::steady_clock::now() - began).count();
  if (capture != nullptr) {
    const auto concealed = recorder.concealed();
    const auto kept = co_await capture->finish(observation, concealed, recorder.withheld());
    if (!kept) {
      co_return kept.error();
    }
    const auto rest = co_await capture->finish_run();
    if (!rest) {
      co_return rest.error();
    }
  }
  co_return observation;
}

}  // namespace

Result<Observation> probe_once(const SingleProbe& single, ProbeTable probes, const ProbeLibrary& library,
                               const SessionOptions& options) {
  RunPlan plan;
  plan.dut = single.dut;
  plan.targets = {single.invocation.target};
  if (auto allowed = check_scope(plan, options.allow_public); !allowed) {
    return allowed.error();
  }
  const auto* probe = find_probe(probes, single.invocation.probe);
  Session session(single.dut, *scope_of(single.dut, options.allow_public), options);
  const auto without = session.begin_capture(plan.targets, single.dut, keeping_of(single, options.secrets));
  if (!without) {
    return without.error();
  }
  if (!without->empty() && options.no_capture) {
    options.no_capture(*without);
  }
  const auto network = session.network(single.invocation.target, std::chrono::steady_clock::now() + single.deadline,
                                       single.invocation.id);
  const Progress progress = [&options](std::int64_t done, std::int64_t total, std::string_view what) {
    if (options.progress) {
      RunProgress report{done, total, std::string{what}};
      options.progress(report);
    }
  };
  Recipes recipes(options.surroundings);
  const auto runner = recipes.runner();
  asio::cancellation_signal cancel;
  std::function<void(int)> stop;
  if (options.handle_signals) {
    stop = [&cancel, &recipes](int) {
      cancel.emit(asio::cancellation_type::terminal);
      recipes.cancel();
    };
  }
  auto work = single_observation(single, *probe, library, *network, progress, session.capture(), options.secrets,
                                 runner, options.surroundings.folder);
  return run_to_end<Observation>(session, std::move(work), std::move(stop), cancel.slot());
}

}  // namespace assay

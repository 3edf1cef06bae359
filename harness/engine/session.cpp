#include "harness/engine/session.hpp"

#include <csignal>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "harness/engine/observe.hpp"
#include "harness/engine/run_capture.hpp"
#include "harness/net/backstop.hpp"
#include "harness/net/governor.hpp"
#include "harness/net/guarded_network.hpp"
#include "harness/net/scope.hpp"

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

/// The outside of a run: one thread, one budget for each address, the scope guard and its backstop.
class Session {
 public:
  Session(const Dut& dut, Scope scope, const SessionOptions& options)
      : pace_(dut.pace), scope_(std::move(scope)), options_(options) {
    if (auto sources = make_scope(dut.lab.sources, true)) {
      sources_ = std::move(*sources);
    }
    install_backstop(scope_);
  }

  asio::io_context& context() { return context_; }

  Governor& governor(const std::string& address) {
    auto& governor = governors_[address];
    if (!governor) {
      governor = std::make_unique<Governor>(pace_);
      restore(*governor, address);
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
    return make_network(context_.get_executor(), governor(target.address), scope_, target, deadline, std::move(link), sources_);
  }

  /// Why there is no capture, empty when there is one or none is wanted; an error when there must be one.
  Result<std::string> begin_capture(const std::vector<Target>& targets, const Dut& dut, KeepArtifact keep) {
    const auto& wanted = options_.capture;
    if (wanted.mode == CaptureMode::off) {
      return std::string{};
    }
    auto opened = RunCapture::open(context_.get_executor(), targets, dut, wanted, std::move(keep));
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
  void restore(Governor& governor, const std::string& address) const {
    std::map<std::string, std::uint32_t> used;
    for (const auto& [key, count] : options_.logins) {
      if (key.starts_with(address + " ")) {
        used[key.substr(address.size() + 1)] = static_cast<std::uint32_t>(count);
      }
    }
    governor.restore_logins(std::move(used));
  }

  asio::io_context context_;
  Pace pace_;
  Scope scope_;
  Scope sources_;
  const SessionOptions& options_;
  std::unique_ptr<RunCapture> capture_;
  std::map<std::string, std::unique_ptr<Governor>> governors_;
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
  asio::co_spawn(context, std::move(work), asio::bind_cancellation_slot(cancel, std::move(ended)));
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

Result<RunOutcome> run_session(const RunPlan& plan, ProbeTable probes, const ProbeLibrary& library,
                               BundleWriter& bundle, std::vector<Observation> earlier, const SessionOptions& options) {
  if (auto allowed = check_scope(plan, options.allow_public); !allowed) {
    return allowed.error();
  }
  Session session(plan.dut, *scope_of(plan.dut, options.allow_public), options);
  session.login_ = [&bundle](const std::string& address, const Endpoint& endpoint, const std::string& account,
                             std::uint32_t used) {
    return bundle.append("login",
                         {{"address", address}, {"endpoint", endpoint.text()}, {"account", account}, {"count", used}});
  };
  RunInputs inputs{plan, probes, library, bundle, {}, std::move(earlier), options.first_invocation, options.progress};
  inputs.networks = [&session](const Target& target, std::chrono::steady_clock::time_point deadline,
                               const std::string& owner) { return session.network(target, deadline, owner); };
  KeepArtifact keep = [&bundle](std::string_view title, std::string_view type, std::string_view bytes) {
    return bundle.artifact(title, type, bytes);
  };
  auto without = session.begin_capture(plan.targets, plan.dut, std::move(keep));
  if (!without) {
    return without.error();
  }
  inputs.capture = session.capture();
  inputs.no_capture = std::move(*without);
  const auto run = make_run(std::move(inputs));
  std::function<void(int)> stop;
  if (options.handle_signals) {
    stop = [&run](int signal) { run->interrupt(signal); };
  }
  auto work = run->execute();
  return run_to_end<RunOutcome>(session, std::move(work), std::move(stop));
}

namespace {

KeepArtifact keeper_of(const SingleProbe& single) {
  return [&single](std::string_view title, std::string_view type, std::string_view bytes) -> Result<ArtifactRef> {
    ArtifactRef artifact{sha256_hex(bytes), std::string{type}, static_cast<std::int64_t>(bytes.size()),
                         std::string{title}, false};
    if (single.keep) {
      single.keep(artifact, bytes);
    }
    return artifact;
  };
}

asio::awaitable<Result<Observation>> single_observation(const SingleProbe& single, const ProbeDescriptor& probe,
                                                        const ProbeLibrary& library, Network& network,
                                                        const Progress& progress, RunCapture* capture) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto info = describe_probe(probe);
  Observation observation;
  observation.id = "o1";
  observation.invocation = single.invocation;
  observation.began = utc_now();
  InvocationRecorder recorder(info, observation, keeper_of(single));
  const auto began = std::chrono::steady_clock::now();
  co_await observe_once(single.invocation, probe, single.dut, library, network, recorder, progress);
  observation.took_ns = std::chrono::nanoseconds(std::chrono::steady_clock::now() - began).count();
  if (capture != nullptr) {
    const auto kept = co_await capture->finish(observation, recorder.concealed());
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
  const auto without = session.begin_capture(plan.targets, single.dut, keeper_of(single));
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
  asio::cancellation_signal cancel;
  std::function<void(int)> stop;
  if (options.handle_signals) {
    stop = [&cancel](int) { cancel.emit(asio::cancellation_type::terminal); };
  }
  auto work = single_observation(single, *probe, library, *network, progress, session.capture());
  return run_to_end<Observation>(session, std::move(work), std::move(stop), cancel.slot());
}

}  // namespace assay

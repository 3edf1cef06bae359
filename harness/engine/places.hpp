#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "harness/engine/liveness.hpp"
#include "harness/engine/run.hpp"
#include "harness/model/observation.hpp"

namespace assay {

/// Whether the device is alive, by each place that it is reached from. A side that never answers anything (a firewall's
/// WAN) says nothing of the device: there the word of another side of the same unit counts.
class Places {
 public:
  Places(const RunPlan& plan, const NetworkFactory& networks, const ExecutorOf& executors);

  /// Asks at the target's own place and, where that is silent and was never heard, at the others of its sample.
  /// `answered` tells where the answer came from.
  asio::awaitable<LivenessCheck> check(const Target& target, int rounds, Target& answered);

  /// Beginning of the last check that was answered for the target; the epoch of the clock when none was.
  std::chrono::steady_clock::time_point alive_since(const Target& target) const;

  /// Remembers the link-layer addresses of the targets, the first that are seen; says which other one is there now, in
  /// words, or nothing. Behind a router there is none to see.
  asio::awaitable<std::string> stranger(const std::vector<Target>& targets);

  /// The DUT file's `ready`: waits until its port accepts at the first target, for its time at most, for a device that
  /// was reset may refuse connections long before it serves them. Whether it is alive has to be asked afterwards.
  asio::awaitable<void> await_ready(const std::vector<Target>& targets);

  /// Takes the open ports of an observation for later checks.
  void learn(const Observation& observation);

 private:
  asio::awaitable<std::string> mac_there(const Target& target);
  asio::awaitable<void> knock(const Target& target, Endpoint port, std::chrono::steady_clock::time_point until);
  asio::awaitable<LivenessCheck> ask(const Target& target, int rounds);
  asio::awaitable<LivenessCheck> ask_there(const Target& target, int rounds);
  Liveness& liveness_of(const Target& target);

  const RunPlan& plan_;
  const NetworkFactory& networks_;
  const ExecutorOf& executors_;
  std::map<std::string, Liveness> liveness_;  // by place
  std::map<std::string, std::chrono::steady_clock::time_point> alive_;
  std::map<std::string, std::string> macs_;
  std::set<std::string> heard_;   // places that have answered
  std::set<std::string> silent_;  // places that were asked and have never answered
};

}  // namespace assay

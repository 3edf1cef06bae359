#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/endpoint.hpp"
#include "harness/probe/network.hpp"

namespace assay {

/// One answer to "is the device still there?".
struct LivenessCheck {
  bool alive = false;
  std::string how;  // "tcp/80 accepts", "tcp/1 refuses", "no answer from tcp/80, tcp/443"
  std::chrono::steady_clock::time_point began;
  std::chrono::nanoseconds took{};
};

/// Asks for known answers: an accepted or a refused connection both prove a living TCP stack. The endpoints that
/// answered last are asked first; what discovery finds open is added.
class Liveness {
 public:
  /// `preferred` is asked before the common ports (the DUT file's `ready`).
  explicit Liveness(std::vector<Endpoint> preferred);

  void learn(Endpoint open);

  /// One round over the known endpoints. Silence of all is "not alive" for this round.
  asio::awaitable<LivenessCheck> check(Network& network);

  /// Rounds with growing pauses until one answers or `rounds` are used up: a busy device is not a dead one.
  asio::awaitable<LivenessCheck> confirm(Network& network, int rounds);

 private:
  std::vector<Endpoint> canaries_;  // asked in order
};

}  // namespace assay

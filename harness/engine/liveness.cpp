#include "harness/engine/liveness.hpp"

#include <algorithm>

namespace assay {

namespace {

constexpr milliseconds kAnswerWithin{1500};
constexpr milliseconds kFirstPause{250};
constexpr std::size_t kMostCanaries = 8;
// Where an IoT device most often listens; port 1 is nearly always closed and refuses at once.
constexpr std::uint16_t kCommonPorts[] = {80, 443, 22, 1, 23};

std::string listed(const std::vector<Endpoint>& endpoints) {
  std::string text;
  for (const auto& endpoint : endpoints) {
    text += (text.empty() ? "" : ", ") + endpoint.text();
  }
  return text;
}

}  // namespace

Liveness::Liveness(std::vector<Endpoint> preferred) : canaries_(std::move(preferred)) {
  for (const auto port : kCommonPorts) {
    const Endpoint endpoint{Transport::tcp, port};
    if (std::find(canaries_.begin(), canaries_.end(), endpoint) == canaries_.end()) {
      canaries_.push_back(endpoint);
    }
  }
}

void Liveness::learn(Endpoint open) {
  if (open.transport != Transport::tcp || std::find(canaries_.begin(), canaries_.end(), open) != canaries_.end()) {
    return;
  }
  // Behind the one that answered last, before the guesses.
  canaries_.insert(canaries_.begin() + (canaries_.empty() ? 0 : 1), open);
  if (canaries_.size() > kMostCanaries) {
    canaries_.pop_back();
  }
}

asio::awaitable<LivenessCheck> Liveness::check(Network& network) {
  LivenessCheck result;
  result.began = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < canaries_.size(); ++i) {
    const Endpoint canary = canaries_[i];
    const auto stream = co_await network.connect_tcp(canary, kAnswerWithin);
    const bool refused = !stream && stream.error().kind == ErrorKind::refused;
    if (stream || refused) {
      result.alive = true;
      result.how = canary.text() + (refused ? " refuses" : " accepts");
      std::rotate(canaries_.begin(), canaries_.begin() + static_cast<std::ptrdiff_t>(i),
                  canaries_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      break;
    }
    if (stream.error().kind == ErrorKind::cancelled || stream.error().kind == ErrorKind::denied) {
      result.how = stream.error().what;
      break;
    }
  }
  if (!result.alive && result.how.empty()) {
    result.how = "no answer from " + listed(canaries_);
  }
  result.took = std::chrono::steady_clock::now() - result.began;
  co_return result;
}

asio::awaitable<LivenessCheck> Liveness::confirm(Network& network, int rounds) {
  auto pause = kFirstPause;
  auto result = co_await check(network);
  for (int round = 1; round < rounds && !result.alive; ++round) {
    const auto waited = co_await network.wait(pause);
    if (!waited) {
      break;
    }
    pause *= 2;
    result = co_await check(network);
  }
  co_return result;
}

}  // namespace assay

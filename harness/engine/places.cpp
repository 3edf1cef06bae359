#include "harness/engine/places.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace assay {

namespace {

using Clock = std::chrono::steady_clock;

constexpr milliseconds kLivenessDeadline{20000};
const std::string kOwner = "liveness";
constexpr milliseconds kKnockFor{1000};
constexpr milliseconds kKnockEvery{500};

/// Two vantages may know the device by the same address.
std::string place_of(const Target& target) {
  return target.vantage + " " + target.address;
}

}  // namespace

Places::Places(const RunPlan& plan, const NetworkFactory& networks, const ExecutorOf& executors)
    : plan_(plan), networks_(networks), executors_(executors) {}

Liveness& Places::liveness_of(const Target& target) {
  std::vector<Endpoint> preferred;
  if (plan_.dut.lab.ready && plan_.dut.lab.ready->tcp) {
    preferred.push_back(*plan_.dut.lab.ready->tcp);
  }
  return liveness_.try_emplace(place_of(target), std::move(preferred)).first->second;
}

asio::awaitable<LivenessCheck> Places::ask_there(const Target& target, int rounds) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto deadline = Clock::now() + kLivenessDeadline;
  const auto network = networks_(target, deadline, kOwner);
  const auto check = co_await liveness_of(target).confirm(*network, rounds);
  co_return check;
}

asio::awaitable<LivenessCheck> Places::ask(const Target& target, int rounds) {
  if (!executors_) {
    const auto check = co_await ask_there(target, rounds);
    co_return check;
  }
  const auto executor = executors_(target);
  auto work = ask_there(target, rounds);
  const auto check = co_await asio::co_spawn(executor, std::move(work), asio::use_awaitable);
  co_return check;
}

asio::awaitable<LivenessCheck> Places::check(const Target& target, int rounds, Target& answered) {
  const auto place = place_of(target);
  answered = target;
  LivenessCheck own;
  if (!silent_.contains(place)) {
    own = co_await ask(target, rounds);
    if (own.alive) {
      heard_.insert(place);
      alive_[place] = own.began;
      co_return own;
    }
    if (heard_.contains(place)) {
      co_return own;  // it fell silent
    }
  }
  for (const auto& other : plan_.targets) {
    const auto elsewhere = place_of(other);
    if (other.sample != target.sample || elsewhere == place || silent_.contains(elsewhere)) {
      continue;
    }
    const auto there = co_await ask(other, rounds);
    if (there.alive) {
      silent_.insert(place);
      heard_.insert(elsewhere);
      alive_[elsewhere] = there.began;
      alive_[place] = there.began;
      answered = other;
      co_return there;
    }
  }
  if (own.how.empty()) {
    own = co_await ask(target, rounds);
  }
  co_return own;
}

asio::awaitable<std::string> Places::mac_there(const Target& target) {
  const auto deadline = Clock::now() + kLivenessDeadline;
  const auto network = networks_(target, deadline, kOwner);
  const auto neighbour = network->neighbour();
  co_return neighbour ? neighbour->mac : std::string{};
}

asio::awaitable<std::string> Places::stranger(const std::vector<Target>& targets) {
  for (const auto& target : targets) {
    auto work = mac_there(target);
    std::string mac;
    if (executors_) {
      const auto executor = executors_(target);
      mac = co_await asio::co_spawn(executor, std::move(work), asio::use_awaitable);
    } else {
      mac = co_await std::move(work);
    }
    const auto known = macs_.find(place_of(target));
    if (known == macs_.end() && !mac.empty()) {
      macs_[place_of(target)] = mac;
    } else if (known != macs_.end() && !mac.empty() && mac != known->second) {
      co_return "another device answers at " + target.address + ": its MAC is " + mac + ", before it was " +
          known->second;
    }
  }
  co_return std::string{};
}

asio::awaitable<void> Places::knock(const Target& target, Endpoint port, Clock::time_point until) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto network = networks_(target, until, kOwner);
  while (Clock::now() < until) {
    const auto stream = co_await network->connect_tcp(port, kKnockFor);
    if (stream) {
      co_return;
    }
    const auto waited = co_await network->wait(kKnockEvery);
    if (!waited) {
      co_return;
    }
  }
}

asio::awaitable<void> Places::await_ready(const std::vector<Target>& targets) {
  const auto& ready = plan_.dut.lab.ready;
  if (!ready || !ready->tcp || targets.empty()) {
    co_return;
  }
  const auto& target = targets.front();
  auto work = knock(target, *ready->tcp, Clock::now() + milliseconds{ready->within_ms});
  if (!executors_) {
    co_await std::move(work);
    co_return;
  }
  const auto executor = executors_(target);
  co_await asio::co_spawn(executor, std::move(work), asio::use_awaitable);
}

Clock::time_point Places::alive_since(const Target& target) const {
  const auto known = alive_.find(place_of(target));
  return known == alive_.end() ? Clock::time_point::min() : known->second;
}

void Places::learn(const Observation& observation) {
  const auto* open = observation.facts.if_contains("ports.open");
  if (open == nullptr || !open->is_array()) {
    return;
  }
  const auto& target = observation.invocation.target;
  for (const auto& entry : open->get_array()) {
    const auto* text = entry.is_object() ? entry.get_object().if_contains("endpoint") : nullptr;
    const auto endpoint = text != nullptr && text->is_string() ? Endpoint::parse(std::string_view{text->get_string()})
                                                               : std::optional<Endpoint>{};
    if (endpoint) {
      liveness_of(target).learn(*endpoint);
      silent_.erase(place_of(target));
    }
  }
}

}  // namespace assay

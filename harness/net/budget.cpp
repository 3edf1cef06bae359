#include "harness/net/budget.hpp"

#include <algorithm>

namespace assay {

Bucket::Bucket(double rate_per_second, double burst) {
  set_rate(rate_per_second, burst);
}

void Bucket::set_rate(double rate_per_second, double burst) {
  rate_ = rate_per_second > 0 ? rate_per_second : 1;
  interval_ = std::chrono::nanoseconds{static_cast<std::int64_t>(1e9 / rate_)};
  tolerance_ = std::chrono::nanoseconds{static_cast<std::int64_t>((std::max(1.0, burst) - 1) * 1e9 / rate_)};
}

bool Bucket::try_take(TimePoint now) {
  if (next() > now) {
    return false;
  }
  due_ = std::max(due_, now) + interval_;
  return true;
}

TimePoint Bucket::reserve(TimePoint now) {
  const auto start = std::max(now, next());
  due_ = std::max(due_, now) + interval_;
  return start;
}

SocketLimit::SocketLimit(std::uint32_t most) : most_(std::max<double>(1, most)), limit_(most_) {}

void SocketLimit::answered() {
  limit_ = std::min(most_, limit_ + 1);
}

void SocketLimit::lost(TimePoint now, std::chrono::nanoseconds round) {
  if (decreases_ > 0 && now - last_decrease_ < round) {
    return;
  }
  limit_ = std::max(1.0, limit_ / 2);
  last_decrease_ = now;
  ++decreases_;
}

LoginBudget::LoginBudget(std::uint32_t attempts, std::chrono::milliseconds interval)
    : attempts_(attempts), interval_(interval) {}

LoginBudget::LoginBudget(const Pace& pace)
    : LoginBudget(pace.login_attempts_per_account, std::chrono::milliseconds{pace.login_interval_ms}) {
  if (!pace.login_attempts_per_endpoint.empty()) {
    on_endpoint_ = pace.login_attempts_per_endpoint.front();
  }
}

std::uint32_t LoginBudget::used_on(const Endpoint& endpoint) const {
  const auto prefix = key(endpoint, {});
  std::uint32_t sum = 0;
  for (auto at = used_.lower_bound(prefix); at != used_.end() && at->first.starts_with(prefix); ++at) {
    sum += at->first == key(endpoint, std::string{kGuessing}) ? 0 : at->second;
  }
  return sum;
}

std::string LoginBudget::key(const Endpoint& endpoint, const std::string& account) {
  return endpoint.text() + " " + account;
}

void LoginBudget::set_aside(const Endpoint& endpoint, const std::string& account) {
  aside_.insert(key(endpoint, account));
}

Result<TimePoint> LoginBudget::draw(const Endpoint& endpoint, const std::string& account, TimePoint now, bool kept) {
  const auto name = key(endpoint, account);
  auto& used = used_[name];
  const bool last_is_kept = !kept && aside_.contains(name);
  if (used + (last_is_kept ? 1 : 0) >= attempts_) {
    return Error{ErrorKind::denied,
                 "the pace allows " + std::to_string(attempts_) + " wrong logins for one account on " +
                     endpoint.text() + ", and they are used up" +
                     (last_is_kept ? " but one, which is set aside for reading the version" : ""),
                 {}};
  }
  if (on_endpoint_ && used_on(endpoint) >= *on_endpoint_) {
    return Error{ErrorKind::denied,
                 "the pace allows " + std::to_string(*on_endpoint_) + " wrong logins of all accounts together on " +
                     endpoint.text() + " (login_attempts_per_endpoint), and they are used up",
                 {}};
  }
  ++used;
  auto& next = next_[endpoint];
  const auto start = std::max(now, next);
  next = start + interval_;
  return start;
}

Result<> LoginBudget::draw_guess(const Endpoint& endpoint, std::uint32_t limit) {
  auto& used = used_[key(endpoint, std::string{kGuessing})];
  if (used >= limit) {
    return Error{ErrorKind::denied,
                 "the pace allows " + std::to_string(limit) + " guesses on " + endpoint.text() +
                     " (guesses_per_login), and they are used up",
                 {}};
  }
  ++used;
  return {};
}

void LoginBudget::refund(const Endpoint& endpoint, const std::string& account) {
  const auto found = used_.find(key(endpoint, account));
  if (found != used_.end() && found->second > 0) {
    --found->second;
  }
}

std::uint32_t LoginBudget::used(const Endpoint& endpoint, const std::string& account) const {
  const auto found = used_.find(key(endpoint, account));
  return found == used_.end() ? 0 : found->second;
}

}  // namespace assay

#include "harness/model/pace.hpp"

#include <algorithm>

namespace assay {

std::optional<Pace> pace_profile(std::string_view name) {
  if (name == "gentle") {
    return Pace{};
  }
  if (name == "normal") {
    return Pace{.profile = "normal",
                .max_connections = 64,
                .max_connects_per_second = 200,
                .max_packets_per_second = 5000,
                .login_attempts_per_account = 5,
                .login_interval_ms = 200,
                .connect_timeout_ms = 3000,
                .reply_timeout_ms = 5000,
                .guesses_per_login = {},
                .login_attempts_per_endpoint = {}};
  }
  if (name == "fast") {
    return Pace{.profile = "fast",
                .max_connections = 4096,
                .max_connects_per_second = 20000,
                .max_packets_per_second = 200000,
                .login_attempts_per_account = 20,
                .login_interval_ms = 0,
                .connect_timeout_ms = 2000,
                .reply_timeout_ms = 4000,
                .guesses_per_login = {},
                .login_attempts_per_endpoint = {}};
  }
  return std::nullopt;
}

std::uint32_t guesses_allowed(const Pace& pace) {
  if (!pace.guesses_per_login.empty()) {
    return pace.guesses_per_login.front();
  }
  return pace.profile == "fast" ? 200 : pace.profile == "normal" ? 130 : 40;
}

std::uint32_t max_half_open(const Pace& pace) {
  constexpr std::uint32_t kTenth = 10;
  return std::max(pace.max_connections, pace.max_packets_per_second / kTenth);
}

}  // namespace assay

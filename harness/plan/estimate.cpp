#include "harness/plan/estimate.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace assay {

namespace {

constexpr std::int64_t kEndpointEstimate = 15000;  // ms for all endpoints of a step, they run side by side
constexpr std::int64_t kDeviceEstimate = 60000;
constexpr std::int64_t kAllPorts = 65535;
constexpr std::int64_t kMsPerSecond = 1000;
constexpr std::int64_t kMostPasses = 4;  // over ports that all stay silent

/// Ports named by "all" or "1-1024,8080"; what is no number counts as none, the probe complains about it.
std::int64_t ports_in(std::string_view text) {
  if (text == "all") {
    return kAllPorts;
  }
  std::int64_t count = 0;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const auto dash = part.find('-');
    std::int64_t first = 0;
    std::int64_t last = 0;
    const auto read = [](std::string_view digits, std::int64_t& out) {
      const auto at = std::min(digits.find_first_not_of(' '), digits.size());
      return std::from_chars(digits.data() + at, digits.data() + digits.size(), out).ec == std::errc{};
    };
    if (read(part.substr(0, dash), first)) {
      const bool range = dash != std::string_view::npos && read(part.substr(dash + 1), last);
      count += range ? std::max<std::int64_t>(0, last - first + 1) : 1;
    }
  }
  return std::min(count, kAllPorts);
}

}  // namespace

StepTime time_of(const ProbeInfo& probe, const json::object& parameters, const Pace& pace) {
  const bool endpoints = probe.subject == ProbeSubject::endpoint && probe.intrusiveness < Intrusiveness::intrusive;
  StepTime time{std::min(probe.deadline_ms, endpoints ? kEndpointEstimate : kDeviceEstimate), probe.deadline_ms};
  time.deadline_ms = deadline_of(probe, parameters);
  if (const auto granted = granted_ms(probe, parameters)) {
    time.estimate_ms = *granted + kEndpointEstimate;
  }
  const auto* tcp = parameters.if_contains("tcp");
  if (tcp != nullptr && tcp->is_string()) {
    const auto rate = std::max<std::int64_t>(1, pace.max_packets_per_second);
    const auto sweep = ports_in(std::string_view{tcp->get_string()}) * kMsPerSecond / rate;
    time.estimate_ms = std::max(time.estimate_ms, sweep);
    time.deadline_ms = std::max(time.deadline_ms, kMostPasses * sweep);
  }
  return time;
}

}  // namespace assay

#include "probes/resistance/trend.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace assay::probes::resistance {

namespace {

constexpr std::size_t kFewest = 6;
constexpr double kSure = 5;     // standard errors that a slope is away from none
constexpr double kClock = 20;   // milliseconds that a rise has to be at least
constexpr double kExact = 0.1;  // least standard deviation in milliseconds: times are whole ones

/// A straight line through the values, by least squares.
struct Fit {
  double first = 0;
  double last = 0;
  double sureness = 0;  // the slope in its standard errors
  double unexplained = 0;
};

Fit fit_of(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  const double middle = (count - 1) / 2;
  double mean = 0;
  for (const auto value : values) {
    mean += value / count;
  }
  double across = 0;
  double along = 0;
  double total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double off = static_cast<double>(i) - middle;
    across += off * (values[i] - mean);
    along += off * off;
    total += (values[i] - mean) * (values[i] - mean);
  }
  Fit out;
  const double slope = across / along;
  const double rest = std::max(total - slope * across, 0.0);
  const double deviation = std::max(std::sqrt(rest / (count - 2)), kExact);
  out.first = mean - slope * middle;
  out.last = mean + slope * middle;
  out.sureness = slope / (deviation / std::sqrt(along));
  out.unexplained = total > 0 ? rest / total : 1;
  return out;
}

std::vector<double> numbers(const std::vector<milliseconds>& times) {
  std::vector<double> out;
  out.reserve(times.size());
  for (const auto time : times) {
    out.push_back(static_cast<double>(time.count()));
  }
  return out;
}

}  // namespace

Growth growth_of(const std::vector<milliseconds>& times, double least) {
  if (times.size() < kFewest) {
    return Growth::none;
  }
  const auto values = numbers(times);
  auto powers = values;
  for (auto& value : powers) {
    value = std::log(std::max(value, 1.0));
  }
  const auto line = fit_of(values);
  const auto curve = fit_of(powers);
  const auto half = values.size() / 2;
  const auto late_line = fit_of(std::span{values}.subspan(half));
  const auto late_curve = fit_of(std::span{powers}.subspan(half));
  const double rise = line.last - line.first;
  const bool rises = rise >= std::max(kClock, least * std::max(line.first, 0.0));
  const bool late = late_line.last - late_line.first >= rise / 4;
  const bool sure = std::max(line.sureness, curve.sureness) >= kSure &&
                    std::max(late_line.sureness, late_curve.sureness) >= kSure / 2;
  if (!rises || !late || !sure) {
    return Growth::none;
  }
  return curve.unexplained < line.unexplained ? Growth::exponential : Growth::linear;
}

std::int64_t before_doubled(const std::vector<milliseconds>& times) {
  const auto later = std::find_if(times.begin(), times.end(), [&](auto time) {
    return time >= 2 * times.front() + milliseconds{static_cast<std::int64_t>(kClock)};
  });
  return later - times.begin();
}

}  // namespace assay::probes::resistance

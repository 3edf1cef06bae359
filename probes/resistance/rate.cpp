#include "probes/resistance/rate.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace assay::probes::resistance {

namespace {

constexpr double kDay = 86'400'000;  // milliseconds
constexpr double kSigmas = 1.96;     // 95 % of a normal distribution
constexpr double kLeast = 1;         // the clock's step in milliseconds

struct Spread {
  double sum = 0;
  double mean = 0;
  double error = 0;  // of the mean
};

Spread spread_of(const std::vector<milliseconds>& times) {
  Spread out;
  const auto count = static_cast<double>(times.size());
  for (const auto time : times) {
    out.sum += static_cast<double>(time.count());
  }
  out.mean = out.sum / count;
  double squares = 0;
  for (const auto time : times) {
    const double off = static_cast<double>(time.count()) - out.mean;
    squares += off * off;
  }
  out.error = times.size() < 2 ? out.mean : std::sqrt(squares / (count - 1) / count);
  return out;
}

double a_day(double logins, double time) {
  return kDay * logins / std::max(time, kLeast);
}

Rate steady(const Measured& measured, const Spread& spread) {
  Rate out;
  out.per_day = a_day(1, spread.mean);
  out.low = a_day(1, spread.mean + kSigmas * spread.error);
  out.high = a_day(1, spread.mean - kSigmas * spread.error);
  out.basis = "mean of " + std::to_string(measured.each.size()) +
              " wrong logins, one after another from one address; several connections may bring more";
  return out;
}

Rate blocked(const Measured& measured, const Spread& spread) {
  Rate out;
  out.by_device = true;
  const auto logins = static_cast<double>(std::max<std::int64_t>(measured.after, 1));
  const double open = spread.mean * logins;
  const double least = measured.least ? static_cast<double>(measured.least->count()) : 0;
  out.high = a_day(logins, open + least);
  out.basis = std::to_string(measured.after) + " wrong logins, then none for ";
  if (measured.most) {
    const auto most = static_cast<double>(measured.most->count());
    out.low = a_day(logins, open + most);
    out.per_day = a_day(logins, open + (least + most) / 2);
    out.basis += std::to_string(std::llround(least / 1000)) + " to " + std::to_string(std::llround(most / 1000)) + " s";
  } else {
    out.low = 0;
    out.per_day = out.high;
    out.basis += "at least " + std::to_string(std::llround(least / 1000)) + " s: not more than that";
  }
  return out;
}

Rate slowed(const Measured& measured) {
  Rate out;
  out.by_device = true;
  const auto last = static_cast<double>(measured.slow.back().count());
  const auto before =
      static_cast<double>(measured.slow[measured.slow.size() < 2 ? 0 : measured.slow.size() - 2].count());
  constexpr double kGrowth = 1.2;
  const bool grows = measured.slow.size() < 2 || last > kGrowth * before;
  out.per_day = a_day(1, last);
  out.high = a_day(1, std::min(last, before));
  out.low = grows ? 0 : a_day(1, std::max(last, before));
  out.basis = "the last delay was " + std::to_string(std::llround(last)) + " ms";
  out.basis += grows ? " and they were still growing: not more than that" : " and they grew no more";
  return out;
}

}  // namespace

std::optional<Rate> rate_of(const Measured& measured) {
  if (measured.each.empty() && measured.slow.empty()) {
    return std::nullopt;
  }
  const auto spread = measured.each.empty() ? Spread{} : spread_of(measured.each);
  Rate out;
  if (measured.hold == Hold::slows && !measured.slow.empty()) {
    out = slowed(measured);
  } else if (measured.hold == Hold::blocks) {
    out = blocked(measured, spread);
  } else {
    out = steady(measured, spread);
  }
  out.attempts = std::ssize(measured.each) + std::ssize(measured.slow);
  out.seconds = spread.sum / 1000;
  for (const auto time : measured.slow) {
    out.seconds += static_cast<double>(time.count()) / 1000;
  }
  return out;
}

}  // namespace assay::probes::resistance

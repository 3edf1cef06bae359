#include "probes/resistance/rate.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace assay::probes::resistance {

namespace {

constexpr double kDay = 86'400'000;  // milliseconds
constexpr double kSigmas = 1.96;     // 95 % of a normal distribution
constexpr double kLeast = 1;         // the clock's step in milliseconds
constexpr std::size_t kHalves = 8;   // times from which on their halves are compared

struct Spread {
  double sum = 0;
  double mean = 0;
  double error = 0;  // of the mean
};

Spread spread_of(std::span<const milliseconds> times) {
  Spread out;
  if (times.empty()) {
    return out;
  }
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

std::string seconds(double time) {
  return std::to_string(std::llround(time / 1000)) + " s";
}

std::string logins_in(const Measured& measured, const Spread& spread) {
  const auto tenths = std::llround(spread.sum / 100);
  return std::to_string(measured.each.size()) + " wrong logins in " + std::to_string(tenths / 10) + "." +
         std::to_string(tenths % 10) + " s";
}

double highest(const Spread& spread) {
  return a_day(1, spread.mean - kSigmas * spread.error);
}

Rate steady(const Measured& measured, const Spread& spread) {
  Rate out;
  out.per_day = a_day(1, spread.mean);
  out.high = highest(spread);
  // What began fast and went on slower goes on slower.
  const std::span<const milliseconds> times{measured.each};
  const auto late = times.size() < kHalves ? spread : spread_of(times.subspan(times.size() / 2));
  out.low = a_day(1, std::max(spread.mean + kSigmas * spread.error, late.mean + kSigmas * late.error));
  out.basis = "rests on " + logins_in(measured, spread) +
              ", one after another from one address, and goes on as they did; a reaction after more than " +
              std::to_string(measured.each.size()) + " was not looked for, and several connections may bring more";
  return out;
}

Rate seen_once(const Measured& measured, const Spread& spread) {
  Rate out;
  out.high = highest(spread);
  out.basis = logins_in(measured, spread) +
              ", then a reaction that was not seen a second time: no rate of a day follows; more attempts (the pace's "
              "guesses_per_login) or longer waits for its end would show one";
  return out;
}

/// The first blocks that have an end, as a sum; nothing when the one or the other has none.
std::optional<double> both(const std::vector<Block>& blocks) {
  if (blocks.size() < 2 || !blocks[0].most || !blocks[1].most) {
    return std::nullopt;
  }
  return static_cast<double>((*blocks[0].most + *blocks[1].most).count());
}

std::string words_of(const Block& block) {
  const auto least = static_cast<double>(block.least.count());
  return block.most ? seconds(least) + " to " + seconds(static_cast<double>(block.most->count()))
                    : "at least " + seconds(least);
}

Rate blocked(const Measured& measured, const Spread& spread) {
  Rate out;
  out.by_device = true;
  const auto logins = static_cast<double>(std::max<std::int64_t>(measured.after, 1));
  const double open = spread.mean * logins;
  milliseconds longest{0};
  milliseconds together{0};
  out.basis = std::to_string(measured.after) + " wrong logins, then none for ";
  for (std::size_t i = 0; i < measured.blocks.size(); ++i) {
    const auto& block = measured.blocks[i];
    longest = std::max(longest, block.least);
    together += block.least;
    out.basis += (i == 0 ? "" : ", and the next time for ") + words_of(block);
  }
  const auto most = both(measured.blocks);
  if (grows(measured.blocks)) {
    out.high = a_day(logins, open + static_cast<double>(longest.count()));
    out.basis += ": it grows, so that no rate of a day follows, but not more than that";
  } else if (most) {
    const auto least = static_cast<double>(together.count());
    out.low = a_day(2 * logins, 2 * open + *most);
    out.high = a_day(2 * logins, 2 * open + least);
    out.per_day = a_day(2 * logins, 2 * open + (least + *most) / 2);
  } else {
    out.high = a_day(logins, open + static_cast<double>(longest.count()));
    out.basis += measured.blocks.empty()        ? "a time that was not measured"
                 : !measured.blocks.back().most ? ": not more than that"
                                                : "; how long the next one lasts was not seen: not more than that";
  }
  return out;
}

Rate slowed(const Measured& measured) {
  Rate out;
  out.by_device = true;
  constexpr double kGrowth = 1.2;
  constexpr double kLater = 0.1;
  const auto& slow = measured.slow;
  const auto last = static_cast<double>(slow.back().count());
  const auto before = static_cast<double>(slow[slow.size() < 2 ? 0 : slow.size() - 2].count());
  const bool grow = slow.size() < 2 || last > kGrowth * before || growth_of(slow, kLater) != Growth::none;
  out.high = a_day(1, grow ? last : std::min(last, before));
  out.basis = "the last delay was " + std::to_string(std::llround(last)) + " ms";
  if (grow) {
    out.basis += " and they were still growing: not more than that, and no rate of a day follows";
  } else {
    out.per_day = a_day(1, last);
    out.low = a_day(1, std::max(last, before));
    out.basis += " and they grew no more";
  }
  return out;
}

}  // namespace

bool grows(const std::vector<Block>& blocks) {
  constexpr double kNoise = 1.1;
  return blocks.size() > 1 && blocks[0].most &&
         static_cast<double>(blocks[1].least.count()) > kNoise * static_cast<double>(blocks[0].most->count());
}

std::optional<Rate> together(const Rate& one, const std::vector<Addressed>& others) {
  if (others.empty()) {
    return std::nullopt;
  }
  const auto count = static_cast<double>(others.size() + 1);
  Rate out = one;
  for (const auto& other : others) {
    const auto spread = spread_of(other.each);
    out.attempts += std::ssize(other.each);
    out.seconds += spread.sum / 1000;
    if (!one.by_device) {
      out.high += highest(spread);
    }
  }
  const auto addresses = std::to_string(others.size() + 1) + " addresses";
  if (one.by_device) {
    // Each was held by itself after wrong logins of its own.
    out.low = one.low * count;
    out.high = one.high * count;
    out.basis = "the sum over " + addresses + ", each of which is held by itself: " + one.basis;
  } else {
    out.low = std::min(one.low, a_day(static_cast<double>(out.attempts), out.seconds * 1000));
    out.basis = addresses + ": not less than what they took in turn, not more than the sum of each at its own pace";
  }
  return out;
}

std::optional<Rate> rate_of(const Measured& measured) {
  if (measured.each.empty() && measured.slow.empty()) {
    return std::nullopt;
  }
  const auto spread = spread_of(measured.each);
  Rate out;
  if (measured.hold == Hold::slows && !measured.slow.empty()) {
    out = slowed(measured);
  } else if (measured.hold == Hold::blocks) {
    out = blocked(measured, spread);
  } else if (measured.hold == Hold::once) {
    out = seen_once(measured, spread);
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

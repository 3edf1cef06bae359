#include "harness/judge/recognition.hpp"

#include <algorithm>

namespace assay {

namespace {

constexpr std::string_view kUndated = "undated";
constexpr std::size_t kDay = 10;  // "2025-01-01"

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

/// A day beside one that may be known to the month or the year only: before, after, or within it.
enum class Order : std::uint8_t { before, within, after };

Order order_of(std::string_view day, std::string_view known) {
  const auto part = day.substr(0, known.size());
  if (part == known) {
    return known.size() < kDay ? Order::within : Order::after;
  }
  return part < known ? Order::before : Order::after;
}

std::string words_for(ArrangementStanding standing, const Arrangement& arrangement) {
  switch (standing) {
    case ArrangementStanding::not_yet:
      return "not yet in effect: begins " + (arrangement.effective.empty()
                                                 ? "after it is signed (" + arrangement.agreed + ")"
                                                 : arrangement.effective);
    case ArrangementStanding::in_force:
      return "in force since " + arrangement.effective;
    case ArrangementStanding::ended:
      return arrangement.ended == kUndated ? "ended, on a day that is not known" : "ended " + arrangement.ended;
    case ArrangementStanding::unclear:
      break;
  }
  if (!arrangement.ended.empty() && arrangement.ended != kUndated) {
    return "ends in " + arrangement.ended + ", on a day that is not known";
  }
  return arrangement.effective.empty() ? "signed " + arrangement.agreed + "; its first day is not known"
                                       : "begins in " + arrangement.effective + ", on a day that is not known";
}

std::string words_for(ScopeFit fit, const Arrangement& arrangement, std::string_view product_class) {
  const auto name = "product class " + std::string{product_class};
  switch (fit) {
    case ScopeFit::in:
      return name + " is in scope";
    case ScopeFit::out:
      return name + " is out of scope";
    case ScopeFit::not_named:
      return name + " is not named by its scope (" + arrangement.scope + ")";
    case ScopeFit::unknown:
      break;
  }
  return "the declaration does not say the product class, so the scope is open (" + arrangement.scope + ")";
}

}  // namespace

ArrangementStanding standing_on(const Arrangement& arrangement, std::string_view date) {
  const auto day = date.substr(0, kDay);
  if (arrangement.ended == kUndated) {
    return ArrangementStanding::ended;
  }
  const auto end = arrangement.ended.empty() ? Order::before : order_of(day, arrangement.ended);
  if (end == Order::after) {
    return ArrangementStanding::ended;
  }
  if (arrangement.effective.empty()) {
    return order_of(day, arrangement.agreed) == Order::before ? ArrangementStanding::not_yet
                                                              : ArrangementStanding::unclear;
  }
  const auto begin = order_of(day, arrangement.effective);
  if (begin == Order::before) {
    return ArrangementStanding::not_yet;
  }
  return begin == Order::within || end == Order::within ? ArrangementStanding::unclear : ArrangementStanding::in_force;
}

ScopeFit fit_of(const Arrangement& arrangement, std::string_view product_class) {
  if (product_class.empty() || product_class == "unknown") {
    return ScopeFit::unknown;
  }
  if (contains(arrangement.scope_out, product_class)) {
    return ScopeFit::out;
  }
  if (contains(arrangement.scope_in, product_class)) {
    return ScopeFit::in;
  }
  return arrangement.scope_in.empty() && product_class != "other" ? ScopeFit::in : ScopeFit::not_named;
}

std::vector<Recognition> recognitions(const CrosswalkData& data, std::string_view plan_id, std::string_view date,
                                      std::string_view product_class) {
  std::vector<Recognition> out;
  for (const auto& arrangement : data.arrangements) {
    if (!arrangement.from.names(plan_id)) {
      continue;
    }
    Recognition one;
    one.arrangement = arrangement;
    one.standing = standing_on(arrangement, date);
    one.standing_words = words_for(one.standing, arrangement);
    one.fit = fit_of(arrangement, product_class);
    one.fit_words = words_for(one.fit, arrangement, product_class);
    one.requires_label =
        "An issued label is required (" + arrangement.from.label + "): a run is evidence and no label.";
    out.push_back(std::move(one));
  }
  return out;
}

const ProductRule* suppressing_rule(const CrosswalkData& data, std::string_view plan_id,
                                    std::string_view product_class) {
  const auto found = std::find_if(data.products.begin(), data.products.end(), [&](const ProductRule& rule) {
    return is_of(plan_id, rule.schemes, rule.levels) && contains(rule.classes, product_class);
  });
  return found == data.products.end() ? nullptr : &*found;
}

}  // namespace assay

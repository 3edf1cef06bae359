#include "probes/resistance/sign.hpp"

#include <algorithm>

#include "probes/credentials/lock_words.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/login_form.hpp"

namespace assay::probes::resistance {

namespace {

using credentials::Attempt;
using credentials::kLockWords;
using credentials::Outcome;
using wire::kPuzzleWords;

constexpr milliseconds kSlower{1000};

template <class Words>
bool says_new(const Words& words, const Attempt& attempt, const Usual& usual) {
  return std::any_of(std::begin(words), std::end(words), [&](std::string_view word) {
    return wire::contains_ignoring_case(attempt.says, word) && !usual.words.contains(std::string{word});
  });
}

}  // namespace

void Usual::learn(const Attempt& refusal) {
  slowest = std::max(slowest, refusal.took);
  for (const std::span<const std::string_view> list :
       {std::span<const std::string_view>{kLockWords}, std::span<const std::string_view>{kPuzzleWords}}) {
    for (const auto word : list) {
      if (wire::contains_ignoring_case(refusal.says, word)) {
        words.emplace(word);
      }
    }
  }
}

Sign sign_of(const Attempt& attempt, const Usual& usual) {
  switch (attempt.outcome) {
    case Outcome::accepted:
      return says_new(kPuzzleWords, attempt, usual) ? Sign::changed : Sign::let_in;
    case Outcome::locked:
      if (says_new(kPuzzleWords, attempt, usual)) {
        return Sign::changed;
      }
      return attempt.says.starts_with("status 429") || attempt.says.starts_with("status 503") ? Sign::limited
                                                                                              : Sign::locked;
    case Outcome::forbidden:
      return Sign::locked;
    case Outcome::lost:
      return Sign::no_connection;
    case Outcome::unclear:
      return says_new(kPuzzleWords, attempt, usual) ? Sign::changed : Sign::no_answer;
    case Outcome::rejected:
      break;
  }
  if (says_new(kPuzzleWords, attempt, usual)) {
    return Sign::changed;
  }
  if (says_new(kLockWords, attempt, usual)) {
    return Sign::locked;
  }
  return attempt.took > 3 * usual.slowest + kSlower ? Sign::slow : Sign::usual;
}

bool holds(Sign sign) {
  return sign == Sign::slow || sign == Sign::locked || sign == Sign::limited || sign == Sign::changed;
}

std::optional<std::int64_t> per_connection(const std::vector<std::int64_t>& used_up) {
  if (used_up.size() < 2 || used_up.front() <= 1) {
    return std::nullopt;
  }
  const bool same = std::all_of(used_up.begin(), used_up.end(), [&](auto one) { return one == used_up.front(); });
  return same ? std::optional{used_up.front()} : std::nullopt;
}

}  // namespace assay::probes::resistance

#include "probes/credentials/lock_watch.hpp"

#include <algorithm>

#include "probes/credentials/lock_words.hpp"
#include "probes/credentials/text_shape.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::credentials {

namespace {

constexpr int kSlowAtMost = 2;
constexpr milliseconds kSlower{2000};
constexpr std::size_t kGrowths = 3;           // in a row: a delay that grows with each wrong login
constexpr milliseconds kGrown{1000};          // from the first of them to the last, beyond what networks do
constexpr std::size_t kAroundAWord = 24;      // characters of a sentence
constexpr std::string_view kSaysLocked = "";  // the words of a dialect that says so by a code

std::set<std::string> lock_words(std::string_view text) {
  std::set<std::string> found;
  for (const auto word : kLockWords) {
    if (wire::contains_ignoring_case(text, word)) {
      found.emplace(word);
    }
  }
  return found;
}

std::set<std::string> mentions_of(std::string_view text, const std::set<std::string>& words, std::string_view account) {
  std::set<std::string> mentions;
  const auto sentence = shape_of(wire::lower(text), wire::lower(account));
  for (const auto& word : words) {
    const auto at = sentence.find(word);
    if (at != std::string::npos) {
      const auto begin = at - std::min(at, kAroundAWord);
      mentions.insert(sentence.substr(begin, at + word.size() + kAroundAWord - begin));
    }
  }
  return mentions;
}

bool grow(const std::vector<milliseconds>& delays) {
  if (delays.size() <= kGrowths) {
    return false;
  }
  for (std::size_t i = delays.size() - kGrowths; i < delays.size(); ++i) {
    if (2 * delays[i] < 3 * delays[i - 1]) {
      return false;
    }
  }
  return delays.back() - delays[delays.size() - 1 - kGrowths] >= kGrown;
}

}  // namespace

void LockWatch::learn(const Attempt& refusal) {
  expect(refusal.took);
  usual_words_.merge(lock_words(refusal.says));
}

bool LockWatch::is_slow(const Attempt& attempted) const {
  return attempted.took > 3 * usual_delay_ + kSlower;
}

LockWatch::Sign LockWatch::see(const Attempt& refusal, const std::string& account, bool beside) {
  auto& known = accounts_[account];
  const auto by_words = see_words(refusal, known, account);
  const auto by_delay = beside ? Sign::none : see_delay(refusal, known);
  return std::max(by_words, by_delay);
}

LockWatch::Sign LockWatch::see_words(const Attempt& refusal, Account& account, const std::string& name) {
  const bool told = refusal.outcome == Outcome::locked;
  if (!told && refusal.says == plain_refusal_) {
    account.plain = true;
    return Sign::none;
  }
  auto words = lock_words(refusal.says);
  std::erase_if(words, [&](const auto& word) { return usual_words_.contains(word); });
  if (words.empty() && !told) {
    plain_refusal_ = refusal.says;
    account.plain = true;
    return Sign::none;
  }
  auto mentions = mentions_of(refusal.says, words, name);
  if (mentions.empty()) {
    mentions.emplace(kSaysLocked);
  }
  why_ = told ? wire::printable(refusal.says, 128) : "the refusal says \"" + *words.begin() + "\"";
  last_words_ = std::move(words);
  const bool first = !account.plain && account.suspect == 0;
  const bool as_before =
      std::includes(account.mentions.begin(), account.mentions.end(), mentions.begin(), mentions.end());
  if (refusal.by_code || (!first && !as_before)) {
    return Sign::lock;
  }
  account.mentions.merge(mentions);
  ++account.suspect;
  return first ? Sign::doubtful : Sign::none;
}

LockWatch::Sign LockWatch::see_delay(const Attempt& refusal, Account& account) {
  if (refusal.outcome == Outcome::locked) {
    return Sign::none;
  }
  account.delays.push_back(refusal.took);
  if (account.delays.size() > kGrowths + 1) {
    account.delays.erase(account.delays.begin());
  }
  slow_in_a_row_ = is_slow(refusal) ? slow_in_a_row_ + 1 : 0;
  if (slow_in_a_row_ < kSlowAtMost && !grow(account.delays)) {
    return Sign::none;
  }
  why_ = "refusals got slower: " + std::to_string(refusal.took.count()) + " ms after " +
         std::to_string(std::min(usual_delay_, account.delays.front()).count()) + " ms at first";
  return Sign::lock;
}

bool LockWatch::speaks_alike(const Attempt& control) const {
  const auto words = lock_words(control.says);
  return control.outcome != Outcome::rejected ||
         std::any_of(last_words_.begin(), last_words_.end(), [&](const auto& word) { return words.contains(word); });
}

std::map<std::string, std::int64_t> LockWatch::suspects() const {
  std::map<std::string, std::int64_t> out;
  for (const auto& [name, account] : accounts_) {
    if (account.suspect > 0) {
      out.emplace(name, account.suspect);
    }
  }
  return out;
}

}  // namespace assay::probes::credentials

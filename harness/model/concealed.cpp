#include "harness/model/concealed.hpp"

#include <algorithm>

namespace assay {

namespace {

constexpr std::size_t kShortestBetween = 4;  // characters of what is looked for between codes
constexpr std::size_t kPairs = 65536;

unsigned char octet_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

/// The first two bytes as one number; a text of one character is filed as if a NUL followed.
std::size_t pair_of(std::string_view text) {
  return octet_at(text, 0) * std::size_t{256} + (text.size() > 1 ? octet_at(text, 1) : 0U);
}

}  // namespace

ConcealedFinder::ConcealedFinder(const Concealed& concealed) {
  for (const auto& entry : concealed) {
    if (!entry.first.empty()) {
      texts_.push_back(&entry);
      longest_ = std::max(longest_, entry.first.size());
    }
  }
  if (texts_.empty()) {
    return;
  }
  starts_.assign(kPairs + 1, 0);
  std::size_t next = 0;
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    while (next < texts_.size() && pair_of(texts_[next]->first) < pair) {
      ++next;
    }
    starts_[pair] = static_cast<std::uint32_t>(next);
  }
  starts_[kPairs] = static_cast<std::uint32_t>(texts_.size());
  std::vector<std::uint32_t> chain;
  for (std::uint32_t i = 0; i < texts_.size(); ++i) {
    while (!chain.empty() && !texts_[i]->first.starts_with(texts_[chain.back()]->first)) {
      chain.pop_back();
    }
    shorter_.push_back(chain.empty() ? kNone : chain.back());
    chain.push_back(i);
  }
}

/// Which text is the last that is not after `rest` in their order. Those that `rest` begins with are it or beginnings
/// of it: whatever lies between a text and a longer one that begins with it begins with it too.
std::uint32_t ConcealedFinder::last_before(std::string_view rest) const {
  const std::size_t first = octet_at(rest, 0) * std::size_t{256};
  if (rest.size() > 1) {
    const auto pair = first + octet_at(rest, 1);
    const auto begin = texts_.begin() + starts_[pair];
    const auto after = std::upper_bound(begin, texts_.begin() + starts_[pair + 1], rest,
                                        [](std::string_view one, const auto* other) { return one < other->first; });
    if (after != begin) {
      return static_cast<std::uint32_t>(after - texts_.begin() - 1);
    }
  }
  const auto alone = starts_[first];
  return alone < starts_[first + 1] && texts_[alone]->first.size() == 1 ? alone : kNone;
}

std::vector<ConcealedFinder::Hit> ConcealedFinder::hits(std::string_view text,
                                                        const std::vector<std::string_view>& lines) const {
  auto out = hits_as_written(text);
  for (const auto line : lines) {
    add_between_codes(line, static_cast<std::size_t>(line.data() - text.data()), out);
  }
  if (!lines.empty()) {
    std::stable_sort(out.begin(), out.end(), [](const auto& one, const auto& other) { return one.at < other.at; });
  }
  return out;
}

void ConcealedFinder::add_between_codes(std::string_view line, std::size_t from, std::vector<Hit>& out) const {
  for (const auto overwriting : {Overwriting::kept, Overwriting::left_out}) {
    const auto between = between_terminal_codes(line, overwriting);
    for (const auto& hit : hits_as_written(between.text)) {
      const auto first = between.at[hit.at];
      const auto length = between.at[hit.at + hit.length - 1] + 1 - first;
      if (hit.length >= kShortestBetween && length > hit.length) {  // else it was found as it is
        out.push_back({from + first, length, hit.shown});
      }
    }
  }
}

std::vector<ConcealedFinder::Hit> ConcealedFinder::hits_as_written(std::string_view text) const {
  std::vector<Hit> out;
  if (texts_.empty()) {
    return out;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto rest = text.substr(at);
    for (auto i = last_before(rest); i != kNone; i = shorter_[i]) {
      if (rest.starts_with(texts_[i]->first)) {
        out.push_back({at, texts_[i]->first.size(), &texts_[i]->second});
      }
    }
  }
  return out;
}

/// Whether a longer text begins with all of `rest`: then the first that is after it in their order does.
bool ConcealedFinder::begins_one(std::string_view rest) const {
  const std::size_t first = octet_at(rest, 0) * std::size_t{256};
  if (rest.size() == 1) {
    const auto alone = starts_[first];
    const auto after = starts_[first + 256];
    return alone < after && (after - alone > 1 || texts_[alone]->first.size() > 1);
  }
  const auto pair = first + octet_at(rest, 1);
  const auto end = texts_.begin() + starts_[pair + 1];
  const auto after = std::upper_bound(texts_.begin() + starts_[pair], end, rest,
                                      [](std::string_view one, const auto* other) { return one < other->first; });
  return after != end && (*after)->first.starts_with(rest);
}

std::size_t ConcealedFinder::decided(std::string_view text, const std::vector<std::string_view>& lines) const {
  auto out = decided_as_written(text);
  if (lines.empty() || lines.back().end() != text.end()) {
    return out;
  }
  const auto from = text.size() - lines.back().size();
  for (const auto overwriting : {Overwriting::kept, Overwriting::left_out}) {
    const auto between = between_terminal_codes(lines.back(), overwriting);
    if (const auto at = decided_as_written(between.text); at < between.at.size()) {
      out = std::min(out, from + between.at[at]);
    }
  }
  return out;
}

std::size_t ConcealedFinder::decided_as_written(std::string_view text) const {
  for (auto left = std::min(text.size(), std::max<std::size_t>(longest_, 1) - 1); left > 0; --left) {
    if (begins_one(text.substr(text.size() - left))) {
      return text.size() - left;
    }
  }
  return text.size();
}

std::string ConcealedFinder::masked(std::string_view text, const std::vector<Hit>& found) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t i = 0; i < found.size();) {
    const auto* longest = &found[i];
    auto end = found[i].at + found[i].length;
    std::size_t next = i + 1;
    for (; next < found.size() && found[next].at < end; ++next) {
      end = std::max(end, found[next].at + found[next].length);
      longest = found[next].length > longest->length ? &found[next] : longest;
    }
    out += text.substr(done, found[i].at - done);
    out += *longest->shown;
    done = end;
    i = next;
  }
  return out + std::string{text.substr(std::min(done, text.size()))};
}

}  // namespace assay

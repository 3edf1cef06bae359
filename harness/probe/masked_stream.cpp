#include "harness/probe/masked_stream.hpp"

#include <algorithm>

namespace assay {

FoundConcealed find_concealed(std::string_view text, std::span<const ConcealedFinder* const> lists) {
  FoundConcealed out{{}, text.size()};
  const auto lines = lines_with_codes(text);
  for (const auto* list : lists) {
    if (list == nullptr) {
      continue;
    }
    const auto found = list->hits(text, lines);
    const auto middle = static_cast<std::ptrdiff_t>(out.hits.size());
    out.hits.insert(out.hits.end(), found.begin(), found.end());
    std::inplace_merge(out.hits.begin(), out.hits.begin() + middle, out.hits.end(),
                       [](const auto& one, const auto& other) { return one.at < other.at; });
    out.decided = std::min(out.decided, list->decided(text, lines));
  }
  return out;
}

void MaskedStream::add(std::string_view piece, std::span<const ConcealedFinder* const> lists) {
  while (!hits_.empty() && hits_.back().at >= decided_) {
    hits_.pop_back();  // they are found again, or longer ones
  }
  text_ += piece;
  const auto found = find_concealed(std::string_view{text_}.substr(decided_ - base_), lists);
  for (auto hit : found.hits) {
    hit.at += decided_;
    hits_.push_back(hit);
  }
  decided_ += found.decided;
}

MaskedStream::Piece MaskedStream::take(std::size_t bytes) {
  const auto end = taken_ + bytes;
  const auto from = std::clamp(hidden_to_, taken_, end);
  std::vector<ConcealedFinder::Hit> inside;
  for (; !hits_.empty() && hits_.front().at < end; hits_.pop_front()) {
    const auto& hit = hits_.front();
    const auto first = std::max(hit.at, from);
    const auto last = hit.at + hit.length;
    if (first < std::min(last, end)) {
      inside.push_back({first - from, last - first, hit.shown});
    }
    hidden_to_ = std::max(hidden_to_, last);
  }
  const auto rest = std::string_view{text_}.substr(from - base_, end - from);
  Piece out{ConcealedFinder::masked(rest, inside), from - taken_};
  taken_ = end;
  decided_ = std::max(decided_, taken_);
  if (taken_ - base_ >= text_.size() / 2) {  // not at each piece: a device may send single bytes
    text_.erase(0, taken_ - base_);
    base_ = taken_;
  }
  return out;
}

}  // namespace assay

#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/model/concealed.hpp"

namespace assay {

/// Where concealed texts begin, and from where on the end may be the beginning of one that goes on.
struct FoundConcealed {
  std::vector<ConcealedFinder::Hit> hits;  // in order
  std::size_t decided = 0;
};

/// Looks into several lists; null ones are none.
FoundConcealed find_concealed(std::string_view text, std::span<const ConcealedFinder* const> lists);

/// What one side says, piece by piece, with what is concealed masked wherever it is cut.
class MaskedStream {
 public:
  struct Piece {
    std::string shown;
    std::size_t continued = 0;  // bytes at its beginning that belong to a mask before it
  };

  void add(std::string_view piece, std::span<const ConcealedFinder* const> lists);

  /// What comes does not go on where this ends.
  void end() { decided_ = base_ + text_.size(); }

  /// Whatever comes, the next bytes will be shown in the same way.
  bool decided(std::size_t bytes) const { return decided_ >= taken_ + bytes; }

  /// The next bytes, of those that were added.
  Piece take(std::size_t bytes);

 private:
  std::string text_;           // from base_ on; places are counted from the beginning of the stream
  std::size_t base_ = 0;       //
  std::size_t taken_ = 0;      //
  std::size_t decided_ = 0;    // no text that begins before goes on behind the end
  std::size_t hidden_to_ = 0;  // end of the masks that were begun
  std::deque<ConcealedFinder::Hit> hits_;
};

}  // namespace assay

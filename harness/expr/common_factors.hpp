#pragma once

#include <cstddef>

#include "harness/model/json.hpp"

namespace assay {

struct CommonFactors {
  json::array pairs;         // [{one, other, bits}]
  std::size_t left_out = 0;  // different integers that were compared with none
};

/// Which of the integers that stand as lower-case hex in members named `modulus`, at any depth,
/// have a factor in common, and how many bits it has. Equal integers and factors of at most 16 bits are no entry: those
/// show elsewhere. The first 32 different integers of at most 4096 bits are compared, each with each; that takes up to
/// 2 s. Of the others it is only told how many there are.
///
/// It stands here because jq knows no integers beyond 2^53.
CommonFactors common_factors(const json::value& document);

}  // namespace assay

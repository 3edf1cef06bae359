#include "harness/expr/common_factors.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay {

namespace {

constexpr std::size_t kMostIntegers = 32;
constexpr std::size_t kMostDigits = 4096 / 4;
constexpr std::size_t kLeastBits = 17;
constexpr std::size_t kDigitsInLimb = 16;
constexpr std::size_t kLimbBits = 64;
constexpr std::string_view kDigits = "0123456789abcdef";

/// Little-endian, without zeros in front; empty is zero.
using Integer = std::vector<std::uint64_t>;

void trim(Integer& number) {
  while (!number.empty() && number.back() == 0) {
    number.pop_back();
  }
}

Integer integer_of(std::string_view hex) {
  Integer out;
  while (!hex.empty()) {
    const auto size = std::min(hex.size(), kDigitsInLimb);
    std::uint64_t limb = 0;
    for (const char digit : hex.substr(hex.size() - size)) {
      limb = limb << 4U | kDigits.find(digit);
    }
    out.push_back(limb);
    hex.remove_suffix(size);
  }
  trim(out);
  return out;
}

bool less(const Integer& left, const Integer& right) {
  if (left.size() != right.size()) {
    return left.size() < right.size();
  }
  return std::lexicographical_compare(left.rbegin(), left.rend(), right.rbegin(), right.rend());
}

/// left -= right, which is not greater.
void subtract(Integer& left, const Integer& right) {
  std::uint64_t borrow = 0;
  for (std::size_t index = 0; index < left.size(); ++index) {
    const std::uint64_t taken = index < right.size() ? right[index] : 0;
    const std::uint64_t before = left[index];
    left[index] = before - taken - borrow;
    borrow = before < taken || (before == taken && borrow != 0) ? 1 : 0;
  }
  trim(left);
}

/// Divides by the power of two in it.
void make_odd(Integer& number) {
  const auto limb = std::find_if(number.begin(), number.end(), [](std::uint64_t one) { return one != 0; });
  number.erase(number.begin(), limb);
  if (number.empty()) {
    return;
  }
  const auto shift = static_cast<unsigned>(std::countr_zero(number.front()));
  if (shift == 0) {
    return;
  }
  for (std::size_t index = 0; index < number.size(); ++index) {
    const std::uint64_t above = index + 1 < number.size() ? number[index + 1] : 0;
    number[index] = number[index] >> shift | above << (kLimbBits - shift);
  }
  trim(number);
}

std::size_t bits_of(const Integer& number) {
  return number.empty() ? 0 : number.size() * kLimbBits - static_cast<std::size_t>(std::countl_zero(number.back()));
}

/// The odd part of the greatest common divisor (Stein's algorithm).
Integer odd_common_divisor(Integer left, Integer right) {
  make_odd(left);
  make_odd(right);
  while (!left.empty() && !right.empty() && left != right) {
    if (less(left, right)) {
      std::swap(left, right);
    }
    subtract(left, right);
    make_odd(left);
  }
  return left.empty() ? right : left;
}

bool is_integer(const json::value& value) {
  return value.is_string() && !value.get_string().empty() &&
         std::string_view{value.get_string()}.find_first_not_of(kDigits) == std::string_view::npos;
}

struct Integers {
  std::vector<std::string> taken;
  std::set<std::string, std::less<>> left_out;

  void add(std::string_view text) {
    if (std::find(taken.begin(), taken.end(), text) != taken.end()) {
      return;
    }
    if (taken.size() < kMostIntegers && text.size() <= kMostDigits) {
      taken.emplace_back(text);
    } else {
      left_out.emplace(text);
    }
  }
};

void collect(const json::value& value, Integers& out) {
  if (const auto* list = value.if_array()) {
    for (const auto& item : *list) {
      collect(item, out);
    }
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      if (member.key() != "modulus" || !is_integer(member.value())) {
        collect(member.value(), out);
        continue;
      }
      out.add(member.value().get_string());
    }
  }
}

}  // namespace

CommonFactors common_factors(const json::value& document) {
  Integers found;
  collect(document, found);
  const auto& texts = found.taken;
  std::vector<Integer> integers;
  for (const auto& text : texts) {
    integers.push_back(integer_of(text));
  }
  CommonFactors out;
  out.left_out = found.left_out.size();
  for (std::size_t one = 0; one < integers.size(); ++one) {
    for (std::size_t other = one + 1; other < integers.size(); ++other) {
      if (integers[one].empty() || integers[other].empty()) {
        continue;  // every integer divides zero
      }
      const auto bits = bits_of(odd_common_divisor(integers[one], integers[other]));
      if (bits >= kLeastBits) {
        out.pairs.push_back(json::object{{"one", texts[one]}, {"other", texts[other]}, {"bits", bits}});
      }
    }
  }
  return out;
}

}  // namespace assay

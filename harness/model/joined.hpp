#pragma once

#include <ranges>
#include <string>
#include <string_view>

namespace assay {

/// Texts of a list as one, such as "a, b, c".
template <std::ranges::input_range List>
std::string joined(const List& texts, std::string_view between = ", ") {
  std::string out;
  bool first = true;
  for (const auto& text : texts) {
    out += first ? std::string_view{} : between;
    out += text;
    first = false;
  }
  return out;
}

}  // namespace assay

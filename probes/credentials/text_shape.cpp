#include "probes/credentials/text_shape.hpp"

#include <cctype>

namespace assay::probes::credentials {

namespace {

bool is_in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

std::string without_word(std::string_view text, std::string_view word) {
  std::string out;
  std::size_t from = 0;
  for (auto at = text.find(word); !word.empty() && at != std::string_view::npos; at = text.find(word, from)) {
    const auto end = at + word.size();
    const bool whole = (at == 0 || !is_in_word(text[at - 1])) && (end == text.size() || !is_in_word(text[end]));
    out += text.substr(from, at - from);
    out += whole ? "{}" : word;
    from = end;
  }
  return out += text.substr(from);
}

}  // namespace

std::string shape_of(std::string_view text, std::string_view name) {
  std::string out;
  for (const char c : without_word(text, name)) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (!digit) {
      out += c;
    } else if (!out.ends_with('0')) {
      out += '0';
    }
  }
  return out;
}

}  // namespace assay::probes::credentials

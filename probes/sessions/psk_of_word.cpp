#include <algorithm>

#include "probes/sessions/psk_session.hpp"

namespace assay::sessions {

std::string psk_of_word(const std::string& word) {
  const bool hex = word.size() % 2 == 0 && std::all_of(word.begin(), word.end(), [](char c) {
                     return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
                   });
  if (!hex) {
    return word;
  }
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string key;
  for (std::size_t at = 0; at < word.size(); at += 2) {
    key += static_cast<char>(digit(word[at]) * 16 + digit(word[at + 1]));
  }
  return key;
}

}  // namespace assay::sessions

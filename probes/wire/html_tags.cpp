#include "probes/wire/html_tags.hpp"

#include <algorithm>
#include <utility>

#include "probes/wire/bytes.hpp"

namespace assay::wire::html {

std::string attribute(std::string_view tag, std::string_view wanted) {
  std::size_t at = tag.find_first_of(" \t\r\n/");
  while (at != std::string_view::npos && at < tag.size()) {
    at = tag.find_first_not_of(" \t\r\n/", at);
    if (at == std::string_view::npos) {
      break;
    }
    const auto name_end = std::min(tag.find_first_of(" \t\r\n/=", at + 1), tag.size());
    const auto name = tag.substr(at, name_end - at);
    at = tag.find_first_not_of(" \t\r\n", name_end);
    std::string_view value;
    if (at != std::string_view::npos && tag[at] == '=') {
      at = tag.find_first_not_of(" \t\r\n", at + 1);
      if (at == std::string_view::npos) {
        break;
      }
      const char open = tag[at];
      const bool quoted = open == '"' || open == '\'';
      const auto start = quoted ? at + 1 : at;
      const auto end = std::min(quoted ? tag.find(open, start) : tag.find_first_of(" \t\r\n", start), tag.size());
      value = tag.substr(start, end - start);
      at = std::min(quoted ? end + 1 : end, tag.size());
    }
    if (equal_ignoring_case(name, wanted)) {
      return std::string{value};
    }
  }
  return {};
}

std::string_view tag_name(std::string_view tag) {
  return tag.substr(0, tag.find_first_of(" \t\r\n/", 1));
}

std::string resolved(std::string_view text) {
  static constexpr std::pair<std::string_view, char> kNamed[] = {{"&amp;", '&'},  {"&lt;", '<'},   {"&gt;", '>'},
                                                                 {"&quot;", '"'}, {"&#39;", '\''}, {"&#x27;", '\''},
                                                                 {"&#34;", '"'},  {"&#38;", '&'}};
  std::string out;
  while (!text.empty()) {
    std::size_t used = 1;
    char c = text.front();
    for (const auto& [name, character] : kNamed) {
      if (text.starts_with(name)) {
        used = name.size();
        c = character;
        break;
      }
    }
    out += c;
    text.remove_prefix(used);
  }
  return out;
}

}  // namespace assay::wire::html

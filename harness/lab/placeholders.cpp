#include "harness/lab/placeholders.hpp"

#include <cctype>
#include <optional>

namespace assay {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

/// "name" or "name:argument" directly between the brace at `open` and the next closing one.
std::optional<std::string_view> name_at(std::string_view text, std::size_t open) {
  const auto close = text.find('}', open);
  if (close == std::string_view::npos) {
    return std::nullopt;
  }
  const auto name = text.substr(open + 1, close - open - 1);
  const auto colon = name.find(':');
  const auto head = name.substr(0, colon);
  if (head.empty() || std::isalpha(static_cast<unsigned char>(head.front())) == 0) {
    return std::nullopt;
  }
  if (colon != std::string_view::npos && colon + 1 == name.size()) {
    return std::nullopt;
  }
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (at != colon && !is_word(name[at])) {
      return std::nullopt;
    }
  }
  return name;
}

}  // namespace

Result<std::string> Placeholders::fill(std::string_view text, std::string_view where) const {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    // "${name}" is a variable of the file's own language.
    const bool opens = text[at] == '{' && (at == 0 || text[at - 1] != '$');
    const auto name = opens ? name_at(text, at) : std::nullopt;
    if (!name) {
      out.push_back(text[at]);
      continue;
    }
    const auto found = values_.find(*name);
    if (found == values_.end()) {
      return Error{ErrorKind::bad_input, "there is no placeholder {" + std::string{*name} + "}; known are " + known(),
                   std::string{where}};
    }
    out += found->second;
    at += name->size() + 1;
  }
  return out;
}

std::string Placeholders::known() const {
  std::string out;
  for (const auto& [name, value] : values_) {
    out += (out.empty() ? "{" : ", {") + name + "}";
  }
  return out;
}

}  // namespace assay

#include "probes/wire/html_tags.hpp"

#include <algorithm>
#include <utility>

#include "probes/wire/bytes.hpp"

namespace assay::wire::html {

namespace {

/// Of "https:" in front of a reference, with the colon; 0: it has no scheme.
std::size_t scheme_length(std::string_view reference) {
  const auto mark = reference.find_first_of(":/?#");
  return mark != std::string_view::npos && mark > 0 && reference[mark] == ':' ? mark + 1 : 0;
}

}  // namespace

std::optional<std::string> find_attribute(std::string_view tag, std::string_view wanted) {
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
  return std::nullopt;
}

std::string attribute(std::string_view tag, std::string_view wanted) {
  return find_attribute(tag, wanted).value_or(std::string{});
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

std::string base_of(std::string_view html) {
  bool in_script = false;  // where a tag is a text that a program may write
  for (Tags tags{html}; tags.next();) {
    const auto name = tag_name(tags.inside());
    in_script = in_script ? !equal_ignoring_case(name, "/script") : equal_ignoring_case(name, "script");
    if (in_script || !equal_ignoring_case(name, "base")) {
      continue;
    }
    if (const auto href = find_attribute(tags.inside(), "href")) {
      const auto base = resolved(trim(*href));
      const auto scheme = lower(std::string_view{base}.substr(0, scheme_length(base)));
      return scheme == "data:" || scheme == "javascript:" ? std::string{} : base;
    }
  }
  return {};
}

std::string from_base(std::string_view base, std::string_view reference) {
  if (base.empty() || reference.empty() || scheme_length(reference) > 0) {
    return std::string{reference};  // one that is empty is the page, whatever its base
  }
  const auto scheme = scheme_length(base);
  if (reference.starts_with("//")) {
    return std::string{base.substr(0, scheme)} + std::string{reference};
  }
  const bool has_host = base.substr(scheme).starts_with("//");
  const auto path_at = has_host ? std::min(base.find_first_of("/?#", scheme + 2), base.size()) : scheme;
  const std::string host{base.substr(0, path_at)};
  auto path = base.substr(path_at);
  path = path.substr(0, path.find('#'));
  if (reference.starts_with('/')) {
    path = {};
  } else if (!reference.starts_with('#')) {
    path = path.substr(0, path.find('?'));
    path = reference.starts_with('?') ? path : path.substr(0, path.rfind('/') + 1);
  }
  const bool needs_root = has_host && path.empty() && !reference.starts_with('/');
  return host + (needs_root ? "/" : "") + std::string{path} + std::string{reference};
}

bool submits(std::string_view tag, std::string_view name) {
  const auto type = lower(attribute(tag, "type"));
  if (equal_ignoring_case(name, "button")) {
    return type != "button" && type != "reset";
  }
  return equal_ignoring_case(name, "input") && (type == "submit" || type == "image");
}

void submit_by(std::string_view button, std::string_view base, std::string& action, std::string& method) {
  if (const auto own = find_attribute(button, "formaction")) {
    action = from_base(base, resolved(trim(*own)));
  }
  if (const auto own = find_attribute(button, "formmethod")) {
    method = lower(*own);
  }
}

}  // namespace assay::wire::html

#include "probes/wire/web_script.hpp"

#include <algorithm>

#include "harness/model/json.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/html_tags.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kLongestPath = 256;

bool is_path_byte(char c) {
  constexpr std::string_view kOthers = "/-._~?=&%+,:@";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

/// A path by itself: regular expressions, comments and other places look like one.
bool is_path(std::string_view text) {
  return text.size() > 1 && text.size() <= kLongestPath && text[0] == '/' && text[1] != '/' &&
         std::all_of(text.begin(), text.end(), is_path_byte) &&
         std::any_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

void add(std::vector<std::string>& out, std::string path, std::size_t most) {
  if (out.size() < most && std::find(out.begin(), out.end(), path) == out.end()) {
    out.push_back(std::move(path));
  }
}

/// The path of a server of OpenAPI 3, or the basePath of Swagger 2; empty: the root.
std::string base_of(const json::object& document) {
  std::string url;
  if (const auto* base = document.if_contains("basePath"); base != nullptr && base->is_string()) {
    url = base->get_string().c_str();
  } else if (const auto* servers = document.if_contains("servers");
             servers != nullptr && servers->is_array() && !servers->get_array().empty()) {
    const auto& first = servers->get_array().front();
    const auto* place = first.is_object() ? first.get_object().if_contains("url") : nullptr;
    url = place != nullptr && place->is_string() ? place->get_string().c_str() : "";
  }
  if (const auto scheme = url.find("://"); scheme != std::string::npos) {
    const auto slash = url.find('/', scheme + 3);
    url = slash == std::string::npos ? std::string{} : url.substr(slash);
  }
  return url.substr(0, url.find_last_not_of('/') + 1);
}

}  // namespace

std::vector<WebScript> html_scripts(std::string_view html, std::size_t most) {
  std::vector<WebScript> out;
  const auto base = html::base_of(html);
  for (html::Tags tags{html}; out.size() < most && tags.next();) {
    if (!equal_ignoring_case(html::tag_name(tags.inside()), "script")) {
      continue;
    }
    const auto rest = tags.rest();
    const auto begin = std::min(rest.find('>'), rest.size());
    const auto end = rest.find("</script", begin);
    WebScript script;
    script.source = html::from_base(base, html::resolved(html::attribute(tags.inside(), "src")));
    script.text = script.source.empty() ? rest.substr(begin, end == std::string_view::npos ? end : end - begin)
                                        : std::string_view{};
    out.push_back(std::move(script));
  }
  return out;
}

std::vector<std::string> script_paths(std::string_view script, std::size_t most) {
  std::vector<std::string> out;
  while (out.size() < most) {
    const auto open = script.find_first_of("\"'`");
    if (open == std::string_view::npos) {
      break;
    }
    const char quote = script[open];
    script.remove_prefix(open + 1);
    // What is no path may be the text between two texts: the next begins at its end.
    const auto text = script.substr(0, std::min(script.find(quote), kLongestPath + 1));
    if (is_path(text)) {
      add(out, std::string{text}, most);
      script.remove_prefix(std::min(text.size() + 1, script.size()));
    }
  }
  return out;
}

bool keeps_sessions(std::string_view script) {
  constexpr std::string_view kWords[] = {"document.cookie", "sessionStorage", "localStorage", "Cookies.set("};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](auto word) { return script.find(word) != std::string_view::npos; });
}

std::vector<std::string> described_paths(std::string_view document, std::size_t most) {
  std::vector<std::string> out;
  boost::system::error_code failed;
  const auto parsed = json::parse(document, failed);
  if (failed || !parsed.is_object()) {
    return out;
  }
  const auto& root = parsed.get_object();
  const auto* paths = root.if_contains("paths");
  const bool described = root.contains("openapi") || root.contains("swagger");
  if (!described || paths == nullptr || !paths->is_object()) {
    return out;
  }
  const auto base = base_of(root);
  for (const auto& [path, methods] : paths->get_object()) {
    auto whole = base + std::string{std::string_view{path}};
    if (methods.is_object() && methods.get_object().contains("get") && is_path(whole)) {
      add(out, std::move(whole), most);
    }
  }
  return out;
}

}  // namespace assay::wire

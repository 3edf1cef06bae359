#include "probes/wire/html.hpp"

#include <cctype>

#include "probes/wire/bytes.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumTag = 4096;

/// Attribute of the inside of a tag ("input type=password name='x'"), empty when it is not there.
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

}  // namespace

std::optional<PasswordForm> find_password_form(std::string_view html) {
  PasswordForm form;
  for (auto open = html.find('<'); open != std::string_view::npos; open = html.find('<', open + 1)) {
    const auto window = html.substr(open + 1, kMaximumTag);
    if (window.starts_with("!--")) {
      const auto end = html.find("-->", open);
      if (end == std::string_view::npos) {
        break;
      }
      open = end;
      continue;
    }
    const auto tag = window.substr(0, window.find('>'));
    const auto name = tag_name(tag);
    if (equal_ignoring_case(name, "form")) {
      form = PasswordForm{};
      form.action = attribute(tag, "action");
      if (const auto method = lower(attribute(tag, "method")); !method.empty()) {
        form.method = method;
      }
    } else if (equal_ignoring_case(name, "input")) {
      const auto type = lower(attribute(tag, "type"));
      if (type == "password") {
        form.password_field = attribute(tag, "name");
        return form;
      }
      if (type.empty() || type == "text" || type == "email") {
        form.username_field = attribute(tag, "name");
      }
    }
  }
  return std::nullopt;
}

std::string html_redirect(std::string_view html) {
  for (auto open = html.find('<'); open != std::string_view::npos; open = html.find('<', open + 1)) {
    const auto window = html.substr(open + 1, kMaximumTag);
    const auto tag = window.substr(0, window.find('>'));
    if (!equal_ignoring_case(tag_name(tag), "meta") || !equal_ignoring_case(attribute(tag, "http-equiv"), "refresh")) {
      continue;
    }
    const auto content = attribute(tag, "content");
    const auto mark = lower(content).find("url=");
    if (mark != std::string::npos) {
      const auto target = trim(std::string_view{content}.substr(mark + 4));
      const bool quoted = target.size() > 1 && (target.front() == '\'' || target.front() == '"');
      return std::string{quoted ? target.substr(1, target.find(target.front(), 1) - 1) : target};
    }
  }
  for (const std::string_view mark :
       {"location.href=", "location.href =", "location.replace(", "location=", "location ="}) {
    const auto at = html.find(mark);
    if (at == std::string_view::npos) {
      continue;
    }
    const auto rest = trim(html.substr(at + mark.size(), kMaximumTag));
    if (rest.size() > 1 && (rest.front() == '\'' || rest.front() == '"')) {
      const auto end = rest.find(rest.front(), 1);
      return end == std::string_view::npos ? std::string{} : std::string{rest.substr(1, end - 1)};
    }
  }
  return {};
}

std::string browser_redirect(const HttpResponse& response) {
  const auto* location = response.header("Location");
  if (response.status >= 300 && response.status < 400 && location != nullptr) {
    return *location;
  }
  return response.status == 200 ? html_redirect(response.body) : std::string{};
}

std::string html_title(std::string_view html) {
  for (auto open = html.find('<'); open != std::string_view::npos; open = html.find('<', open + 1)) {
    if (!equal_ignoring_case(html.substr(open, 6), "<title")) {
      continue;
    }
    const auto start = html.find('>', open);
    if (start == std::string_view::npos) {
      return {};
    }
    const auto text = html.substr(start + 1);
    return printable(trim(text.substr(0, std::min<std::size_t>(text.find('<'), 1024))), 128);
  }
  return {};
}

}  // namespace assay::wire

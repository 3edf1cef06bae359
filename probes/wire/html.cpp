#include "probes/wire/html.hpp"

#include <algorithm>
#include <utility>

#include "probes/wire/bytes.hpp"
#include "probes/wire/html_tags.hpp"

namespace assay::wire {

namespace {

using html::attribute;
using html::base_of;
using html::from_base;
using html::kMaximumTag;
using html::resolved;
using html::submit_by;
using html::submits;
using html::tag_name;
using html::Tags;

}  // namespace

std::vector<std::string> html_pages(std::string_view html, std::size_t most) {
  std::vector<std::string> pages;
  const auto base = base_of(html);
  for (Tags tags{html}; pages.size() < most && tags.next();) {
    const auto name = tag_name(tags.inside());
    if (equal_ignoring_case(name, "frame") || equal_ignoring_case(name, "iframe")) {
      pages.push_back(from_base(base, resolved(attribute(tags.inside(), "src"))));
    } else if (equal_ignoring_case(name, "a")) {
      auto link = resolved(attribute(tags.inside(), "href"));
      const auto plain = lower(link);
      if (plain.ends_with(".htm") || plain.ends_with(".html") || plain.ends_with(".asp") || plain.ends_with(".php")) {
        pages.push_back(from_base(base, link));
      }
    }
  }
  return pages;
}

std::optional<PasswordForm> find_password_form(std::string_view html) {
  const auto base = base_of(html);
  PasswordForm form;
  bool found = false;
  bool has_button = false;
  for (Tags tags{html}; tags.next();) {
    const auto tag = tags.inside();
    const auto name = tag_name(tag);
    const bool begins = equal_ignoring_case(name, "form");
    if (found && (begins || equal_ignoring_case(name, "/form"))) {
      break;
    }
    if (begins) {
      form = PasswordForm{};
      form.action = from_base(base, resolved(attribute(tag, "action")));
      if (const auto method = lower(attribute(tag, "method")); !method.empty()) {
        form.method = method;
      }
      has_button = false;
    } else if (submits(tag, name)) {
      if (!std::exchange(has_button, true)) {
        submit_by(tag, base, form.action, form.method);
      }
    } else if (equal_ignoring_case(name, "input") && !found) {
      const auto type = lower(attribute(tag, "type"));
      if (type == "password") {
        form.password_field = attribute(tag, "name");
        found = true;
      } else if (type.empty() || type == "text" || type == "email") {
        form.username_field = attribute(tag, "name");
      }
    }
  }
  return found ? std::optional{form} : std::nullopt;
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
      return from_base(base_of(html), quoted ? target.substr(1, target.find(target.front(), 1) - 1) : target);
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
      return end == std::string_view::npos ? std::string{} : from_base(base_of(html), rest.substr(1, end - 1));
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

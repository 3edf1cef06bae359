#include "probes/wire/html.hpp"

#include <cctype>
#include <utility>

#include "probes/wire/bytes.hpp"
#include "probes/wire/html_tags.hpp"

namespace assay::wire {

namespace {

using html::attribute;
using html::kMaximumTag;
using html::resolved;
using html::tag_name;
using html::Tags;

constexpr std::size_t kMaximumFields = 64;

bool has_attribute(std::string_view tag, std::string_view name) {
  return !attribute(tag, name).empty();
}

/// A script that may change or send the password itself.
bool handles_passwords(std::string_view script) {
  for (const std::string_view word :
       {"md5", "sha1", "sha256", "sha512", "cryptojs", "encrypt", "btoa(", "onsubmit", "preventdefault",
        "xmlhttprequest", "fetch(", "$.post", "$.ajax", "axios", ".submit("}) {
    if (contains_ignoring_case(script, word)) {
      return true;
    }
  }
  return false;
}

/// Name of a script file that is about logins.
bool names_logins(std::string_view source) {
  for (const std::string_view word : {"login", "logon", "auth", "crypt", "md5", "sha", "rsa", "base64"}) {
    if (contains_ignoring_case(source, word)) {
      return true;
    }
  }
  return false;
}

/// Puts one form together from its tags.
struct FormInTheMaking {
  LoginForm form;
  int passwords = 0;
  bool has_button = false;

  void add(std::string_view tag, std::string_view name) {
    form.scripted = form.scripted || has_attribute(tag, "onsubmit") || has_attribute(tag, "onclick");
    const auto type = lower(attribute(tag, "type"));
    auto field = resolved(attribute(tag, "name"));
    if (equal_ignoring_case(name, "select")) {
      form.username_field = passwords == 0 && form.username_field.empty() ? field : form.username_field;
    } else if (equal_ignoring_case(name, "button")) {
      add_button(tag, type.empty() || type == "submit", std::move(field));
    } else if (type == "password") {
      form.password_field = ++passwords == 1 ? std::move(field) : form.password_field;
    } else if (type.empty() || type == "text" || type == "email") {
      form.username_field = passwords == 0 ? std::move(field) : form.username_field;
    } else if (type == "submit" || type == "image") {
      add_button(tag, type == "submit", std::move(field));
    } else if (type == "hidden" || has_attribute(tag, "checked")) {
      add_field(std::move(field), resolved(attribute(tag, "value")));
    }
  }

 private:
  void add_button(std::string_view tag, bool sends, std::string field) {
    if (sends && !std::exchange(has_button, true)) {
      add_field(std::move(field), resolved(attribute(tag, "value")));
    }
  }

  void add_field(std::string name, std::string value) {
    if (!name.empty() && form.fields.size() < kMaximumFields) {
      form.fields.emplace_back(std::move(name), std::move(value));
    }
  }
};

}  // namespace

std::optional<LoginForm> find_login_form(std::string_view html) {
  std::optional<LoginForm> found;
  std::optional<FormInTheMaking> making;
  bool scripted = false;
  std::size_t scripts_end = 0;
  const auto finish = [&] {
    if (making && making->passwords == 1 && !making->form.password_field.empty() && !found) {
      found = std::move(making->form);
    }
    making.reset();
  };
  for (Tags tags{html}; tags.next();) {
    const auto tag = tags.inside();
    const auto name = tag_name(tag);
    if (equal_ignoring_case(name, "form")) {
      finish();
      making.emplace();
      making->form.action = resolved(attribute(tag, "action"));
      making->form.scripted = has_attribute(tag, "onsubmit");
      if (const auto method = lower(attribute(tag, "method")); !method.empty()) {
        making->form.method = method;
      }
    } else if (equal_ignoring_case(name, "/form")) {
      finish();
    } else if (equal_ignoring_case(name, "script")) {
      scripted = scripted || names_logins(attribute(tag, "src"));
      // A script within one that was looked at is a part of it: nothing is read twice.
      if (!scripted && tags.at() >= scripts_end) {
        const auto script = tags.rest().substr(0, tags.rest().find("</"));
        scripted = handles_passwords(script);
        scripts_end = tags.at() + script.size();
      }
    } else if (making && (equal_ignoring_case(name, "input") || equal_ignoring_case(name, "select") ||
                          equal_ignoring_case(name, "button"))) {
      making->add(tag, name);
    }
  }
  finish();
  if (found) {
    // Nobody puts a password into an address; a form without a method is one that a script sends.
    found->scripted = found->scripted || scripted || found->method != "post";
  }
  return found;
}

std::vector<std::string> html_pages(std::string_view html, std::size_t most) {
  std::vector<std::string> pages;
  for (Tags tags{html}; pages.size() < most && tags.next();) {
    const auto name = tag_name(tags.inside());
    if (equal_ignoring_case(name, "frame") || equal_ignoring_case(name, "iframe")) {
      pages.push_back(resolved(attribute(tags.inside(), "src")));
    } else if (equal_ignoring_case(name, "a")) {
      auto link = resolved(attribute(tags.inside(), "href"));
      const auto plain = lower(link);
      if (plain.ends_with(".htm") || plain.ends_with(".html") || plain.ends_with(".asp") || plain.ends_with(".php")) {
        pages.push_back(std::move(link));
      }
    }
  }
  return pages;
}

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

#include "probes/wire/login_form.hpp"

#include <algorithm>
#include <utility>

#include "probes/wire/bytes.hpp"
#include "probes/wire/html_tags.hpp"
#include "probes/wire/http.hpp"

namespace assay::wire {

namespace {

using html::attribute;
using html::base_of;
using html::from_base;
using html::resolved;
using html::submit_by;
using html::submits;
using html::tag_name;
using html::Tags;

constexpr std::size_t kMaximumFields = 64;

bool has_attribute(std::string_view tag, std::string_view name) {
  return !attribute(tag, name).empty();
}

template <class Words>
bool has_any(std::string_view text, const Words& words) {
  return std::any_of(std::begin(words), std::end(words),
                     [&](std::string_view word) { return contains_ignoring_case(text, word); });
}

/// What a script has that may change or send the password itself.
constexpr std::string_view kPasswordScripts[] = {"md5",     "sha1",   "sha256",   "sha512",         "cryptojs",
                                                 "encrypt", "btoa(",  "onsubmit", "preventdefault", "xmlhttprequest",
                                                 "fetch(",  "$.post", "$.ajax",   "axios",          ".submit("};

/// What the name of a script file has that is about logins.
constexpr std::string_view kLoginScripts[] = {"login", "logon", "auth", "crypt", "md5", "sha", "rsa", "base64"};

/// What the name of a field has that takes a user's name.
constexpr std::string_view kUserFields[] = {"user", "login", "account", "mail", "uname", "usr", "uid"};

/// What stands in the name of a field, picture or script that asks for letters of a picture or the like.
constexpr std::string_view kCaptchaNames[] = {
    "captcha",    "kaptcha",  "turnstile",    "verifycode", "verify_code",      "vericode",         "checkcode",
    "check_code", "authcode", "validatecode", "securimage", "verificationcode", "verification_code"};

/// A type that a browser does not know is one of text.
bool takes_text(std::string_view type) {
  constexpr std::string_view kOthers[] = {"reset", "button", "checkbox", "radio",          "file",  "color",
                                          "range", "date",   "time",     "datetime-local", "month", "week"};
  return std::find(std::begin(kOthers), std::end(kOthers), type) == std::end(kOthers);
}

/// A field for text as the page shows it.
struct TextField {
  std::string name;
  std::string value;
  bool before_password = false;
  bool of_users = false;  // by its name or its autocomplete
};

/// Puts one form together from its tags.
struct FormInTheMaking {
  explicit FormInTheMaking(std::string_view page_base) : base(page_base) {}

  LoginForm form;
  int passwords = 0;
  std::string_view base;  // of the page

  void add(std::string_view tag, std::string_view name) {
    form.scripted = form.scripted || has_attribute(tag, "onsubmit") || has_attribute(tag, "onclick");
    const auto type = lower(attribute(tag, "type"));
    auto field = resolved(attribute(tag, "name"));
    if (equal_ignoring_case(name, "select")) {
      choice_ = passwords == 0 && choice_.empty() ? std::move(field) : choice_;
    } else if (submits(tag, name)) {
      add_button(tag, type == "image", std::move(field));
    } else if (equal_ignoring_case(name, "button")) {
      return;  // for scripts
    } else if (type == "password") {
      form.new_password = form.new_password || equal_ignoring_case(attribute(tag, "autocomplete"), "new-password");
      form.password_field = ++passwords == 1 ? std::move(field) : form.password_field;
    } else if (type == "hidden" || has_attribute(tag, "checked")) {
      add_field(std::move(field), resolved(attribute(tag, "value")));
    } else if (takes_text(type)) {
      add_text(tag, type, std::move(field));
    }
  }

  /// The name is what the field is for that says so, else the one nearest before the password that waits for words.
  void finish() {
    auto best = texts_.begin();
    for (auto one = texts_.begin(); one != texts_.end(); ++one) {
      best = fitness(*one) >= fitness(*best) ? one : best;  // the later of two that fit as well
    }
    const bool has_name = best != texts_.end() && best->before_password;
    form.username_field = has_name ? best->name : choice_;
    for (auto one = texts_.begin(); one != texts_.end(); ++one) {
      if (!has_name || one != best) {
        add_field(std::move(one->name), std::move(one->value));
      }
    }
  }

 private:
  static int fitness(const TextField& field) {
    return !field.before_password ? 0 : 1 + (field.of_users ? 2 : 0) + (field.value.empty() ? 1 : 0);
  }

  void add_text(std::string_view tag, std::string_view type, std::string field) {
    if (field.empty() || texts_.size() >= kMaximumFields) {
      return;
    }
    const bool captcha = has_any(field, kCaptchaNames);
    const bool of_users = !captcha && (type == "email" || has_any(field, kUserFields) ||
                                       contains_ignoring_case(attribute(tag, "autocomplete"), "username"));
    texts_.push_back({std::move(field), resolved(attribute(tag, "value")), passwords == 0 && !captcha, of_users});
  }

  /// The first one is pressed, as by who ends the password with the enter key: a picture where no pointer stood.
  void add_button(std::string_view tag, bool picture, std::string field) {
    if (std::exchange(has_button_, true)) {
      return;
    }
    submit_by(tag, base, form.action, form.method);
    if (picture) {
      const auto prefix = field.empty() ? std::string{} : field + ".";
      add_field(prefix + "x", "0");
      add_field(prefix + "y", "0");
    } else {
      add_field(std::move(field), resolved(attribute(tag, "value")));
    }
  }

  void add_field(std::string name, std::string value) {
    if (!name.empty() && form.fields.size() < kMaximumFields) {
      form.fields.emplace_back(std::move(name), std::move(value));
    }
  }

  std::vector<TextField> texts_;
  std::string choice_;  // the first before the password
  bool has_button_ = false;
};

/// The forms of a page with exactly one password field, one after the other.
class LoginForms {
 public:
  explicit LoginForms(std::string_view html) : base_(base_of(html)), tags_(html) {}

  std::optional<LoginForm> next() {
    while (tags_.next()) {
      const auto tag = tags_.inside();
      const auto name = tag_name(tag);
      std::optional<LoginForm> whole;
      if (equal_ignoring_case(name, "form")) {
        whole = finished();
        begin(tag);
      } else if (equal_ignoring_case(name, "/form")) {
        whole = finished();
      } else if (equal_ignoring_case(name, "script")) {
        read_script(tag);
      } else if (making_ && (equal_ignoring_case(name, "input") || equal_ignoring_case(name, "select") ||
                             equal_ignoring_case(name, "button"))) {
        making_->add(tag, name);
      }
      if (whole) {
        return whole;
      }
    }
    return finished();
  }

  /// A script of the page up to here may change or send a password.
  bool scripted() const { return scripted_; }

  bool has_scripts() const { return has_scripts_; }

 private:
  void begin(std::string_view tag) {
    making_.emplace(base_);
    making_->form.action = from_base(base_, resolved(attribute(tag, "action")));
    making_->form.scripted = has_attribute(tag, "onsubmit");
    if (auto method = lower(attribute(tag, "method")); !method.empty()) {
      making_->form.method = std::move(method);
    }
  }

  std::optional<LoginForm> finished() {
    std::optional<LoginForm> whole;
    if (making_ && making_->passwords == 1 && !making_->form.password_field.empty()) {
      making_->finish();
      whole = std::move(making_->form);
    }
    making_.reset();
    return whole;
  }

  void read_script(std::string_view tag) {
    has_scripts_ = true;
    scripted_ = scripted_ || has_any(attribute(tag, "src"), kLoginScripts);
    // A script within one that was looked at is a part of it: nothing is read twice.
    if (!scripted_ && tags_.at() >= scripts_end_) {
      const auto script = tags_.rest().substr(0, tags_.rest().find("</"));
      scripted_ = has_any(script, kPasswordScripts);
      scripts_end_ = tags_.at() + script.size();
    }
  }

  std::string base_;
  Tags tags_;
  std::optional<FormInTheMaking> making_;
  bool scripted_ = false;
  bool has_scripts_ = false;
  std::size_t scripts_end_ = 0;
};

bool is_hidden(std::string_view tag) {
  constexpr std::string_view kStyles[] = {"display:none", "display: none"};
  return has_any(attribute(tag, "style"), kStyles) || equal_ignoring_case(attribute(tag, "type"), "hidden");
}

/// Without a query and what else changes from page to page.
std::string_view without_query(std::string_view action) {
  return action.substr(0, action.find_first_of("?;#"));
}

}  // namespace

std::optional<LoginForm> find_login_form(std::string_view html) {
  LoginForms forms{html};
  auto found = forms.next();
  if (found) {
    while (forms.next()) {
      // Scripts stand behind the form too.
    }
    // Nobody puts a password into an address; a form without a method is one that a script sends.
    found->scripted = found->scripted || forms.scripted() || found->method != "post";
    found->has_scripts = forms.has_scripts();
  }
  return found;
}

bool shows_form(std::string_view html, const LoginForm& login) {
  LoginForms forms{html};
  while (const auto form = forms.next()) {
    if (without_query(form->action) == without_query(login.action) && form->username_field == login.username_field &&
        form->password_field == login.password_field && form->new_password == login.new_password) {
      return true;
    }
  }
  return false;
}

bool goes_in_clear(std::string_view action, bool page_in_tls) {
  const auto place = action.empty() ? std::nullopt : http_location(action, "/");
  return !page_in_tls || (place && place->scheme == "http");
}

std::string find_captcha(std::string_view html) {
  constexpr std::string_view kAskers[] = {"input", "img", "script", "iframe", "div", "canvas"};
  for (Tags tags{html}; tags.next();) {
    const auto tag = tags.inside();
    const auto name = tag_name(tag);
    const bool may_ask = std::any_of(std::begin(kAskers), std::end(kAskers),
                                     [&](auto asker) { return equal_ignoring_case(name, asker); });
    if (!may_ask || is_hidden(tag)) {
      continue;
    }
    for (const std::string_view part : {"name", "src", "id", "class"}) {
      if (const auto value = attribute(tag, part); has_any(value, kCaptchaNames)) {
        return printable(lower(name) + " " + value, 96);
      }
    }
  }
  return {};
}

}  // namespace assay::wire

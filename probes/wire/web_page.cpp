#include "probes/wire/web_page.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "probes/wire/bytes.hpp"
#include "probes/wire/html_tags.hpp"

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

constexpr std::size_t kMostFields = 64;
constexpr std::size_t kLongestText = 64;
constexpr std::size_t kLongestAttribute = 256;

/// Of a path or of the words of a link.
constexpr std::string_view kRisky[] = {
    "logout", "logoff",   "log-out", "log_out",  "log out", "signout", "sign-out", "sign out", "abmelden", "reset",
    "reboot", "restart",  "delete",  "remove",   "erase",   "clear",   "format",   "factory",  "default",  "upgrade",
    "update", "shutdown", "power",   "halt",     "disable", "enable",  "restore",  "apply",    "save",     "start",
    "stop",   "action=",  "cmd=",    "command=", "set=",    "do=",     "toggle",   "switch",   "unpair",   "loeschen"};

/// A tag has a name without a value, or with one: `checked`, `checked=""`.
bool has_word(std::string_view tag, std::string_view word) {
  const auto plain = lower(tag);
  for (auto at = plain.find(word); at != std::string::npos; at = plain.find(word, at + 1)) {
    const bool begins = at > 0 && (plain[at - 1] == ' ' || plain[at - 1] == '\t' || plain[at - 1] == '\n');
    const auto after = at + word.size() < plain.size() ? plain[at + word.size()] : ' ';
    if (begins && (after == ' ' || after == '=' || after == '/' || after == '\t' || after == '\n')) {
      return true;
    }
  }
  return false;
}

std::string text_after(const Tags& tags) {
  const auto text = tags.rest().substr(0, std::min<std::size_t>(tags.rest().find('<', 1), kLongestText + 1));
  return std::string{trim(text.starts_with('>') ? text.substr(1) : text)};
}

void add(WebForm& form, std::string name, std::string value) {
  if (!name.empty() && form.fields.size() < kMostFields) {
    form.fields.emplace_back(std::move(name), std::move(value));
  }
}

void add_input(WebForm& form, std::string_view tag) {
  const auto type = lower(attribute(tag, "type"));
  auto name = resolved(attribute(tag, "name"));
  auto value = resolved(attribute(tag, "value"));
  if (type == "password") {
    ++form.passwords;
    add(form, std::move(name), {});
  } else if (type == "submit" || type == "image" || type == "button") {
    form.text = form.text.empty() ? value : form.text;
    if (type == "submit") {
      add(form, std::move(name), std::move(value));
    }
  } else if (type == "checkbox" || type == "radio") {
    if (has_word(tag, "checked")) {
      add(form, std::move(name), value.empty() ? "on" : std::move(value));
    }
  } else if (type != "file" && type != "reset") {
    if (type == "hidden" && form.hidden.size() < kMostFields) {
      form.hidden.push_back(name);
    }
    add(form, std::move(name), std::move(value));
  }
}

/// A choice counts by its first option until one is marked.
struct Choice {
  std::string name;
  bool marked = false;
};

void add_option(WebForm& form, Choice& choice, std::string_view tag) {
  const bool marked = has_word(tag, "selected");
  if (choice.name.empty() || choice.marked) {
    return;
  }
  const auto known = std::find_if(form.fields.begin(), form.fields.end(),
                                  [&](const auto& field) { return field.first == choice.name; });
  if (known == form.fields.end()) {
    add(form, choice.name, resolved(attribute(tag, "value")));
  } else if (marked) {
    known->second = resolved(attribute(tag, "value"));
  }
  choice.marked = marked;
}

}  // namespace

std::vector<WebForm> html_forms(std::string_view html, std::size_t most) {
  std::vector<WebForm> forms;
  const auto base = base_of(html);
  bool open = false;
  bool has_button = false;
  Choice choice;
  for (Tags tags{html}; tags.next();) {
    const auto tag = tags.inside();
    const auto name = tag_name(tag);
    if (equal_ignoring_case(name, "form")) {
      if (forms.size() == most) {
        break;
      }
      auto& form = forms.emplace_back();
      form.action = from_base(base, resolved(attribute(tag, "action")));
      const auto method = lower(attribute(tag, "method"));
      form.method = method.empty() ? form.method : method;
      open = true;
      has_button = false;
      choice = {};
    } else if (equal_ignoring_case(name, "/form")) {
      open = false;
    }
    if (!open) {
      continue;
    }
    if (submits(tag, name) && !std::exchange(has_button, true)) {
      submit_by(tag, base, forms.back().action, forms.back().method);
    }
    if (equal_ignoring_case(name, "input")) {
      add_input(forms.back(), tag);
    } else if (equal_ignoring_case(name, "textarea")) {
      add(forms.back(), resolved(attribute(tag, "name")), text_after(tags));
    } else if (equal_ignoring_case(name, "select")) {
      choice = {resolved(attribute(tag, "name")), false};
    } else if (equal_ignoring_case(name, "option")) {
      add_option(forms.back(), choice, tag);
    } else if (equal_ignoring_case(name, "button") && forms.back().text.empty()) {
      forms.back().text = text_after(tags);
    }
  }
  return forms;
}

std::vector<WebLink> html_links(std::string_view html, std::size_t most) {
  std::vector<WebLink> links;
  const auto base = base_of(html);
  for (Tags tags{html}; links.size() < most && tags.next();) {
    const auto name = tag_name(tags.inside());
    const bool link = equal_ignoring_case(name, "a") || equal_ignoring_case(name, "area");
    const bool frame = equal_ignoring_case(name, "frame") || equal_ignoring_case(name, "iframe");
    if (!link && !frame) {
      continue;
    }
    const auto target = resolved(attribute(tags.inside(), link ? "href" : "src"));
    if (!target.empty() && !target.starts_with('#')) {
      links.push_back({from_base(base, target), link ? text_after(tags) : std::string{}, frame});
    }
  }
  return links;
}

bool may_act(const WebLink& link, std::string_view path) {
  return std::any_of(std::begin(kRisky), std::end(kRisky), [&](auto word) {
    return contains_ignoring_case(path, word) || contains_ignoring_case(link.text, word);
  });
}

std::optional<SetCookie> parse_set_cookie(std::string_view value) {
  const auto semicolon = std::min(value.find(';'), value.size());
  const auto pair = value.substr(0, semicolon);
  const auto equals = pair.find('=');
  if (equals == std::string_view::npos || trim(pair.substr(0, equals)).empty()) {
    return std::nullopt;
  }
  SetCookie out;
  out.name = trim(pair.substr(0, equals));
  out.value = trim(pair.substr(equals + 1));
  auto rest = value.substr(semicolon);
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the semicolon
    const auto end = std::min(rest.find(';'), rest.size());
    const auto part = rest.substr(0, end);
    rest.remove_prefix(end);
    const auto middle = std::min(part.find('='), part.size());
    const auto key = lower(trim(part.substr(0, middle)));
    const auto word = middle < part.size() ? trim(part.substr(middle + 1)) : std::string_view{};
    const auto shown = std::string{word.substr(0, kLongestAttribute)};
    if (key == "secure") {
      out.secure = true;
    } else if (key == "httponly") {
      out.http_only = true;
    } else if (key == "samesite") {
      out.same_site = lower(shown);
    } else if (key == "path") {
      out.path = shown;
    } else if (key == "domain") {
      out.domain = shown;
    } else if (key == "expires") {
      out.expires = shown;
    } else if (key == "max-age") {
      std::int64_t seconds = 0;
      const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), seconds);
      if (error == std::errc{} && stop == word.data() + word.size()) {
        out.max_age = seconds;
      }
    }
  }
  return out;
}

}  // namespace assay::wire

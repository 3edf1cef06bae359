#include "probes/credentials/http_refusals.hpp"

#include <algorithm>
#include <cctype>

#include "probes/wire/bytes.hpp"
#include "probes/wire/html.hpp"

namespace assay::probes::credentials {

namespace {

constexpr std::size_t kMostLooks = 16;
constexpr std::size_t kSameSize = 64;
constexpr char kNameMark = '\x01';

bool says_no(std::string_view body) {
  if (wire::find_password_form(body)) {
    return true;
  }
  constexpr std::string_view kWords[] = {"denied",       "incorrect",    "invalid",        "unauthorized",
                                         "unauthorised", "login failed", "not authorized", "wrong "};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](auto word) { return wire::contains_ignoring_case(body, word); });
}

/// Times, counters and numbers of requests differ from one refusal to the next.
std::string without_figures(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return std::isdigit(static_cast<unsigned char>(c)) == 0; });
  return out;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (auto at = what.empty() ? std::string::npos : text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

/// The path of a Location: what follows it often names the page that was asked for.
std::string place_of(const wire::HttpResponse& response) {
  const auto* location = response.header("Location");
  if (location == nullptr) {
    return {};
  }
  const auto place = wire::http_location(*location, "/");
  const auto& path = place ? place->path : *location;
  return path.substr(0, path.find_first_of("?#"));
}

}  // namespace

HttpRefusals::Look HttpRefusals::look_of(const wire::HttpResponse& response, std::string_view username) {
  Look look;
  look.status = response.status;
  look.location = place_of(response);
  look.body = without_figures(replaced(response.body, username, std::string_view{&kNameMark, 1}));
  look.size = response.body.size();
  look.says_no = says_no(response.body);
  return look;
}

bool HttpRefusals::same_place(const Look& one, const Look& other) {
  return one.status == other.status && without_figures(one.location) == without_figures(other.location);
}

/// `seen` is the answer to a real name, which may stand in a page without being meant: "admin" does.
bool HttpRefusals::same_page(const Look& known, const Look& seen, std::string_view username) {
  const std::string_view mark{&kNameMark, 1};
  const auto name = without_figures(username);
  if (replaced(known.body, mark, name) == replaced(seen.body, mark, name)) {
    return true;
  }
  const auto apart = std::max(known.size, seen.size) - std::min(known.size, seen.size);
  return known.says_no ? seen.says_no && apart <= kSameSize : known.varies;
}

void HttpRefusals::learn(const wire::HttpResponse& response, std::string_view username) {
  const auto seen = look_of(response, username);
  const auto known = std::find_if(looks_.begin(), looks_.end(), [&](const Look& one) { return same_place(one, seen); });
  if (known == looks_.end()) {
    if (looks_.size() < kMostLooks) {
      looks_.push_back(seen);
    }
  } else if (!same_page(*known, seen, username)) {
    known->varies = true;
    known->says_no = known->says_no && seen.says_no;
  }
}

bool HttpRefusals::know(const wire::HttpResponse& response, std::string_view username) const {
  const auto seen = look_of(response, username);
  return leads_to_login(seen) || std::any_of(looks_.begin(), looks_.end(), [&](const Look& one) {
           return same_place(one, seen) && same_page(one, seen, username);
         });
}

/// Only where wrong logins are sent to another page do the words of a Location say that this one is wrong too.
bool HttpRefusals::leads_to_login(const Look& seen) const {
  const auto redirects = [](const Look& look) { return look.status >= 300 && look.status < 400; };
  if (!redirects(seen) || std::none_of(looks_.begin(), looks_.end(), redirects)) {
    return false;
  }
  constexpr std::string_view kWords[] = {"login", "logon", "signin", "sign-in", "auth"};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](auto word) { return wire::contains_ignoring_case(seen.location, word); });
}

bool HttpRefusals::plain() const {
  return std::all_of(looks_.begin(), looks_.end(), [](const Look& one) { return one.says_no; });
}

std::string HttpRefusals::text() const {
  std::string out;
  for (const auto& look : looks_) {
    out += (out.empty() ? "status " : ", ") + std::to_string(look.status);
    out += look.location.empty() ? std::string{} : " to " + wire::printable(look.location, 64);
  }
  return out;
}

}  // namespace assay::probes::credentials

#include "probes/sessions/login_search.hpp"

#include <algorithm>

#include "probes/wire/bytes.hpp"
#include "probes/wire/html.hpp"
#include "probes/wire/web_page.hpp"

namespace assay::sessions {

namespace {

constexpr std::size_t kMostLinks = 64;
constexpr std::size_t kMostLeads = 256;
constexpr std::size_t kMostForms = 8;

constexpr std::string_view kLoginWords[] = {"login",   "log in", "logon", "log on",   "signin",  "sign-in",
                                            "sign in", "admin",  "auth",  "anmelden", "password"};
constexpr std::string_view kHouseWords[] = {".cgi",   "setup", "setting", "config",  "manage", "system",
                                            "status", "index", "home",    "private", "secure", "account"};
constexpr std::string_view kStatic[] = {".css", ".js",  ".png", ".jpg", ".jpeg", ".gif", ".ico",
                                        ".svg", ".pdf", ".zip", ".txt", ".xml",  ".mp4"};

template <class Words>
bool names_any(const wire::WebLink& link, const Words& words) {
  return std::any_of(std::begin(words), std::end(words), [&](std::string_view word) {
    return wire::contains_ignoring_case(link.target, word) || wire::contains_ignoring_case(link.text, word);
  });
}

enum Rank : std::uint8_t { kLed, kNamesLogin, kFrame, kHouse, kOther };

/// Nothing for what a visitor had better not follow.
std::optional<Rank> rank_of(const wire::WebLink& link) {
  const auto plain = wire::lower(std::string_view{link.target}.substr(0, link.target.find('?')));
  const bool still =
      std::any_of(std::begin(kStatic), std::end(kStatic), [&](auto end) { return plain.ends_with(end); });
  if (link.frame) {
    return kFrame;
  }
  if (still || wire::may_act(link, link.target)) {
    return std::nullopt;
  }
  return names_any(link, kLoginWords) ? kNamesLogin : names_any(link, kHouseWords) ? kHouse : kOther;
}

bool is_encoded(const wire::HttpResponse& page) {
  const auto* encoding = page.header("Content-Encoding");
  return encoding != nullptr && !wire::equal_ignoring_case(wire::trim(*encoding), "identity");
}

/// A form that is sent with a name and no password may be the first of two steps.
bool asks_for_name(std::string_view html) {
  constexpr std::string_view kNames[] = {"user", "login", "account", "uname", "usr"};
  for (const auto& form : wire::html_forms(html, kMostForms)) {
    const bool named = std::any_of(form.fields.begin(), form.fields.end(), [&](const auto& field) {
      const bool seen = std::find(form.hidden.begin(), form.hidden.end(), field.first) == form.hidden.end();
      return seen && std::any_of(std::begin(kNames), std::end(kNames),
                                 [&](auto word) { return wire::contains_ignoring_case(field.first, word); });
    });
    if (named && form.method == "post" && form.passwords == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

void LoginSearch::take(const wire::HttpResponse& page, const std::string& path) {
  known_.insert(path);
  looked_.push_back(path);
  scripted_ = scripted_ || wire::contains_ignoring_case(page.body, "<script");
  cut_ = cut_ || !page.complete;
  encoded_ = encoded_ || is_encoded(page);
  asks_name_ = asks_name_ || asks_for_name(page.body);
  const auto led = wire::browser_redirect(page);
  add(led, path, kLed);
  note_elsewhere(led, path);
  for (const auto& link : wire::html_links(page.body, kMostLinks)) {
    if (const auto rank = rank_of(link)) {
      add(link.target, path, *rank);
    }
  }
}

void LoginSearch::add(const std::string& target, const std::string& from, int rank) {
  const auto place = wire::http_location(target, from);
  if (place && wire::leads_to(*place, address_, port_, tls_) && leads_.size() < kMostLeads &&
      known_.insert(place->path).second) {
    leads_.push_back({place->path, rank});
  }
}

/// A device may send a browser to its own name. Whether that is the device is for the DUT file to say; another port or
/// TLS of the same address is an endpoint of its own.
void LoginSearch::note_elsewhere(const std::string& target, const std::string& from) {
  const auto place = target.empty() ? std::nullopt : wire::http_location(target, from);
  if (place && !place->host.empty() && place->host != address_ && (place->scheme == "https") == tls_) {
    elsewhere_ = wire::printable(place->host, 128);
  }
}

std::optional<std::string> LoginSearch::next() {
  const auto best = std::min_element(leads_.begin(), leads_.end(),
                                     [](const Lead& one, const Lead& other) { return one.rank < other.rank; });
  if (best == leads_.end() || asked_ == kMostPages) {
    return std::nullopt;
  }
  auto path = std::move(best->path);
  leads_.erase(best);
  ++asked_;
  return path;
}

std::string LoginSearch::unread() const {
  std::string out;
  const auto add = [&](bool is, const std::string& what) {
    out += is ? (out.empty() ? "" : "; ") + what : std::string{};
  };
  add(scripted_, "one that a script makes is not seen");
  add(cut_, "one came without its end");
  add(encoded_, "one came compressed, which is not read");
  add(asks_name_, "one asks for a name, and maybe for a password after it");
  add(!elsewhere_.empty(), "they lead to " + elsewhere_ + ", which is not followed");
  return out;
}

std::string LoginSearch::doubt() const {
  const auto unanswered = asked_ + 1 - std::min(asked_ + 1, looked_.size());
  const auto left = leads_.size() + unanswered;
  const auto hidden = unread();
  if (left == 0 && hidden.empty()) {
    return {};
  }
  std::string pages;
  for (const auto& path : looked_) {
    pages += (pages.empty() ? "" : ", ") + wire::printable(path, 64);
  }
  std::string out = "no login was found on the pages that were looked at (" + pages + ")";
  out += hidden.empty() ? "" : "; " + hidden;
  out += left > 0 ? "; " + std::to_string(left) + " that they lead to were not seen" : "";
  return out;
}

}  // namespace assay::sessions

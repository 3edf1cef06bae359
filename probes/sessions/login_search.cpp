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

/// A form that is sent with a name and no password may be the first of two steps.
bool asks_for_name(std::string_view html) {
  // Not "mail", which newsletters ask for.
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
  doubt_if(wire::contains_ignoring_case(page.body, "<script"), "one that a script makes is not seen");
  doubt_if(!page.complete, "one came without its end");
  doubt_if(page.packed, "one came compressed in a way that is not read");
  doubt_if(asks_for_name(page.body), "one asks for a name, and maybe for a password after it");
  add(wire::browser_redirect(page), path, kLed);
  for (const auto& link : wire::html_links(page.body, kMostLinks)) {
    if (const auto rank = rank_of(link)) {
      add(link.target, path, *rank);
    }
  }
}

void LoginSearch::add(const std::string& target, const std::string& from, int rank) {
  const auto place = wire::http_location(target, from);
  if (!place) {
    return;
  }
  if (wire::leads_to(*place, address_, port_, tls_)) {
    if (leads_.size() < kMostLeads && known_.insert(place->path).second) {
      leads_.push_back({place->path, rank});
    }
    return;
  }
  // A device may send a browser to its own name. Whether that is the device is for the DUT file to say; another port or
  // TLS of the same address is an endpoint of its own.
  const bool another = !place->host.empty() && place->host != address_ && (place->scheme == "https") == tls_;
  doubt_if(rank == kLed && another, "they lead to " + wire::printable(place->host, 128) + ", which is not followed");
}

void LoginSearch::doubt_if(bool is, const std::string& why) {
  if (is && std::find(unread_.begin(), unread_.end(), why) == unread_.end()) {
    unread_.push_back(why);
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
  for (const auto& why : unread_) {
    out += (out.empty() ? "" : "; ") + why;
  }
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

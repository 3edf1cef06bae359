#include "probes/sessions/login_search.hpp"

#include <algorithm>

#include "probes/wire/bytes.hpp"
#include "probes/wire/html.hpp"
#include "probes/wire/web_page.hpp"

namespace assay::sessions {

namespace {

constexpr std::size_t kMostLinks = 64;
constexpr std::size_t kMostLeads = 256;

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

}  // namespace

void LoginSearch::take(const wire::HttpResponse& page, const std::string& path) {
  known_.insert(path);
  looked_.push_back(path);
  scripted_ = scripted_ || wire::contains_ignoring_case(page.body, "<script");
  add(wire::browser_redirect(page), path, kLed);
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

std::string LoginSearch::doubt() const {
  const auto unanswered = asked_ + 1 - std::min(asked_ + 1, looked_.size());
  if (leads_.empty() && unanswered == 0 && !scripted_) {
    return {};
  }
  std::string pages;
  for (const auto& path : looked_) {
    pages += (pages.empty() ? "" : ", ") + wire::printable(path, 64);
  }
  std::string out = "no login was found on the pages that were looked at (" + pages + ")";
  out += scripted_ ? "; one that a script makes is not seen" : "";
  const auto left = leads_.size() + unanswered;
  out += left > 0 ? "; " + std::to_string(left) + " that they lead to were not seen" : "";
  return out;
}

}  // namespace assay::sessions

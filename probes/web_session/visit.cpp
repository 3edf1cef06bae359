#include "probes/web_session/visit.hpp"

#include <algorithm>
#include <chrono>

#include "probes/uniqueness/values.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::web_session {

namespace {

std::int64_t unix_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

}  // namespace

asio::awaitable<Result<Sight>> sight(Visit& visit, WebUser& user) {
  auto seen = co_await credentials::sight(visit.house, user);
  co_return seen;
}

asio::awaitable<Result<std::optional<WebUser>>> enter(Visit& visit, const Known& known) {
  auto entered = co_await credentials::enter(visit.house, known.username, known.password);
  co_return entered;
}

std::string token_of(const Visit& visit, WebUser& user) {
  std::string out;
  for (const auto& name : visit.carriers) {
    const auto found = user.jar().all().find(name);
    out += found == user.jar().all().end() ? std::string{} : found->second;
  }
  return visit.carriers.empty() ? user.token() : out;
}

Result<> leave_open(Visit& visit, std::string_view fact, const Error& error) {
  visit.sheet.unobserved(fact, error.what);
  return sessions::ends_probe(error.kind) ? Result<>{error} : Result<>{};
}

/// Which cookies carry the session is shown by leaving each one out.
asio::awaitable<Result<>> look_at_cookies(Visit& visit, WebUser& user) {
  const auto names = user.jar().all();
  for (const auto& [name, value] : names) {
    WebUser without{user};
    without.jar().drop(name);
    auto seen = co_await sight(visit, without);
    if (!seen) {
      co_return leave_open(visit, "web.cookies", seen.error());
    }
    if (*seen == Sight::turned_away) {
      visit.carriers.push_back(name);
    }
  }
  json::array cookies;
  for (const auto& [name, mark] : user.jar().marks()) {
    if (!names.contains(name)) {
      continue;
    }
    json::object one{{"name", wire::printable(name, 64)}, {"secure", mark.secure}, {"http_only", mark.http_only}};
    one["session"] = std::find(visit.carriers.begin(), visit.carriers.end(), name) != visit.carriers.end();
    one["same_site"] = wire::printable(mark.same_site, 16);
    one["path"] = wire::printable(mark.path, 64);
    one["domain"] = wire::printable(mark.domain, 64);
    one["max_age"] = mark.max_age ? json::value(*mark.max_age) : json::value(nullptr);
    one["expires"] = wire::printable(mark.expires, 64);
    cookies.push_back(std::move(one));
  }
  const bool header = visit.carriers.empty() && user.session().carries();
  if (visit.carriers.empty() && !header) {
    visit.sheet.unobserved("web.carrier", "without any one of its cookies the session goes on");
  } else {
    visit.sheet.fact("web.carrier", header ? "header" : "cookie");
  }
  visit.sheet.fact("web.cookies", std::move(cookies));
  co_return Result<>{};
}

/// A visitor gets an id, or brings one along that nobody gave; whether it is the one of the session afterwards.
asio::awaitable<Result<>> look_at_fixation(Visit& visit) {
  if (visit.carriers.empty()) {
    visit.sheet.absent("web.fixation");
    co_return Result<>{};
  }
  const auto& known = visit.accounts.front();
  json::object out;
  for (const bool invented : {false, true}) {
    WebUser user{visit.house.door, visit.house.login};
    auto came = co_await user.arrive();
    if (!came) {
      co_return leave_open(visit, "web.fixation", came.error());
    }
    if (invented) {
      for (const auto& name : visit.carriers) {
        const auto known_value = user.jar().all().find(name);
        const auto length = known_value == user.jar().all().end() ? std::size_t{32} : known_value->second.size();
        const auto word = sessions::random_word(std::clamp<std::size_t>(length, 8, 64));
        visit.house.door.record.conceal(word, "cookie of the session");
        visit.house.door.transcript.conceal(word, "cookie of the session");
        user.jar().set(name, word);
      }
    }
    WebUser before{user};
    auto landing = co_await user.log_in(known.username, known.password);
    if (!landing) {
      co_return leave_open(visit, "web.fixation", landing.error());
    }
    auto old = co_await sight(visit, before);
    if (!old) {
      co_return leave_open(visit, "web.fixation", old.error());
    }
    if (!invented) {
      const auto has = [&](const std::string& name) { return before.jar().all().contains(name); };
      out["given_before"] = std::all_of(visit.carriers.begin(), visit.carriers.end(), has);
    }
    // Who knew the visitor's id is inside now.
    out[invented ? "takes_invented" : "kept"] = *old == Sight::given;
  }
  visit.sheet.fact("web.fixation", std::move(out));
  co_return Result<>{};
}

json::object tokens_in_words(const std::vector<std::string>& tokens, const std::vector<std::int64_t>& times,
                             const std::string& username) {
  uniqueness::Values values;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    uniqueness::Value value;
    value.text = tokens[i];
    value.name = std::to_string(i + 1);
    value.identifiers = {{"time", std::to_string(times[i])}, {"username", username}};
    values.push_back(std::move(value));
  }
  const auto form = uniqueness::form_of(values);
  const auto entropy = uniqueness::entropy_of(values);
  json::object out{{"sample", std::ssize(values)}, {"shortest", form.shortest}, {"longest", form.longest}};
  json::array classes;
  for (const auto& one : form.classes) {
    classes.emplace_back(one);
  }
  out["classes"] = std::move(classes);
  out["bits"] = entropy.bits;
  out["bits_low"] = entropy.low;
  out["bits_high"] = entropy.high;
  out["bits_at_most"] = entropy.at_most;
  json::array relations;
  for (const auto& found :
       {uniqueness::equal_values(values), uniqueness::counters(values), uniqueness::identifier_relations(values)}) {
    for (const auto& one : found) {
      relations.push_back(json::object{
          {"kind", one.kind}, {"what", one.what}, {"length", one.length}, {"values", std::ssize(one.values)}});
    }
  }
  out["relations"] = std::move(relations);
  return out;
}

asio::awaitable<Result<>> look_at_tokens(Visit& visit, WebUser& first) {
  const auto& known = visit.accounts.front();
  std::vector<std::string> tokens;
  std::vector<std::int64_t> times;
  std::string why;
  for (std::int64_t i = 0; i < visit.means.logins; ++i) {
    const auto now = unix_now();
    auto entered = co_await enter(visit, known);
    if (!entered) {
      if (sessions::ends_probe(entered.error().kind)) {
        co_return leave_open(visit, "web.tokens", entered.error());
      }
      why = entered.error().what;
      break;
    }
    if (!*entered) {
      why = "a login that was taken before was not taken any more";
      break;
    }
    tokens.push_back(token_of(visit, **entered));
    times.push_back(now);
  }
  if (tokens.empty()) {
    visit.sheet.unobserved("web.concurrent", why);
    visit.sheet.unobserved("web.tokens", why);
    co_return Result<>{};
  }
  auto still = co_await sight(visit, first);
  if (!still) {
    co_return leave_open(visit, "web.concurrent", still.error());
  }
  if (*still == Sight::unclear) {
    visit.sheet.unobserved("web.concurrent", "the first session got an answer that means neither");
  } else {
    visit.concurrent = *still == Sight::given;
    visit.sheet.fact("web.concurrent", visit.concurrent);
  }
  auto words = tokens_in_words(tokens, times, known.username);
  words["wanted"] = visit.means.logins;
  words["ended_because"] = why;
  visit.sheet.fact("web.tokens", std::move(words));
  co_return Result<>{};
}

}  // namespace assay::probes::web_session

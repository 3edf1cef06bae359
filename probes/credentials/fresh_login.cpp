#include "probes/credentials/fresh_login.hpp"

#include <algorithm>
#include <chrono>

#include "probes/credentials/lock_words.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::credentials {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kKeptText = 512;
constexpr int kCutControls = 2;

Outcome outcome_of(Told::Answer answer, bool cuts_refuse) {
  switch (answer) {
    case Told::Answer::yes:
      return Outcome::accepted;
    case Told::Answer::no:
      return Outcome::rejected;
    case Told::Answer::locked:
      return Outcome::locked;
    case Told::Answer::cut:
      return cuts_refuse ? Outcome::rejected : Outcome::unclear;
    case Told::Answer::lost:
      return Outcome::lost;
    case Told::Answer::unclear:
      break;
  }
  return Outcome::unclear;
}

}  // namespace

asio::awaitable<sessions::ChannelResult> open_door(Door& door, bool tls) {
  TlsSession session;
  auto opened = co_await sessions::open_channel(door.network, door.endpoint, tls, door.transcript, session);
  co_return opened;
}

asio::awaitable<Attempt> SpokenLogin::attempt(std::string username, Secret password) {
  auto attempted = co_await once(std::move(username), std::move(password), false);
  co_return attempted;
}

asio::awaitable<Attempt> SpokenLogin::attempt_control(std::string username, Secret password) {
  auto attempted = co_await once(std::move(username), std::move(password), true);
  co_return attempted;
}

asio::awaitable<Attempt> SpokenLogin::once(std::string username, Secret password, bool control) {
  auto told = co_await ask(std::move(username), std::move(password));
  // What a wrong login looks like is learnt from pairs that cannot exist, never from silence
  // alone, and never from one cut alone: the network cuts, too.
  if (control && told.answer != Told::Answer::lost) {
    cuts_ = told.answer == Told::Answer::cut ? cuts_ + 1 : 0;
  }
  Attempt attempted;
  attempted.outcome = outcome_of(told.answer, cuts_ >= kCutControls);
  attempted.must_change = told.must_change;
  if (control && told.must_change) {
    attempted.outcome = Outcome::unclear;  // who asks everybody for a new password has not let anybody in
  }
  attempted.took = told.took;
  attempted.by_code = told.by_code;
  attempted.sent = told.sent ? told.times : told.times - 1;
  attempted.without_password = told.answer == Told::Answer::yes && !told.sent;
  attempted.proof = std::move(told.proof);
  attempted.says = told.text.substr(0, kKeptText);
  if (told.error && sessions::ends_probe(told.error->kind)) {
    attempted.ended = told.error;
  }
  if (attempted.says.empty() && told.error) {
    attempted.says = told.error->what;
  }
  co_return attempted;
}

asio::awaitable<Told> FreshLogin::ask(std::string username, Secret password) {
  auto opened = co_await open_door(door(), tls());
  if (!opened) {
    co_return no_connection(opened.error());
  }
  const auto start = Clock::now();
  auto told = co_await log_in(std::move(*opened), std::move(username), std::move(password));
  told.took = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
  co_return told;
}

Told broken(const Error& error, bool secret_sent) {
  Told told;
  const bool ended = error.kind == ErrorKind::closed || error.kind == ErrorKind::reset;
  told.answer = ended && secret_sent ? Told::Answer::cut : Told::Answer::unclear;
  told.sent = secret_sent;
  told.error = error;
  return told;
}

Told no_connection(const Error& error) {
  Told told;
  told.answer = Told::Answer::lost;
  told.sent = false;
  told.error = error;
  return told;
}

bool says_locked(std::string_view text) {
  return std::any_of(kPlainLockWords.begin(), kPlainLockWords.end(),
                     [&](auto word) { return wire::contains_ignoring_case(text, word); });
}

}  // namespace assay::probes::credentials

#include "probes/tls/finished.hpp"

#include <algorithm>
#include <array>

#include "probes/sessions/channel.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::tls {

namespace {

constexpr milliseconds kGoodbye{100};  // most, for what a server does by itself
constexpr std::string_view kTls13Name = "TLSv1.3";

/// The text of an error names an alert that the device sent.
bool names_alert(const Error& error) {
  return error.kind == ErrorKind::protocol && error.what.find("sent the alert") != std::string::npos;
}

/// An alert with which a server refuses a client that has no certificate (RFC 5246, 7.4.6; RFC 8446, 6.2).
bool wants_certificate(const Error& error) {
  constexpr std::string_view kAlerts[] = {"\"number 116\"", "\"certificate required\"", "\"handshake failure\"",
                                          "\"bad certificate\"", "\"no certificate\""};
  return names_alert(error) && std::any_of(std::begin(kAlerts), std::end(kAlerts), [&](std::string_view alert) {
           return error.what.find(alert) != std::string::npos;
         });
}

}  // namespace

void Finished::look(std::string_view name, std::optional<bool> yes, std::string why) {
  picture_.behaviour.insert_or_assign(std::string{name}, Look{yes, std::move(why)});
}

const TlsResumption* Finished::old_ticket() const {
  return of_old(true);
}

const TlsResumption* Finished::of_old(bool ticket) const {
  const auto found = std::find_if(given_.begin(), given_.end(), [&](const TlsResumption& one) {
    return one.version != kTls13Name && one.ticket.empty() != ticket;
  });
  return found == given_.end() ? nullptr : &*found;
}

TlsOptions Finished::wish() const {
  TlsOptions out;
  out.server_name = server_name_;
  return out;
}

asio::awaitable<Finished::Opened> Finished::open(const TlsOptions& options, std::string title) {
  auto session = co_await asker_.shake_hands(std::move(title), options);
  if (!session && sessions::ends_probe(session.error().kind)) {
    over_ = session.error();
  }
  transcript_.note(session ? "finished in " + (*session)->session().version
                           : wire::printable(session.error().what, 256));
  co_return session;
}

/// In which comes what a server says by itself after a handshake, or after our end of it.
milliseconds Finished::a_moment() const {
  constexpr milliseconds kSlack{20};
  return std::min(kGoodbye, 2 * network_.round_trip(kGoodbye) + kSlack);
}

/// Some servers forget a session whose connection was not closed in its own way.
asio::awaitable<void> Finished::close(TlsStream& stream) {
  stream.shutdown_send();
  std::array<std::byte, 1024> buffer;
  const std::span<std::byte> room{buffer};
  const auto within = a_moment();
  const auto end = co_await stream.read_some(room, within);
  if (!end && sessions::ends_probe(end.error().kind)) {
    over_ = end.error();
  }
}

/// All that it takes rests on a pre-shared key, which nobody gave us.
bool Finished::wants_shared_key() const {
  const auto shared = [](const auto& entry) {
    const auto& suites = entry.second.suites;
    return std::all_of(suites.begin(), suites.end(), [](std::uint16_t suite) { return wire::suite_parts(suite).psk; });
  };
  const auto& versions = survey_.versions();
  return std::all_of(versions.begin(), versions.end(), shared);
}

asio::awaitable<void> Finished::shake_hands() {
  if (by_datagrams() && wants_shared_key()) {
    failure_ = "every suite that it takes needs a pre-shared key";
    co_return;
  }
  auto options = wish();
  options.alpn = {"h2", "http/1.1", "mqtt", "coap"};
  if (by_datagrams()) {
    options.alpn = {"co"};  // RFC 9952
  }
  auto stream = co_await open(options, "a whole handshake");
  const bool silent = !stream && stream.error().kind == ErrorKind::timed_out;
  if (!stream && !(by_datagrams() && silent)) {
    // A server that knows none of these protocols may refuse (RFC 7301, 3.2).
    options.alpn.clear();
    stream = co_await open(options, "a whole handshake without ALPN");
  }
  if (!stream) {
    failed_ = stream.error();
    failure_ = failed_->what;
    co_return;
  }
  const auto within = 2 * asker_.moment();
  const auto given = co_await (*stream)->resumption(within);
  take_first(**stream, given);
  co_await close(**stream);
}

void Finished::take_failure(const Error& error) {
  auto& client = picture_.client_certificate;
  if (client.asked && wants_certificate(error)) {
    client.required = true;
    client.why = "the handshake without one failed: " + error.what;
  } else if (!client.required) {
    client.why = "no handshake finished: " + error.what;
  }
}

void Finished::take_first(TlsStream& stream, const Result<TlsResumption>& given) {
  session_ = stream.session();
  auto& client = picture_.client_certificate;
  client.asked = client.asked || session_->certificate_asked;
  client.authorities = session_->authorities;
  if (given) {
    given_.push_back(*given);
  }
  const bool after = session_->version == kTls13Name;
  if (!client.asked) {
    client.required = false;
    client.why = "none was asked for";
  } else if (after && !given && wants_certificate(given.error())) {
    client.required = true;
    client.why = "after the handshake: " + given.error().what;
  } else if (!after || given) {
    client.required = false;
    client.why = after ? "the server gave a ticket without one" : "the handshake finished without one";
  } else {
    client.why = "neither a refusal nor a ticket came after the handshake: " + given.error().what;
  }
}

void Finished::plan(sessions::Jobs& jobs) {
  const auto takes = [&](std::uint16_t version) {
    const auto found = survey_.versions().find(version);
    return found != survey_.versions().end() && !found->second.suites.empty();
  };
  if (failed_) {
    take_failure(*failed_);  // the flights have shown by now whether a certificate is asked for
  }
  if (by_datagrams() && !session_) {
    for (const auto* name : {"resumes_by_ticket", "resumes_by_session_id", "renegotiates_for_client"}) {
      look(name, std::nullopt, "no handshake finished: " + failure_);
    }
    if (picture_.client_certificate.why.empty()) {
      picture_.client_certificate.why = "no handshake finished: " + failure_;
    }
    return;
  }
  const auto& family = survey_.family();
  if (family.newest == wire::kTls13 && takes(wire::kTls13)) {  // DTLS 1.3 is not in the library
    jobs.add([this] { return resume_new(); });
  }
  if (std::any_of(family.old.begin(), family.old.end(), takes)) {
    jobs.add([this] { return resume_old(true); });
    jobs.add([this] { return resume_old(false); });
  }
}

/// The second of two handshakes: goes on with the first, or begins anew.
asio::awaitable<void> Finished::try_again(std::string_view name, const TlsOptions& options, bool renegotiates) {
  const auto stream = co_await open(options, "a handshake that resumes the one before");
  if (!stream) {
    look(name, std::nullopt, "the second handshake did not finish: " + stream.error().what);
    co_return;
  }
  const bool resumed = (*stream)->session().resumed;
  look(name, resumed, resumed ? "the session went on" : "a whole handshake was made instead");
  if (renegotiates) {
    co_await renegotiate(**stream);
  }
  co_await close(**stream);
}

asio::awaitable<void> Finished::resume_new() {
  const auto found =
      std::find_if(given_.begin(), given_.end(), [](const TlsResumption& one) { return one.version == kTls13Name; });
  if (found == given_.end()) {
    for (const auto* name : {"resumes_by_psk", "early_data"}) {
      look(name, std::nullopt, session_ ? "no ticket came in the time" : "no handshake finished: " + failure_);
    }
    co_return;
  }
  const auto most = found->max_early_data;
  look("early_data", most > 0,
       most > 0 ? "the ticket allows " + std::to_string(most) + " bytes; none were sent" : "the ticket allows none");
  auto options = wish();
  options.resume = found->session;
  co_await try_again("resumes_by_psk", options, false);
}

asio::awaitable<void> Finished::resume_old(bool tickets) {
  const std::string_view name = tickets ? "resumes_by_ticket" : "resumes_by_session_id";
  auto options = wish();
  options.newest = survey_.family().tls12;
  options.tickets = tickets;
  if (const auto* known = of_old(tickets); known != nullptr) {  // the first session has shown it
    options.resume = known->session;
    if (tickets) {
      last_ = std::move(options);
    } else {
      co_await try_again(name, options, false);
    }
    co_return;
  }
  std::string title = tickets ? "a session with a ticket" : "a session with an id";
  const auto stream = co_await open(options, std::move(title));
  if (!stream) {
    look(name, std::nullopt, "no handshake finished: " + stream.error().what);
    if (tickets) {
      look("renegotiates_for_client", std::nullopt, "no handshake finished: " + stream.error().what);
    }
    co_return;
  }
  const auto patience = asker_.patience();
  const auto given = co_await (*stream)->resumption(patience);
  const bool wanted = given && given->ticket.empty() != tickets;
  if (given) {
    given_.push_back(*given);
  }
  if (!wanted) {
    look(name, false, tickets ? "no ticket was given" : "the session has no id");
    if (tickets) {
      co_await renegotiate(**stream);
    }
    co_await close(**stream);
    co_return;
  }
  co_await close(**stream);
  options.resume = given->session;
  if (tickets) {
    last_ = std::move(options);
    co_return;
  }
  co_await try_again(name, options, false);
}

void Finished::plan_last(sessions::Jobs& jobs) {
  if (last_) {
    jobs.add([this] { return try_again("resumes_by_ticket", *last_, true); });
  }
}

asio::awaitable<void> Finished::renegotiate(TlsStream& stream) {
  // A server that says or ends something by itself would seem to answer what is asked now; it may do so after a time of
  // its own, whatever the round trip is.
  std::array<std::byte, 1024> buffer;
  const std::span<std::byte> room{buffer};
  const auto before = co_await stream.read_some(room, kGoodbye);
  if (!before && before.error().kind != ErrorKind::timed_out) {
    look("renegotiates_for_client", std::nullopt, "the session ended before it was asked: " + before.error().what);
    co_return;
  }
  transcript_.note("a new handshake within the session");
  const auto patience = asker_.patience();
  const auto agreed = co_await stream.renegotiate(patience);
  if (agreed) {
    const bool secure = stream.session().secure_renegotiation;
    look("renegotiates_for_client", true,
         secure ? "a second handshake finished, bound to the first (RFC 5746)"
                : "a second handshake finished that nothing binds to the first");
  } else if (agreed.error().kind == ErrorKind::closed || agreed.error().kind == ErrorKind::reset ||
             names_alert(agreed.error())) {
    look("renegotiates_for_client", false, agreed.error().what);
  } else {
    look("renegotiates_for_client", std::nullopt, agreed.error().what);
  }
  const auto& found = picture_.behaviour.at("renegotiates_for_client");
  transcript_.note(wire::printable(found.why, 256));
}

}  // namespace assay::probes::tls

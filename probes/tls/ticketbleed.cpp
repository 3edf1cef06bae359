#include "probes/tls/ticketbleed.hpp"

#include <algorithm>

#include "probes/sessions/channel.hpp"

namespace assay::probes::tls {

namespace {

constexpr std::uint16_t kWithOldHandshake[] = {wire::kTls12, wire::kTls11, wire::kTls10};
constexpr std::size_t kShortId = 16;  // of the 32 bytes that a session id may have

}  // namespace

/// A hello of the newest version below TLS 1.3.
std::optional<HelloWish> Ticketbleed::old_wish() const {
  for (const auto version : kWithOldHandshake) {
    const auto found = survey_.versions().find(version);
    if (found != survey_.versions().end() && !found->second.suites.empty()) {
      HelloWish wish;
      wish.version = version;
      wish.server_name = server_name_;
      wish.suites = found->second.suites;
      return wish;
    }
  }
  return std::nullopt;
}

/// Every suite of the versions that have such tickets was chosen or refused.
bool Ticketbleed::old_settled() const {
  return std::all_of(std::begin(kWithOldHandshake), std::end(kWithOldHandshake), [&](std::uint16_t version) {
    const auto found = survey_.versions().find(version);
    return found != survey_.versions().end() && found->second.settled;
  });
}

void Ticketbleed::decide(WeaknessState state, std::string why) {
  results_.front().state = state;
  results_.front().why = std::move(why);
}

void Ticketbleed::without(const TlsResumption* ticket, bool any) {
  if (!any) {
    decide(old_settled() ? WeaknessState::not_shown : WeaknessState::unknown,
           "no version from TLS 1.0 to TLS 1.2 was seen to be taken");
    return;
  }
  const auto look = picture_.behaviour.find("resumes_by_ticket");
  const bool none = ticket == nullptr && old_settled() && look != picture_.behaviour.end() && look->second.yes;
  decide(none ? WeaknessState::not_shown : WeaknessState::unknown,
         none ? "no ticket is given" : "no session was finished that gave a ticket");
}

asio::awaitable<void> Ticketbleed::ask(Exchange line, const TlsResumption* ticket) {
  const auto wish = old_wish();
  if (ticket == nullptr || !wish || wire::tls_version_name(wish->version) != ticket->version) {
    without(ticket, wish.has_value());
    co_return;
  }
  auto hello = make_hello(*wish);
  hello.session_id = sessions::random_bytes(kShortId);
  hello.extensions.push_back({wire::extension::kSessionTicket, ticket->ticket});
  if (ticket->extended_master_secret) {
    hello.extensions.push_back({wire::extension::kExtendedMasterSecret, {}});
  }
  line.keep_sizes_only();
  const bool begun = co_await line.begin("a ticket beside a session id of 16 bytes", hello);
  over_ = line.over();
  if (!begun) {
    decide(WeaknessState::unknown, line.why());
    co_return;
  }
  const auto& echo = line.flight().hello()->session_id;
  const auto size = std::to_string(echo.size());
  if (echo == hello.session_id) {
    decide(WeaknessState::not_shown, "the session id came back as it was sent");
  } else if (echo.starts_with(hello.session_id)) {
    decide(WeaknessState::shown, "a session id of 16 bytes came back as " + size + " (not kept)");
  } else {
    decide(WeaknessState::unknown, "the ticket was not taken: a new session id of " + size + " bytes");
  }
}

}  // namespace assay::probes::tls

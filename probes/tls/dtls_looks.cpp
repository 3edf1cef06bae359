#include "probes/tls/dtls_looks.hpp"

#include <algorithm>

namespace assay::probes::tls {

namespace {

constexpr int kMostTrials = 3;
constexpr milliseconds kRepeats{3500};  // a server that goes by RFC 6347, 4.2.4.1 repeats after 1 s and 3 s
constexpr std::size_t kShortSuites = 3;

/// Groups and schemes that every server with a certificate knows some of; a forger's hello is no longer.
constexpr std::uint16_t kFewGroups[] = {29, 23, 24};
constexpr std::uint16_t kFewSchemes[] = {0x0403, 0x0401, 0x0804, 0x0503, 0x0501};

}  // namespace

void DtlsLooks::look(std::string_view name, std::optional<bool> yes, std::string why) {
  picture_.behaviour.insert_or_assign(std::string{name}, Look{yes, std::move(why)});
}

/// As few bytes as make the server send as much as it can: suites with a certificate first.
HelloWish DtlsLooks::short_wish() const {
  auto wish = looks_.known_wish();
  std::stable_partition(wish.suites.begin(), wish.suites.end(), [](std::uint16_t suite) {
    const auto parts = wire::suite_parts(suite);
    return (parts.ecdsa || parts.rsa_signed) && !parts.psk;
  });
  wish.suites.resize(std::min(wish.suites.size(), kShortSuites));
  wish.groups.assign(std::begin(kFewGroups), std::end(kFewGroups));
  wish.signatures.assign(std::begin(kFewSchemes), std::end(kFewSchemes));
  return wish;
}

asio::awaitable<void> DtlsLooks::weigh() {
  const auto hello = make_hello(short_wish());
  for (int trial = 0; trial < kMostTrials && !over_; ++trial) {
    const auto weighed = co_await asker_.weigh(hello, kRepeats);
    end_if(weighed.ends);
    if (weighed.answered) {
      picture_.first_answer =
          FirstAnswer{weighed.asked_bytes, weighed.bytes, weighed.datagrams, weighed.later_bytes, weighed.cookie_asked};
      co_return;
    }
  }
}

/// Does a cookie that was given for one hello serve another one: other random, other suites?
asio::awaitable<void> DtlsLooks::change_cookie(std::string_view name, bool other_port) {
  if (asker_.habits().verified == 0) {
    look(name, std::nullopt, "no cookie is asked for");
    co_return;
  }
  const auto wish = looks_.known_wish();
  auto changed = wish;
  if (!other_port && changed.suites.size() > 1) {
    changed.suites.pop_back();
  }
  const auto first = make_hello(wish);
  auto second = make_hello(changed);
  if (other_port) {
    second.random = first.random;
  }
  CookieTrial trial;
  for (int round = 0; round < kMostTrials && !trial.taken && !over_; ++round) {
    trial = co_await asker_.try_cookie(first, second, other_port);
    end_if(trial.ends);
  }
  look(name, trial.taken, trial.why);
}

/// RFC 9146: an empty connection id of ours says that we take those of the server in our records.
asio::awaitable<void> DtlsLooks::offer_connection_id() {
  auto hello = make_hello(looks_.known_wish());
  hello.extensions.push_back({wire::extension::kConnectionId, std::string(1, '\0')});
  std::string title = "connection id";
  Enough enough = &at_hello;
  const auto reply = co_await asker_.ask(std::move(title), hello, std::move(enough));
  end_if(reply.ends);
  if (!reply.hello() || !reply.flight.hello()) {
    look("connection_id", std::nullopt, reply.why);
    co_return;
  }
  const bool there = reply.flight.hello()->extensions.contains(wire::extension::kConnectionId);
  look("connection_id", there,
       there ? "the extension is in the ServerHello" : "the extension was offered and not answered");
}

asio::awaitable<void> DtlsLooks::offer_fragments() {
  const auto hello = make_hello(looks_.known_wish());
  std::string title = "a hello in two fragments";
  const auto reply = co_await asker_.ask_in_fragments(std::move(title), hello);
  end_if(reply.ends);
  const bool told = reply.hello() || reply.answer == Answer::refused || reply.answer == Answer::cut;
  look("tolerates_fragmented_hello", told ? std::optional{reply.hello()} : std::nullopt,
       reply.hello() ? "a hello in two fragments was put together" : reply.why);
}

/// The hint travels in clear in the ServerKeyExchange of PSK suites (RFC 4279, 2), which other questions do not wait
/// for.
asio::awaitable<void> DtlsLooks::see_psk_hint() {
  for (const auto version : survey_.family().old) {
    HelloWish wish;
    wish.version = version;
    for (const auto suite : survey_.facts(version).suites) {
      if (wire::suite_parts(suite).psk) {
        wish.suites.push_back(suite);
      }
    }
    if (wish.suites.empty()) {
      continue;
    }
    const auto hello = make_hello(wish);
    std::string title = "PSK identity hint";
    Enough enough = &at_end;
    const auto reply = co_await asker_.ask(std::move(title), hello, std::move(enough));
    end_if(reply.ends);
    if (!reply.flight.done()) {
      look("psk_identity_hint", std::nullopt, reply.hello() ? "the flight did not come to its end" : reply.why);
      co_return;
    }
    const auto& exchange = reply.flight.key_exchange();
    const bool there = exchange && !exchange->psk_hint.empty();
    look("psk_identity_hint", there, there ? "a hint is sent in clear" : "no hint is sent");
    co_return;
  }
  look("psk_identity_hint", std::nullopt, "no suite with PSK is taken");
}

void DtlsLooks::plan(sessions::Jobs& jobs) {
  if (looks_.known_wish().suites.empty()) {
    return;
  }
  jobs.add([this] { return weigh(); });
  jobs.add([this] { return change_cookie("cookie_serves_changed_hello", false); });
  jobs.add([this] { return change_cookie("cookie_serves_other_port", true); });
  jobs.add([this] { return offer_connection_id(); });
  jobs.add([this] { return offer_fragments(); });
  jobs.add([this] { return see_psk_hint(); });
}

}  // namespace assay::probes::tls

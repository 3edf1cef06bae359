#include "probes/update/servers/dtls_listener.hpp"

#include <algorithm>

#include "probes/wire/bytes.hpp"
#include "probes/wire/dtls_datagrams.hpp"

namespace assay::probes::update {

namespace {

constexpr std::size_t kMostPeers = 32;  // ports of the device; the next one ends all before it
constexpr std::size_t kMostClear = 64;  // ports that spoke in clear; the next one makes those before it forgotten
constexpr std::size_t kMostReady = 64;  // what comes beyond is lost, as datagrams may be

}  // namespace

void DtlsListener::agree(DtlsTerms terms) {
  auto visit = std::move(seen_.visit);
  seen_ = {};
  if (terms.proof == terms_.proof) {
    terms_.plain = terms.plain;
    if (!terms.plain) {
      clear_.clear();
    }
    const bool lives = std::any_of(peers_.begin(), peers_.end(), [](const auto& one) {
      return one.second.session->visit().finished && !one.second.session->ended();
    });
    seen_.visit = lives ? std::move(visit) : TlsVisit{};
    return;
  }
  for (auto& [port, peer] : peers_) {
    if (!peer.session->visit().finished && !peer.session->ended()) {
      const auto alert = dtls_refusal();  // or it would go on trying while something else is on offer
      std::ignore = under_->answer(port, wire::bytes_of(alert));
    }
    peer.session->end();
    flush(port, peer);
  }
  peers_.clear();
  clear_.clear();
  ready_.clear();
  terms_ = std::move(terms);
}

std::string DtlsListener::over(std::uint16_t port) const {
  const auto found = peers_.find(port);
  const bool inside = found != peers_.end() && !clear_.contains(port) && found->second.session->visit().finished;
  return inside ? found->second.session->visit().version : "coap";
}

asio::awaitable<Result<Datagrams::Received>> DtlsListener::receive(milliseconds within) {
  const auto until = clock_.elapsed() + within;
  while (true) {
    if (!ready_.empty()) {
      auto next = std::move(ready_.front());
      ready_.pop_front();
      co_return next;
    }
    const auto left = until - clock_.elapsed();
    if (left <= milliseconds{0}) {
      co_return Error{ErrorKind::timed_out, "nothing came inside DTLS", {}};
    }
    const auto lost = until_resend();
    const auto patience = lost ? std::min(left, *lost) : left;
    const auto received = co_await under_->receive(patience);
    if (received) {
      take(*received);
    } else if (lost && received.error().kind == ErrorKind::timed_out) {
      resend();
    } else {
      co_return received.error();
    }
  }
}

/// A message of CoAP begins with its version, 1, in two bits; no record of DTLS does (RFC 7252, 3; RFC 7983).
bool DtlsListener::passes(std::string_view datagram) const {
  constexpr unsigned kVersion = 1;
  return terms_.plain && !datagram.empty() && static_cast<unsigned char>(datagram[0]) >> 6U == kVersion;
}

void DtlsListener::take(const Datagrams::Received& datagram) {
  const auto bytes = wire::text_of(datagram.payload);
  const auto port = datagram.from_port;
  if (passes(bytes)) {
    if (clear_.size() >= kMostClear) {
      clear_.clear();
    }
    clear_.insert(port);
    if (ready_.size() < kMostReady) {
      ready_.push_back(datagram);
    }
    return;
  }
  auto found = peers_.find(port);
  if (auto random = wire::dtls_hello_random(bytes);
      random && (found == peers_.end() || found->second.random != *random)) {
    begin(port, std::move(*random));  // RFC 6347, 4.2.8: a device that started anew may come from the same port
    found = peers_.find(port);
  }
  if (found == peers_.end()) {
    return;
  }
  clear_.erase(port);
  for (auto& inside : found->second.session->take(bytes)) {
    const auto span = wire::bytes_of(inside);
    found->second.asked = true;
    if (ready_.size() < kMostReady) {
      ready_.push_back({Bytes{span.begin(), span.end()}, port});
    }
  }
  look_at(port, found->second);
  flush(port, found->second);
}

void DtlsListener::begin(std::uint16_t port, std::string random) {
  ++seen_.sessions;
  seen_.last = clock_.elapsed();
  seen_.first = seen_.first ? seen_.first : std::optional{seen_.last};
  if (peers_.size() >= kMostPeers) {
    peers_.clear();
  }
  if (!terms_.proof) {
    note_("a DTLS hello from udp/" + std::to_string(port) + ", which is refused");
    seen_.refusal = "there was no DTLS to be had";
    const auto alert = dtls_refusal();
    std::ignore = under_->answer(port, wire::bytes_of(alert));
    return;
  }
  auto made = DtlsSession::make(*terms_.proof);
  if (!made) {
    note_(made.error().what);
    return;
  }
  peers_[port] = Peer{std::move(random), std::move(*made), false, false};
}

/// Says once that it is finished, or that it ended before anything was asked.
void DtlsListener::look_at(std::uint16_t port, Peer& peer) {
  const auto& session = *peer.session;
  const auto& visit = session.visit();
  const auto who = " for \"" + wire::printable(visit.server_name, 100) + "\" from udp/" + std::to_string(port) +
                   (session.identity().empty() ? "" : ", key \"" + wire::printable(session.identity(), 100) + "\"");
  seen_.last = clock_.elapsed();
  if (visit.finished && !peer.told) {
    peer.told = true;
    ++seen_.handshakes;
    seen_.visit = visit;
    note_(visit.version + who + ", " + visit.cipher);
  }
  if (session.ended() && !peer.asked) {
    peer.told = peer.asked = true;
    seen_.refusal = wire::printable(session.reason(), 200);
    note_("DTLS" + who + ": " + seen_.refusal);
  }
}

void DtlsListener::flush(std::uint16_t port, Peer& peer) {
  for (const auto& datagram : peer.session->written()) {
    std::ignore = under_->answer(port, wire::bytes_of(datagram));
  }
}

std::optional<milliseconds> DtlsListener::until_resend() {
  std::optional<milliseconds> out;
  for (auto& [port, peer] : peers_) {
    const auto one = peer.session->until_resend();
    out = one && (!out || *one < *out) ? one : out;
  }
  return out;
}

void DtlsListener::resend() {
  for (auto& [port, peer] : peers_) {
    peer.session->resend();
    flush(port, peer);
  }
}

/// The session that a port is to be spoken with in, as it spoke last itself; null: in clear, or not at all.
DtlsListener::Peer* DtlsListener::peer_of(std::uint16_t port) {
  const auto found = peers_.find(port);
  return found == peers_.end() || clear_.contains(port) ? nullptr : &found->second;
}

asio::awaitable<Result<>> DtlsListener::send(std::uint16_t to_port, std::span<const std::byte> payload) {
  auto* peer = peer_of(to_port);
  if (peer == nullptr) {
    Result<> out;
    if (terms_.plain) {
      out = co_await under_->send(to_port, payload);
    }
    co_return out;
  }
  peer->session->write(wire::text_of(payload));
  const auto datagrams = peer->session->written();
  for (const auto& datagram : datagrams) {
    const auto span = wire::bytes_of(datagram);
    const auto sent = co_await under_->send(to_port, span);
    if (!sent) {
      co_return sent;
    }
  }
  co_return Result<>{};
}

Result<> DtlsListener::answer(std::uint16_t to_port, std::span<const std::byte> payload) {
  auto* peer = peer_of(to_port);
  if (peer == nullptr) {
    return terms_.plain ? under_->answer(to_port, payload) : Result<>{};
  }
  peer->session->write(wire::text_of(payload));
  flush(to_port, *peer);
  return {};
}

}  // namespace assay::probes::update

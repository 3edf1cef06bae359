#include "probes/services/ladder.hpp"

#include <algorithm>

#include "probes/wire/bytes.hpp"
#include "probes/wire/tls_hello.hpp"

namespace assay::probes::services {

namespace {

constexpr int kConnections = 20;
constexpr int kConnectionsInsideTls = 16;
constexpr std::size_t kMaximumParked = 4;   // small stacks have room for a handful of connections
constexpr milliseconds kFirstAnswer{400};   // for the protocol that the port suggests, while others are tried
constexpr milliseconds kOtherAnswer{200};   // for the rest
constexpr milliseconds kLonelyFirst{2000};  // the same where only one connection may be open
constexpr milliseconds kLonelyOther{1000};
constexpr milliseconds kLateBanner{4500};  // telnet and SSH servers that first ask for the peer's name
constexpr milliseconds kGlance{1};
constexpr milliseconds kUsualPortBanner{40};  // where the port says that the client speaks first
constexpr int kRoundTrips = 4;

bool one_of(std::uint16_t port, std::initializer_list<std::uint16_t> ports) {
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}

/// Printers put on paper whatever comes to these ports, so nothing is said there.
bool prints_what_comes(std::uint16_t port) {
  return port == 515 || (port >= 9100 && port <= 9107);
}

bool usual(const Exchange& exchange, std::uint16_t port) {
  return std::find(exchange.ports.begin(), exchange.ports.end(), port) != exchange.ports.end();
}

}  // namespace

Ladder::Ladder(Network& network, Transcript& transcript, Place place, Sighting& sighting)
    : network_(network), transcript_(transcript), place_(std::move(place)), sighting_(sighting) {}

std::string_view Ladder::Offer::name() const {
  switch (step) {
    case Step::http:
      return "http";
    case Step::tls:
      return "tls";
    case Step::mqtt:
      return "mqtt";
    case Step::rtsp:
      return "rtsp";
    case Step::coap:
      return "coap";
    case Step::exchange:
      return exchange->name;
    case Step::listen:
      break;
  }
  return "listen";
}

std::vector<Ladder::Offer> Ladder::likely_offers() const {
  const auto port = place_.endpoint.port;
  std::vector<Offer> out;
  if (!place_.tls &&
      one_of(port, {443, 465, 636, 802, 853, 990, 993, 995, 4433, 5061, 5223, 5671, 5684, 8443, 8883, 9443})) {
    out.push_back({Step::tls});
  }
  if (one_of(port, {1883, 8883}) || (sighting_.session && sighting_.session->alpn == "mqtt")) {
    out.push_back({Step::mqtt});
  }
  if (one_of(port, {322, 554, 8554})) {
    out.push_back({Step::rtsp});
  }
  if (one_of(port, {5683, 5684})) {
    out.push_back({Step::coap});
  }
  for (const auto* exchange : exchanges()) {
    if (!exchange->server_first && usual(*exchange, port)) {
      out.push_back({Step::exchange, exchange});
    }
  }
  return out;
}

/// Where the port tells nothing: text that any server can refuse, then TLS, then binary protocols.
std::vector<Ladder::Offer> Ladder::order() const {
  if (prints_what_comes(place_.endpoint.port)) {
    return {};
  }
  auto out = likely_offers();
  for (const auto step : {Step::http, Step::tls, Step::mqtt, Step::rtsp, Step::coap}) {
    if (step != Step::tls || !place_.tls) {
      out.push_back({step});
    }
  }
  for (const auto* exchange : exchanges()) {
    if (!exchange->server_first) {
      out.push_back({Step::exchange, exchange});
    }
  }
  return out;
}

std::string Ladder::opening(const Offer& offer) const {
  switch (offer.step) {
    case Step::http:
      return http_get(place_, "/");
    case Step::tls:
      return wire::tls_client_hello({sessions::random_bytes(32), sessions::random_bytes(32), {}});
    case Step::mqtt:
      return mqtt_hello(4);
    case Step::rtsp:
      return rtsp_options(place_);
    case Step::coap:
      return coap_tcp_hello();
    case Step::exchange:
      return offer.exchange->opening(place_, nonce_);
    case Step::listen:
      break;
  }
  return {};
}

/// How long one offer is waited for before the next is made beside it, or instead of it.
milliseconds Ladder::patience(bool first) const {
  const bool room = network_.spare_connections() > 0;
  const auto least = room ? (first ? kFirstAnswer : kOtherAnswer) : (first ? kLonelyFirst : kLonelyOther);
  const auto trips = kRoundTrips * network_.round_trip(milliseconds{0});
  return std::min(place_.timers.reply, std::max(least, trips));
}

asio::awaitable<Result<>> Ladder::open() {
  ++connections_;
  fresh_ = true;
  nonce_ = sessions::random_bytes(8);
  if (!place_.tls) {
    auto opened = co_await sessions::open_channel(network_, place_.endpoint, transcript_);
    if (!opened) {
      co_return opened.error();
    }
    channel_ = std::move(*opened);
    co_return Result<>{};
  }
  TlsOptions options;
  options.alpn = {"http/1.1", "mqtt"};
  TlsSession session;
  auto opened = co_await sessions::open_tls_channel(network_, place_.endpoint, options, transcript_, session);
  if (!opened && opened.error().kind == ErrorKind::protocol) {
    // A server may refuse offers of application protocols that it does not know.
    options.alpn.clear();
    opened = co_await sessions::open_tls_channel(network_, place_.endpoint, options, transcript_, session);
  }
  if (!opened) {
    co_return opened.error();
  }
  channel_ = std::move(*opened);
  sighting_.session = std::move(session);
  co_return Result<>{};
}

asio::awaitable<Result<>> Ladder::climb() {
  limit_ = kConnections;
  auto climbed = co_await climb_here();
  if (!climbed) {
    co_return climbed;
  }
  if (sighting_.tls && !place_.tls) {
    climbed = co_await climb_inside_tls();
    if (!climbed && !sessions::ends_probe(climbed.error().kind)) {
      sighting_.tls_failure = wire::printable(climbed.error().what, 256);
      co_return Result<>{};
    }
  }
  co_return climbed;
}

asio::awaitable<Result<>> Ladder::climb_inside_tls() {
  parked_.clear();
  channel_.reset();
  sighting_.banner.clear();
  place_.tls = true;
  limit_ = connections_ + kConnectionsInsideTls;
  waited_ = milliseconds{0};
  listened_again_ = false;
  tried_.clear();
  auto climbed = co_await climb_here();
  co_return climbed;
}

asio::awaitable<Result<>> Ladder::climb_here() {
  auto opened = co_await open();
  if (!opened) {
    co_return opened;
  }
  place_.timers = sessions::timers_for(network_);  // the connection measured a round trip
  auto heard = co_await listen();
  if (!heard) {
    co_return heard;
  }
  const auto offers = order();
  for (const auto& what : offers) {
    if (settled()) {
      break;
    }
    if (tried_.contains(what.name()) || connections_ > limit_) {
      continue;
    }
    auto looked = co_await glance(kGlance);
    if (!looked) {
      co_return looked;
    }
    if (settled()) {
      break;
    }
    auto offered = co_await offer(what);
    if (!offered) {
      co_return offered;
    }
  }
  auto looked = co_await look_back();
  if (looked && sighting_.upgrade && !place_.tls) {
    looked = co_await upgrade();
  }
  co_return looked;
}

asio::awaitable<Result<std::string>> Ladder::hear(sessions::Channel& channel, milliseconds first) {
  const auto before = channel.spent();
  auto heard = co_await channel.receive_speech(first, place_.timers.quiet);
  waited_ += channel.spent() - before;
  co_return heard;
}

asio::awaitable<Result<>> Ladder::listen() {
  const bool speaks_http = place_.tls && sighting_.session && sighting_.session->alpn == "http/1.1";
  if (speaks_http) {
    co_return Result<>{};  // the client speaks first: that is agreed in the handshake
  }
  const auto port = place_.endpoint.port;
  const bool client_first = one_of(port, {80, 8080, 8000, 8888}) || !likely_offers().empty();
  const auto trips = kRoundTrips * network_.round_trip(milliseconds{0});
  const auto within = client_first ? std::max(trips, kUsualPortBanner) : place_.timers.banner;
  auto taken = co_await take_greeting(within);
  co_return taken;
}

asio::awaitable<Result<>> Ladder::take_greeting(milliseconds within) {
  auto heard = co_await hear(*channel_, within);
  if (!heard) {
    co_return sessions::ends_probe(heard.error().kind) ? Result<>{heard.error()} : Result<>{};
  }
  sighting_.greeted = true;
  const Offer nothing;
  auto considered = co_await consider(nothing, std::move(*heard));
  if (!sighting_.identified()) {
    sighting_.greeted = false;
  }
  co_return considered;
}

/// A greeting came after we had spoken, so what follows it would answer words that were not meant for it: a new
/// connection, on which the device speaks first.
asio::awaitable<Result<>> Ladder::listen_again() {
  if (listened_again_ || connections_ > limit_) {
    co_return Result<>{};
  }
  listened_again_ = true;
  channel_.reset();
  if (network_.spare_connections() == 0) {
    parked_.clear();
  }
  auto opened = co_await open();
  if (!opened) {
    co_return sessions::ends_probe(opened.error().kind) ? opened : Result<>{};
  }
  auto taken = co_await take_greeting(place_.timers.reply);
  co_return taken;
}

/// Makes the latest connection one that nothing was said on.
asio::awaitable<Result<>> Ladder::ready() {
  if (channel_ && fresh_ && !channel_->ended() && sighting_.banner.empty()) {
    co_return Result<>{};
  }
  channel_.reset();
  if (network_.spare_connections() == 0) {
    parked_.clear();
  }
  auto opened = co_await open();
  if (!opened && !parked_.empty() && !sessions::ends_probe(opened.error().kind)) {
    parked_.clear();  // the device may be short of connections
    opened = co_await open();
  }
  co_return opened;
}

void Ladder::park(Offer what) {
  if (!channel_ || channel_->ended() || network_.spare_connections() == 0) {
    channel_.reset();
    return;
  }
  if (parked_.size() >= kMaximumParked) {
    parked_.erase(parked_.begin() + 1);  // the first one stays for a late banner
  }
  parked_.push_back({std::move(channel_), what, nonce_, parked_.empty() && tried_.size() == 1});
}

asio::awaitable<Result<>> Ladder::offer(Offer what) {
  auto opened = co_await ready();
  if (!opened) {
    // The endpoint was open before: a refusal now is a limit of the device, and the next step may get through.
    co_return sessions::ends_probe(opened.error().kind) ? opened : Result<>{};
  }
  const bool first = tried_.empty();
  tried_.emplace(what.name());
  offered_.emplace_back(what.name());
  fresh_ = false;
  said_ = opening(what);
  auto sent = co_await channel_->send(said_);
  if (!sent && sessions::ends_probe(sent.error().kind)) {
    co_return sent;
  }
  const auto within = patience(first);
  auto heard = co_await hear(*channel_, within);
  if (!heard) {
    const auto kind = heard.error().kind;
    park(what);
    co_return sessions::ends_probe(kind) ? Result<>{heard.error()} : Result<>{};
  }
  auto considered = co_await consider(what, std::move(*heard));
  co_return considered;
}

/// Looks once at every parked connection; the first that has something is followed.
asio::awaitable<Result<>> Ladder::glance(milliseconds within) {
  for (std::size_t i = 0; i < parked_.size();) {
    auto heard = co_await hear(*parked_[i].channel, within);
    if (!heard) {
      if (sessions::ends_probe(heard.error().kind)) {
        co_return heard.error();
      }
      parked_[i].channel->ended() ? static_cast<void>(parked_.erase(parked_.begin() + static_cast<std::ptrdiff_t>(i)))
                                  : static_cast<void>(++i);
      continue;
    }
    auto late = std::move(parked_[i]);
    parked_.erase(parked_.begin() + static_cast<std::ptrdiff_t>(i));
    channel_ = std::move(late.channel);
    nonce_ = std::move(late.nonce);
    fresh_ = false;
    auto considered = co_await consider(late.offer, std::move(*heard));
    if (!considered || settled()) {
      co_return considered;
    }
  }
  co_return Result<>{};
}

/// The last chance of every silent connection. Closed from the oldest on, so that a device which serves one at a time
/// comes to the others.
asio::awaitable<Result<>> Ladder::look_back() {
  while (!parked_.empty() && !settled()) {
    auto late = std::move(parked_.front());
    parked_.pop_front();
    // What came meanwhile lies in the socket already: only a device that is still silent costs this time.
    const auto left = late.first && waited_ < kLateBanner ? kLateBanner - waited_ : kOtherAnswer;
    channel_ = std::move(late.channel);
    nonce_ = std::move(late.nonce);
    fresh_ = false;
    auto heard = co_await hear(*channel_, left);
    if (!heard) {
      channel_.reset();
      if (sessions::ends_probe(heard.error().kind)) {
        co_return heard.error();
      }
      continue;
    }
    auto considered = co_await consider(late.offer, std::move(*heard));
    if (!considered) {
      co_return considered;
    }
  }
  parked_.clear();
  co_return Result<>{};
}

}  // namespace assay::probes::services

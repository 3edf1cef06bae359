#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "probes/services/exchange.hpp"
#include "probes/wire/banner.hpp"

namespace assay::probes::services {

/// Asks one TCP endpoint what it speaks: listens, then offers one protocol after the other, the harmless ones first.
/// The port number only decides the order. A connection that stays silent is kept open while the next one is tried, as
/// long as the pace has room for both, so that a slow answer costs no waiting of its own.
class Ladder {
 public:
  Ladder(Network& network, Transcript& transcript, Place place, Sighting& sighting);

  /// An error when not even the first connection came about, or when the run ends.
  asio::awaitable<Result<>> climb();

  /// What was offered, in order, for the coverage.
  const std::vector<std::string>& offered() const { return offered_; }

  int connections() const { return connections_; }

 private:
  enum class Step : std::uint8_t { listen, http, tls, mqtt, rtsp, coap, exchange };

  /// One protocol to offer.
  struct Offer {
    Step step = Step::listen;
    const Exchange* exchange = nullptr;

    std::string_view name() const;
  };

  /// A silent connection that may still answer.
  struct Parked {
    std::unique_ptr<sessions::Channel> channel;
    Offer offer;
    std::string nonce;
    bool first = false;  // of all connections
  };

  std::vector<Offer> order() const;
  std::vector<Offer> likely_offers() const;
  std::string opening(const Offer& offer) const;
  milliseconds patience(bool first) const;

  bool settled() const { return sighting_.identified() || sighting_.upgrade || (sighting_.tls && !place_.tls); }

  asio::awaitable<Result<>> climb_here();
  asio::awaitable<Result<>> climb_inside_tls();
  asio::awaitable<Result<>> listen();
  asio::awaitable<Result<>> listen_again();
  asio::awaitable<Result<>> take_greeting(milliseconds within);
  asio::awaitable<Result<>> offer(Offer what);
  asio::awaitable<Result<>> ready();
  asio::awaitable<Result<>> glance(milliseconds within);
  asio::awaitable<Result<>> look_back();
  asio::awaitable<Result<>> open();
  asio::awaitable<Result<std::string>> hear(sessions::Channel& channel, milliseconds first);
  void park(Offer what);

  asio::awaitable<Result<>> consider(Offer what, std::string bytes);
  asio::awaitable<Result<>> consider_native(Step step, wire::Speech speech, std::string bytes);
  asio::awaitable<Result<>> consider_unknown(Offer what, std::string bytes);
  asio::awaitable<Result<>> consider_http(Step step, std::string bytes);
  asio::awaitable<Result<>> converse(const Exchange& exchange, std::string heard);
  asio::awaitable<Result<>> follow_suggestion(const Exchange& exchange, std::string heard);
  asio::awaitable<Result<>> upgrade();
  asio::awaitable<Result<>> follow_redirects(wire::HttpResponse response);
  asio::awaitable<void> find_logins(wire::HttpResponse response, std::string path);
  asio::awaitable<Result<>> follow_variants();
  asio::awaitable<std::optional<wire::HttpResponse>> get(std::string path);
  asio::awaitable<std::optional<wire::HttpResponse>> request(std::string bytes);
  asio::awaitable<Result<>> retry_mqtt(std::string bytes);

  Network& network_;
  Transcript& transcript_;
  Place place_;
  Sighting& sighting_;
  std::unique_ptr<sessions::Channel> channel_;  // the latest
  std::string nonce_;                           // of the conversation on it
  std::deque<Parked> parked_;                   // the first connection in front, for a late banner
  bool fresh_ = false;                          // nothing was sent on the latest
  std::string said_;                            // on the latest
  int echoes_ = 0;
  bool listened_again_ = false;
  int connections_ = 0;
  int limit_ = 0;
  milliseconds waited_{0};  // in reads of all connections
  std::set<std::string, std::less<>> tried_;
  std::vector<std::string> offered_;
};

}  // namespace assay::probes::services

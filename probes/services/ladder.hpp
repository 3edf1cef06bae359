#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "probes/services/follow.hpp"
#include "probes/wire/banner.hpp"

namespace assay::probes::services {

/// Asks one TCP endpoint what it speaks: listens, then offers one protocol after the other, the harmless ones first.
/// The port number only decides the order. About five connections outside TLS, and four more inside it.
class Ladder {
 public:
  Ladder(Network& network, Transcript& transcript, Place place, Sighting& sighting);

  /// An error when not even the first connection came about, or when the run ends.
  asio::awaitable<Result<>> climb();

  /// What was offered, in order, for the coverage.
  const std::vector<std::string>& offered() const { return offered_; }

  int connections() const { return connections_; }

 private:
  enum class Step : std::uint8_t { listen, http, tls, mqtt, rtsp, coap };

  static std::string_view name_of_step(Step step);
  std::vector<Step> order() const;
  std::string opening(Step step) const;

  bool done() const { return sighting_.identified() || connections_ >= limit_; }

  asio::awaitable<Result<>> climb_here();
  asio::awaitable<Result<>> climb_inside_tls();
  asio::awaitable<Result<>> listen();
  asio::awaitable<Result<>> offer(Step step);
  asio::awaitable<Result<>> look_back();
  asio::awaitable<Result<>> open();
  asio::awaitable<Result<>> consider(Step step, std::string bytes);
  asio::awaitable<Result<>> consider_http(Step step, std::string bytes);
  asio::awaitable<Result<>> follow_redirects(wire::HttpResponse response);
  asio::awaitable<std::optional<wire::HttpResponse>> get(std::string path);
  asio::awaitable<Result<>> retry_mqtt(std::string bytes);

  Network& network_;
  Transcript& transcript_;
  Place place_;
  Sighting& sighting_;
  std::unique_ptr<sessions::Channel> channel_;   // the latest
  std::unique_ptr<sessions::Channel> listener_;  // the first, kept for a late banner
  bool fresh_ = false;                           // nothing was sent on the latest
  int connections_ = 0;
  int limit_ = 5;
  std::set<Step> tried_;
  std::vector<std::string> offered_;
};

}  // namespace assay::probes::services

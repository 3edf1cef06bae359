#pragma once

#include <memory>
#include <optional>
#include <string>

#include "probes/update/journal.hpp"
#include "probes/update/servers/reception.hpp"
#include "probes/update/transport.hpp"
#include "probes/wire/mqtt_packets.hpp"

/// Who tells a device of an update by MQTT.
namespace assay::probes::update {

/// A broker for one device and one topic: what is announced is retained until it is taken back. What the device
/// publishes is acknowledged and noted, and goes nowhere.
class Broker {
 public:
  struct Settings {
    std::string topic;                    // of announcements
    std::optional<TlsIdentity> identity;  // none: no TLS
    std::string version_topic;            // under which the device tells its version; empty: it does not
  };

  Broker(ProbeContext& context, Journal& journal, Settings settings);

  asio::awaitable<Result<>> open(std::uint16_t port);

  /// To whoever has subscribed, and to whoever does so later.
  void announce(std::string message);

  void take_back() { retained_.reset(); }

  asio::awaitable<void> close();

  /// When the device was first told of what is announced, by Network::elapsed.
  const std::optional<milliseconds>& told() const { return told_; }

  /// What it said last under the topic of its version, on the connection that it has; nothing: it said nothing, or is
  /// gone.
  const std::optional<std::string>& version() const { return version_; }

  /// When it was last heard there, were it a ping, by Network::elapsed; nothing: as for `version`.
  std::optional<milliseconds> heard() const { return version_ ? std::optional{heard_} : std::nullopt; }

  /// For how long who told it last may be silent and not be gone; 0: it promised nothing (MQTT 5, 3.1.2.10).
  milliseconds silence() const { return silence_; }

  /// How it named itself when it connected last, escaped; empty: it did not.
  const std::string& client() const { return client_; }

  /// "TLSv1.3" or "mqtt", of the connection that came last; empty: none did.
  const std::string& over() const { return over_; }

 private:
  struct Guest;

  asio::awaitable<void> attend(std::unique_ptr<Stream> raw);
  asio::awaitable<Result<>> serve(Guest& guest);
  asio::awaitable<Result<>> answer(Guest& guest, wire::MqttPacket packet);
  asio::awaitable<Result<>> welcome(Guest& guest, const wire::MqttPacket& packet);
  asio::awaitable<Result<>> subscribe(Guest& guest, const wire::MqttPacket& packet);
  asio::awaitable<Result<>> take(Guest& guest, const wire::MqttPacket& packet);
  asio::awaitable<Result<>> tell(Guest& guest);
  asio::awaitable<Result<>> write(Guest& guest, std::string bytes);

  ProbeContext& context_;
  Journal& journal_;
  Settings settings_;
  Reception reception_;
  std::optional<std::string> retained_;
  int announced_ = 0;  // how many announcements there were
  std::optional<milliseconds> told_;
  std::optional<std::string> version_;
  const Guest* teller_ = nullptr;  // of version_; compared, never followed
  milliseconds heard_{0};          // … when it last sent something
  milliseconds silence_{0};        // … and for how long it may send nothing
  std::string client_;
  std::string over_;
};

/// Publishes at the device's own broker, retained, and waits for its word that it has it. An empty message takes back
/// what is retained.
asio::awaitable<Result<>> publish_at(ProbeContext& context, const UpdateAnnouncement& announce, std::string message,
                                     Journal& journal);

}  // namespace assay::probes::update

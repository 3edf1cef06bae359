#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/secret.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/wire/mqtt_packets.hpp"

/// A client of MQTT 3.1.1 and 5. libmosquitto (2.0) cannot be handed a descriptor: it connects by itself, past scope,
/// pace and transcript. Packets are built and read by probes/wire.
namespace assay::sessions {

/// One connection, packet by packet. Every wait is for `patience` at most, however much drips in meanwhile, and for 64
/// packets.
class MqttLine {
 public:
  MqttLine(std::unique_ptr<Channel> channel, std::uint8_t level, milliseconds patience)
      : channel_(std::move(channel)), level_(level), patience_(patience) {}

  std::uint8_t level() const { return level_; }

  Channel& channel() { return *channel_; }

  bool ended() const { return channel_->ended(); }

  /// Passes packets over until one of this kind comes. Nothing: silence, an end, or what is no MQTT. An error only for
  /// what ends the probe.
  asio::awaitable<Result<std::optional<wire::MqttPacket>>> await_kind(wire::MqttKind kind);

  /// The first message under the filter that holds `wanted`, else the last one of them. Nothing: none came.
  asio::awaitable<Result<std::optional<wire::MqttNote>>> await_note(std::string filter, std::string wanted);

  /// Whether the broker grants it, with quality of service 0. `timed_out` when it says nothing to that.
  asio::awaitable<Result<bool>> subscribe(std::string topic);

 private:
  asio::awaitable<Result<std::optional<wire::MqttPacket>>> next(milliseconds until);  // by the channel's `spent`

  std::unique_ptr<Channel> channel_;
  std::uint8_t level_;
  milliseconds patience_;
  std::string pending_;                  // read, and not yet a packet
  std::vector<wire::MqttPacket> early_;  // that came while another kind was awaited
};

/// As whom one connects.
struct MqttLogin {
  std::string username;
  Secret password;
};

/// Where, and as whom; without a login as nobody.
struct MqttDoor {
  Endpoint endpoint;
  bool tls = false;
  std::optional<MqttLogin> login;
  milliseconds patience{1500};
  /// Draws the permit for the login, once there is a connection to make it on; none: it was drawn before.
  std::function<asio::awaitable<Result<>>()> permit{};
  /// Makes the connection in the place of the endpoint's TLS, or none: whoever connects was not let in by that already.
  std::function<asio::awaitable<ChannelResult>()> open{};
};

/// What the broker said to CONNECT.
struct MqttEntry {
  std::unique_ptr<MqttLine> line;  // null: it did not take us
  std::uint8_t code = 0;           // of its CONNACK
  bool kept_out = false;           // there was no connection to say CONNECT on (`MqttDoor::open`)

  /// Not this name and password, not this client.
  bool not_let_in() const;
};

/// Connects by MQTT 3.1.1, or by 5 where the broker knows that alone. What is no answer is an error: `timed_out` or
/// `protocol`. The password stands in the transcript by its name.
asio::awaitable<Result<MqttEntry>> enter_mqtt(Network& network, MqttDoor door, Transcript& transcript);

}  // namespace assay::sessions

#include "probes/sessions/channel.hpp"
#include "probes/update/servers/broker.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/mqtt.hpp"

/// An announcement at the device's own broker.
namespace assay::probes::update {

namespace {

constexpr std::uint8_t kLevel311 = 4;
constexpr std::uint8_t kLevels[] = {kLevel311, 5};
constexpr std::uint8_t kAtLeastOnce = 1;
constexpr std::uint8_t kRefuses = 0x80;

/// The next packet of a kind; others are passed over.
asio::awaitable<Result<wire::MqttPacket>> hear(sessions::Channel& channel, wire::MqttKind kind, milliseconds within) {
  constexpr int kMostReads = 16;
  std::string heard;
  for (int reads = 0; reads < kMostReads;) {
    auto parse = wire::parse_mqtt_packet(heard);
    if (parse.state == wire::Parse::malformed) {
      co_return Error{ErrorKind::protocol, "the broker's answer is no MQTT: " + wire::printable(heard, 100), {}};
    }
    if (parse.state == wire::Parse::complete) {
      if (parse.packet.kind == kind) {
        co_return std::move(parse.packet);
      }
      heard.erase(0, parse.used);
      continue;
    }
    ++reads;
    const auto more = co_await channel.receive(within);
    if (!more) {
      co_return more.error();
    }
    heard += *more;
  }
  co_return Error{ErrorKind::protocol, "the broker says much and not what was asked for", {}};
}

/// The CONNACK of a client that names itself as the DUT file says.
asio::awaitable<Result<wire::MqttConnack>> introduce(ProbeContext& context, const UpdateAnnouncement& announce,
                                                     sessions::Channel& channel, std::uint8_t level,
                                                     milliseconds within) {
  wire::MqttConnect connect;
  connect.client_id = "assay" + sessions::random_word(12);
  connect.level = level;
  for (const auto& account : context.dut.accounts) {
    if (!announce.login.empty() && account.role == announce.login) {
      context.record.conceal(account.secret);
      connect.username = account.username;
      connect.password = account.secret.reveal();
      break;
    }
  }
  auto bytes = wire::mqtt_connect(connect);
  auto shown = "CONNECT of level " + std::to_string(level);
  const auto sent = co_await channel.send_concealed(std::move(bytes), std::move(shown));
  if (!sent) {
    co_return sent.error();
  }
  const auto packet = co_await hear(channel, wire::MqttKind::connack, within);
  if (!packet) {
    co_return packet.error();
  }
  const auto whole = wire::encode_mqtt_packet(*packet);
  const auto parse = wire::parse_connack(whole);
  if (parse.state != wire::Parse::complete) {
    co_return Error{ErrorKind::protocol, "the broker's CONNACK is malformed", {}};
  }
  co_return parse.connack;
}

asio::awaitable<Result<>> publish(sessions::Channel& channel, std::uint8_t level, const wire::MqttNote& note,
                                  milliseconds within) {
  auto bytes = wire::mqtt_publish(level, note);
  const auto sent = co_await channel.send(std::move(bytes));
  if (!sent) {
    co_return sent;
  }
  const auto packet = co_await hear(channel, wire::MqttKind::puback, within);
  if (!packet) {
    co_return packet.error();
  }
  const auto code = packet->body.size() > 2 ? static_cast<std::uint8_t>(packet->body[2]) : std::uint8_t{0};
  auto goodbye = wire::mqtt_disconnect();
  co_await channel.say_goodbye(std::move(goodbye));
  co_return code < kRefuses ? Result<>{}
                            : Result<>{Error{ErrorKind::refused, "the broker refused the announcement", {}}};
}

}  // namespace

asio::awaitable<Result<>> publish_at(ProbeContext& context, const UpdateAnnouncement& announce, std::string message,
                                     Journal& journal) {
  const auto within = context.network.reply_timeout();
  wire::MqttNote note;
  note.topic = announce.topic;
  note.payload = std::move(message);
  note.quality = kAtLeastOnce;
  note.retain = true;
  note.id = 1;
  for (const auto level : kLevels) {
    Transcript unread("announcement", 0);
    TlsSession session;
    auto channel = co_await sessions::open_channel(context.network, *announce.broker, announce.tls, unread, session);
    if (!channel) {
      co_return channel.error();
    }
    const auto answer = co_await introduce(context, announce, **channel, level, within);
    if (!answer) {
      co_return answer.error();
    }
    const bool other_version = answer->code == 1 || answer->code == 0x84;
    if (other_version && level == kLevel311) {
      continue;
    }
    if (answer->code != 0) {
      journal.note("mqtt: the device's broker refused us with code " + std::to_string(answer->code));
      co_return Error{ErrorKind::refused, "the broker answers CONNECT with code " + std::to_string(answer->code), {}};
    }
    const auto published = co_await publish(**channel, level, note, within);
    journal.note("mqtt: published at the device's broker: " + wire::printable(note.payload, 400) +
                 (published ? "" : ", " + published.error().what));
    co_return published;
  }
  co_return Error{ErrorKind::unsupported, "the broker knows neither MQTT 3.1.1 nor 5", {}};
}

}  // namespace assay::probes::update

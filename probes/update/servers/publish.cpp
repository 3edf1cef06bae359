#include "probes/sessions/mqtt_line.hpp"
#include "probes/update/servers/broker.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/mqtt.hpp"

/// An announcement at the device's own broker.
namespace assay::probes::update {

namespace {

constexpr std::uint8_t kAtLeastOnce = 1;
constexpr std::uint8_t kRefuses = 0x80;

asio::awaitable<Result<>> publish(sessions::MqttLine& line, const wire::MqttNote& note) {
  auto bytes = wire::mqtt_publish(line.level(), note);
  const auto sent = co_await line.channel().send(std::move(bytes));
  if (!sent) {
    co_return sent;
  }
  const auto packet = co_await line.await_kind(wire::MqttKind::puback);
  if (!packet) {
    co_return packet.error();
  }
  if (!*packet) {
    co_return Error{line.ended() ? ErrorKind::closed : ErrorKind::timed_out,
                    "the broker did not say that it has the announcement",
                    {}};
  }
  const auto& body = (*packet)->body;
  const auto code = body.size() > 2 ? static_cast<std::uint8_t>(body[2]) : std::uint8_t{0};
  auto goodbye = wire::mqtt_disconnect();
  co_await line.channel().say_goodbye(std::move(goodbye));
  co_return code < kRefuses ? Result<>{}
                            : Result<>{Error{ErrorKind::refused, "the broker refused the announcement", {}}};
}

}  // namespace

asio::awaitable<Result<>> publish_at(ProbeContext& context, const UpdateAnnouncement& announce, std::string message,
                                     Journal& journal) {
  wire::MqttNote note;
  note.topic = announce.topic;
  note.payload = std::move(message);
  note.quality = kAtLeastOnce;
  note.retain = true;
  note.id = 1;
  sessions::MqttDoor door{*announce.broker, announce.tls, std::nullopt, context.network.reply_timeout()};
  if (const auto* account = account_of(context, announce.login)) {
    context.record.conceal(account->secret);
    door.login = sessions::MqttLogin{account->username, account->secret};
  }
  Transcript unread("announcement", 0);
  const auto entry = co_await sessions::enter_mqtt(context.network, std::move(door), unread);
  if (!entry) {
    co_return entry.error();
  }
  if (!entry->line) {
    journal.note("mqtt: the device's broker refused us with code " + std::to_string(entry->code));
    co_return Error{ErrorKind::refused, "the broker answers CONNECT with code " + std::to_string(entry->code), {}};
  }
  const auto published = co_await publish(*entry->line, note);
  journal.note("mqtt: published at the device's broker: " + wire::printable(note.payload, 400) +
               (published ? "" : ", " + published.error().what));
  co_return published;
}

}  // namespace assay::probes::update

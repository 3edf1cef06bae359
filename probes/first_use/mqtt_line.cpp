#include "probes/sessions/mqtt_line.hpp"

#include "probes/first_use/message_line.hpp"
#include "probes/sessions/psk_session.hpp"
#include "probes/wire/mqtt.hpp"

/// Messages of MQTT 3.1.1 and 5: each is published, or heard, on a connection of its own, opened with the login of
/// whoever sends it: name and password, or identity and key of the TLS around it.
namespace assay::probes::first_use {

namespace mqtt {

namespace {

constexpr std::uint8_t kRefuses = 0x80;

using sessions::MqttLine;
using wire::MqttKind;
using wire::MqttNote;

class MqttMessages final : public MessageLine {
 public:
  MqttMessages(Door& door, MqttInside inside) : door_(door), inside_(inside) {}

  asio::awaitable<Result<Heard>> send(Sender sender, const MessageRecipe& recipe, Filling filling) override {
    auto line = co_await let_in(std::move(sender));
    if (!line) {
      co_return line.error();
    }
    if (!*line) {
      co_return Heard{};
    }
    auto heard = co_await publish(**line, recipe, std::move(filling));
    auto last = wire::mqtt_disconnect();
    co_await (*line)->channel().say_goodbye(std::move(last));
    co_return heard;
  }

  asio::awaitable<Result<std::optional<std::string>>> read(Sender sender, std::string place, Filling filling,
                                                           std::string wanted) override {
    std::optional<std::string> out;
    auto line = co_await let_in(std::move(sender));
    if (!line) {
      co_return line.error();
    }
    if (!*line) {
      co_return out;
    }
    const auto topic = credentials::filled_in(place, filling, true);
    auto granted = co_await (*line)->subscribe(topic);
    if (!granted) {
      co_return granted.error();
    }
    if (*granted) {
      auto note = co_await (*line)->await_note(topic, wanted);
      if (!note) {
        co_return note.error();
      }
      if (*note) {
        out = (*note)->payload;
      }
    }
    auto last = wire::mqtt_disconnect();
    co_await (*line)->channel().say_goodbye(std::move(last));
    co_return out;
  }

 private:
  /// A connection that the broker took; null: it did not let the sender in. What is neither is an error.
  asio::awaitable<Result<std::unique_ptr<MqttLine>>> let_in(Sender sender) {
    sessions::MqttDoor door{door_.endpoint, inside_ == MqttInside::tls, std::nullopt};
    if (inside_ == MqttInside::psk) {
      door.open = [this, sender] { return open_by_key(sender); };
    } else if (!sender.visitor) {
      door.login = sessions::MqttLogin{sender.username, sender.password};
    }
    auto entry = co_await sessions::enter_mqtt(door_.network, std::move(door), door_.transcript);
    if (!entry) {
      co_return entry.error();
    }
    if (!entry->line && !entry->not_let_in()) {
      co_return Error{ErrorKind::protocol, "the broker answered CONNECT with code " + std::to_string(entry->code), {}};
    }
    co_return std::move(entry->line);
  }

  /// Null: the key of the sender was refused.
  asio::awaitable<sessions::ChannelResult> open_by_key(Sender sender) {
    using Told = sessions::PskLogin::Answer;
    sessions::PskOffer offer;
    // A visitor has a key that nobody has.
    offer.identity = sender.visitor ? "assay" + sessions::random_word(8) : sender.username;
    offer.key = sender.visitor ? sessions::random_bytes(16) : sessions::psk_of_word(sender.password.reveal());
    offer.conceal = [this](std::string_view random) { door_.record.conceal(random, "random of the client"); };
    if (offer.key.empty()) {
      co_return std::unique_ptr<sessions::Channel>{};
    }
    const auto within = door_.timers.reply;
    auto opened =
        co_await sessions::open_psk_channel(door_.network, door_.endpoint, door_.transcript, std::move(offer), within);
    if (!opened) {
      co_return opened.error();
    }
    const auto answer = opened->told.answer;
    if (answer == Told::silent) {
      co_return Error{ErrorKind::protocol, "the broker ended a handshake with a key without an alert", {}};
    }
    if (answer != Told::accepted && answer != Told::refused) {
      co_return Error{ErrorKind::protocol, "no pre-shared key is asked for here", {}};
    }
    co_return std::move(opened->channel);
  }

  /// With quality 1, so that the broker has it when this ends.
  asio::awaitable<Result<Heard>> publish(MqttLine& line, const MessageRecipe& recipe, Filling filling) {
    const auto answer = credentials::filled_in(recipe.answer, filling, true);
    if (!answer.empty()) {
      auto granted = co_await line.subscribe(answer);
      if (!granted) {
        co_return granted.error();
      }
    }
    MqttNote note;
    note.topic = credentials::filled_in(recipe.topic, filling, true);
    note.payload = credentials::filled_in(recipe.body, filling, true);
    note.quality = 1;
    note.id = 2;
    auto packet = wire::mqtt_publish(line.level(), note);
    auto shown = "PUBLISH " + credentials::filled_in(recipe.topic, filling, false) + "\n" +
                 credentials::filled_in(recipe.body, filling, false);
    auto sent = co_await line.channel().send_concealed(std::move(packet), std::move(shown));
    if (!sent) {
      co_return sent.error();
    }
    auto taken = co_await line.await_kind(MqttKind::puback);
    if (!taken) {
      co_return taken.error();
    }
    // Of an end it is known that brokers say no by it (MQTT 3.1.1, 3.3.5).
    if (!*taken && !line.ended()) {
      co_return Error{ErrorKind::timed_out, "the broker did not answer PUBLISH", {}};
    }
    Heard out;
    // MQTT 5 gives the reason after the identifier.
    const bool refused =
        *taken && (*taken)->body.size() > 2 && static_cast<std::uint8_t>((*taken)->body[2]) >= kRefuses;
    out.yes = *taken && !refused;
    if (!answer.empty() && out.yes) {
      auto said = co_await line.await_note(answer, recipe.expect);
      if (!said) {
        co_return said.error();
      }
      out.yes = *said && (*said)->payload.find(recipe.expect) != std::string::npos;
      out.payload = *said ? (*said)->payload : std::string{};
    }
    out.status = out.yes ? 0 : 1;
    co_return out;
  }

  Door& door_;
  MqttInside inside_;
};

}  // namespace

}  // namespace mqtt

std::unique_ptr<MessageLine> make_mqtt_line(Door& door, MqttInside inside) {
  return std::make_unique<mqtt::MqttMessages>(door, inside);
}

}  // namespace assay::probes::first_use

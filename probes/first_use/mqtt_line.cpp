#include <algorithm>

#include "probes/first_use/message_line.hpp"
#include "probes/wire/mqtt.hpp"
#include "probes/wire/mqtt_packets.hpp"

/// Messages of MQTT 3.1.1 and 5: each is published, or heard, on a connection of its own, opened with the login of
/// whoever sends it.
namespace assay::probes::first_use {

namespace mqtt {

namespace {

constexpr int kMostPackets = 64;
constexpr milliseconds kPatience{1500};  // for what a device behind a broker says or does
constexpr std::uint8_t kVersion311 = 4;
constexpr std::uint8_t kVersion5 = 5;
constexpr std::uint8_t kRefuses = 0x80;
/// Of CONNACK: not this name and password, not this client (3.1.1: 4, 5; 5: 0x86, 0x87, and 0x8c, not in this way).
constexpr std::uint8_t kNotLetIn[] = {4, 5, 0x86, 0x87, 0x8c};

using wire::MqttKind;
using wire::MqttNote;
using wire::MqttPacket;

/// One connection, packet by packet.
class Line {
 public:
  Line(std::unique_ptr<sessions::Channel> channel, std::uint8_t level) : channel_(std::move(channel)), level_(level) {}

  std::uint8_t level() const { return level_; }

  sessions::Channel& channel() { return *channel_; }

  bool ended() const { return channel_->ended(); }

  /// The next packet. Nothing: silence, an end, or what is no MQTT. An error only for what ends the probe.
  asio::awaitable<Result<std::optional<MqttPacket>>> next(milliseconds within) {
    std::optional<MqttPacket> out;
    for (int reads = 0; reads < kMostPackets; ++reads) {
      auto parse = wire::parse_mqtt_packet(pending_);
      if (parse.state == wire::Parse::complete) {
        pending_.erase(0, parse.used);
        out = std::move(parse.packet);
        break;
      }
      if (parse.state == wire::Parse::malformed && !pending_.empty()) {
        break;
      }
      auto heard = co_await channel_->receive(within);
      if (!heard) {
        if (sessions::ends_probe(heard.error().kind)) {
          co_return heard.error();
        }
        break;
      }
      pending_ += *heard;
    }
    co_return out;
  }

  /// Passes packets over until one of this kind comes.
  asio::awaitable<Result<std::optional<MqttPacket>>> await_kind(MqttKind kind) {
    for (int packets = 0; packets < kMostPackets; ++packets) {
      auto packet = co_await next(kPatience);
      if (!packet || !*packet || (*packet)->kind == kind) {
        co_return packet;
      }
      if ((*packet)->kind == MqttKind::publish) {
        early_.push_back(std::move(**packet));
      }
    }
    co_return std::optional<MqttPacket>{};
  }

  /// The first message under the filter that holds `wanted`, else the last one of them. Nothing: none came.
  asio::awaitable<Result<std::optional<MqttNote>>> await_note(const std::string& filter, const std::string& wanted) {
    std::optional<MqttNote> last;
    const auto fits = [&](const MqttPacket& packet) {
      auto note = wire::read_mqtt_note(packet, level_);
      if (note && wire::mqtt_topic_matches(filter, note->topic)) {
        last = std::move(*note);
        return last->payload.find(wanted) != std::string::npos;
      }
      return false;
    };
    const bool there = std::any_of(early_.begin(), early_.end(), fits);
    early_.clear();
    for (int packets = 0; !there && packets < kMostPackets; ++packets) {
      auto packet = co_await next(kPatience);
      if (!packet) {
        co_return packet.error();
      }
      const bool over = !*packet || ((*packet)->kind == MqttKind::publish && fits(**packet));
      if (over) {
        break;
      }
    }
    co_return last;
  }

 private:
  std::unique_ptr<sessions::Channel> channel_;
  std::uint8_t level_;
  std::string pending_;            // read, and not yet a packet
  std::vector<MqttPacket> early_;  // that came while another kind was awaited
};

class MqttMessages final : public MessageLine {
 public:
  MqttMessages(Door& door, bool tls) : door_(door), tls_(tls) {}

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
    auto granted = co_await subscribe(**line, topic);
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
  asio::awaitable<Result<std::unique_ptr<Line>>> let_in(Sender sender) {
    for (const auto level : {kVersion311, kVersion5}) {
      TlsSession session;
      auto opened = co_await sessions::open_channel(door_.network, door_.endpoint, tls_, door_.transcript, session);
      if (!opened) {
        co_return opened.error();
      }
      auto line = std::make_unique<Line>(std::move(*opened), level);
      auto packet = co_await introduce(*line, sender);
      if (!packet) {
        co_return packet.error();
      }
      const auto code = code_of(*packet, *line);
      if (!code) {
        co_return code.error();
      }
      if (*code == 0) {
        co_return std::move(line);
      }
      const bool other_version = *code == 1 || *code == kRefuses + 4;
      if (level == kVersion311 && other_version) {
        continue;
      }
      const bool refused = std::find(std::begin(kNotLetIn), std::end(kNotLetIn), *code) != std::end(kNotLetIn);
      if (!refused) {
        co_return Error{ErrorKind::protocol, "the broker answered CONNECT with code " + std::to_string(*code), {}};
      }
      break;
    }
    co_return std::unique_ptr<Line>{};
  }

  /// Of CONNACK. Silence, an end and what is cut short say nothing of the sender.
  static Result<std::uint8_t> code_of(const std::optional<MqttPacket>& packet, const Line& line) {
    if (packet && packet->body.size() >= 2) {
      return static_cast<std::uint8_t>(packet->body[1]);
    }
    if (!packet && !line.ended()) {
      return Error{ErrorKind::timed_out, "the broker did not answer CONNECT", {}};
    }
    return Error{ErrorKind::protocol, "the broker answered CONNECT with no whole CONNACK", {}};
  }

  asio::awaitable<Result<std::optional<MqttPacket>>> introduce(Line& line, const Sender& sender) {
    wire::MqttConnect connect;
    connect.client_id = "assay" + sessions::random_word(12);
    connect.level = line.level();
    std::string shown = "CONNECT {a visitor}";
    if (!sender.visitor) {
      connect.username = sender.username;
      connect.password = sender.password.reveal();
      shown = "CONNECT {" + sender.username + ", " + sender.password.name() + "}";
    }
    auto packet = wire::mqtt_connect(connect);
    auto sent = co_await line.channel().send_concealed(std::move(packet), std::move(shown));
    if (!sent) {
      co_return sent.error();
    }
    auto answer = co_await line.await_kind(MqttKind::connack);
    co_return answer;
  }

  asio::awaitable<Result<bool>> subscribe(Line& line, const std::string& topic) {
    auto packet = wire::mqtt_subscribe(line.level(), topic);
    auto sent = co_await line.channel().send(std::move(packet));
    if (!sent) {
      co_return sent.error();
    }
    auto answer = co_await line.await_kind(MqttKind::suback);
    if (!answer) {
      co_return answer.error();
    }
    if (!*answer && !line.ended()) {
      co_return Error{ErrorKind::timed_out, "the broker did not answer SUBSCRIBE", {}};
    }
    co_return *answer && !(*answer)->body.empty() && static_cast<std::uint8_t>((*answer)->body.back()) < kRefuses;
  }

  /// With quality 1, so that the broker has it when this ends.
  asio::awaitable<Result<Heard>> publish(Line& line, const MessageRecipe& recipe, Filling filling) {
    const auto answer = credentials::filled_in(recipe.answer, filling, true);
    if (!answer.empty()) {
      auto granted = co_await subscribe(line, answer);
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
  bool tls_;
};

}  // namespace

}  // namespace mqtt

std::unique_ptr<MessageLine> make_mqtt_line(Door& door, bool tls) {
  return std::make_unique<mqtt::MqttMessages>(door, tls);
}

}  // namespace assay::probes::first_use

#include "probes/sessions/mqtt_line.hpp"

#include <algorithm>
#include <utility>

#include "probes/wire/mqtt.hpp"

namespace assay::sessions {

namespace {

constexpr int kMostPackets = 64;
constexpr std::uint8_t kMqtt311 = 4;
constexpr std::uint8_t kMqtt5 = 5;
constexpr std::uint8_t kMqttRefuses = 0x80;
/// 3.1.1: 4, 5; 5: 0x86, 0x87, and 0x8c, not in this way.
constexpr std::uint8_t kNotLetIn[] = {4, 5, 0x86, 0x87, 0x8c};

using wire::MqttKind;
using wire::MqttNote;
using wire::MqttPacket;

/// Of CONNACK. Silence, an end and what is cut short say nothing of who connects.
Result<std::uint8_t> code_of(const std::optional<MqttPacket>& packet, const MqttLine& line) {
  if (packet && packet->body.size() >= 2) {
    return static_cast<std::uint8_t>(packet->body[1]);
  }
  if (!packet && !line.ended()) {
    return Error{ErrorKind::timed_out, "the broker did not answer CONNECT", {}};
  }
  return Error{ErrorKind::protocol, "the broker answered CONNECT with no whole CONNACK", {}};
}

asio::awaitable<Result<std::optional<MqttPacket>>> introduce(MqttLine& line, const MqttDoor& door) {
  wire::MqttConnect connect;
  connect.client_id = "assay" + random_word(12);
  connect.level = line.level();
  std::string shown = door.open ? "CONNECT {by its key}" : "CONNECT {a visitor}";
  if (door.login) {
    connect.username = door.login->username;
    connect.password = door.login->password.reveal();
    shown = "CONNECT {" + door.login->username + ", " + door.login->password.name() + "}";
  }
  auto packet = wire::mqtt_connect(connect);
  auto sent = co_await line.channel().send_concealed(std::move(packet), std::move(shown));
  if (!sent) {
    co_return sent.error();
  }
  auto answer = co_await line.await_kind(MqttKind::connack);
  co_return answer;
}

asio::awaitable<ChannelResult> open_for_mqtt(Network& network, const MqttDoor& door, Transcript& transcript) {
  if (door.open) {
    auto opened = co_await door.open();
    co_return opened;
  }
  TlsSession session;
  auto opened = co_await open_channel(network, door.endpoint, door.tls, transcript, session);
  co_return opened;
}

}  // namespace

asio::awaitable<Result<std::optional<MqttPacket>>> MqttLine::next(milliseconds until) {
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
    const auto left = until - channel_->spent();
    if (left <= milliseconds{0}) {
      break;
    }
    auto heard = co_await channel_->receive(left);
    if (!heard) {
      if (ends_probe(heard.error().kind)) {
        co_return heard.error();
      }
      break;
    }
    pending_ += *heard;
  }
  co_return out;
}

asio::awaitable<Result<std::optional<MqttPacket>>> MqttLine::await_kind(MqttKind kind) {
  const auto until = channel_->spent() + patience_;
  for (int packets = 0; packets < kMostPackets; ++packets) {
    auto packet = co_await next(until);
    if (!packet || !*packet || (*packet)->kind == kind) {
      co_return packet;
    }
    if ((*packet)->kind == MqttKind::publish) {
      early_.push_back(std::move(**packet));
    }
  }
  co_return std::optional<MqttPacket>{};
}

asio::awaitable<Result<std::optional<MqttNote>>> MqttLine::await_note(std::string filter, std::string wanted) {
  std::optional<MqttNote> last;
  const auto until = channel_->spent() + patience_;
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
    auto packet = co_await next(until);
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

asio::awaitable<Result<bool>> MqttLine::subscribe(std::string topic) {
  auto packet = wire::mqtt_subscribe(level_, topic);
  auto sent = co_await channel_->send(std::move(packet));
  if (!sent) {
    co_return sent.error();
  }
  auto answer = co_await await_kind(MqttKind::suback);
  if (!answer) {
    co_return answer.error();
  }
  if (!*answer && !ended()) {
    co_return Error{ErrorKind::timed_out, "the broker did not answer SUBSCRIBE", {}};
  }
  co_return *answer && !(*answer)->body.empty() && static_cast<std::uint8_t>((*answer)->body.back()) < kMqttRefuses;
}

bool MqttEntry::not_let_in() const {
  return kept_out || std::find(std::begin(kNotLetIn), std::end(kNotLetIn), code) != std::end(kNotLetIn);
}

asio::awaitable<Result<MqttEntry>> enter_mqtt(Network& network, MqttDoor door, Transcript& transcript) {
  MqttEntry entry;
  for (const auto level : {kMqtt311, kMqtt5}) {
    auto opened = co_await open_for_mqtt(network, door, transcript);
    if (!opened) {
      co_return opened.error();
    }
    if (!*opened) {
      entry.kept_out = true;
      break;
    }
    if (const auto permit = std::exchange(door.permit, nullptr); permit && door.login) {
      auto permitted = co_await permit();
      if (!permitted) {
        co_return permitted.error();
      }
    }
    auto line = std::make_unique<MqttLine>(std::move(*opened), level, door.patience);
    auto packet = co_await introduce(*line, door);
    if (!packet) {
      co_return packet.error();
    }
    const auto code = code_of(*packet, *line);
    if (!code) {
      co_return code.error();
    }
    entry.code = *code;
    if (*code == 0) {
      entry.line = std::move(line);
    }
    const bool other_version = *code == 1 || *code == kMqttRefuses + 4;
    if (!other_version) {
      break;
    }
  }
  co_return entry;
}

}  // namespace assay::sessions

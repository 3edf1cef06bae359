#include "probes/update/servers/broker.hpp"

#include <algorithm>

#include "probes/wire/bytes.hpp"

namespace assay::probes::update {

namespace {

constexpr std::size_t kMostVisits = 4;
constexpr std::size_t kChunk = 4096;
constexpr std::uint8_t kLevel311 = 4;
constexpr std::uint8_t kUnacceptableLevel = 1;  // CONNACK of 3.1.1
constexpr milliseconds kWriteWithin{5000};
constexpr milliseconds kTurn{100};  // a connection reads no longer than this before it looks for something to tell

}  // namespace

/// One connection of the device, read and written by its own course alone.
struct Broker::Guest {
  std::unique_ptr<Stream> stream;
  std::string unread;
  std::uint8_t level = 0;                  // 0: it has not said CONNECT
  std::optional<std::uint8_t> subscribed;  // quality of the announcement's topic
  int told = 0;                            // which announcement it was told last
  milliseconds keep_alive{0};              // 0: it may be silent for ever
  milliseconds heard{0};                   // when it last sent something, by Network::elapsed

  milliseconds silence() const { return keep_alive * 3 / 2; }
};

Broker::Broker(ProbeContext& context, Journal& journal, Settings settings)
    : context_(context),
      journal_(journal),
      settings_(std::move(settings)),
      reception_(context, kMostVisits, [this](std::unique_ptr<Stream> raw) { return attend(std::move(raw)); }) {}

asio::awaitable<Result<>> Broker::open(std::uint16_t port) {
  auto opened = co_await reception_.open(port);
  co_return opened;
}

asio::awaitable<void> Broker::close() {
  take_back();
  co_await reception_.close();
}

asio::awaitable<void> Broker::attend(std::unique_ptr<Stream> raw) {
  Guest guest;
  guest.stream = std::move(raw);
  guest.heard = context_.network.elapsed();
  over_ = "mqtt";
  if (settings_.identity) {
    TlsVisit visit;
    auto served =
        co_await context_.network.serve_tls(std::move(guest.stream), *settings_.identity, visit, kWriteWithin);
    if (!served) {
      journal_.note("mqtt: TLS failed: " + wire::printable(served.error().what, 200));
      co_return;
    }
    guest.stream = std::move(*served);
    over_ = visit.version;
  }
  const auto ended = co_await serve(guest);
  if (teller_ == &guest) {
    version_.reset();
    teller_ = nullptr;
  }
  journal_.note("mqtt: the connection ended: " + wire::printable(ended.error().what, 200));
}

/// Ends with an error always: that of the connection, or why it is ended.
asio::awaitable<Result<>> Broker::serve(Guest& guest) {
  Bytes chunk(kChunk);
  const std::span<std::byte> space{chunk};
  while (true) {
    auto parse = wire::parse_mqtt_packet(guest.unread);
    if (parse.state == wire::Parse::malformed) {
      co_return Error{ErrorKind::protocol, "bytes that are no MQTT", {}};
    }
    if (parse.state == wire::Parse::complete) {
      guest.unread.erase(0, parse.used);
      const auto answered = co_await answer(guest, std::move(parse.packet));
      if (!answered) {
        co_return answered;
      }
      continue;
    }
    if (guest.subscribed && retained_ && guest.told != announced_) {
      const auto said = co_await tell(guest);
      if (!said) {
        co_return said;
      }
    }
    const auto read = co_await guest.stream->read_some(space, kTurn);
    if (!read && read.error().kind != ErrorKind::timed_out) {
      co_return read.error();
    }
    const auto now = context_.network.elapsed();
    guest.heard = read ? now : guest.heard;
    heard_ = teller_ == &guest ? guest.heard : heard_;
    if (guest.keep_alive > milliseconds{0} && now - guest.heard > guest.silence()) {
      co_return Error{
          ErrorKind::timed_out, "no word within one and a half times its keep-alive (MQTT 5, 3.1.2.10)", {}};
    }
    guest.unread.append(reinterpret_cast<const char*>(chunk.data()), read ? *read : std::size_t{0});
  }
}

asio::awaitable<Result<>> Broker::answer(Guest& guest, wire::MqttPacket packet) {
  using wire::MqttKind;
  if ((packet.kind == MqttKind::connect) != (guest.level == 0)) {
    co_return Error{ErrorKind::protocol, "CONNECT comes first, and once", {}};
  }
  Result<> done;
  if (packet.kind == MqttKind::connect) {
    done = co_await welcome(guest, packet);
  } else if (packet.kind == MqttKind::subscribe) {
    done = co_await subscribe(guest, packet);
  } else if (packet.kind == MqttKind::publish) {
    done = co_await take(guest, packet);
  } else if (packet.kind == MqttKind::pingreq) {
    done = co_await write(guest, wire::mqtt_pingresp());
  } else if (packet.kind == MqttKind::puback) {
    journal_.note("mqtt: the device acknowledged the announcement");
  } else if (packet.kind == MqttKind::pubrel || packet.kind == MqttKind::unsubscribe) {
    const auto id = wire::read_mqtt_id(packet).value_or(0);
    auto bytes = packet.kind == MqttKind::pubrel ? wire::mqtt_acknowledge(MqttKind::pubcomp, id)
                                                 : wire::mqtt_unsuback(guest.level, id);
    done = co_await write(guest, std::move(bytes));
  } else {
    done = Error{ErrorKind::closed, packet.kind == MqttKind::disconnect ? "DISCONNECT" : "a packet of a broker", {}};
  }
  co_return done;
}

asio::awaitable<Result<>> Broker::welcome(Guest& guest, const wire::MqttPacket& packet) {
  const auto hello = wire::read_mqtt_hello(packet);
  if (!hello) {
    auto refusal = wire::mqtt_connack(kLevel311, kUnacceptableLevel);
    std::ignore = co_await write(guest, std::move(refusal));
    co_return Error{ErrorKind::protocol, "a CONNECT of no known version", {}};
  }
  guest.level = hello->level;
  guest.keep_alive = std::chrono::seconds{hello->keep_alive_s};
  client_ = (hello->client_id.empty() ? "no client id" : "client id " + wire::printable(hello->client_id, 100)) +
            (hello->username ? ", user name " + wire::printable(*hello->username, 100) : "") +
            (hello->password ? " with a password" : "");
  journal_.note("mqtt: CONNECT of level " + std::to_string(hello->level) + ", " + client_);
  auto bytes = wire::mqtt_connack(guest.level, 0);
  auto done = co_await write(guest, std::move(bytes));
  co_return done;
}

asio::awaitable<Result<>> Broker::subscribe(Guest& guest, const wire::MqttPacket& packet) {
  const auto wish = wire::read_mqtt_wish(packet, guest.level);
  if (!wish) {
    co_return Error{ErrorKind::protocol, "a SUBSCRIBE that cannot be read", {}};
  }
  std::vector<std::uint8_t> codes;
  for (const auto& filter : wish->filters) {
    const auto granted = std::min<std::uint8_t>(filter.quality, 1);
    codes.push_back(granted);
    journal_.note("mqtt: SUBSCRIBE " + wire::printable(filter.topic, 200));
    if (wire::mqtt_topic_matches(filter.topic, settings_.topic)) {
      guest.subscribed = std::max(granted, guest.subscribed.value_or(0));
    }
  }
  auto bytes = wire::mqtt_suback(guest.level, wish->id, codes);
  auto written = co_await write(guest, std::move(bytes));
  co_return written;
}

/// What the device publishes: nobody else is here to have it.
asio::awaitable<Result<>> Broker::take(Guest& guest, const wire::MqttPacket& packet) {
  const auto note = wire::read_mqtt_note(packet, guest.level);
  if (!note) {
    co_return Error{ErrorKind::protocol, "a PUBLISH that cannot be read", {}};
  }
  journal_.note("mqtt: the device published " + wire::printable(note->topic, 200) + ": " +
                wire::printable(note->payload, 300));
  if (note->topic == settings_.version_topic) {
    version_ = note->payload;
    teller_ = &guest;
    heard_ = guest.heard;
    silence_ = guest.silence();
  }
  if (note->quality == 0) {
    co_return Result<>{};
  }
  auto bytes = wire::mqtt_acknowledge(note->quality == 1 ? wire::MqttKind::puback : wire::MqttKind::pubrec, note->id);
  auto done = co_await write(guest, std::move(bytes));
  co_return done;
}

asio::awaitable<Result<>> Broker::tell(Guest& guest) {
  wire::MqttNote note;
  note.topic = settings_.topic;
  note.payload = *retained_;
  note.quality = *guest.subscribed;
  note.retain = true;
  note.id = static_cast<std::uint16_t>(announced_ % 0xffff + 1);
  auto bytes = wire::mqtt_publish(guest.level, note);
  auto written = co_await write(guest, std::move(bytes));
  if (written) {
    guest.told = announced_;
    told_ = told_ ? told_ : std::optional{context_.network.elapsed()};
    journal_.note("mqtt: the device is told: " + wire::printable(note.payload, 400));
  }
  co_return written;
}

asio::awaitable<Result<>> Broker::write(Guest& guest, std::string bytes) {
  const auto span = wire::bytes_of(bytes);
  auto written = co_await guest.stream->write_all(span, kWriteWithin);
  co_return written;
}

void Broker::announce(std::string message) {
  retained_ = std::move(message);
  told_.reset();
  ++announced_;
}

}  // namespace assay::probes::update

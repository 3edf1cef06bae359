#include "probes/tls/exchange.hpp"

#include <algorithm>
#include <array>

#include "probes/sessions/channel.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::tls {

namespace {

using Moment = std::chrono::steady_clock;

constexpr std::size_t kMostFlightBytes = 256 * 1024;
constexpr std::size_t kLongestAlert = 16;  // holds no memory, and its bytes are those of every alert
constexpr std::size_t kMostHeard = 64 * 1024;

milliseconds until(Moment::time_point end) {
  return std::chrono::ceil<milliseconds>(end - Moment::now());
}

Heard::End end_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::closed:
      return Heard::End::closed;
    case ErrorKind::reset:
      return Heard::End::reset;
    default:
      return Heard::End::silence;
  }
}

}  // namespace

bool never_enough(const wire::TlsRecordLog&) {
  return false;
}

std::string no_certificate(const wire::TlsFlight& flight) {
  constexpr std::uint8_t kCertificateMessage = 11;
  return flight.certificate_request() ? wire::tls_message(kCertificateMessage, std::string(3, '\0')) : std::string{};
}

std::string Heard::text() const {
  std::string out;
  const auto others = log.whole() - (log.alert() ? 1 : 0);
  if (others > 0) {
    out = std::to_string(others) + (others == 1 ? " record, then " : " records, then ");
  }
  switch (end) {
    case End::alert:
      return out + "alert " + wire::tls_alert_name(log.alert() ? log.alert()->alert : 0);
    case End::closed:
      return out + "closed without an alert";
    case End::reset:
      return out + "reset";
    case End::not_tls:
      return out + "bytes that are no TLS";
    case End::enough:
      return out + "nothing more was read";
    case End::silence:
      return out + "silence";
  }
  return out;
}

void Exchange::take_error(const Error& error) {
  if (sessions::ends_probe(error.kind)) {
    over_ = error;
  }
}

void Exchange::note_received(std::span<const std::byte> bytes) {
  if (sizes_only_) {
    transcript_.note(std::to_string(bytes.size()) + " bytes received, left out: they may be memory of the device");
    if (bytes.size() > kLongestAlert) {
      forget_(wire::text_of(bytes));
    }
  } else {
    transcript_.received(bytes);
  }
}

asio::awaitable<bool> Exchange::begin(std::string title, const wire::TlsHello& hello) {
  bool there = co_await try_to_begin(title, hello);
  if (!there && !over_ && !flight_.refusal()) {
    there = co_await try_to_begin(title, hello);  // the hello is one that is known to be taken
  }
  co_return there;
}

asio::awaitable<bool> Exchange::try_to_begin(const std::string& title, const wire::TlsHello& hello) {
  ++tries_;
  flight_ = {};
  flight_bytes_.clear();
  why_.clear();
  auto stream = co_await asker_.open();
  transcript_.note(title);
  if (!stream) {
    why_ = "no connection: " + stream.error().what;
    take_error(stream.error());
    transcript_.note(wire::printable(why_, 256));
    co_return false;
  }
  stream_ = std::move(*stream);
  auto bytes = wire::tls_hello_record(hello);
  asker_.count_hello();
  co_await say(std::move(bytes), "ClientHello");
  co_await read_flight();
  const bool there = flight_.hello().has_value() && flight_.done();
  if (!there && why_.empty()) {
    const auto refusal = flight_.refusal();
    why_ = refusal                   ? "alert " + wire::tls_alert_name(refusal->alert)
           : flight_.fault().empty() ? "no whole answer to the hello"
                                     : flight_.fault();
  }
  if (!there) {
    transcript_.note(wire::printable(why_, 256));
  }
  co_return there;
}

asio::awaitable<void> Exchange::read_flight() {
  const auto end = Moment::now() + tries_ * asker_.patience();
  std::array<std::byte, 16 * 1024> buffer;
  const std::span<std::byte> room{buffer};
  while (!flight_.done() && !flight_.refusal() && flight_.bytes() < kMostFlightBytes) {
    const auto left = until(end);
    if (left.count() <= 0) {
      co_return;
    }
    const auto count = co_await stream_->read_some(room, left);
    if (!count) {
      take_error(count.error());
      why_ = count.error().what;
      co_return;
    }
    const auto got = room.first(*count);
    note_received(got);
    if (keeps_bytes_) {
      flight_bytes_ += wire::text_of(got);
    }
    if (!flight_.feed(wire::text_of(got))) {
      co_return;
    }
  }
}

asio::awaitable<void> Exchange::say(std::string bytes, std::string what) {
  transcript_.note(what);
  const auto out = wire::bytes_of(bytes);
  transcript_.sent(out);
  const auto within = asker_.patience();
  const auto sent = co_await stream_->write_all(out, within);
  if (!sent) {
    take_error(sent.error());
  }
}

asio::awaitable<void> Exchange::say_last(std::string bytes, std::string what) {
  co_await say(std::move(bytes), std::move(what));
  stream_->shutdown_send();
}

asio::awaitable<Heard> Exchange::hear(milliseconds within, bool (*enough)(const wire::TlsRecordLog&)) {
  Heard heard;
  const auto begin = Moment::now();
  const auto end = begin + within;
  std::array<std::byte, 4096> buffer;
  const std::span<std::byte> room{buffer};
  std::size_t bytes = 0;
  while (true) {
    const auto left = until(end);
    if (left.count() <= 0 || bytes >= kMostHeard) {
      break;
    }
    const auto count = co_await stream_->read_some(room, left);
    if (!count) {
      take_error(count.error());
      heard.end = end_of(count.error().kind);
      break;
    }
    bytes += *count;
    const auto got = room.first(*count);
    note_received(got);
    const bool sound = heard.log.feed(wire::text_of(got));
    if (keeps_bytes_) {
      heard.bytes += wire::text_of(got);
    }
    std::fill(got.begin(), got.end(), std::byte{0});
    if (heard.log.alert() || !sound || enough(heard.log)) {
      heard.end = heard.log.alert() ? Heard::End::alert : sound ? Heard::End::enough : Heard::End::not_tls;
      break;
    }
  }
  heard.took = Moment::now() - begin;
  transcript_.note(heard.text());
  co_return heard;
}

}  // namespace assay::probes::tls

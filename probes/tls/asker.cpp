#include "probes/tls/asker.hpp"

#include <algorithm>
#include <array>

#include "probes/sessions/channel.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::tls {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostAnswerBytes = 512 * 1024;  // of one server flight
constexpr std::size_t kKeptText = 4096;
constexpr int kUserCanceled = 90;
constexpr int kWarning = 1;
constexpr milliseconds kNoTime{0};
constexpr milliseconds kGreetingTime{2000};
constexpr milliseconds kGoodbyeTime{100};
constexpr milliseconds kSlack{20};

/// Why a stream ended, in the words of an answer.
void take_end(const Error& error, Reply& reply) {
  switch (error.kind) {
    case ErrorKind::timed_out:
      reply.answer = Answer::silent;
      reply.why = "no answer";
      break;
    case ErrorKind::closed:
    case ErrorKind::reset:
      reply.answer = Answer::cut;
      reply.why = error.kind == ErrorKind::closed ? "closed without an alert" : "reset";
      break;
    default:
      reply.answer = Answer::silent;
      reply.why = error.what;
      break;
  }
  if (sessions::ends_probe(error.kind)) {
    reply.ends = error;
  }
}

/// A CLIENT-HELLO of SSL 2.0 has no frame of TLS, but a length whose first bit is set.
bool is_ssl2(std::string_view first_flight) {
  return !first_flight.empty() && (static_cast<std::uint8_t>(first_flight.front()) & 0x80U) != 0;
}

/// What the bytes so far amount to.
void classify(Reply& reply) {
  const auto& flight = reply.flight;
  if (flight.hello() || flight.ssl2()) {
    reply.answer = Answer::hello;
    reply.why.clear();
    return;
  }
  if (const auto refusal = flight.refusal()) {
    reply.answer = Answer::refused;
    reply.why = "alert " + wire::tls_alert_name(refusal->alert);
    return;
  }
  if (!flight.fault().empty()) {
    reply.answer = Answer::not_tls;
    reply.why = flight.fault();
  }
}

}  // namespace

bool at_hello(const wire::TlsFlight& flight) {
  return flight.hello().has_value() || flight.ssl2().has_value();
}

bool at_end(const wire::TlsFlight& flight) {
  return flight.done();
}

milliseconds TcpAsker::patience() const {
  // Three times the slowest answer seen, never a fixed time once there was one (a slow device stays heard).
  const auto most = network_.reply_timeout();
  if (cost_.hellos == 0 || cost_.slowest.count() == 0) {
    return most;
  }
  const auto seen = std::chrono::ceil<milliseconds>(3 * cost_.slowest) + milliseconds{1000};
  return std::min(most, seen);
}

milliseconds TcpAsker::moment() const {
  if (!usual_.known()) {
    return patience();
  }
  const auto usual = usual_.smoothed() + 4 * usual_.deviation();
  const auto seen = std::chrono::ceil<milliseconds>(std::max(cost_.slowest, usual) + usual) + kSlack;
  return std::min(patience(), seen);
}

asio::awaitable<void> TcpAsker::release() {
  hold_ = false;
  if (held_) {
    const auto stream = std::move(held_);
    Reply nobody;
    co_await say_goodbye(*stream, nobody);
  }
}

/// A connection while another one may be held, which is let go where it is in the way.
asio::awaitable<Result<std::unique_ptr<Stream>>> TcpAsker::open_beside() {
  auto stream = co_await open();
  if (stream || !held_ || sessions::ends_probe(stream.error().kind)) {
    co_return stream;
  }
  transcript_.note("no second connection: " + wire::printable(stream.error().what, 256));
  co_await release();
  stream = co_await open();
  serves_ = stream ? Serves::one : Serves::unknown;
  co_return stream;
}

asio::awaitable<Result<std::unique_ptr<Stream>>> TcpAsker::open() {
  ++cost_.connections;
  ++cost_.round_trips;
  const auto within = network_.connect_timeout();
  auto stream = co_await network_.connect_tcp(to_, within);
  if (!stream || upgrade_ == nullptr) {
    co_return stream;
  }
  cost_.round_trips += static_cast<std::int64_t>(upgrade_->steps.size());
  const auto agreed = co_await begin_upgrade(**stream, *upgrade_, name_, transcript_, network_.reply_timeout());
  if (!agreed) {
    co_return agreed.error();
  }
  co_return stream;
}

asio::awaitable<Result<std::unique_ptr<TlsStream>>> TcpAsker::shake_hands(std::string title,
                                                                          const TlsOptions& options) {
  auto stream = co_await open();
  transcript_.note(title);
  if (!stream) {
    co_return stream.error();
  }
  count_hello();
  const auto within = network_.reply_timeout();
  auto session = co_await network_.start_tls(std::move(*stream), options, within);
  co_return session;
}

asio::awaitable<std::string> TcpAsker::hear_greeting() {
  const auto stream = co_await open();
  std::array<std::byte, kKeptText> buffer;
  const std::span<std::byte> room{buffer};
  if (!stream) {
    co_return std::string{};
  }
  transcript_.note("listening for a greeting");
  const auto count = co_await (*stream)->read_some(room, kGreetingTime);
  if (!count) {
    co_return std::string{};
  }
  const auto got = room.first(*count);
  transcript_.received(got);
  co_return std::string{wire::text_of(got)};
}

asio::awaitable<Reply> TcpAsker::ask(std::string title, const wire::TlsHello& hello, Enough enough) {
  const auto bytes = wire::tls_hello_record(hello);
  const bool early = ends_early_;
  auto reply = co_await ask_once(title, bytes, enough, early);
  early_taken_ = early_taken_ || (early && reply.hello());
  const bool refused = reply.answer == Answer::refused;
  if (early && !reply.ends && !reply.hello() && !(refused && early_taken_)) {
    ends_early_ = ends_early_ && refused;
    reply = co_await ask_once(title, bytes, enough, false);
  }
  co_return reply;
}

asio::awaitable<Reply> TcpAsker::ask(std::string title, std::string first_flight, Enough enough) {
  auto reply = co_await ask_once(title, first_flight, enough, false);
  co_return reply;
}

/// The time of the step ends a wait just as silence does; only one of them is the server's.
asio::awaitable<void> TcpAsker::note_deadline(Reply& reply) {
  if (reply.ends || (reply.answer != Answer::silent && reply.answer != Answer::no_connection)) {
    co_return;
  }
  const auto going_on = co_await network_.wait(kNoTime);
  if (!going_on) {
    reply.ends = going_on.error();
  }
}

asio::awaitable<Reply> TcpAsker::ask_once(const std::string& title, const std::string& first_flight,
                                          const Enough& enough, bool ends_early) {
  Reply reply;
  auto stream = co_await open_beside();
  transcript_.note(title);
  if (!stream) {
    reply.answer = Answer::no_connection;
    reply.why = stream.error().what;
    if (sessions::ends_probe(stream.error().kind)) {
      reply.ends = stream.error();
    }
    transcript_.note("no connection: " + wire::printable(reply.why, 256));
    co_await note_deadline(reply);
    co_return reply;
  }
  co_await converse(**stream, first_flight, enough, ends_early, reply);
  co_await note_deadline(reply);
  const bool answered_beside = held_ != nullptr;
  if (answered_beside && (reply.hello() || reply.answer == Answer::refused)) {
    serves_ = Serves::several;
  }
  if (answered_beside) {
    co_await release();
  }
  if (reply.answer == Answer::hello && hold_) {
    hold_ = false;
    held_ = std::move(*stream);
  } else if (reply.answer == Answer::hello && !ends_early) {
    co_await say_goodbye(**stream, reply);
  }
  transcript_.note(reply.hello() ? "answered" : wire::printable(reply.why, 256));
  co_return reply;
}

/// A last word, so that a small device frees its session at once.
asio::awaitable<void> TcpAsker::say_goodbye(Stream& stream, Reply& reply) {
  const auto goodbye = wire::tls_alert_record(wire::kTls12, kWarning, kUserCanceled);
  const auto told = co_await stream.write_all(wire::bytes_of(goodbye), kGoodbyeTime);
  if (!told && sessions::ends_probe(told.error().kind)) {
    reply.ends = told.error();
  }
}

/// Reads; while another connection is held only for the time in which a server that serves several has answered, and
/// then for the rest of the time without it.
asio::awaitable<Result<std::size_t>> TcpAsker::read(Stream& stream, std::span<std::byte> room, milliseconds within) {
  // When this is too short, a server is asked more gently than it could be.
  const auto beside = std::chrono::ceil<milliseconds>(2 * usual_.smoothed()) + kSlack;
  if (held_ && beside < within) {
    auto first = co_await stream.read_some(room, beside);
    if (first || first.error().kind != ErrorKind::timed_out) {
      co_return first;
    }
    transcript_.note("no answer beside the connection before: that one is ended");
    co_await release();
    auto second = co_await stream.read_some(room, within - beside);
    if (second) {
      serves_ = Serves::queue;
    }
    co_return second;
  }
  auto count = co_await stream.read_some(room, within);
  co_return count;
}

asio::awaitable<void> TcpAsker::converse(Stream& stream, const std::string& first_flight, const Enough& enough,
                                         bool ends_early, Reply& reply) {
  const auto bytes = wire::bytes_of(first_flight);
  transcript_.sent(bytes);
  ++cost_.hellos;
  ++cost_.round_trips;
  const auto wait = patience();
  const auto sent = co_await stream.write_all(bytes, wait);
  const auto start = Clock::now();
  const auto until = start + wait;
  if (!sent) {
    take_end(sent.error(), reply);  // an alert may still lie in the receive buffer
  }
  if (ends_early) {
    stream.shutdown_send();
  }
  if (is_ssl2(first_flight)) {
    reply.flight.offer_ssl2();
  }
  std::array<std::byte, 16 * 1024> buffer;
  const std::span<std::byte> room{buffer};
  while (reply.flight.bytes() < kMostAnswerBytes) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    if (left.count() <= 0) {
      break;
    }
    const auto count = co_await read(stream, room, left);
    if (!count) {
      take_end(count.error(), reply);
      break;
    }
    const auto got = room.first(*count);
    transcript_.received(got);
    const auto text = wire::text_of(got);
    if (reply.text.size() < kKeptText) {
      reply.text.append(text.substr(0, kKeptText - reply.text.size()));
    }
    const bool sound = reply.flight.feed(text);
    if (!sound || reply.flight.refusal() || (at_hello(reply.flight) && enough(reply.flight))) {
      break;
    }
  }
  reply.took = Clock::now() - start;
  classify(reply);
  if (reply.answer == Answer::hello || reply.answer == Answer::refused) {
    usual_.add(reply.took);
    cost_.slowest = std::max(cost_.slowest, reply.took);
    cost_.fastest = cost_.fastest.count() == 0 ? reply.took : std::min(cost_.fastest, reply.took);
  }
}

}  // namespace assay::probes::tls

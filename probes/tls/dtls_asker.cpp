#include "probes/tls/dtls_asker.hpp"

#include <algorithm>

#include "probes/sessions/channel.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::tls {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostFlight = 512 * 1024;  // of one server flight
constexpr int kMostDatagrams = 512;              // of one question
constexpr int kMostSends = 7;                    // of one turn
constexpr int kMostCookies = 3;                  // of one question
constexpr int kMostLiveness = 3;
constexpr std::size_t kKeptAnswer = 4096;
constexpr std::uint8_t kFatal = 2;  // a warning would leave the handshake open
constexpr std::uint8_t kCancelledByUser = 90;
constexpr milliseconds kUnknownAnswer{400};
constexpr std::uint64_t kRecordsOfSession = 1000;  // numbers that are set aside for one

milliseconds since(Clock::time_point start) {
  return std::chrono::ceil<milliseconds>(Clock::now() - start);
}

}  // namespace

struct DtlsAsker::Question {
  const wire::TlsHello* hello = nullptr;
  std::string raw;
  Frames frames = Frames::whole;
  Enough enough;
};

/// One question on its way.
struct DtlsAsker::Talk {
  Talk(Datagrams& over_socket, const Question& asked, Reply& into)
      : socket(over_socket), question(asked), reply(into) {}

  Datagrams& socket;
  const Question& question;
  Reply& reply;
  wire::DtlsReader reader;
  wire::DtlsTurn turn;
  int cookies = 0;    // turns with a cookie
  int datagrams = 0;  // that came
  int sends = 0;      // of this turn
  bool refused = false;
  bool over = false;
  milliseconds left{0};    // of the patience with this turn
  Clock::time_point sent;  // first hello of this turn
};

milliseconds DtlsAsker::patience() const {
  const auto most = network_.reply_timeout();
  if (cost_.slowest.count() == 0) {
    return most;
  }
  return std::min(most, std::chrono::ceil<milliseconds>(3 * cost_.slowest) + milliseconds{1000});
}

milliseconds DtlsAsker::first_resend(bool with_cookie) const {
  const auto trip = network_.round_trip(milliseconds{0});
  const auto unknown = std::max(kUnknownAnswer, 3 * trip);
  // Until a flight was timed, an answer of the same server that costs it nothing says at least how far away it is.
  if (with_cookie || !verify_time_.known()) {
    return flight_time_.patience(std::max(unknown, 3 * verify_time_.patience(milliseconds{0})));
  }
  return verify_time_.patience(unknown);
}

asio::awaitable<Result<>> DtlsAsker::send(Datagrams& socket, std::string datagram) {
  const auto bytes = wire::bytes_of(datagram);
  transcript_.sent(bytes);
  ++cost_.datagrams_sent;
  auto sent = co_await socket.send(bytes);
  co_return sent;
}

/// Sends the hello of this turn, or sends it again; false when the question is over.
asio::awaitable<bool> DtlsAsker::send_turn(Talk& talk) {
  const auto& question = talk.question;
  std::vector<std::string> datagrams;
  talk.turn.number = number_;
  if (question.frames == Frames::raw) {
    datagrams = {wire::dtls_renumbered(question.raw, number_)};
  } else if (question.frames == Frames::fragments) {
    auto [first, second] = wire::dtls_hello_fragments(*question.hello, talk.turn);
    datagrams = {std::move(first), std::move(second)};
  } else {
    datagrams = {wire::dtls_hello_datagram(*question.hello, talk.turn)};
  }
  number_ += datagrams.size();
  ++talk.sends;
  if (talk.sends == 1) {
    talk.sent = Clock::now();
  } else {
    ++cost_.sent_again;
  }
  for (auto& datagram : datagrams) {
    const auto sent = co_await send(talk.socket, std::move(datagram));
    if (!sent && sessions::ends_probe(sent.error().kind)) {
      talk.reply.ends = sent.error();
      co_return false;
    }
  }
  co_return true;
}

/// The server wants to see a cookie: the same hello again, with it. False when there is nothing new to show.
bool DtlsAsker::take_cookie(Talk& talk) {
  const auto& verify = *talk.reader.verify();
  const bool same = talk.cookies > 0 && verify.cookie == talk.turn.cookie;
  if (same || talk.over) {
    return false;
  }
  if (talk.cookies == kMostCookies || talk.question.frames == Frames::raw) {
    talk.over = true;
    habits_.endless += talk.cookies == kMostCookies ? 1 : 0;
    talk.reply.why = "asks for a cookie again and again";
    return false;
  }
  if (talk.cookies == 0 && talk.sends == 1) {
    verify_time_.add(Clock::now() - talk.sent);
  }
  habits_.verified += talk.cookies == 0 ? 1 : 0;
  habits_.cookie_length = verify.cookie.size();
  ++talk.cookies;
  ++cost_.round_trips;
  talk.turn.cookie = verify.cookie;
  ++talk.turn.sequence;
  talk.sends = 0;
  talk.left = patience();
  return true;
}

/// Takes one datagram; true when it asks for the next turn.
bool DtlsAsker::take(Talk& talk, std::string_view datagram) {
  auto& reply = talk.reply;
  if (reply.text.size() < kKeptAnswer) {
    reply.text.append(datagram.substr(0, kKeptAnswer - reply.text.size()));
  }
  const int verifies = talk.reader.verifies();
  const bool sound = talk.reader.feed(datagram, reply.flight);
  if (reply.flight.hello()) {
    talk.over = talk.question.enough(reply.flight);
  }
  talk.over = talk.over || !sound || reply.flight.refusal() || reply.flight.bytes() > kMostFlight;
  const bool asks = talk.reader.verifies() > verifies && !reply.flight.hello();
  return asks && take_cookie(talk);
}

/// Listens until it is time to send again; false when the question is over.
asio::awaitable<bool> DtlsAsker::listen(Talk& talk, milliseconds until_resend) {
  auto wait = std::min(until_resend, talk.left);
  while (wait.count() > 0 && !talk.over) {
    const auto start = Clock::now();
    const auto got = co_await talk.socket.receive(wait);
    // A silence counts in full, whatever clock the network has.
    const bool silent = !got && got.error().kind == ErrorKind::timed_out;
    const auto passed = silent ? wait : std::min(wait, since(start));
    wait -= passed;
    talk.left -= passed;
    if (silent) {
      break;
    }
    if (!got) {
      const auto kind = got.error().kind;
      talk.refused = kind == ErrorKind::refused && talk.datagrams == 0;
      if (sessions::ends_probe(kind)) {
        talk.reply.ends = got.error();
      }
      if (talk.refused || talk.reply.ends) {
        co_return false;
      }
      if (++talk.datagrams > kMostDatagrams) {
        co_return false;
      }
      continue;
    }
    transcript_.received(got->payload);
    ++cost_.datagrams_received;
    if (++talk.datagrams > kMostDatagrams) {
      co_return false;
    }
    const auto bytes = wire::text_of(got->payload);
    if (take(talk, bytes)) {
      co_return true;
    }
  }
  co_return !talk.over && talk.left.count() > 0;
}

asio::awaitable<void> DtlsAsker::converse(Talk& talk) {
  ++cost_.hellos;
  ++cost_.round_trips;
  talk.left = patience();
  auto resend = first_resend(false);
  for (;;) {
    const auto cookies = talk.cookies;
    const bool sent = co_await send_turn(talk);
    if (!sent) {
      co_return;
    }
    const auto wait = talk.sends == kMostSends ? talk.left : resend;
    const bool goes_on = co_await listen(talk, wait);
    if (!goes_on || (talk.sends == kMostSends && talk.cookies == cookies)) {
      break;
    }
    resend = talk.cookies > cookies ? first_resend(true) : 2 * resend;
  }
  talk.reply.took = Clock::now() - talk.sent;
  if (talk.reply.flight.hello() && talk.sends == 1) {
    flight_time_.add(talk.reply.took);
  }
}

/// A last word, so that a small device frees its session at once. Only to a server that has shown one: some servers
/// stumble over an alert that no session waits for.
asio::awaitable<void> DtlsAsker::say_goodbye(Talk& talk) {
  const auto& flight = talk.reply.flight;
  const bool has_session = flight.hello() && !flight.refusal();
  if (!has_session || talk.reply.ends) {
    co_return;
  }
  const auto version = talk.reader.version();
  auto goodbye = wire::dtls_alert_datagram(version, number_++, kFatal, kCancelledByUser);
  const auto told = co_await send(talk.socket, std::move(goodbye));
  if (!told && sessions::ends_probe(told.error().kind)) {
    talk.reply.ends = told.error();
  }
}

/// A HelloRetryRequest of DTLS 1.3 has its cookie in an extension (RFC 9147, 5.1).
void DtlsAsker::note_validation(const wire::ServerHello& hello, bool had_cookie) {
  const auto cookie = hello.extensions.find(wire::extension::kCookie);
  if (hello.retry && cookie != hello.extensions.end()) {
    ++habits_.verified;
    habits_.cookie_length = cookie->second.size() - std::min<std::size_t>(cookie->second.size(), 2);
  } else if (!had_cookie && !hello.retry) {
    ++habits_.unverified;
  }
}

asio::awaitable<Reply> DtlsAsker::ask(std::string title, const Question& question) {
  Reply reply;
  ++cost_.connections;
  auto socket = co_await network_.open_udp(to_);
  transcript_.note(title);
  if (!socket) {
    reply.answer = Answer::no_connection;
    reply.why = socket.error().what;
    if (sessions::ends_probe(socket.error().kind)) {
      reply.ends = socket.error();
    }
    co_return reply;
  }
  Talk talk{**socket, question, reply};
  co_await converse(talk);
  co_await say_goodbye(talk);
  const auto& flight = reply.flight;
  if (flight.hello()) {
    reply.answer = Answer::hello;
    reply.why.clear();
    note_validation(*flight.hello(), talk.cookies > 0);
  } else if (const auto refusal = flight.refusal()) {
    reply.answer = Answer::refused;
    reply.why = "alert " + wire::tls_alert_name(refusal->alert);
  } else if (!talk.reader.fault().empty()) {
    reply.answer = Answer::not_tls;
    reply.why = talk.reader.fault();
  } else if (talk.refused) {
    reply.answer = Answer::no_connection;
    reply.why = "refused: ICMP port unreachable";
  } else if (reply.why.empty()) {
    reply.why = talk.cookies > 0 ? "a cookie was asked for, and the hello with it got no answer" : "no answer";
  }
  habits_.server_repeats += talk.reader.repeated();
  if (reply.answer == Answer::hello || reply.answer == Answer::refused) {
    cost_.slowest = std::max(cost_.slowest, reply.took);
    cost_.fastest = cost_.fastest.count() == 0 ? reply.took : std::min(cost_.fastest, reply.took);
  }
  transcript_.note(reply.hello() ? "answered" : wire::printable(reply.why, 256));
  co_return reply;
}

asio::awaitable<Reply> DtlsAsker::ask(std::string title, std::string first_flight, Enough enough) {
  const Question question{nullptr, std::move(first_flight), Frames::raw, std::move(enough)};
  auto reply = co_await ask(std::move(title), question);
  co_return reply;
}

asio::awaitable<Reply> DtlsAsker::ask(std::string title, const wire::TlsHello& hello, Enough enough) {
  const Question question{&hello, {}, Frames::whole, std::move(enough)};
  auto reply = co_await ask(std::move(title), question);
  if (reply.hello() || reply.answer == Answer::refused) {
    known_ = hello;
    gone_ = false;
  } else if (reply.answer == Answer::silent && !reply.ends) {
    co_await explain_silence(reply);
  }
  co_return reply;
}

asio::awaitable<Reply> DtlsAsker::ask_in_fragments(std::string title, const wire::TlsHello& hello) {
  const Question question{&hello, {}, Frames::fragments, &at_hello};
  auto reply = co_await ask(std::move(title), question);
  if (reply.answer == Answer::silent && !reply.ends) {
    co_await explain_silence(reply);
  }
  co_return reply;
}

/// Any answer to a hello that was answered before, up to the request for a cookie, which costs a server nothing.
asio::awaitable<bool> DtlsAsker::is_alive() {
  auto datagram = wire::dtls_hello_datagram(*known_, {});
  std::string title = "is it still there?";
  Enough enough = &at_hello;
  const auto reply = co_await ask(std::move(title), std::move(datagram), std::move(enough));
  co_return reply.answer != Answer::not_tls && !reply.text.empty();
}

/// A hello may be dropped because it cannot be served, because the server is busy with one peer, or because it is gone.
asio::awaitable<void> DtlsAsker::explain_silence(Reply& reply) {
  for (int round = 0; known_ && !gone_ && round < kMostLiveness; ++round) {
    const bool alive = co_await is_alive();
    if (alive) {
      reply.answer = Answer::cut;
      reply.why = "no answer, though another hello is answered";
      ++habits_.silences_explained;
      co_return;
    }
  }
  gone_ = known_.has_value();
}

/// The datagrams of a session that the library holds: counted, and not written down, since they are encrypted.
class DtlsAsker::Counted final : public Datagrams {
 public:
  Counted(std::unique_ptr<Datagrams> over, Cost& cost) : over_(std::move(over)), cost_(cost) {}

  asio::awaitable<Result<>> send(std::span<const std::byte> payload) override {
    ++cost_.datagrams_sent;
    auto sent = co_await over_->send(payload);
    co_return sent;
  }

  asio::awaitable<Result<Received>> receive(milliseconds within) override {
    auto got = co_await over_->receive(within);
    cost_.datagrams_received += got ? 1 : 0;
    co_return got;
  }

 private:
  std::unique_ptr<Datagrams> over_;
  Cost& cost_;  // of the asker, which outlives its sessions
};

asio::awaitable<Result<std::unique_ptr<TlsStream>>> DtlsAsker::shake_hands(std::string title,
                                                                           const TlsOptions& options) {
  ++cost_.connections;
  auto socket = co_await network_.open_udp(to_);
  transcript_.note(title);
  if (!socket) {
    co_return socket.error();
  }
  ++cost_.hellos;
  ++cost_.round_trips;
  auto numbered = options;
  numbered.first_record = number_;
  number_ += kRecordsOfSession;
  std::unique_ptr<Datagrams> counted = std::make_unique<Counted>(std::move(*socket), cost_);
  const auto within = network_.reply_timeout();
  auto session = co_await network_.start_dtls(std::move(counted), numbered, within);
  co_return session;
}

asio::awaitable<Weighed> DtlsAsker::weigh(const wire::TlsHello& hello, milliseconds later) {
  Weighed out;
  ++cost_.connections;
  ++cost_.hellos;
  ++cost_.round_trips;
  auto socket = co_await network_.open_udp(to_);
  transcript_.note("the weight of the answer to a hello without a cookie");
  if (!socket) {
    out.ends = sessions::ends_probe(socket.error().kind) ? std::optional{socket.error()} : std::nullopt;
    co_return out;
  }
  auto datagram = wire::dtls_renumbered(wire::dtls_hello_datagram(hello, {}), number_++);
  out.asked_bytes = static_cast<std::int64_t>(datagram.size());
  const auto sent = co_await send(**socket, std::move(datagram));
  wire::DtlsReader reader;
  wire::TlsFlight flight;
  const auto quiet = first_resend(true);
  auto wait = patience();
  while (sent && out.datagrams < kMostDatagrams && wait.count() > 0) {
    const auto start = Clock::now();
    const auto got = co_await (*socket)->receive(wait);
    if (!got) {
      out.ends = sessions::ends_probe(got.error().kind) ? std::optional{got.error()} : std::nullopt;
      break;
    }
    transcript_.received(got->payload);
    ++cost_.datagrams_received;
    ++out.datagrams;
    out.answered = true;
    const auto size = static_cast<std::int64_t>(got->payload.size());
    const int repeated = reader.repeated();
    reader.feed(wire::text_of(got->payload), flight);
    out.bytes += size;
    out.later_bytes += reader.repeated() > repeated ? size : 0;
    out.cookie_asked = reader.verify().has_value();
    if (out.datagrams == 1) {
      wait = out.cookie_asked ? quiet : std::max(quiet, later);
    } else {
      wait -= std::min(wait, since(start));
    }
  }
  if (flight.hello() && !out.ends) {
    auto goodbye = wire::dtls_alert_datagram(reader.version(), number_++, kFatal, kCancelledByUser);
    const auto told = co_await send(**socket, std::move(goodbye));
    transcript_.note(told ? "weighed" : "weighed; the goodbye could not be sent");
  }
  co_return out;
}

asio::awaitable<CookieTrial> DtlsAsker::try_cookie(const wire::TlsHello& first, const wire::TlsHello& second,
                                                   bool other_port) {
  CookieTrial out;
  cost_.connections += other_port ? 2 : 1;
  auto socket = co_await network_.open_udp(to_);
  auto other = co_await network_.open_udp(to_);
  transcript_.note(other_port ? "a cookie shown from another port" : "a cookie shown with another hello");
  if (!socket || !other) {
    const auto& error = socket ? other.error() : socket.error();
    out.why = error.what;
    out.ends = sessions::ends_probe(error.kind) ? std::optional{error} : std::nullopt;
    co_return out;
  }
  Reply given;
  auto bytes = wire::dtls_hello_datagram(first, {});
  const Question asks{nullptr, std::move(bytes), Frames::raw, &at_hello};
  Talk asking{**socket, asks, given};
  co_await converse(asking);
  if (!asking.reader.verify()) {
    out.why = "no cookie was given";
    out.ends = given.ends;
    co_await say_goodbye(asking);
    co_return out;
  }
  Reply reply;
  bytes = wire::dtls_hello_datagram(second, {asking.reader.verify()->cookie, 1, 0});
  const Question shows{nullptr, std::move(bytes), Frames::raw, &at_hello};
  Datagrams& way = other_port ? **other : **socket;
  Talk showing{way, shows, reply};
  co_await converse(showing);
  co_await say_goodbye(showing);
  out.ends = reply.ends;
  if (reply.flight.hello()) {
    out.taken = true;
    out.why = "the handshake went on";
  } else if (showing.reader.verify()) {
    out.taken = false;
    out.why = "another cookie was asked for";
  } else if (const auto refusal = reply.flight.refusal()) {
    out.taken = false;
    out.why = "alert " + wire::tls_alert_name(refusal->alert);
  } else {
    out.why = "no answer";
  }
  co_return out;
}

}  // namespace assay::probes::tls

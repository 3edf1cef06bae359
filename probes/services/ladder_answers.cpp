#include "probes/services/ladder.hpp"
#include "probes/services/variants.hpp"
#include "probes/sessions/login_search.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/mqtt.hpp"

/// What the ladder does with an answer.
namespace assay::probes::services {

namespace {

constexpr int kMaximumRedirects = 3;
constexpr int kEchoes = 2;
constexpr int kMostlyText = 90;  // percent
constexpr int kMaximumTurns = 4;
constexpr milliseconds kRestOfAnswer{1000};
constexpr int kMaximumParts = 64;  // of one answer
constexpr std::size_t kMaximumAnswer = 64U << 10U;
constexpr std::size_t kKeptProof = 256;

/// The response that bytes already at hand make.
Result<sessions::HttpAnswer> answer_at_hand(const std::string& bytes) {
  wire::HttpReader reader;
  reader.feed(bytes);
  reader.finish();
  sessions::HttpAnswer answer;
  answer.response = reader.response();
  answer.understood = true;
  return answer;
}

bool is_command_prompt(std::string_view bytes) {
  return wire::text_share(bytes) >= kMostlyText && wire::waits_for_command(wire::prompt_of(bytes));
}

/// Words of a service that greets whoever connects, so that a connection on which we spoke first is of no use.
bool speaks_first(wire::Speech speech, std::string_view bytes) {
  if (speech != wire::Speech::unknown) {
    return speech == wire::Speech::ssh || speech == wire::Speech::reply_lines;
  }
  const auto* hinted = suggested(bytes);
  return (hinted != nullptr && hinted->server_first) || (hinted == nullptr && is_command_prompt(bytes));
}

}  // namespace

asio::awaitable<Result<>> Ladder::consider(Offer what, std::string bytes) {
  const auto speech = wire::recognise(bytes).speech;
  const bool plain_answer = what.step == Step::tls && speech != wire::Speech::tls;
  sighting_.tls_refused = sighting_.tls_refused || plain_answer;
  if (sighting_.banner.empty() && speech != wire::Speech::tls) {
    sighting_.banner = bytes;
  }
  const auto proof = bytes.substr(0, kKeptProof);
  Result<> done;
  // Our random bytes twice in a row are RFC 862; every protocol below would have to see through them by itself.
  echoes_ += what.step != Step::listen && bytes == said_ ? 1 : 0;
  if (echoes_ == kEchoes) {
    sighting_.protocol = "echo";
    sighting_.proof = proof;
    co_return done;
  }
  if (what.step != Step::listen && speaks_first(speech, bytes)) {
    done = co_await listen_again();
  } else if (speech == wire::Speech::unknown) {
    done = co_await consider_unknown(what, std::move(bytes));
  } else {
    done = co_await consider_native(what.step, speech, std::move(bytes));
  }
  if (sighting_.identified() && sighting_.proof.empty()) {
    sighting_.proof = proof;
  }
  fresh_ = false;
  co_return done;
}

asio::awaitable<Result<>> Ladder::consider_native(Step step, wire::Speech speech, std::string bytes) {
  Result<> done;
  switch (speech) {
    case wire::Speech::http:
      done = co_await consider_http(step, std::move(bytes));
      break;
    case wire::Speech::ssh:
      done = co_await follow_ssh(*channel_, place_, std::move(bytes), sighting_);
      break;
    case wire::Speech::telnet:
    case wire::Speech::prompt:
      done = co_await follow_telnet(*channel_, place_, std::move(bytes), sighting_);
      break;
    case wire::Speech::reply_lines:
      done = co_await follow_reply_lines(*channel_, place_, std::move(bytes), sighting_);
      break;
    case wire::Speech::mqtt:
      if (step == Step::mqtt) {
        done = co_await retry_mqtt(std::move(bytes));
      }
      break;
    case wire::Speech::rtsp:
      if (step == Step::rtsp) {
        done = co_await follow_rtsp(*channel_, place_, std::move(bytes), sighting_);
      }
      break;
    case wire::Speech::coap_tcp:
      if (fresh_) {
        auto settings = coap_tcp_hello();
        done = co_await channel_->send(std::move(settings));
      }
      done = co_await follow_coap_tcp(*channel_, place_, sighting_);
      break;
    case wire::Speech::tls:
      // An alert that nobody asked for in TLS is a hint; only the answer to a ClientHello shows that TLS is spoken.
      sighting_.tls = sighting_.tls || (step == Step::tls && !place_.tls);
      break;
    case wire::Speech::unknown:
      break;
  }
  co_return done;
}

asio::awaitable<Result<>> Ladder::consider_unknown(Offer what, std::string bytes) {
  if (what.exchange != nullptr) {
    auto talked = co_await converse(*what.exchange, bytes);
    if (!talked || sighting_.identified() || sighting_.upgrade) {
      co_return talked;
    }
  }
  const auto* hinted = suggested(bytes);
  if (hinted != nullptr && hinted != what.exchange && !tried_.contains(hinted->name)) {
    tried_.emplace(hinted->name);
    offered_.emplace_back(hinted->name);
    auto followed = co_await follow_suggestion(*hinted, std::move(bytes));
    co_return followed;
  }
  if (what.step == Step::listen && is_command_prompt(bytes) && channel_) {
    sighting_.details["prompt"] = wire::printable(wire::prompt_of(bytes), 128);
    auto tried = co_await follow_shell(*channel_, place_, sighting_);
    co_return tried;
  }
  co_return Result<>{};
}

/// Who speaks first is heard on; anybody else is asked anew.
asio::awaitable<Result<>> Ladder::follow_suggestion(const Exchange& exchange, std::string heard) {
  if (!exchange.server_first || !channel_ || channel_->ended()) {
    if (connections_ > limit_) {
      co_return Result<>{};
    }
    channel_.reset();
    auto opened = co_await open();
    if (!opened) {
      co_return sessions::ends_probe(opened.error().kind) ? opened : Result<>{};
    }
    if (!exchange.server_first) {
      auto bytes = exchange.opening(place_, nonce_);
      auto sent = co_await channel_->send(std::move(bytes));
      if (!sent) {
        co_return sessions::ends_probe(sent.error().kind) ? sent : Result<>{};
      }
    }
    heard.clear();
  }
  fresh_ = false;
  auto talked = co_await converse(exchange, std::move(heard));
  co_return talked;
}

/// Question and answer until the exchange is content, or the device is not.
asio::awaitable<Result<>> Ladder::converse(const Exchange& exchange, std::string heard) {
  const auto rest = std::max(kRestOfAnswer, 8 * network_.round_trip(milliseconds{0}));
  for (int turn = 0; turn < kMaximumTurns; ++turn) {
    Turn taken{wire::Parse::need_more, {}};
    for (int part = 0; part < kMaximumParts && heard.size() < kMaximumAnswer; ++part) {
      if (!heard.empty()) {
        const Heard so_far{turn, heard, nonce_, place_};
        taken = exchange.hear(so_far, sighting_);
      }
      if (taken.state != wire::Parse::need_more) {
        break;
      }
      // A first answer gets the full time, the rest of one that has begun comes soon.
      const auto within = heard.empty() ? place_.timers.reply : std::min(place_.timers.reply, rest);
      auto more = co_await channel_->receive(within);
      if (!more) {
        co_return sessions::ends_probe(more.error().kind) ? Result<>{more.error()} : Result<>{};
      }
      heard += *more;
    }
    if (sighting_.identified() && sighting_.proof.empty()) {
      sighting_.proof = heard.substr(0, kKeptProof);
    }
    sighting_.greeted = sighting_.greeted && turn == 0;
    if (taken.state != wire::Parse::complete || taken.say.empty()) {
      co_return Result<>{};
    }
    auto sent = co_await channel_->send(std::move(taken.say));
    if (!sent) {
      co_return sessions::ends_probe(sent.error().kind) ? sent : Result<>{};
    }
    heard.clear();
  }
  co_return Result<>{};
}

/// STARTTLS: what the device offered on the plain connection is taken up, to see the session it gives.
asio::awaitable<Result<>> Ladder::upgrade() {
  const auto& wish = *sighting_.upgrade;
  if (!channel_ || channel_->ended()) {
    sighting_.upgrade_failure = "the device closed the connection before TLS was asked for";
    co_return Result<>{};
  }
  if (!wish.say.empty()) {
    auto bytes = wish.say;
    auto sent = co_await channel_->send(std::move(bytes));
    Result<std::string> answer = Error{ErrorKind::closed, "the device closed the connection", {}};
    if (sent) {
      answer = co_await channel_->receive_speech(place_.timers.reply, place_.timers.quiet);
    }
    if (!answer || !wish.agreed(*answer)) {
      const bool ends = !answer && sessions::ends_probe(answer.error().kind);
      sighting_.upgrade_failure = "the device did not agree to begin TLS";
      co_return ends ? Result<>{answer.error()} : Result<>{};
    }
  }
  TlsSession session;
  auto inner = co_await sessions::upgrade_channel(network_, std::move(channel_), transcript_, session);
  if (!inner) {
    sighting_.upgrade_failure = wire::printable(inner.error().what, 256);
    co_return sessions::ends_probe(inner.error().kind) ? Result<>{inner.error()} : Result<>{};
  }
  sighting_.upgraded = std::move(session);
  channel_ = std::move(*inner);
  if (!wish.inside.empty()) {
    auto bytes = wish.inside;
    auto sent = co_await channel_->send(std::move(bytes));
    place_.tls = true;  // a login that is seen from here on travels inside TLS
    Result<> talked;
    if (sent) {
      std::string nothing_yet;
      talked = co_await converse(kPostgres, std::move(nothing_yet));
    }
    place_.tls = false;
    co_return talked;
  }
  co_return Result<>{};
}

asio::awaitable<std::optional<wire::HttpResponse>> Ladder::request(std::string bytes) {
  channel_.reset();
  auto opened = co_await open();
  if (!opened) {
    co_return std::nullopt;
  }
  fresh_ = false;
  auto sent = co_await channel_->send(std::move(bytes));
  if (!sent) {
    co_return std::nullopt;
  }
  auto answer = co_await sessions::receive_http(*channel_, place_.timers.reply);
  if (!answer || !answer->understood) {
    co_return std::nullopt;
  }
  co_return std::move(answer->response);
}

asio::awaitable<std::optional<wire::HttpResponse>> Ladder::get(std::string path) {
  auto bytes = http_get(place_, path);
  auto answer = co_await request(std::move(bytes));
  co_return answer;
}

asio::awaitable<Result<>> Ladder::consider_http(Step step, std::string bytes) {
  auto answer = answer_at_hand(bytes);
  if (step == Step::http) {
    answer = co_await sessions::receive_http(*channel_, place_.timers.reply, bytes);
  }
  if (!answer) {
    co_return Result<>{};
  }
  auto response = std::move(answer->response);
  // Many TLS servers answer a request without TLS in clear, with status 400: the port speaks TLS all the same.
  if (response.status == 400 && !place_.tls && !tried_.contains("tls")) {
    const Offer hello{Step::tls};
    auto offered = co_await offer(hello);
    if (!offered || sighting_.tls || sighting_.identified()) {
      co_return offered;
    }
  }
  if (step != Step::http && connections_ < limit_) {
    // An answer to something else than our GET says who is there, not what "/" is.
    tried_.emplace("http");
    offered_.emplace_back("http");
    auto root = co_await get("/");
    if (root) {
      response = std::move(*root);
    }
  }
  auto followed = co_await follow_redirects(std::move(response));
  if (followed) {
    followed = co_await follow_variants();
  }
  co_return followed;
}

asio::awaitable<Result<>> Ladder::follow_redirects(wire::HttpResponse response) {
  std::string path = "/";
  for (int redirects = 0;; ++redirects) {
    auto target = note_http(response, place_, path, sighting_);
    if (target.empty()) {
      break;
    }
    if (redirects == kMaximumRedirects) {
      co_return Result<>{};
    }
    path = std::move(target);
    auto next = co_await get(path);
    if (!next) {
      co_return Result<>{};
    }
    response = std::move(*next);
  }
  co_await find_logins(std::move(response), std::move(path));
  co_return Result<>{};
}

/// A page without a login may lead to one. Beyond the connections that may be made to name the protocol.
asio::awaitable<void> Ladder::find_logins(wire::HttpResponse response, std::string path) {
  sessions::LoginSearch search{place_.address, place_.endpoint.port, place_.tls};
  if (sighting_.logins.empty()) {
    search.take(response, path);
  }
  while (sighting_.logins.empty()) {
    auto wanted = search.next();
    if (!wanted) {
      sighting_.logins_doubt = search.unread();
      break;
    }
    path = std::move(*wanted);
    ++limit_;
    auto next = co_await get(path);
    if (next) {
      note_http_logins(*next, place_, path, sighting_);
      search.take(*next, path);
    }
  }
}

/// What else may lie behind a web server: asked only where it is usual.
asio::awaitable<Result<>> Ladder::follow_variants() {
  for (const auto& variant : variants()) {
    if (connections_ >= limit_ || !usual_for(variant, place_, sighting_)) {
      continue;
    }
    auto bytes = variant.request(place_);
    auto answer = co_await request(std::move(bytes));
    if (answer) {
      variant.note(*answer, sighting_);
    }
  }
  co_return Result<>{};
}

asio::awaitable<Result<>> Ladder::retry_mqtt(std::string bytes) {
  constexpr std::uint8_t kWrongVersion = 1;
  constexpr std::uint8_t kWrongVersion5 = 0x84;
  auto followed = co_await follow_mqtt(*channel_, place_, bytes, sighting_);
  const auto code = wire::parse_connack(bytes).connack.code;
  if (!followed || (code != kWrongVersion && code != kWrongVersion5) || connections_ >= limit_) {
    co_return followed;
  }
  channel_.reset();
  auto opened = co_await open();
  if (!opened) {
    co_return Result<>{};
  }
  auto hello = mqtt_hello(5);
  auto sent = co_await channel_->send(std::move(hello));
  if (sent) {
    auto heard = co_await channel_->receive_speech(place_.timers.reply, place_.timers.quiet);
    if (heard) {
      followed = co_await follow_mqtt(*channel_, place_, std::move(*heard), sighting_);
    }
  }
  co_return followed;
}

}  // namespace assay::probes::services

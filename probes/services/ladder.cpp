#include "probes/services/ladder.hpp"

#include <algorithm>

#include "probes/wire/bytes.hpp"
#include "probes/wire/mqtt.hpp"
#include "probes/wire/tls_hello.hpp"

namespace assay::probes::services {

namespace {

constexpr int kConnectionsInsideTls = 4;
constexpr int kMaximumRedirects = 3;
constexpr milliseconds kFirstAnswer{2000};  // for the protocol that the port suggests
constexpr milliseconds kOtherAnswer{1000};  // for the rest; a slow answer is still met by look_back()
constexpr milliseconds kLateBanner{5000};   // telnet and SSH servers that first ask for the peer's name
constexpr int kListenerAfter = 3;           // connections, after which the first one is looked at and closed

bool one_of(std::uint16_t port, std::initializer_list<std::uint16_t> ports) {
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}

/// The response that bytes already at hand make.
Result<sessions::HttpAnswer> quoted(const std::string& bytes) {
  wire::HttpReader reader;
  reader.feed(bytes);
  reader.finish();
  sessions::HttpAnswer answer;
  answer.response = reader.response();
  answer.understood = true;
  return answer;
}

}  // namespace

Ladder::Ladder(Network& network, Transcript& transcript, Place place, Sighting& sighting)
    : network_(network), transcript_(transcript), place_(std::move(place)), sighting_(sighting) {}

std::string_view Ladder::name_of_step(Step step) {
  switch (step) {
    case Step::http:
      return "http";
    case Step::tls:
      return "tls";
    case Step::mqtt:
      return "mqtt";
    case Step::rtsp:
      return "rtsp";
    case Step::coap:
      return "coap";
    case Step::listen:
      break;
  }
  return "listen";
}

std::vector<Ladder::Step> Ladder::order() const {
  const auto port = place_.endpoint.port;
  std::vector<Step> steps{Step::http, Step::tls, Step::mqtt, Step::rtsp, Step::coap};
  auto likely = Step::http;
  if (one_of(port, {443, 465, 636, 853, 990, 993, 995, 4433, 5061, 5671, 5684, 8443, 8883, 9443})) {
    likely = Step::tls;
  } else if (port == 1883) {
    likely = Step::mqtt;
  } else if (one_of(port, {322, 554, 8554})) {
    likely = Step::rtsp;
  } else if (port == 5683) {
    likely = Step::coap;
  }
  if (place_.tls) {
    std::erase(steps, Step::tls);
    likely = port == 8883 ? Step::mqtt : port == 322 ? Step::rtsp : port == 5684 ? Step::coap : Step::http;
    if (sighting_.session && sighting_.session->alpn == "mqtt") {
      likely = Step::mqtt;
    }
  }
  std::stable_partition(steps.begin(), steps.end(), [&](Step step) { return step == likely; });
  return steps;
}

std::string Ladder::opening(Step step) const {
  switch (step) {
    case Step::http:
      return http_get(place_, "/");
    case Step::tls:
      return wire::tls_client_hello({sessions::random_bytes(32), sessions::random_bytes(32), {}});
    case Step::mqtt:
      return mqtt_hello(4);
    case Step::rtsp:
      return rtsp_options(place_);
    case Step::coap:
      return coap_tcp_hello();
    case Step::listen:
      break;
  }
  return {};
}

asio::awaitable<Result<>> Ladder::open() {
  ++connections_;
  fresh_ = true;
  if (!place_.tls) {
    auto opened = co_await sessions::open_channel(network_, place_.endpoint, transcript_);
    if (!opened) {
      co_return opened.error();
    }
    channel_ = std::move(*opened);
    co_return Result<>{};
  }
  TlsOptions options;
  options.alpn = {"http/1.1", "mqtt"};
  TlsSession session;
  auto opened = co_await sessions::open_tls_channel(network_, place_.endpoint, options, transcript_, session);
  if (!opened && opened.error().kind == ErrorKind::protocol) {
    // A server may refuse offers of application protocols that it does not know.
    options.alpn.clear();
    opened = co_await sessions::open_tls_channel(network_, place_.endpoint, options, transcript_, session);
  }
  if (!opened) {
    co_return opened.error();
  }
  channel_ = std::move(*opened);
  sighting_.session = std::move(session);
  co_return Result<>{};
}

asio::awaitable<Result<>> Ladder::climb() {
  auto climbed = co_await climb_here();
  if (!climbed) {
    co_return climbed;
  }
  if (sighting_.tls && !place_.tls) {
    climbed = co_await climb_inside_tls();
    if (!climbed && !sessions::ends_probe(climbed.error().kind)) {
      sighting_.tls_failure = wire::printable(climbed.error().what, 256);
      co_return Result<>{};
    }
  }
  co_return climbed;
}

asio::awaitable<Result<>> Ladder::climb_inside_tls() {
  listener_.reset();
  channel_.reset();
  sighting_.banner.clear();
  place_.tls = true;
  limit_ = connections_ + kConnectionsInsideTls;
  tried_.clear();
  auto climbed = co_await climb_here();
  co_return climbed;
}

asio::awaitable<Result<>> Ladder::climb_here() {
  auto opened = co_await open();
  if (!opened) {
    co_return opened;
  }
  auto heard = co_await listen();
  if (!heard) {
    co_return heard;
  }
  const int before = connections_;
  for (const auto step : order()) {
    if (sighting_.identified() || (sighting_.tls && !place_.tls)) {
      break;
    }
    if (tried_.contains(step)) {
      continue;
    }
    if (listener_ && connections_ - before + 1 >= kListenerAfter) {
      auto looked = co_await look_back();
      if (!looked) {
        co_return looked;
      }
    }
    auto offered = co_await offer(step);
    if (!offered) {
      co_return offered;
    }
  }
  auto looked = co_await look_back();
  co_return looked;
}

asio::awaitable<Result<>> Ladder::listen() {
  const bool speaks_http = place_.tls && sighting_.session && sighting_.session->alpn == "http/1.1";
  if (speaks_http) {
    co_return Result<>{};  // the client speaks first: that is agreed in the handshake
  }
  auto heard = co_await channel_->receive_speech(place_.timers.banner, place_.timers.quiet);
  if (!heard) {
    co_return sessions::ends_probe(heard.error().kind) ? Result<>{heard.error()} : Result<>{};
  }
  auto considered = co_await consider(Step::listen, std::move(*heard));
  co_return considered;
}

asio::awaitable<Result<>> Ladder::offer(Step step) {
  const bool usable = channel_ && fresh_ && !channel_->ended() && sighting_.banner.empty();
  if (!usable) {
    if (connections_ >= limit_) {
      co_return Result<>{};
    }
    if (channel_ && !listener_ && connections_ == 1) {
      listener_ = std::move(channel_);
    }
    channel_.reset();
    auto opened = co_await open();
    if (!opened) {
      // The endpoint was open before: a refusal now is a limit of the device, and the next step may get through.
      co_return sessions::ends_probe(opened.error().kind) ? opened : Result<>{};
    }
  }
  const bool likely = tried_.empty();
  tried_.insert(step);
  offered_.emplace_back(name_of_step(step));
  fresh_ = false;
  auto bytes = opening(step);
  auto sent = co_await channel_->send(std::move(bytes));
  if (!sent && sessions::ends_probe(sent.error().kind)) {
    co_return sent;
  }
  const auto within = std::min(place_.timers.reply, likely ? kFirstAnswer : kOtherAnswer);
  auto heard = co_await channel_->receive_speech(std::max(within, 4 * place_.timers.banner / 3), place_.timers.quiet);
  if (!heard) {
    co_return sessions::ends_probe(heard.error().kind) ? Result<>{heard.error()} : Result<>{};
  }
  auto considered = co_await consider(step, std::move(*heard));
  co_return considered;
}

asio::awaitable<Result<>> Ladder::look_back() {
  if (!listener_ || listener_->ended() || sighting_.identified() || sighting_.tls) {
    listener_.reset();
    co_return Result<>{};
  }
  const auto spent = listener_->spent();
  const auto within = spent < kLateBanner ? kLateBanner - spent : milliseconds{1};
  // What came meanwhile lies in the socket already: only a device that is still silent costs this time.
  const auto patience = std::min(within, kFirstAnswer);
  auto heard = co_await listener_->receive_speech(patience, place_.timers.quiet);
  channel_ = std::move(listener_);
  fresh_ = false;
  if (!heard) {
    channel_.reset();
    co_return sessions::ends_probe(heard.error().kind) ? Result<>{heard.error()} : Result<>{};
  }
  auto considered = co_await consider(Step::listen, std::move(*heard));
  co_return considered;
}

asio::awaitable<Result<>> Ladder::consider(Step step, std::string bytes) {
  const auto speech = wire::recognise(bytes).speech;
  const bool plain_answer = step == Step::tls && speech != wire::Speech::tls;
  sighting_.tls_refused = sighting_.tls_refused || plain_answer;
  if (sighting_.banner.empty() && speech != wire::Speech::tls) {
    sighting_.banner = bytes;
  }
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
  fresh_ = false;
  co_return done;
}

asio::awaitable<std::optional<wire::HttpResponse>> Ladder::get(std::string path) {
  auto opened = co_await open();
  if (!opened) {
    co_return std::nullopt;
  }
  fresh_ = false;
  auto request = http_get(place_, path);
  auto sent = co_await channel_->send(std::move(request));
  if (!sent) {
    co_return std::nullopt;
  }
  auto answer = co_await sessions::receive_http(*channel_, place_.timers.reply);
  if (!answer || !answer->understood) {
    co_return std::nullopt;
  }
  co_return std::move(answer->response);
}

asio::awaitable<Result<>> Ladder::consider_http(Step step, std::string bytes) {
  auto answer = quoted(bytes);
  if (step == Step::http) {
    answer = co_await sessions::receive_http(*channel_, place_.timers.reply, bytes);
  }
  if (!answer) {
    co_return Result<>{};
  }
  auto response = std::move(answer->response);
  // Many TLS servers answer a request without TLS in clear, with status 400: the port speaks TLS all the same.
  if (response.status == 400 && !place_.tls && !tried_.contains(Step::tls)) {
    auto offered = co_await offer(Step::tls);
    if (!offered || sighting_.tls || sighting_.identified()) {
      co_return offered;
    }
  }
  if (step != Step::http && connections_ < limit_) {
    // An answer to something else than our GET says who is there, not what "/" is.
    tried_.insert(Step::http);
    offered_.emplace_back("http");
    auto root = co_await get("/");
    if (root) {
      response = std::move(*root);
    }
  }
  auto followed = co_await follow_redirects(std::move(response));
  co_return followed;
}

asio::awaitable<Result<>> Ladder::follow_redirects(wire::HttpResponse response) {
  std::string path = "/";
  for (int redirects = 0;; ++redirects) {
    path = note_http(response, place_, path, sighting_);
    if (path.empty() || redirects == kMaximumRedirects) {
      co_return Result<>{};
    }
    auto next = co_await get(path);
    if (!next) {
      co_return Result<>{};
    }
    response = std::move(*next);
  }
}

asio::awaitable<Result<>> Ladder::retry_mqtt(std::string bytes) {
  constexpr std::uint8_t kWrongVersion = 1;
  constexpr std::uint8_t kWrongVersion5 = 0x84;
  auto followed = co_await follow_mqtt(*channel_, place_, bytes, sighting_);
  const auto code = wire::parse_connack(bytes).connack.code;
  if (!followed || (code != kWrongVersion && code != kWrongVersion5) || connections_ >= limit_) {
    co_return followed;
  }
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

#include "probes/credentials/http_login.hpp"
#include "probes/wire/banner.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/html.hpp"
#include "probes/wire/tls_hello.hpp"

/// Finds out by itself which login stands behind an endpoint: nothing that another probe saw is needed.
namespace assay::probes::credentials {

namespace {

constexpr int kMaximumRedirects = 3;

std::string get(const Door& door, bool tls, std::string_view path) {
  wire::HttpRequest request;
  request.target = path;
  request.host = sessions::host_header(door.address, door.endpoint.port, tls);
  request.headers = {{"User-Agent", "assay"}, {"Accept", "*/*"}, {"Connection", "close"}};
  return wire::http_request(request);
}

asio::awaitable<sessions::ChannelResult> open(Door& door, bool tls) {
  if (tls) {
    TlsOptions options;
    TlsSession session;
    auto opened = co_await sessions::open_tls_channel(door.network, door.endpoint, options, door.transcript, session);
    co_return opened;
  }
  auto opened = co_await sessions::open_channel(door.network, door.endpoint, door.transcript);
  co_return opened;
}

asio::awaitable<Result<sessions::HttpAnswer>> fetch(Door& door, bool tls, std::string path) {
  auto opened = co_await open(door, tls);
  if (!opened) {
    co_return opened.error();
  }
  auto& channel = **opened;
  auto request = get(door, tls, path);
  auto sent = co_await channel.send(std::move(request));
  if (!sent) {
    co_return sent.error();
  }
  auto answer = co_await sessions::receive_http(channel, door.timers.reply);
  co_return answer;
}

/// Follows the pages of this endpoint until one asks for a login.
asio::awaitable<Result<Detection>> detect_http(Door& door, bool tls, wire::HttpResponse response) {
  Detection found;
  std::string path = "/";
  for (int redirects = 0;; ++redirects) {
    if (auto challenge = usable_challenge(response)) {
      found.dialect = make_http(door, tls, path, std::move(*challenge));
      break;
    }
    if (response.status == 401) {
      found.other_login = "an HTTP login of another scheme than Basic or Digest";
      break;
    }
    if (wire::find_password_form(response.body)) {
      found.other_login = "an HTML form with a password field";
      break;
    }
    const auto target = wire::http_location(wire::browser_redirect(response), path);
    const bool here = target && wire::leads_to(*target, door.address, door.endpoint.port, tls) && target->path != path;
    if (!here || redirects == kMaximumRedirects) {
      break;
    }
    path = target->path;
    auto next = co_await fetch(door, tls, path);
    if (!next && sessions::ends_probe(next.error().kind)) {
      co_return next.error();
    }
    if (!next || !next->understood) {
      break;
    }
    response = std::move(next->response);
  }
  co_return found;
}

asio::awaitable<Result<Detection>> detect_telnet(Door& door) {
  Detection found;
  auto shell = co_await find_open_shell(door);
  if (!shell) {
    co_return shell.error();
  }
  found.open = !shell->empty();
  found.open_proof = *shell;
  found.dialect = make_telnet(door);
  co_return found;
}

/// Nothing when the endpoint does not answer a ClientHello with TLS.
asio::awaitable<Result<std::optional<Detection>>> detect_tls(Door& door) {
  std::optional<Detection> none;
  auto opened = co_await open(door, false);
  if (!opened) {
    co_return none;
  }
  wire::ClientHello hello;
  hello.random = sessions::random_bytes(32);
  hello.key_share = sessions::random_bytes(32);
  auto bytes = wire::tls_client_hello(hello);
  auto sent = co_await (*opened)->send(std::move(bytes));
  if (!sent) {
    co_return none;
  }
  auto heard = co_await (*opened)->receive_speech(door.timers.reply, door.timers.quiet);
  opened->reset();
  if (!heard || wire::recognise(*heard).speech != wire::Speech::tls) {
    co_return none;
  }
  auto answer = co_await fetch(door, true, "/");
  if (!answer || !answer->understood) {
    Detection unknown;
    unknown.other_login = answer ? std::string{} : "a TLS endpoint whose handshake or first answer failed";
    co_return std::optional<Detection>{std::move(unknown)};
  }
  auto found = co_await detect_http(door, true, std::move(answer->response));
  if (!found) {
    co_return found.error();
  }
  co_return std::optional<Detection>{std::move(*found)};
}

std::string other_login_of(wire::Speech speech) {
  switch (speech) {
    case wire::Speech::ssh:
      return "an SSH login";
    case wire::Speech::reply_lines:
      return "an FTP or SMTP login";
    case wire::Speech::rtsp:
      return "an RTSP login";
    default:
      return {};
  }
}

}  // namespace

asio::awaitable<Result<Detection>> detect(Door& door) {
  auto opened = co_await open(door, false);
  if (!opened) {
    co_return opened.error();
  }
  auto& channel = **opened;
  const bool terminal_port = door.endpoint.port == 23 || door.endpoint.port == 2323;
  const auto patience = terminal_port ? door.timers.reply : door.timers.banner;
  auto heard = co_await channel.receive_speech(patience, door.timers.quiet);
  if (!heard) {
    if (sessions::ends_probe(heard.error().kind)) {
      co_return heard.error();
    }
    auto request = get(door, false, "/");
    auto sent = co_await channel.send(std::move(request));
    if (sent) {
      heard = co_await channel.receive_speech(door.timers.reply, door.timers.quiet);
    }
  }
  const auto bytes = heard ? *heard : std::string{};
  const auto speech = wire::recognise(bytes).speech;
  if (speech == wire::Speech::telnet || speech == wire::Speech::prompt) {
    opened->reset();
    auto found = co_await detect_telnet(door);
    co_return found;
  }
  if (speech == wire::Speech::http) {
    auto answer = co_await sessions::receive_http(channel, door.timers.reply, bytes);
    opened->reset();
    if (answer && answer->understood && answer->response.status != 400) {
      auto found = co_await detect_http(door, false, std::move(answer->response));
      co_return found;
    }
  }
  Detection found;
  found.other_login = other_login_of(speech);
  if (found.other_login.empty()) {
    opened->reset();
    auto inside = co_await detect_tls(door);
    if (!inside) {
      co_return inside.error();
    }
    if (*inside) {
      co_return std::move(**inside);
    }
    found.silent = bytes.empty();
  }
  co_return found;
}

}  // namespace assay::probes::credentials

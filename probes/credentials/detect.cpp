#include <algorithm>
#include <array>
#include <span>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/http_login.hpp"
#include "probes/credentials/line_talk.hpp"
#include "probes/credentials/lock_words.hpp"
#include "probes/credentials/web_session.hpp"
#include "probes/sessions/login_search.hpp"
#include "probes/wire/banner.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/databases.hpp"
#include "probes/wire/html.hpp"
#include "probes/wire/login_form.hpp"
#include "probes/wire/mail.hpp"
#include "probes/wire/remote.hpp"
#include "probes/wire/reply_lines.hpp"
#include "probes/wire/tls_hello.hpp"

/// Finds out by itself which login stands behind an endpoint: nothing that another probe saw is needed.
namespace assay::probes::credentials {

namespace {

constexpr std::uint16_t kOnvifPorts[] = {80, 443, 2020, 8000, 8080, 8899, 10080};

std::string get(const Door& door, bool tls, std::string_view path) {
  wire::HttpRequest request;
  request.target = path;
  request.host = sessions::host_header(door.address, door.endpoint.port, tls);
  request.headers = {{"User-Agent", "assay"}, {"Accept", "*/*"}, {"Connection", "close"}};
  return wire::http_request(request);
}

asio::awaitable<Result<sessions::HttpAnswer>> fetch(Door& door, bool tls, std::string path) {
  auto opened = co_await open_door(door, tls);
  if (!opened) {
    co_return opened.error();
  }
  auto& channel = **opened;
  auto request = get(door, tls, path);
  auto sent = co_await channel.send(std::move(request));
  if (!sent) {
    co_return sent.error();
  }
  channel.hold();
  auto answer = co_await sessions::receive_http(channel, door.timers.reply);
  if (answer && answer->understood) {
    conceal_cookies(door, answer->response);
  }
  channel.let_go();
  co_return answer;
}

/// The login that a page of HTTP asks for. False: none.
bool asks_for_login(Door& door, bool tls, const std::string& path, const wire::HttpResponse& page, Detection& found) {
  found.path = path;
  if (auto challenge = usable_challenge(page)) {
    found.dialect = make_http(door, tls, path, std::move(*challenge));
  } else if (page.status == 401) {
    found.other_login = "an HTTP login of another scheme than Basic or Digest";
  } else if (const auto form = wire::find_login_form(page.body); form && !form->scripted) {
    found.dialect = make_form(door, tls, path, page.body);
  } else if (wire::find_password_form(page.body)) {
    found.other_login = "an HTML form with a password field that a script sends or changes";
  } else {
    return false;
  }
  return true;
}

/// Goes through the pages of this endpoint until one asks for a login.
asio::awaitable<Result<Detection>> detect_http(Door& door, bool tls, wire::HttpResponse response) {
  Detection found;
  found.tls = tls;
  std::string path = "/";
  sessions::LoginSearch search{door.address, door.endpoint.port, tls};
  while (!asks_for_login(door, tls, path, response, found)) {
    search.take(response, path);
    for (bool heard = false; !heard;) {
      auto wanted = search.next();
      if (!wanted) {
        found.doubt = search.doubt();
        co_return found;
      }
      path = std::move(*wanted);
      auto next = co_await fetch(door, tls, path);
      if (!next && sessions::ends_probe(next.error().kind)) {
        co_return next.error();
      }
      heard = next && next->understood;
      if (heard) {
        response = std::move(next->response);
      }
    }
  }
  co_return found;
}

/// FTP and SMTP greet alike; only SMTP knows EHLO.
asio::awaitable<Result<Detection>> detect_reply_lines(Door& door, bool tls, std::string greeting) {
  bool smtp = false;
  if (!wire::contains_ignoring_case(greeting, "FTP")) {
    auto opened = co_await open_door(door, tls);
    if (!opened) {
      co_return opened.error();
    }
    LineTalk talk{std::move(*opened), door.timers.reply};
    constexpr WholeReply kReply = [](std::string_view bytes) { return wire::parse_reply_lines(bytes).state; };
    auto reply = co_await talk.hear(kReply);
    if (reply) {
      reply = co_await talk.ask("EHLO assay.invalid\r\n", kReply);
    }
    if (!reply && sessions::ends_probe(reply.error().kind)) {
      co_return reply.error();
    }
    smtp = reply && reply->starts_with("250");
  }
  if (smtp) {
    auto found = co_await detect_smtp(door, tls);
    co_return found;
  }
  auto found = co_await detect_ftp(door, tls);
  co_return found;
}

/// A whole greeting of a protocol in which the server speaks first: nothing more is waited for.
bool greets(std::string_view bytes) {
  return wire::recognise(bytes).speech != wire::Speech::unknown ||
         wire::parse_imap_greeting(bytes) == wire::Parse::complete ||
         wire::parse_pop3_greeting(bytes).state == wire::Parse::complete ||
         wire::parse_rfb_version(bytes).state == wire::Parse::complete ||
         wire::parse_mysql(bytes).state == wire::Parse::complete;
}

/// Who speaks first is known by the greeting. Nothing when it is of no protocol that has a dialect here.
asio::awaitable<Result<std::optional<Detection>>> detect_greeter(Door& door, bool tls, std::string greeting) {
  Result<Detection> found{Detection{}};
  const auto speech = wire::recognise(greeting).speech;
  if (speech == wire::Speech::telnet || speech == wire::Speech::prompt) {
    if (tls) {
      found->other_login = "a telnet login inside TLS";
    } else {
      found = co_await detect_telnet(door);
    }
  } else if (speech == wire::Speech::ssh && !tls) {
    found = co_await detect_ssh(door);
  } else if (speech == wire::Speech::reply_lines) {
    found = co_await detect_reply_lines(door, tls, std::move(greeting));
  } else if (wire::parse_imap_greeting(greeting) == wire::Parse::complete) {
    found = co_await detect_imap(door, tls);
  } else if (wire::parse_pop3_greeting(greeting).state == wire::Parse::complete) {
    found = co_await detect_pop3(door, tls);
  } else if (wire::parse_rfb_version(greeting).state == wire::Parse::complete) {
    found = co_await detect_vnc(door, tls);
  } else if (wire::parse_mysql(greeting).state == wire::Parse::complete) {
    found = co_await detect_mysql(door);
  } else {
    co_return std::optional<Detection>{};
  }
  if (!found) {
    co_return found.error();
  }
  co_return std::optional<Detection>{std::move(*found)};
}

/// What else was found on the same endpoint stands behind the first login.
void join(Detection& found, Detection other) {
  if (other.open && !found.open) {
    found.open = true;
    found.open_proof = std::move(other.open_proof);
  }
  if (!other.dialect) {
    found.other_login = found.other_login.empty() ? other.other_login : found.other_login;
    return;
  }
  if (found.dialect) {
    found.more.push_back(std::move(other.dialect));
  } else {
    found.dialect = std::move(other.dialect);
  }
}

/// Words of an error, or its status, by which a server says that it serves nobody or not us for now; empty: none.
std::string held_by(const wire::HttpResponse& response) {
  constexpr int kTooMany = 429;
  constexpr int kUnavailable = 503;
  constexpr int kErrors = 400;
  const auto says_lock = [&](std::string_view word) { return wire::contains_ignoring_case(response.body, word); };
  const bool locks =
      response.status >= kErrors && std::any_of(kPlainLockWords.begin(), kPlainLockWords.end(), says_lock);
  const bool held = response.status == kTooMany || response.status == kUnavailable || locks;
  return held ? "status " + std::to_string(response.status) : std::string{};
}

/// A first word of ours in one protocol; nothing found when the answer is of another.
asio::awaitable<Result<Detection>> ask_http(Door& door, bool tls) {
  auto answer = co_await fetch(door, tls, "/");
  Detection none;
  if (!answer && sessions::ends_probe(answer.error().kind)) {
    co_return answer.error();
  }
  if (!answer) {
    none.silent = answer.error().kind == ErrorKind::timed_out;
    co_return none;
  }
  if (!answer->understood || answer->response.protocol != "HTTP" || (answer->response.status == 400 && !tls)) {
    co_return none;
  }
  auto held = held_by(answer->response);
  auto found = co_await detect_http(door, tls, std::move(answer->response));
  if (!found) {
    co_return found;
  }
  found->answered = true;
  found->held = std::move(held);
  const auto port = door.endpoint.port;
  if (std::find(std::begin(kOnvifPorts), std::end(kOnvifPorts), port) != std::end(kOnvifPorts)) {
    auto camera = co_await detect_onvif(door, tls);
    if (!camera) {
      co_return camera.error();
    }
    join(*found, std::move(*camera));
  }
  co_return found;
}

using Ask = asio::awaitable<Result<Detection>> (*)(Door& door, bool tls);

/// Questions for servers that wait for one.
struct Questions {
  std::array<Ask, 5> asks{&ask_http, &detect_mqtt, &detect_redis, &detect_rtsp, &detect_postgres};
  bool usual = false;  // the first is that of the protocol that the port is known for
};

Questions questions_for(std::uint16_t port) {
  Questions questions;
  const auto first = [&](Ask ask) {
    auto& asks = questions.asks;
    std::rotate(asks.begin(), std::find(asks.begin(), asks.end(), ask), asks.end());
    questions.usual = true;
  };
  if (port == 1883 || port == 8883) {
    first(&detect_mqtt);
  } else if (port == 6379 || port == 6380) {
    first(&detect_redis);
  } else if (port == 554 || port == 8554 || port == 10554 || port == 322) {
    first(&detect_rtsp);
  } else if (port == 5432) {
    first(&detect_postgres);
  } else if (port == 80) {  // not the others that HTTP likes: a telnet server takes the question for a login
    first(&ask_http);
  }
  return questions;
}

asio::awaitable<Result<Detection>> ask_all(Door& door, bool tls, std::span<const Ask> asks) {
  bool silent = true;
  for (const auto ask : asks) {
    auto found = co_await ask(door, tls);
    if (!found && sessions::ends_probe(found.error().kind)) {
      co_return found.error();
    }
    if (found && is_known(*found)) {
      co_return found;
    }
    silent = silent && found && found->silent;
  }
  Detection none;
  none.silent = silent;
  co_return none;
}

/// Whether a ClientHello is answered with TLS. Nothing when it is not known: no answer came, or the end alone. An error
/// only for what ends the probe.
asio::awaitable<Result<std::optional<bool>>> speaks_tls(Door& door) {
  const std::optional<bool> unknown;
  auto opened = co_await open_door(door, false);
  if (!opened) {
    const Result<std::optional<bool>> failed{opened.error()};
    const Result<std::optional<bool>> none{unknown};
    co_return sessions::ends_probe(opened.error().kind) ? failed : none;
  }
  wire::ClientHello hello;
  hello.random = sessions::random_bytes(32);
  hello.key_share = sessions::random_bytes(32);
  auto bytes = wire::tls_client_hello(hello);
  auto sent = co_await (*opened)->send(std::move(bytes));
  Result<std::string> heard{std::string{}};
  if (sent) {
    heard = co_await (*opened)->receive_speech(door.timers.reply, door.timers.quiet);
  } else {
    heard = sent.error();
  }
  if (!heard) {
    const Result<std::optional<bool>> failed{heard.error()};
    const Result<std::optional<bool>> none{unknown};
    co_return sessions::ends_probe(heard.error().kind) ? failed : none;
  }
  const std::optional<bool> known{wire::recognise(*heard).speech == wire::Speech::tls};
  co_return known;
}

/// The way of a declared login: passwords must not go out in clear to a port that speaks TLS, however slowly it
/// answered a ClientHello. So either TLS or HTTP in clear has to be heard.
asio::awaitable<Result<Detection>> detect_declared(Door& door, const LoginRecipe& recipe) {
  auto tls = co_await speaks_tls(door);
  if (!tls) {
    co_return tls.error();
  }
  if (!*tls) {
    auto answer = co_await fetch(door, false, "/");
    if (!answer && sessions::ends_probe(answer.error().kind)) {
      co_return answer.error();
    }
    // With 400 servers answer HTTP in clear on a port of HTTPS.
    if (answer && answer->understood && answer->response.protocol == "HTTP" && answer->response.status != 400) {
      *tls = false;
    }
  }
  Detection found;
  if (*tls) {
    found.tls = **tls;
    found.dialect = make_recipe(door, **tls, recipe);
  } else {
    found.spoken = "http-json";
    found.way_doubt = "neither TLS nor HTTP in clear was heard, so no password was sent";
    found.doubt = found.way_doubt;
  }
  co_return found;
}

asio::awaitable<Result<Detection>> detect_inside_tls(Door& door) {
  auto opened = co_await open_door(door, true);
  if (!opened && sessions::ends_probe(opened.error().kind)) {
    co_return opened.error();
  }
  if (!opened) {
    // A server of pre-shared keys has no suite in common with a hello that offers none.
    auto keyed = co_await detect_mqtt_psk(door);
    if (keyed && !keyed->dialect) {
      keyed->other_login = "a TLS endpoint whose handshake failed";
    }
    co_return keyed;
  }
  auto heard = co_await (*opened)->receive_until(door.timers.banner, door.timers.quiet, &greets);
  opened->reset();
  // In TLS 1.3 the client has finished before it hears that it lacks a certificate (RFC 8446, 4.4.2).
  const bool ends_at_once = !heard && heard.error().kind != ErrorKind::timed_out;
  if (heard) {
    auto found = co_await detect_greeter(door, true, std::move(*heard));
    if (!found) {
      co_return found.error();
    }
    if (*found) {
      co_return std::move(**found);
    }
  }
  const auto questions = questions_for(door.endpoint.port);
  auto found = co_await ask_all(door, true, questions.asks);
  if (found) {
    found->silent = false;
  }
  if (found && ends_at_once && !is_known(*found)) {
    found->other_login = "a TLS endpoint that ends sessions after their handshake, as one that asks for a certificate";
  }
  co_return found;
}

/// Listens once more for as long as an answer may take: a server with much to do greets late, and what every question
/// of ours then heard was its greeting. Nothing when no greeting came or it is of no protocol that has a dialect here.
asio::awaitable<Result<std::optional<Detection>>> detect_late_greeter(Door& door) {
  auto opened = co_await open_door(door, false);
  Result<std::string> heard{std::string{}};
  if (opened) {
    heard = co_await (*opened)->receive_until(door.timers.reply, door.timers.quiet, &greets);
    opened->reset();
  } else {
    heard = opened.error();
  }
  if (heard) {
    auto found = co_await detect_greeter(door, false, std::move(*heard));
    co_return found;
  }
  if (sessions::ends_probe(heard.error().kind)) {
    co_return heard.error();
  }
  co_return std::optional<Detection>{};
}

/// Whoever says nothing unasked, or nothing that is known: the first question, unless it was asked and how that ended
/// is known, then inside TLS, then the rest.
asio::awaitable<Result<Detection>> detect_waiting(Door& door, bool heard, std::optional<bool> silent_when_asked) {
  const auto questions = questions_for(door.endpoint.port);
  const std::span<const Ask> all{questions.asks};
  Result<Detection> found{Detection{}};
  if (!silent_when_asked) {
    found = co_await ask_all(door, false, all.first(1));
  }
  if (!found || is_known(*found)) {
    co_return found;
  }
  const bool silent = silent_when_asked.value_or(found->silent) && !heard;
  auto tls = co_await speaks_tls(door);
  if (!tls) {
    co_return tls.error();
  }
  if (*tls && **tls) {
    found = co_await detect_inside_tls(door);
    co_return found;
  }
  found = co_await ask_all(door, false, all.subspan(1));
  if (found && !heard && !is_known(*found)) {
    auto late = co_await detect_late_greeter(door);
    if (!late) {
      co_return late.error();
    }
    if (*late) {
      co_return std::move(**late);
    }
  }
  if (found) {
    found->silent = silent;
    if (!*tls && !silent && !heard && !is_known(*found)) {
      found->other_login = "one inside TLS perhaps: a ClientHello got no answer, nor did anything else";
      found->held = "it ends connections without a word";
    }
  }
  co_return found;
}

}  // namespace

asio::awaitable<Result<Detection>> detect(Door& door) {
  if (door.endpoint.transport == Transport::udp) {
    auto found = co_await detect_datagrams(door);
    co_return found;
  }
  if (const auto* declared = recipe_for(door)) {
    auto found = co_await detect_declared(door, *declared);
    co_return found;
  }
  // Where the port is known for a protocol whose servers wait, nobody waits for their greeting.
  const auto questions = questions_for(door.endpoint.port);
  std::optional<bool> silent_when_asked;
  if (questions.usual) {
    const auto usual = std::span<const Ask>{questions.asks}.first(1);
    auto found = co_await ask_all(door, false, usual);
    if (!found || is_known(*found)) {
      co_return found;
    }
    silent_when_asked = found->silent;
  }
  auto opened = co_await open_door(door, false);
  if (!opened) {
    co_return opened.error();
  }
  const bool terminal_port = door.endpoint.port == 23 || door.endpoint.port == 2323;
  const auto patience = terminal_port ? door.timers.reply : door.timers.banner;
  auto heard = co_await (*opened)->receive_until(patience, door.timers.quiet, &greets);
  if (!heard && sessions::ends_probe(heard.error().kind)) {
    co_return heard.error();
  }
  opened->reset();
  if (heard) {
    auto greeter = co_await detect_greeter(door, false, std::move(*heard));
    if (!greeter) {
      co_return greeter.error();
    }
    if (*greeter) {
      co_return std::move(**greeter);
    }
  }
  auto found = co_await detect_waiting(door, heard.has_value(), silent_when_asked);
  co_return found;
}

}  // namespace assay::probes::credentials

#include "probes/credentials/web_session.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "probes/wire/bytes.hpp"
#include "probes/wire/html.hpp"

namespace assay::probes::credentials {

namespace {

constexpr std::size_t kMostCookies = 32;
constexpr std::size_t kLargestCookie = 4096;
constexpr std::size_t kShortestSecret = 6;  // shorter values are no keys, and stand everywhere in a page
constexpr int kMostRedirects = 3;

}  // namespace

void CookieJar::keep(wire::SetCookie cookie) {
  const auto name = cookie.name;
  if (name.size() + cookie.value.size() > kLargestCookie) {
    return;
  }
  const bool ends = cookie.max_age ? *cookie.max_age <= 0
                                   : cookie.expires.find(" 1970 ") != std::string::npos ||
                                         cookie.expires.find("-1970 ") != std::string::npos;
  if (ends) {
    cookies_.erase(name);
  } else if (cookies_.size() < kMostCookies || cookies_.contains(name)) {
    cookies_[name] = std::move(cookie.value);
    cookie.value.clear();
    marks_[name] = std::move(cookie);
  }
}

void CookieJar::take(const wire::HttpResponse& response) {
  for (const auto& value : response.all("Set-Cookie")) {
    if (auto cookie = wire::parse_set_cookie(value)) {
      keep(std::move(*cookie));
    }
  }
}

void CookieJar::take_of_script(std::string_view written) {
  if (auto cookie = wire::parse_set_cookie(written)) {
    cookie->http_only = false;  // scripts can neither set nor read such a cookie
    keep(std::move(*cookie));
  }
}

std::vector<std::string> CookieJar::secrets_of(const wire::HttpResponse& response) {
  std::vector<std::string> secrets;
  for (const auto& value : response.all("Set-Cookie")) {
    const auto pair = std::string_view{value}.substr(0, value.find(';'));
    const auto equals = pair.find('=');
    const auto secret = equals == std::string_view::npos ? std::string_view{} : wire::trim(pair.substr(equals + 1));
    if (secret.size() >= kShortestSecret && secret.size() <= kLargestCookie && secrets.size() < kMostCookies) {
      secrets.emplace_back(secret);
    }
  }
  return secrets;
}

void conceal_cookies(Door& door, const wire::HttpResponse& response) {
  for (const auto& secret : CookieJar::secrets_of(response)) {
    door.record.conceal(secret, "cookie of the session");
    door.transcript.conceal(secret, "cookie of the session");
  }
}

std::string CookieJar::header() const {
  std::string out;
  for (const auto& [name, value] : cookies_) {
    out += (out.empty() ? "" : "; ") + name + "=" + value;
  }
  return out;
}

std::string form_encoded(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '*') {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return out;
}

std::string form_decoded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::uint8_t byte = 0;
    const auto* end = text.data() + std::min<std::size_t>(text.size(), 3);
    if (text.front() == '%' && text.size() > 2 && std::from_chars(text.data() + 1, end, byte, 16).ptr == end) {
      out += static_cast<char>(byte);
      text.remove_prefix(3);
    } else {
      out += text.front() == '+' ? ' ' : text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

asio::awaitable<Result<wire::HttpResponse>> WebSession::fetch(WebRequest request) {
  auto opened = co_await open_door(*door_, tls_);
  if (!opened) {
    co_return opened.error();
  }
  const auto host = sessions::host_header(door_->address, door_->endpoint.port, tls_);
  const auto origin = (tls_ ? "https://" : "http://") + host;
  wire::HttpRequest out;
  out.method = request.method;
  out.target = request.path;
  out.host = host;
  out.headers = {{"User-Agent", "assay"}, {"Accept", "*/*"}, {"Connection", "close"}};
  if (const auto cookies = jar_.header(); !cookies.empty()) {
    out.headers.push_back({"Cookie", cookies});
  }
  out.headers.insert(out.headers.end(), carried_.begin(), carried_.end());
  // Guards against forged requests look at one of the two. Browsers say nothing of the origin of a GET (Fetch, 3.2).
  const bool names_origin = request.method != "GET";
  if (!request.origin.empty()) {
    out.headers.push_back({"Referer", request.origin + "/"});
  } else if (!request.referer.empty()) {
    out.headers.push_back({"Referer", origin + request.referer});
  }
  if (names_origin && !(request.origin.empty() && request.referer.empty())) {
    out.headers.push_back({"Origin", request.origin.empty() ? origin : request.origin});
  }
  out.headers.insert(out.headers.end(), request.headers.begin(), request.headers.end());
  if (request.method != "GET") {
    out.headers.push_back({"Content-Type", request.content_type});
  }
  out.body = request.body;
  auto bytes = wire::http_request(out);
  auto& channel = **opened;
  sent_ = true;
  Result<> sent;
  if (request.shown.empty()) {
    sent = co_await channel.send(std::move(bytes));
  } else {
    sent = co_await channel.send_concealed(std::move(bytes), std::move(request.shown));
  }
  if (!sent) {
    co_return sent.error();
  }
  channel.hold();
  auto answer = co_await sessions::receive_http(channel, door_->timers.reply);
  if (answer && answer->understood) {
    conceal_cookies(*door_, answer->response);
    if (request.conceal) {
      request.conceal(answer->response);
    }
  }
  channel.let_go();
  if (!answer) {
    co_return answer.error();
  }
  if (!answer->understood) {
    co_return Error{ErrorKind::protocol, "the answer is not HTTP", {}};
  }
  jar_.take(answer->response);
  co_return std::move(answer->response);
}

asio::awaitable<Result<wire::HttpResponse>> WebSession::follow(wire::HttpResponse response, std::string& path) {
  for (int redirects = 0; redirects < kMostRedirects; ++redirects) {
    const auto place = wire::http_location(wire::browser_redirect(response), path);
    if (!place || !wire::leads_to(*place, door_->address, door_->endpoint.port, tls_)) {
      break;
    }
    WebRequest request;
    request.path = place->path;
    path = place->path;
    auto next = co_await fetch(std::move(request));
    if (!next) {
      co_return next.error();
    }
    response = std::move(*next);
  }
  co_return response;
}

asio::awaitable<Result<wire::HttpResponse>> WebSession::visit(std::string& path) {
  WebRequest request;
  request.path = path;
  auto first = co_await fetch(std::move(request));
  if (!first) {
    co_return first.error();
  }
  auto last = co_await follow(std::move(*first), path);
  co_return last;
}

}  // namespace assay::probes::credentials

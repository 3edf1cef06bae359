#include "probes/services/follow.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/html.hpp"
#include "probes/wire/http_auth.hpp"
#include "probes/wire/login_form.hpp"

namespace assay::probes::services {

namespace {

void note_challenges(const wire::HttpResponse& response, const Place& place, std::string_view path,
                     std::string_view prefix, Sighting& sighting) {
  for (const auto& header : response.all("WWW-Authenticate")) {
    for (const auto& challenge : wire::parse_challenges(header)) {
      const auto dialect = std::string{prefix} + wire::lower(wire::printable(challenge.scheme, 32));
      add_login(sighting, dialect, place.clear(), wire::printable(challenge.parameter("realm"), 128), path);
    }
  }
}

void note_server(const wire::HttpResponse& response, Sighting& sighting) {
  if (const auto* server = response.header("Server"); server != nullptr && sighting.product.empty()) {
    std::tie(sighting.product, sighting.version) = wire::product_version(*server);
    sighting.details["server"] = wire::printable(*server, 128);
  }
  if (const auto title = wire::html_title(response.body); !title.empty()) {
    sighting.details["title"] = title;
  }
  json::array deviations;
  for (const auto& deviation : response.deviations) {
    deviations.emplace_back(deviation);
  }
  if (!deviations.empty()) {
    sighting.details["deviations"] = std::move(deviations);
  }
}

}  // namespace

void add_login(Sighting& sighting, std::string_view dialect, bool clear, std::string_view realm,
               std::string_view path) {
  json::object login;
  login["dialect"] = dialect;
  login["clear"] = clear;
  if (!realm.empty()) {
    login["realm"] = realm;
  }
  if (!path.empty()) {
    login["path"] = wire::printable(path, 256);
  }
  for (const auto& known : sighting.logins) {
    if (known == json::value(login)) {
      return;
    }
  }
  constexpr std::size_t kMaximumLogins = 16;
  if (sighting.logins.size() < kMaximumLogins) {
    sighting.logins.push_back(std::move(login));
  }
}

std::string http_get(const Place& place, std::string_view path) {
  wire::HttpRequest request;
  request.target = path;
  request.host = sessions::host_header(place.address, place.endpoint.port, place.tls);
  request.headers = {{"User-Agent", "assay"}, {"Accept", "*/*"}, {"Connection", "close"}};
  return wire::http_request(request);
}

void note_http_logins(const wire::HttpResponse& response, const Place& place, std::string_view path,
                      Sighting& sighting) {
  if (response.status == 401) {
    note_challenges(response, place, path, "http-", sighting);
  }
  if (response.status < 300 || response.status == 401 || response.status == 403) {
    if (const auto form = wire::find_password_form(response.body)) {
      add_login(sighting, "http-form", wire::goes_in_clear(form->action, place.tls), {}, path);
    }
  }
}

std::string note_http(const wire::HttpResponse& response, const Place& place, std::string_view path,
                      Sighting& sighting) {
  sighting.protocol = "http";
  sighting.details["status"] = response.status;
  sighting.details["http_version"] = response.version;
  sighting.details["path"] = wire::printable(path, 256);
  note_server(response, sighting);
  note_http_logins(response, place, path, sighting);
  if (!place.tls && !sighting.redirects_to_tls) {
    sighting.redirects_to_tls = false;
  }
  const auto location = wire::browser_redirect(response);
  const auto target = location.empty() ? std::nullopt : wire::http_location(location, path);
  if (!target) {
    return {};
  }
  sighting.details["redirect"] = wire::printable(location, 256);
  if (!place.tls && target->scheme == "https") {
    sighting.redirects_to_tls = true;
  }
  const bool here = wire::leads_to(*target, place.address, place.endpoint.port, place.tls);
  return here && target->path != path ? target->path : std::string{};
}

std::string rtsp_options(const Place& place) {
  wire::HttpRequest request;
  request.method = "OPTIONS";
  request.target = "rtsp://" + sessions::host_header(place.address, place.endpoint.port, false) + "/";
  request.protocol = "RTSP/1.0";
  request.headers = {{"CSeq", "1"}, {"User-Agent", "assay"}};
  return wire::http_request(request);
}

asio::awaitable<Result<>> follow_rtsp(sessions::Channel& channel, const Place& place, std::string first,
                                      Sighting& sighting) {
  wire::HttpReader reader;
  reader.feed(first);
  reader.finish();
  const auto& options = reader.response();
  if (options.protocol != "RTSP" || options.status == 0) {
    co_return Result<>{};
  }
  sighting.protocol = "rtsp";
  sighting.details["status"] = options.status;
  note_server(options, sighting);
  if (const auto* methods = options.header("Public"); methods != nullptr) {
    sighting.details["methods"] = wire::printable(*methods, 256);
  }
  note_challenges(options, place, "/", "rtsp-", sighting);
  wire::HttpRequest request;
  request.method = "DESCRIBE";
  request.target = "rtsp://" + sessions::host_header(place.address, place.endpoint.port, false) + "/";
  request.protocol = "RTSP/1.0";
  request.headers = {{"CSeq", "2"}, {"Accept", "application/sdp"}, {"User-Agent", "assay"}};
  auto bytes = wire::http_request(request);
  auto sent = co_await channel.send(std::move(bytes));
  if (!sent) {
    co_return Result<>{};
  }
  auto answer = co_await sessions::receive_http(channel, place.timers.reply);
  if (answer && answer->understood) {
    sighting.details["describe_status"] = answer->response.status;
    note_server(answer->response, sighting);
    note_challenges(answer->response, place, "/", "rtsp-", sighting);
  }
  co_return Result<>{};
}

}  // namespace assay::probes::services

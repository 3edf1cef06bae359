#include <algorithm>
#include <chrono>

#include "probes/credentials/dialects.hpp"
#include "probes/credentials/fresh_login.hpp"
#include "probes/sessions/digests.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/documents.hpp"
#include "probes/wire/http.hpp"
#include "probes/wire/onvif.hpp"

/// The device service of ONVIF cameras (ONVIF Core, 5.9; WS-Security UsernameToken Profile): the time is told to
/// anybody, the list of users to administrators only. The token's digest holds the time of the device, so its clock is
/// asked for first. An account that may not see the users looks refused.
namespace assay::probes::credentials {

namespace onvif {

namespace {

using sessions::digest;
using sessions::Hash;

using Clock = std::chrono::steady_clock;

constexpr std::string_view kPath = "/onvif/device_service";

/// The device's clock as it was read.
struct DeviceClock {
  std::int64_t seconds = 0;  // since 1970
  Clock::time_point read_at = Clock::now();

  std::int64_t now() const {
    return seconds + std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - read_at).count();
  }
};

wire::HttpRequest request(const Door& door, bool tls, std::string body) {
  wire::HttpRequest out;
  out.method = "POST";
  out.target = kPath;
  out.host = sessions::host_header(door.address, door.endpoint.port, tls);
  out.headers = {
      {"User-Agent", "assay"}, {"Content-Type", "application/soap+xml; charset=utf-8"}, {"Connection", "close"}};
  out.body = std::move(body);
  return out;
}

asio::awaitable<Result<sessions::HttpAnswer>> ask(Door& door, bool tls, std::string body) {
  auto opened = co_await open_door(door, tls);
  if (!opened) {
    co_return opened.error();
  }
  auto& channel = **opened;
  auto bytes = wire::http_request(request(door, tls, std::move(body)));
  auto sent = co_await channel.send(std::move(bytes));
  if (!sent) {
    co_return sent.error();
  }
  auto answer = co_await sessions::receive_http(channel, door.timers.reply);
  co_return answer;
}

class OnvifLogin final : public FreshLogin {
 public:
  OnvifLogin(Door& door, bool tls, DeviceClock clock) : FreshLogin(door, tls), clock_(clock) {}

  std::string_view name() const override { return "onvif"; }

  std::unique_ptr<Dialect> beside(Door& other) const override { return copy_of(*this, other); }

  /// The token holds a digest of the password.
  bool clear() const override { return false; }

 protected:
  asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string username,
                               Secret password) override {
    const auto nonce = sessions::random_bytes(16);
    const auto created = wire::onvif_time_text(clock_.now());
    const auto token = wire::base64(digest(Hash::sha1, nonce + created + password.reveal()));
    door().record.conceal(token, "digest with " + password.name());
    const wire::OnvifToken real{username, token, wire::base64(nonce), created};
    const wire::OnvifToken hidden{username, "{digest with " + password.name() + "}", wire::base64(nonce), created};
    auto bytes = wire::http_request(request(door(), tls(), wire::onvif_users_request(&real)));
    auto shown = wire::http_request(request(door(), tls(), wire::onvif_users_request(&hidden)));
    auto sent = co_await channel->send_concealed(std::move(bytes), std::move(shown));
    if (!sent) {
      co_return broken(sent.error(), false);
    }
    auto& line = *channel;
    const auto patience = login_patience();
    auto answer = co_await sessions::receive_http(line, patience);
    if (!answer) {
      co_return broken(answer.error(), true);
    }
    co_return read(answer->response);
  }

 private:
  milliseconds login_patience() { return std::max(milliseconds{20000}, door().timers.reply); }

  static Told read(const wire::HttpResponse& response) {
    Told told;
    const auto says = wire::read_onvif_users(response.body);
    told.text = "status " + std::to_string(response.status) + " " + says.reason;
    if (says.given) {
      told.answer = Told::Answer::yes;
      told.proof = "GetUsers, refused without a login, was answered with " + std::to_string(says.users) + " users";
    } else if (says_locked(says.reason)) {
      told.answer = Told::Answer::locked;
    } else if (says.not_authorised || response.status == 401) {
      told.answer = Told::Answer::no;
    }
    return told;
  }

  DeviceClock clock_;
};

asio::awaitable<Result<Detection>> find(Door& door, bool tls) {
  Detection found;
  auto time_request = wire::onvif_time_request();
  auto told = co_await ask(door, tls, std::move(time_request));
  if (!told) {
    if (sessions::ends_probe(told.error().kind)) {
      co_return told.error();
    }
    co_return found;
  }
  if (!wire::is_onvif(told->response.body)) {
    co_return found;
  }
  DeviceClock clock;
  clock.seconds = wire::onvif_utc(told->response.body)
                      .value_or(std::chrono::duration_cast<std::chrono::seconds>(
                                    std::chrono::system_clock::now().time_since_epoch())
                                    .count());
  auto users_request = wire::onvif_users_request(nullptr);
  auto users = co_await ask(door, tls, std::move(users_request));
  if (!users) {
    if (sessions::ends_probe(users.error().kind)) {
      co_return users.error();
    }
    co_return found;
  }
  const auto says = wire::read_onvif_users(users->response.body);
  found.open = says.given;
  found.open_proof =
      says.given ? "without a login GetUsers of ONVIF was answered with " + std::to_string(says.users) + " users"
                 : std::string{};
  if (says.given || says.not_authorised || users->response.status == 401) {
    found.dialect = std::make_unique<OnvifLogin>(door, tls, clock);
  } else {
    found.other_login = "an ONVIF login whose first exchange failed";
  }
  co_return found;
}

}  // namespace

}  // namespace onvif

asio::awaitable<Result<Detection>> detect_onvif(Door& door, bool tls) {
  auto found = co_await onvif::find(door, tls);
  co_return found;
}

}  // namespace assay::probes::credentials

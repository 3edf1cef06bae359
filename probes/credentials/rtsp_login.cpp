#include "probes/credentials/dialects.hpp"
#include "probes/credentials/fresh_login.hpp"
#include "probes/credentials/http_login.hpp"
#include "probes/wire/bytes.hpp"

/// Streams of cameras (RFC 2326): DESCRIBE of a stream that asks for a login. Basic and Digest are those of HTTP.
namespace assay::probes::credentials {

namespace rtsp {

namespace {

/// The root, and paths that makers of cameras are known to use.
constexpr std::string_view kPaths[] = {"/",
                                       "/live",
                                       "/stream1",
                                       "/live/ch00_0",
                                       "/h264",
                                       "/11",
                                       "/Streaming/Channels/101",
                                       "/cam/realmonitor?channel=1&subtype=0",
                                       "/onvif1",
                                       "/videoMain",
                                       "/ch0_0.h264",
                                       "/unicast"};

std::string describe(const Door& door, std::string_view path, int number, const std::string& authorization) {
  wire::HttpRequest request;
  request.method = "DESCRIBE";
  request.target = "rtsp://" + sessions::host_header(door.address, door.endpoint.port, false) + std::string{path};
  request.protocol = "RTSP/1.0";
  request.headers = {{"CSeq", std::to_string(number)}, {"User-Agent", "assay"}, {"Accept", "application/sdp"}};
  if (!authorization.empty()) {
    request.headers.push_back({"Authorization", authorization});
  }
  return wire::http_request(request);
}

bool is_rtsp(const Result<sessions::HttpAnswer>& answer) {
  return answer && answer->understood && answer->response.protocol == "RTSP";
}

class RtspLogin final : public FreshLogin {
 public:
  RtspLogin(Door& door, bool tls, std::string path, bool basic)
      : FreshLogin(door, tls), path_(std::move(path)), basic_(basic) {}

  std::string_view name() const override { return basic_ ? "rtsp-basic" : "rtsp-digest"; }

 protected:
  asio::awaitable<Told> log_in(std::unique_ptr<sessions::Channel> channel, std::string username,
                               Secret password) override {
    const auto patience = std::max(milliseconds{8000}, door().timers.reply);
    // Every login asks for a challenge first: a nonce is good for one connection only with many servers.
    auto question = describe(door(), path_, 1, {});
    auto sent = co_await channel->send(std::move(question));
    if (!sent) {
      co_return broken(sent.error(), false);
    }
    auto asked = co_await sessions::receive_http(*channel, patience);
    const auto challenge = is_rtsp(asked) ? usable_challenge(asked->response) : std::nullopt;
    if (!challenge) {
      const Error none{ErrorKind::protocol, "no challenge came", {}};
      co_return broken(asked ? none : asked.error(), false);
    }
    const auto authorization = authorize(*challenge, username, password);
    auto real = describe(door(), path_, 2, authorization);
    auto shown = describe(door(), path_, 2, "{credentials " + username + ", " + password.name() + "}");
    sent = co_await channel->send_concealed(std::move(real), std::move(shown));
    if (!sent) {
      co_return broken(sent.error(), false);
    }
    channel->hold();
    auto answer = co_await sessions::receive_http(*channel, patience);
    conceal_proof(door(), answer, password.name());
    channel->let_go();
    if (!answer) {
      co_return broken(answer.error(), true);
    }
    const auto told = judge(*answer);
    seen_401_ = seen_401_ || told.answer == Told::Answer::no;
    co_return told;
  }

 private:
  std::string authorize(const wire::Challenge& challenge, const std::string& username, const Secret& password) {
    if (challenge.is("Basic")) {
      const auto header = wire::basic_authorization(username, password.reveal());
      door().record.conceal(header.substr(6), "credentials " + password.name());
      return header;
    }
    wire::DigestInput input;
    input.method = "DESCRIBE";
    input.uri = "rtsp://" + sessions::host_header(door().address, door().endpoint.port, false) + path_;
    input.username = username;
    input.password = password.reveal();
    input.cnonce = sessions::random_word(16);
    const auto answer = wire::digest_authorization(challenge, input, hash_hex);
    if (!answer) {
      return {};
    }
    door().record.conceal(answer->response, "credentials " + password.name());
    return answer->header;
  }

  Told judge(const sessions::HttpAnswer& answer) const {
    Told told;
    const auto& response = answer.response;
    const int status = response.status;
    told.text = "status " + std::to_string(status);
    if (!answer.understood || response.protocol != "RTSP") {
      return told;
    }
    if (status == 401) {
      told.answer = Told::Answer::no;
      told.text = response.reason + "\n" + response.body;
    } else if (status == 429 || response.header("Retry-After") != nullptr) {
      told.answer = Told::Answer::locked;
    } else if ((status == 200 && response.body.starts_with("v=0")) || (seen_401_ && (status == 200 || status == 404))) {
      // Not found is an answer from behind the login too, where wrong logins are seen to get 401: else it may be what
      // they get. A description is the stream's.
      told.answer = Told::Answer::yes;
      told.proof = "DESCRIBE was answered with status " + std::to_string(status) + " and " +
                   std::to_string(response.body.size()) + " bytes; without the right credentials with 401";
    }
    return told;
  }

  std::string path_;
  bool basic_;
  bool seen_401_ = false;  // to a wrong login
};

asio::awaitable<Result<Detection>> find(Door& door, bool tls) {
  Detection found;
  std::unique_ptr<sessions::Channel> channel;
  int number = 0;
  for (const auto path : kPaths) {
    if (!channel || channel->ended()) {
      auto opened = co_await open_door(door, tls);
      if (!opened) {
        co_return opened.error();
      }
      channel = std::move(*opened);
    }
    auto question = describe(door, path, ++number, {});
    auto sent = co_await channel->send(std::move(question));
    auto answer = co_await sessions::receive_http(*channel, door.timers.reply);
    if (!answer && sessions::ends_probe(answer.error().kind)) {
      co_return answer.error();
    }
    if (!sent || !is_rtsp(answer)) {
      if (number == 1) {
        co_return found;
      }
      channel.reset();
      continue;
    }
    const auto& response = answer->response;
    if (const auto challenge = usable_challenge(response)) {
      found.dialect = std::make_unique<RtspLogin>(door, tls, std::string{path}, challenge->is("Basic"));
      co_return found;
    }
    if (response.status == 401) {
      found.other_login = "an RTSP login of another scheme than Basic or Digest";
      co_return found;
    }
    if (response.status == 200 && response.body.starts_with("v=0")) {
      found.spoken = "rtsp";
      found.open = true;
      found.open_proof = "DESCRIBE of " + std::string{path} + " was answered without a login, with a description of " +
                         std::to_string(response.body.size()) + " bytes";
      co_return found;
    }
  }
  found.spoken = "rtsp";
  found.doubt = "no stream was found under " + std::to_string(std::size(kPaths)) + " usual paths";
  co_return found;
}

}  // namespace

}  // namespace rtsp

asio::awaitable<Result<Detection>> detect_rtsp(Door& door, bool tls) {
  return rtsp::find(door, tls);
}

}  // namespace assay::probes::credentials

#include <algorithm>

#include "harness/probe/transcript.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/update/transports/transports.hpp"
#include "probes/wire/bytes.hpp"

/// upload: the image is put into the device's own page, as a form of a browser (RFC 7578).
namespace assay::probes::update {

namespace {

constexpr std::uint64_t kUploadPiece = 64 * 1024;
constexpr milliseconds kWriteWithin{30000};

class UploadTransport final : public Transport {
 public:
  UploadTransport(ProbeContext& context, const UpdateMechanism& mechanism)
      : context_(context), mechanism_(mechanism), page_(*mechanism.upload) {}

  asio::awaitable<Result<>> open() override { co_return Result<>{}; }

  std::string cannot(const Behaviour& behaviour) const override {
    auto rest = behaviour;
    rest.cut_at.reset();
    rest.power_installing = false;  // the image is there when its form is answered
    return rest == Behaviour{} ? std::string{}
                               : "the image is put into a page of the device: there is no server of ours";
  }

  asio::awaitable<Result<>> offer(Offer offer) override {
    fetched_ = {};
    reported_.clear();
    status_ = 0;
    const auto sent = co_await post(offer);
    if (!sent && sessions::ends_probe(sent.error().kind)) {
      co_return sent;
    }
    if (!sent && reported_.empty()) {
      reported_ = wire::printable(sent.error().what, 300);
    }
    co_return Result<>{};
  }

  const Fetched& fetched() const override { return fetched_; }

  std::string reported() const override { return reported_; }

  bool final_word() const override { return status_ >= 400; }

  bool says_success() const override { return status_ >= 200 && status_ < 400; }

  std::string log() const override { return log_; }

  asio::awaitable<void> withdraw() override { co_return; }

  asio::awaitable<void> close() override { co_return; }

  json::object passive() const override {
    json::object out{
        {"transport", "upload"}, {"over", fetched_.over}, {"tls", nullptr}, {"login", !page_.login.empty()}};
    if (!tls_.version.empty()) {
      out["tls"] = json::object{{"version", tls_.version}, {"cipher", tls_.cipher}};
    }
    return out;
  }

 private:
  std::string head(std::uint64_t length, const std::string& boundary) {
    wire::HttpRequest request;
    request.method = "POST";
    request.target = page_.path;
    request.host = sessions::host_header(context_.target.address, page_.port.port, page_.tls);
    request.headers = {{"Content-Type", "multipart/form-data; boundary=" + boundary},
                       {"Content-Length", std::to_string(length)},
                       {"Connection", "close"}};
    log_ = "POST " + page_.path + ", " + std::to_string(length) + " bytes\n";
    if (const auto* account = account_of(context_, page_.login)) {
      const auto token = wire::base64(account->username + ":" + account->secret.reveal());
      context_.record.conceal(account->secret);
      context_.record.conceal(token, account->secret.name());
      request.headers.push_back({"Authorization", "Basic " + token});
    }
    return wire::http_request(request);
  }

  asio::awaitable<Result<>> post(const Offer& offer) {
    Transcript unread("upload", 0);
    tls_ = {};
    auto channel = co_await sessions::open_channel(context_.network, page_.port, page_.tls, unread, tls_);
    if (!channel) {
      co_return channel.error();
    }
    fetched_.connections = 1;
    fetched_.over = page_.tls ? tls_.version : "http";
    const auto boundary = "assay" + sessions::random_word(24);
    const auto before = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + page_.field +
                        "\"; filename=\"update.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n";
    const auto after = "\r\n--" + boundary + "--\r\n";
    auto first = head(before.size() + offer.image->size() + after.size(), boundary) + before;
    const auto begun = co_await (*channel)->send(std::move(first));
    if (!begun) {
      co_return begun;
    }
    const auto streamed = co_await stream(**channel, offer);
    if (streamed) {
      auto rest = after;
      std::ignore = co_await (*channel)->send(std::move(rest));
    }
    // A device that refuses early answers before it has read everything.
    const auto answered = co_await answer(**channel);
    if (!answered && !streamed) {
      co_return streamed;
    }
    co_return answered;
  }

  asio::awaitable<Result<>> stream(sessions::Channel& channel, const Offer& offer) {
    const auto size = offer.image->size();
    const auto cut = offer.behaviour.cut_at ? size * static_cast<std::uint64_t>(*offer.behaviour.cut_at) / 100 : size;
    for (std::uint64_t at = 0; at < cut;) {
      auto piece = images::read_text(*offer.image, at, std::min(kUploadPiece, cut - at));
      if (!piece) {
        co_return piece.error();
      }
      const auto length = piece->size();
      const auto sent = co_await channel.send(std::move(*piece));
      if (!sent) {
        co_return sent;
      }
      at += length;
      fetched_.bytes = at;
      fetched_.last = context_.network.elapsed();
      fetched_.first = fetched_.first ? fetched_.first : fetched_.last;
    }
    fetched_.whole = cut == size;
    fetched_.handed_over = true;
    co_return cut == size ? Result<>{} : Result<>{Error{ErrorKind::closed, "the upload was cut as planned", {}}};
  }

  asio::awaitable<Result<>> answer(sessions::Channel& channel) {
    const milliseconds within{std::clamp<std::uint32_t>(mechanism_.takes_ms * 2, 5000, 300000)};
    const auto got = co_await sessions::receive_http(channel, within);
    fetched_.last = context_.network.elapsed();
    fetched_.first = fetched_.first ? fetched_.first : fetched_.last;
    if (!got) {
      co_return got.error();
    }
    fetched_.requests = 1;
    fetched_.handed_over = true;
    status_ = got->understood ? got->response.status : 0;
    reported_ = got->understood ? "status " + std::to_string(status_) + ": " + wire::printable(got->response.body, 300)
                                : wire::printable(got->raw, 300);
    log_ += reported_ + "\n";
    co_return Result<>{};
  }

  ProbeContext& context_;
  const UpdateMechanism& mechanism_;
  const UpdateUpload& page_;
  Fetched fetched_;
  TlsSession tls_;
  std::string reported_;
  std::string log_;
  int status_ = 0;
};

}  // namespace

std::unique_ptr<Transport> make_upload(ProbeContext& context, const UpdateMechanism& mechanism) {
  return std::make_unique<UploadTransport>(context, mechanism);
}

}  // namespace assay::probes::update

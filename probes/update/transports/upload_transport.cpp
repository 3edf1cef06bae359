#include <algorithm>

#include "harness/probe/transcript.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/update/transports/transports.hpp"
#include "probes/wire/bytes.hpp"

/// upload: the image is put into the device's own page, as a form of a browser (RFC 7578).
namespace assay::probes::update {

namespace {

constexpr std::uint64_t kUploadPiece = 64 * 1024;

class UploadTransport final : public Transport {
 public:
  UploadTransport(ProbeContext& context, const UpdateMechanism& mechanism)
      : context_(context), mechanism_(mechanism), page_(*mechanism.upload) {}

  asio::awaitable<Result<>> open() override { co_return Result<>{}; }

  std::string cannot(const Behaviour& behaviour) const override {
    Behaviour form;  // what the one who sends it may do
    form.cut_at = behaviour.cut_at;
    form.stall_at = behaviour.stall_at;
    form.loss_at = behaviour.loss_at;
    form.loss_installing = behaviour.loss_installing;  // the image is there when its form is answered
    form.loss = behaviour.loss;
    form.drip = behaviour.drip;
    form.endless = behaviour.endless;
    form.anonymous = behaviour.anonymous;
    return form == behaviour ? std::string{} : "the image is put into a page of the device: there is no server of ours";
  }

  asio::awaitable<Result<>> offer(Offer offer) override {
    fetched_ = {};
    reported_.clear();
    status_ = 0;
    anonymous_ = offer.behaviour.anonymous;
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

  /// A page that nobody logged in to answers with its form for logins, or sends there: that is no success.
  bool says_success() const override { return !anonymous_ && status_ >= 200 && status_ < 400; }

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
  std::string head(std::uint64_t length, const std::string& boundary, bool anonymous) {
    wire::HttpRequest request;
    request.method = "POST";
    request.target = page_.path;
    request.host = sessions::host_header(context_.target.address, page_.port.port, page_.tls);
    request.headers = {{"Content-Type", "multipart/form-data; boundary=" + boundary},
                       {"Content-Length", std::to_string(length)},
                       {"Connection", "close"}};
    log_ = "POST " + page_.path + ", " + std::to_string(length) + " bytes\n";
    if (anonymous) {
      log_ += "nobody logs in\n";
    } else if (const auto* account = account_of(context_, page_.login)) {
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
    const auto size = offer.image->size() + (offer.behaviour.endless ? kMostFlood : 0);
    auto first = head(before.size() + size + after.size(), boundary, offer.behaviour.anonymous) + before;
    const auto begun = co_await (*channel)->send(std::move(first));
    if (!begun) {
      co_return begun;
    }
    const auto streamed = co_await stream(**channel, offer);
    if (streamed && !*streamed) {
      co_return Result<>{};
    }
    if (streamed) {
      auto rest = after;
      std::ignore = co_await (*channel)->send(std::move(rest));
    }
    // A device that refuses early answers before it has read everything.
    std::string nothing;
    const auto answered = co_await answer(**channel, std::move(nothing));
    if (!answered && !streamed) {
      co_return streamed.error();
    }
    fetched_.whole = fetched_.whole || (answered && streamed);
    co_return answered;
  }

  /// The image, as the offer says. False when that was the end of the form; an error when the device took no more.
  asio::awaitable<Result<bool>> stream(sessions::Channel& channel, const Offer& offer) {
    const auto& does = offer.behaviour;
    const auto size = offer.image->size();
    const auto percent = does.cut_at ? does.cut_at : does.stall_at ? does.stall_at : does.loss_at;
    const auto until = percent ? size * static_cast<std::uint64_t>(*percent) / 100 : size;
    if (does.drip) {
      auto dripped = co_await drip(channel, *offer.image);
      co_return dripped;
    }
    const auto sent = co_await send_part(channel, *offer.image, 0, until);
    if (!sent) {
      co_return sent.error();
    }
    fetched_.handed_over = true;
    if (does.endless) {
      auto flooded = co_await flood(channel);
      co_return flooded;
    }
    if (does.stall_at) {
      auto stalled = co_await stall(channel);
      co_return stalled;
    }
    const auto after = " after " + std::to_string(until) + " bytes of the image\n";
    if (does.loss_at) {
      const CutOff by = [this](Loss loss) { return cut_off(context_, loss); };
      co_await cut_in_the_middle(by, does.loss, fetched_);
      log_ += "the " + enum_name(does.loss) + " was to be cut" + after;
    } else if (percent) {
      log_ += "the connection is ended" + after;
    }
    const bool goes_on = does.loss_at && does.loss == Loss::link;
    if (goes_on) {
      const auto rest = co_await send_part(channel, *offer.image, until, size);
      if (!rest) {
        co_return rest.error();
      }
    }
    fetched_.whole = !percent;  // what is written after a cut of the link may go nowhere, until it is answered
    co_return fetched_.whole || goes_on;
  }

  asio::awaitable<Result<>> send_part(sessions::Channel& channel, const images::ByteSource& image, std::uint64_t at,
                                      std::uint64_t until) {
    while (at < until) {
      const auto length = std::min(kUploadPiece, until - at);
      auto piece = images::read_text(image, at, length);
      if (!piece) {
        co_return piece.error();
      }
      const auto sent = co_await send(channel, std::move(*piece));
      if (!sent) {
        co_return sent;
      }
      at += length;
    }
    co_return Result<>{};
  }

  asio::awaitable<Result<>> send(sessions::Channel& channel, std::string piece) {
    const auto length = piece.size();
    const auto sent = co_await channel.send(std::move(piece));
    if (sent) {
      fetched_.bytes += length;
      fetched_.come(context_.network.elapsed());
    }
    co_return sent;
  }

  /// Nothing more, for as long as the device waits for it.
  asio::awaitable<Result<bool>> stall(sessions::Channel& channel) {
    const auto began = begin_hold();
    const auto within = hold_time(mechanism_);
    const auto waits = co_await bears(channel, within);
    co_return end_hold(began, waits);
  }

  asio::awaitable<Result<bool>> drip(sessions::Channel& channel, const images::ByteSource& image) {
    const auto began = begin_hold();
    Result<bool> waits = true;
    for (std::uint64_t at = 0; at < image.size() && waits && *waits && !is_over(began); ++at) {
      auto byte = images::read_text(image, at, 1);
      if (!byte) {
        co_return byte.error();
      }
      const auto sent = co_await send(channel, std::move(*byte));
      fetched_.handed_over = fetched_.handed_over || sent;
      waits = co_await bears(channel, kDrop);
    }
    co_return end_hold(began, waits);
  }

  /// Zeros, of which the form says that there are so many.
  asio::awaitable<Result<bool>> flood(sessions::Channel& channel) {
    const auto began = begin_hold();
    Result<> sent;
    for (std::uint64_t flooded = 0; sent && flooded < kMostFlood && !is_over(began); flooded += kUploadPiece) {
      std::string zeros(kUploadPiece, '\0');
      sent = co_await send(channel, std::move(zeros));
    }
    auto waits = co_await bears(channel, kDrop);
    if (!sent && waits) {
      waits = false;
    }
    co_return end_hold(began, waits);
  }

  /// Whether the device waits for more all that time. Not, when it answers or leaves.
  asio::awaitable<Result<bool>> bears(sessions::Channel& channel, milliseconds time) {
    auto said = co_await channel.receive(time);
    if (!said) {
      const auto kind = said.error().kind;
      co_return sessions::ends_probe(kind) ? Result<bool>{said.error()} : Result<bool>{kind == ErrorKind::timed_out};
    }
    const auto answered = co_await answer(channel, std::move(*said));
    co_return answered || !sessions::ends_probe(answered.error().kind) ? Result<bool>{false}
                                                                       : Result<bool>{answered.error()};
  }

  milliseconds begin_hold() {
    fetched_.hold();
    return context_.network.elapsed();
  }

  bool is_over(milliseconds began) const { return context_.network.elapsed() - began >= hold_time(mechanism_); }

  /// For `stream`.
  Result<bool> end_hold(milliseconds began, const Result<bool>& waits) {
    const auto now = context_.network.elapsed();
    const bool held = waits && *waits;
    fetched_.gave_up_after = held ? std::nullopt : std::optional{now - began};
    fetched_.release(now, held);
    log_ += (held ? "the device was still reading after " : "the device gave up after ") +
            std::to_string((now - began).count()) + " ms and " + std::to_string(fetched_.bytes) + " bytes\n";
    return waits ? Result<bool>{false} : waits;
  }

  /// What the device says to the form, or the rest of it.
  asio::awaitable<Result<>> answer(sessions::Channel& channel, std::string so_far) {
    const milliseconds within{std::clamp<std::uint32_t>(mechanism_.takes_ms * 2, 5000, 300000)};
    const auto got = co_await sessions::receive_http(channel, within, std::move(so_far));
    fetched_.come(context_.network.elapsed());
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
  bool anonymous_ = false;
};

}  // namespace

std::unique_ptr<Transport> make_upload(ProbeContext& context, const UpdateMechanism& mechanism) {
  return std::make_unique<UploadTransport>(context, mechanism);
}

}  // namespace assay::probes::update

#include "probes/update/coap_server.hpp"

#include "probes/update/transports.hpp"

namespace assay::probes::update {

namespace {

constexpr milliseconds kLook{200};
constexpr milliseconds kPromiseKept{5000};  // for the device to acknowledge what it may still wait for
constexpr milliseconds kLastWord{500};      // … when nothing rests on whether it does

}  // namespace

CoapServer::CoapServer(ProbeContext& context, Before before)
    : context_(context),
      before_(std::move(before)),
      journal_(context.network),
      port_(context, [this](const wire::CoapMessage& request, std::uint16_t from) {
        if (auto made = before_ ? before_(request, from) : std::nullopt) {
          return std::move(*made);
        }
        if (site_) {
          return site_->answer(request, from);
        }
        CoapReply nothing;
        nothing.message.code = wire::kCoapNotFound;
        return nothing;
      }) {}

asio::awaitable<Result<>> CoapServer::open(std::uint16_t port) {
  auto opened = co_await port_.open(port);
  co_return opened;
}

asio::awaitable<void> CoapServer::close() {
  site_.reset();
  co_await port_.close();
}

asio::awaitable<void> CoapServer::withdraw() {
  const auto due = site_ ? site_->promised() : std::nullopt;
  site_.reset();
  if (due) {
    wire::CoapMessage answer;
    answer.code = wire::kCoapUnavailable;
    auto token = due->token;
    const auto from = due->from;
    std::ignore = co_await port_.keep_promise(from, std::move(token), std::move(answer), kLastWord);
  }
}

void CoapServer::serve(CoapSite::Inputs inputs) {
  inputs.on_power = [this] { port_.start(cut_power(context_)); };
  inputs.on_holding = [this] { port_.start(watch(site_)); };
  site_ = std::make_shared<CoapSite>(context_.network, journal_, std::move(inputs));
}

std::string CoapServer::origin(const std::string& name) const {
  const auto own = port_.address();
  const auto address = own.find(':') == std::string::npos ? own : "[" + own + "]";
  return "coap://" + (name.empty() ? address : name) + ":" + std::to_string(port_.port());
}

/// Until the device gave up, or has been kept for long enough.
asio::awaitable<void> CoapServer::watch(std::shared_ptr<CoapSite> site) {
  while (site->holding() && site == site_) {
    const auto waited = co_await context_.network.wait(kLook);
    if (!waited) {
      co_return;
    }
    const auto due = site->look();
    if (!due) {
      continue;
    }
    wire::CoapMessage answer;
    answer.code = wire::kCoapUnavailable;
    auto token = due->token;
    const auto from = due->from;
    const auto kept = co_await port_.keep_promise(from, std::move(token), std::move(answer), kPromiseKept);
    site->learn(kept.has_value());
  }
}

}  // namespace assay::probes::update

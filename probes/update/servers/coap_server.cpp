#include "probes/update/servers/coap_server.hpp"

#include <algorithm>

#include "probes/sessions/channel.hpp"
#include "probes/update/transports/transports.hpp"

namespace assay::probes::update {

namespace {

constexpr milliseconds kLook{200};
constexpr milliseconds kPromiseKept{5000};  // for the device to acknowledge what it may still wait for
constexpr milliseconds kLastWord{500};      // … when nothing rests on whether it does

constexpr std::size_t kOwnKey = 32;  // bytes of a key that nobody has

std::string bytes_of_key(const SharedKey& psk) {
  const auto& text = psk.key.reveal();
  if (!psk.hex) {
    return text;
  }
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out += static_cast<char>(std::stoul(text.substr(i, 2), nullptr, 16));
  }
  return out;
}

}  // namespace

CoapServer::CoapServer(ProbeContext& context, std::string name, CoapSecurity security, Before before)
    : context_(context),
      name_(std::move(name)),
      security_(std::move(security)),
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
  if (security_.psk) {
    context_.record.conceal(security_.psk->key);
  }
  CoapPort::Between between;
  if (security_.any()) {
    between = [this](std::unique_ptr<DatagramListener> under) {
      auto made = std::make_unique<DtlsListener>(context_.network, std::move(under),
                                                 [this](std::string_view line) { journal_.note(line); });
      dtls_ = made.get();
      return made;
    };
  }
  const auto opened = co_await port_.open(port, std::move(between));
  if (!opened || dtls_ == nullptr) {
    co_return opened;
  }
  auto honest = terms({});
  if (!honest) {
    co_return honest.error();
  }
  dtls_->agree(std::move(*honest));
  co_return Result<>{};
}

std::string CoapServer::host() const {
  const auto own = port_.address();
  return !name_.empty() ? name_ : own;
}

/// What is shown, and whether CoAP in clear is taken too.
Result<DtlsTerms> CoapServer::terms(const Behaviour& behaviour) const {
  DtlsTerms out;
  out.plain = behaviour.plain || behaviour.url == "http";
  if (behaviour.plain) {
    return out;
  }
  DtlsProof proof;
  const auto& wanted = behaviour.certificate;
  if (wanted == "self_signed" || wanted == "unknown_authority") {
    const auto like = security_.genuine ? security_.genuine->chain_pem : std::string{};
    auto made = false_identity(host(), wanted == "unknown_authority", like);
    if (!made) {
      return made.error();
    }
    proof.certificate = std::move(*made);
    proof.key = security_.psk ? sessions::random_bytes(kOwnKey) : std::string{};
  } else if (security_.psk) {
    proof.identity = security_.psk->identity;
    proof.key = bytes_of_key(*security_.psk);
  } else {
    proof.certificate = wanted == "misnamed"  ? security_.misnamed
                        : wanted == "expired" ? security_.expired
                                              : security_.genuine;
  }
  if (!proof.certificate && proof.key.empty()) {
    return Error{ErrorKind::bad_input, "there is no such certificate", {}};
  }
  const auto tried = DtlsSession::make(proof);
  if (!tried) {
    return tried.error();
  }
  out.proof = std::move(proof);
  return out;
}

const Fetched& CoapServer::fetched() const {
  fetched_ = site_ ? site_->fetched() : Fetched{};
  if (dtls_ == nullptr) {
    return fetched_;
  }
  const auto& seen = dtls_->seen();
  fetched_.connections = std::max(fetched_.connections, seen.sessions);
  fetched_.handshakes = seen.handshakes;
  fetched_.refusal = seen.refusal;
  if (seen.first) {
    fetched_.first = fetched_.first ? std::min(*fetched_.first, *seen.first) : seen.first;
    fetched_.last = std::max(fetched_.last, seen.last);
  }
  return fetched_;
}

asio::awaitable<void> CoapServer::close() {
  site_.reset();
  dtls_ = nullptr;
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
  if (auto honest = terms({}); dtls_ != nullptr && honest) {
    dtls_->agree(std::move(*honest));
  }
}

Result<> CoapServer::serve(CoapSite::Inputs inputs) {
  if (dtls_ != nullptr) {
    auto wanted = terms(inputs.offer.behaviour);
    if (!wanted) {
      return wanted.error();
    }
    dtls_->agree(std::move(*wanted));
    inputs.over = [this](std::uint16_t from) { return over(from); };
  }
  inputs.on_loss = [this] { port_.start(cut(site_)); };
  inputs.on_holding = [this] { port_.start(watch(site_)); };
  site_ = std::make_shared<CoapSite>(context_.network, journal_, std::move(inputs));
  return {};
}

std::string CoapServer::origin(const std::string& how) const {
  const auto at = host();
  const auto address = at.find(':') == std::string::npos ? at : "[" + at + "]";
  const bool inside = dtls_ != nullptr && how != "http";
  return (inside ? "coaps://" : "coap://") + address + ":" + std::to_string(port_.port());
}

asio::awaitable<void> CoapServer::cut(std::shared_ptr<CoapSite> site) {
  const auto loss = site->loss();
  const auto done = co_await cut_off(context_, loss);
  site->end_cut(done);
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

#include "probes/update/coap_server.hpp"
#include "probes/update/pull_site.hpp"
#include "probes/update/transports.hpp"

/// coap: the device polls a manifest at our server, which sends it to the image, all of it in blocks.
namespace assay::probes::update {

std::string cannot_by_coap(const Behaviour& behaviour) {
  if (!behaviour.certificate.empty() || behaviour.plain) {
    return "CoAP without DTLS has no certificates";
  }
  if (!behaviour.redirect.empty()) {
    return "CoAP knows no redirects";
  }
  return behaviour.url.empty() ? std::string{} : "CoAP without DTLS has nothing to fall back from";
}

json::object coap_facts(const CoapServer& server, const UpdateMechanism& mechanism) {
  json::object out{{"transport", enum_name(mechanism.transport)}, {"over", "coap"}, {"tls", nullptr}};
  const auto* site = server.site();
  out["identifies_by"] = site == nullptr ? std::string{} : site->identifies_by();
  out["downloads"] = site == nullptr ? std::int64_t{0} : site->fetched().downloads;
  out["strangers"] = server.strangers();
  return out;
}

namespace {

class CoapTransport final : public Transport {
 public:
  CoapTransport(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files)
      : mechanism_(mechanism), manifest_(*mechanism.manifest), files_(files), server_(context) {}

  asio::awaitable<Result<>> open() override {
    const auto port = mechanism_.serve->port;
    auto opened = co_await server_.open(port);
    co_return opened;
  }

  std::string cannot(const Behaviour& behaviour) const override { return cannot_by_coap(behaviour); }

  asio::awaitable<Result<>> offer(Offer offer) override {
    const auto url = server_.origin(mechanism_.serve->name) + manifest_.image_path;
    CoapSite::Inputs inputs;
    inputs.image_path = manifest_.image_path;
    inputs.pages.push_back(
        {manifest_.path, manifest_.body.empty() ? files_.manifest : filled(manifest_.body, offer, url)});
    if (!manifest_.signature_path.empty() && offer.signature) {
      inputs.pages.push_back({manifest_.signature_path, files_.signature});
    }
    inputs.hold = hold_time(mechanism_);
    inputs.offer = std::move(offer);
    server_.journal().begin();
    server_.serve(std::move(inputs));
    co_return Result<>{};
  }

  const Fetched& fetched() const override {
    static const Fetched kNothing;
    return server_.site() == nullptr ? kNothing : server_.site()->fetched();
  }

  std::string reported() const override { return {}; }

  bool final_word() const override { return false; }

  bool says_success() const override { return false; }

  std::string log() const override { return server_.journal().text(); }

  asio::awaitable<void> withdraw() override {
    passive_ = coap_facts(server_, mechanism_);
    passive_["manifest_signed"] = server_.site() != nullptr && server_.site()->asked_for(manifest_.signature_path);
    co_await server_.withdraw();
  }

  asio::awaitable<void> close() override { co_await server_.close(); }

  json::object passive() const override { return passive_; }

 private:
  const UpdateMechanism& mechanism_;
  const UpdateManifest& manifest_;
  const Files& files_;
  CoapServer server_;
  json::object passive_;  // of the last offer
};

}  // namespace

std::unique_ptr<Transport> make_coap(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files) {
  return std::make_unique<CoapTransport>(context, mechanism, files);
}

}  // namespace assay::probes::update

#include "probes/update/servers/coap_server.hpp"
#include "probes/update/servers/pull_site.hpp"
#include "probes/update/transports/transports.hpp"
#include "probes/wire/bytes.hpp"

/// coap: the device polls a manifest at our server, which sends it to the image, all of it in blocks.
namespace assay::probes::update {

std::string cannot_by_coap(const UpdateMechanism& mechanism, const Behaviour& behaviour) {
  const auto& serve = *mechanism.serve;
  if (!behaviour.redirect.empty() || !behaviour.date.empty()) {
    return behaviour.date.empty() ? "CoAP knows no redirects" : "CoAP tells no date";
  }
  if ((!behaviour.certificate.empty() || behaviour.plain || !behaviour.url.empty()) && !serve.secured()) {
    return "CoAP without DTLS has no certificates and nothing to fall back from";
  }
  if (behaviour.url == "host") {
    return "CoAP names no second host of ours";
  }
  const bool named = behaviour.certificate == "misnamed" || behaviour.certificate == "expired";
  if (named && serve.psk) {
    return "the server proves itself by a key, which has no name and no dates";
  }
  return cannot_serve(mechanism, behaviour);
}

CoapSecurity coap_security(const UpdateMechanism& mechanism, const Files& files) {
  const auto& serve = *mechanism.serve;
  if (serve.tls) {
    return {std::nullopt, files.genuine, files.misnamed, files.expired};
  }
  return {serve.psk, std::nullopt, std::nullopt, std::nullopt};
}

json::object coap_facts(const CoapServer& server, const UpdateMechanism& mechanism) {
  const auto& fetched = server.fetched();
  const bool asked = !fetched.over.empty();
  json::object out{
      {"transport", enum_name(mechanism.transport)}, {"over", asked ? fetched.over : "coap"}, {"tls", nullptr}};
  if (const auto* seen = server.seen(); seen != nullptr && seen->visit.finished) {
    out["tls"] = json::object{{"version", seen->visit.version},
                              {"cipher", seen->visit.cipher},
                              {"server_name", wire::printable(seen->visit.server_name, 100)},
                              {"newest_offered", seen->visit.offered}};
  }
  out["identifies_by"] = fetched.agent;
  out["downloads"] = fetched.downloads;
  out["strangers"] = server.strangers();
  return out;
}

namespace {

class CoapTransport final : public Transport {
 public:
  CoapTransport(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files)
      : mechanism_(mechanism),
        manifest_(*mechanism.manifest),
        files_(files),
        server_(context, mechanism.serve->name, coap_security(mechanism, files)) {}

  asio::awaitable<Result<>> open() override {
    const auto port = mechanism_.serve->port;
    auto opened = co_await server_.open(port);
    co_return opened;
  }

  std::string cannot(const Behaviour& behaviour) const override {
    if (!behaviour.url.empty() && manifest_.body.empty()) {
      return "the manifest is the maker's own, and its address of the image cannot be changed";
    }
    return cannot_by_coap(mechanism_, behaviour);
  }

  asio::awaitable<Result<>> offer(Offer offer) override {
    const auto url = server_.origin(offer.behaviour.url) + manifest_.image_path;
    CoapSite::Inputs inputs;
    auto found = polled(manifest_, files_, offer, url);
    inputs.image_path = std::move(found.image_path);
    inputs.pages.push_back({manifest_.path, std::move(found.manifest)});
    if (!manifest_.signature_path.empty() && offer.signature) {
      inputs.pages.push_back({manifest_.signature_path, given_with(offer, files_).signature});
    }
    inputs.hold = hold_time(mechanism_);
    inputs.offer = std::move(offer);
    server_.journal().begin();
    co_return server_.serve(std::move(inputs));
  }

  const Fetched& fetched() const override { return server_.fetched(); }

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

#include "harness/model/attacks.hpp"
#include "probes/update/servers/pull_site.hpp"
#include "probes/update/transports/served_transport.hpp"
#include "probes/wire/bytes.hpp"

/// http_pull: the device polls a manifest at our server, which sends it to the image.
namespace assay::probes::update {

namespace {

class PullTransport final : public ServedTransport {
 public:
  PullTransport(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files)
      : ServedTransport(context, mechanism, files), files_(files) {}

  std::string cannot(const Behaviour& behaviour) const override {
    if (!behaviour.url.empty() && mechanism_.manifest->body.empty()) {
      return "the manifest is the maker's own, and its address of the image cannot be changed";
    }
    return ServedTransport::cannot(behaviour);
  }

  asio::awaitable<Result<>> offer(Offer offer) override {
    const auto behaviour = offer.behaviour;
    auto places = places_of(server_, behaviour, mechanism_.manifest->image_path);
    site_ = std::make_shared<PullSite>(*mechanism_.manifest, files_, std::move(offer), std::move(places));
    server_.serve(site_, behaviour);
    co_return Result<>{};
  }

  json::object passive() const override {
    auto out = served_facts(server_, mechanism_);
    out["manifest_signed"] = site_ && site_->asked_signature;
    return out;
  }

 private:
  const Files& files_;
  std::shared_ptr<PullSite> site_;
};

}  // namespace

HttpServer::Settings settings_for(const UpdateMechanism& mechanism, const Files& files) {
  HttpServer::Settings out;
  out.tls = mechanism.serve->tls;
  out.name = mechanism.serve->name;
  out.hold = hold_time(mechanism);
  out.genuine = files.genuine;
  out.misnamed = files.misnamed;
  out.expired = files.expired;
  return out;
}

Reply image_reply(const Offer& offer, int& downloads) {
  Reply reply;
  reply.headers.push_back({"Content-Type", "application/octet-stream"});
  reply.headers.push_back({"Accept-Ranges", "bytes"});
  reply.image = true;
  reply.body = offer.behaviour.second && downloads == 0 ? offer.genuine : offer.image;
  ++downloads;
  return reply;
}

Reply image_or_way(const HttpServer& server, const Offer& offer, const wire::HttpAsked& asked, bool tls,
                   int& downloads) {
  const auto elsewhere = server.origin(offer.behaviour.redirect);
  return sent_on(offer.behaviour, asked, tls, elsewhere) ? redirect_reply(elsewhere + asked.path())
                                                         : image_reply(offer, downloads);
}

Reply redirect_reply(std::string elsewhere) {
  Reply reply;
  reply.status = 302;
  reply.headers.push_back({"Location", std::move(elsewhere)});
  return reply;
}

bool sent_on(const Behaviour& behaviour, const wire::HttpAsked& asked, bool tls, const std::string& elsewhere) {
  if (behaviour.redirect == "http") {
    return tls;
  }
  const auto* host = asked.header("Host");
  const auto wanted = elsewhere.substr(elsewhere.find("//") == std::string::npos ? 0 : elsewhere.find("//") + 2);
  return behaviour.redirect == "host" && (host == nullptr || !wanted.starts_with(*host));
}

milliseconds hold_time(const UpdateMechanism& mechanism) {
  return milliseconds{hold_ms(mechanism)};
}

std::string cannot_serve(const UpdateMechanism& mechanism, const Behaviour& behaviour) {
  const auto& serve = *mechanism.serve;
  const bool about_tls =
      !behaviour.certificate.empty() || behaviour.plain || behaviour.redirect == "http" || behaviour.url == "http";
  if (about_tls && !serve.secured()) {
    return "the update server does not speak TLS";
  }
  if (behaviour.certificate == "misnamed" && !serve.misnamed) {
    return "no certificate of another name that the device trusts was given (serve, misnamed)";
  }
  if (behaviour.certificate == "expired" && !serve.expired) {
    return "no certificate that has expired was given (serve, expired)";
  }
  return {};
}

json::object served_facts(const HttpServer& server, const UpdateMechanism& mechanism) {
  const auto& fetched = server.fetched();
  const auto& visit = server.visit();
  json::object out{{"transport", enum_name(mechanism.transport)}, {"over", fetched.over}, {"tls", nullptr}};
  if (visit.finished) {
    out["tls"] = json::object{{"version", visit.version},
                              {"cipher", visit.cipher},
                              {"server_name", wire::printable(visit.server_name, 100)},
                              {"newest_offered", visit.offered}};
  }
  out["identifies_by"] = fetched.agent;
  out["downloads"] = fetched.downloads;
  out["strangers"] = server.strangers();
  return out;
}

asio::awaitable<Result<>> cut_off(ProbeContext& context, Loss loss) {
  const auto& lab = context.dut.lab;
  const auto link = lab.link_cycle.empty() ? std::nullopt : std::optional{lab.link_cycle.front()};
  const auto recipe = loss == Loss::link ? link : lab.power_cycle;
  const auto name = enum_name(loss);
  if (!recipe) {
    co_return Error{ErrorKind::unsupported, "the DUT file has no recipe for it (lab." + name + ".cycle)", {}};
  }
  RecipeUse use;
  use.purpose = "cut the " + name;
  use.does = Intrusiveness::destructive;
  const auto ran = co_await context.bench.run(*recipe, use);
  co_return ran ? Result<>{} : Result<>{ran.error()};
}

std::unique_ptr<Transport> make_pull(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files) {
  return std::make_unique<PullTransport>(context, mechanism, files);
}

}  // namespace assay::probes::update

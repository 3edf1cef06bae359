#include <utility>

#include "probes/update/servers/broker.hpp"
#include "probes/update/servers/pull_site.hpp"
#include "probes/update/transports/transports.hpp"
#include "probes/wire/bytes.hpp"

/// mqtt: the device is told of an update by a broker (ours, its own, or one of the laboratory) and fetches it at our
/// server. libmosquitto (2.0) connects and listens by itself, past scope, pace and record; probes/wire speaks for us.
namespace assay::probes::update {

namespace {

constexpr milliseconds kMostSilence{300000};  // that is waited for

class MqttTransport final : public Transport {
 public:
  MqttTransport(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files)
      : context_(context),
        mechanism_(mechanism),
        announce_(*mechanism.announce),
        manifest_(mechanism.manifest.value_or(UpdateManifest{})),
        files_(files),
        server_(context, settings_for(mechanism, files)),
        journal_(context.network) {
    server_.on_loss = [&context](Loss loss) { return cut_off(context, loss); };
  }

  asio::awaitable<Result<>> open() override {
    const auto port = mechanism_.serve->port;
    auto opened = co_await server_.open(port);
    if (!opened || announce_.listen == 0) {
      co_return opened;
    }
    const auto& told_at = mechanism_.version_at.mqtt;
    Broker::Settings settings{announce_.topic, announce_.tls ? files_.genuine : std::nullopt,
                              told_at && !told_at->port ? told_at->topic : std::string{}};
    broker_ = std::make_unique<Broker>(context_, journal_, std::move(settings));
    const auto listens = announce_.listen;
    auto listening = co_await broker_->open(listens);
    if (!listening) {
      broker_.reset();
      co_await server_.close();
    }
    co_return listening;
  }

  std::string cannot(const Behaviour& behaviour) const override {
    if (!behaviour.url.empty() && announce_.message.empty()) {
      return "the announcement is the maker's own, and its address of the image cannot be changed";
    }
    return cannot_serve(mechanism_, behaviour);
  }

  asio::awaitable<Result<>> offer(Offer offer) override {
    const auto behaviour = offer.behaviour;
    // What is offered to see whether the device comes by itself is not announced.
    const bool quiet = offer.attack.empty() && behaviour.status != 0;
    auto places = places_of(server_, behaviour, manifest_.image_path);
    auto message = announce_.message.empty() ? files_.announcement : filled(announce_.message, offer, places.url);
    told_.reset();
    journal_.begin();
    site_ = std::make_shared<PullSite>(manifest_, files_, std::move(offer), std::move(places));
    server_.serve(site_, behaviour);
    if (quiet) {
      co_return Result<>{};
    }
    since_ = context_.network.elapsed();
    came_ = false;
    auto said = co_await say(std::move(message));
    co_return said;
  }

  const Fetched& fetched() const override {
    fetched_ = server_.fetched();
    const auto told = broker_ ? broker_->told() : told_;
    fetched_.told = told.has_value();
    if (told && (!fetched_.first || *told < *fetched_.first)) {
      fetched_.first = told;
      fetched_.last = std::max(fetched_.last, *told);
    }
    return fetched_;
  }

  std::string reported() const override { return {}; }

  bool final_word() const override { return false; }

  bool says_success() const override { return false; }

  std::string log() const override { return journal_.text() + server_.log(); }

  asio::awaitable<void> withdraw() override {
    if (broker_) {
      broker_->take_back();
    } else if (site_) {
      std::string nothing;  // what the device then hears late meets a server without an offer
      std::ignore = co_await say(std::move(nothing));
    }
    co_await server_.withdraw();
  }

  asio::awaitable<void> close() override {
    if (broker_) {
      co_await broker_->close();
    }
    co_await server_.close();
  }

  /// Who is dead ends no connection: what it said before counts only where it was heard since the image came to it, or
  /// since it was offered.
  asio::awaitable<Result<std::string>> read(std::string place) override {
    const auto& served = server_.fetched();
    if (since_ && !came_ && served.whole) {
      since_ = std::max(*since_, served.last);
      came_ = true;
    }
    if (!broker_ || !broker_->version()) {
      co_return Error{ErrorKind::timed_out, "the device has said nothing under " + place + " at our broker", {}};
    }
    if (!is_heard()) {
      co_return Error{ErrorKind::timed_out, "the device has not been heard at our broker since the last offer", {}};
    }
    co_return *broker_->version();
  }

  milliseconds silence() const override {
    return broker_ ? std::min(broker_->silence(), kMostSilence) : milliseconds{0};
  }

  bool keeps_silent() const override { return broker_ && broker_->version() && !is_heard(); }

  json::object passive() const override {
    auto out = served_facts(server_, mechanism_);
    if (broker_ && !broker_->client().empty()) {
      const auto agent = server_.fetched().agent;
      out["identifies_by"] = (agent.empty() ? std::string{} : agent + "; ") + "at the broker: " + broker_->client();
    }
    out["announced"] = {
        {"by", broker_            ? "our broker"
               : announce_.broker ? "the device's broker"
                                  : "a command"},
        {"over", broker_ && !broker_->over().empty() ? json::value(broker_->over()) : json::value(nullptr)}};
    if (mechanism_.manifest) {
      out["manifest_signed"] = site_ && site_->asked_signature;
    }
    return out;
  }

 private:
  bool is_heard() const { return !since_ || broker_->heard() >= since_; }

  asio::awaitable<Result<>> say(std::string message) {
    if (broker_) {
      broker_->announce(std::move(message));
      co_return Result<>{};
    }
    if (announce_.broker) {
      const auto published = co_await publish_at(context_, announce_, std::move(message), journal_);
      if (published) {
        told_ = context_.network.elapsed();
      }
      co_return published;
    }
    RecipeUse use;
    use.purpose = message.empty() ? "take back the announcement" : "announce the update";
    use.does = Intrusiveness::destructive;
    use.environment = {{"ASSAY_TOPIC", announce_.topic}, {"ASSAY_MESSAGE", message}};
    journal_.note("mqtt: a command of the laboratory publishes: " + wire::printable(message, 400));
    const auto ran = co_await context_.bench.run(*announce_.exec, use);
    co_return ran ? Result<>{} : Result<>{ran.error()};
  }

  ProbeContext& context_;
  const UpdateMechanism& mechanism_;
  const UpdateAnnouncement& announce_;
  UpdateManifest manifest_;
  const Files& files_;
  HttpServer server_;
  Journal journal_;
  std::unique_ptr<Broker> broker_;
  std::shared_ptr<PullSite> site_;
  std::optional<milliseconds> told_;   // at the device's own broker
  std::optional<milliseconds> since_;  // the last offer began, or its image came, by Network::elapsed
  bool came_ = false;                  // … the latter
  mutable Fetched fetched_;            // of the server, with what the broker knows
};

}  // namespace

std::unique_ptr<Transport> make_mqtt(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files) {
  return std::make_unique<MqttTransport>(context, mechanism, files);
}

}  // namespace assay::probes::update

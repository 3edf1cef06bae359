#include <algorithm>
#include <charconv>

#include "probes/sessions/channel.hpp"
#include "probes/update/servers/lwm2m_firmware.hpp"
#include "probes/update/transports/transports.hpp"
#include "probes/wire/bytes.hpp"

/// lwm2m: the device registers at our server, which writes an image or its address into object 5, has it installed and
/// reads what the device says of it.
namespace assay::probes::update {

namespace {

constexpr milliseconds kStep{100};
constexpr milliseconds kTrustsWithin{5000};  // … at a false server, where a device that trusts it comes back at once
constexpr milliseconds kRegistersWithin{30000};  // beside what an update takes
constexpr std::string_view kImagePath = "/image";
constexpr std::int64_t kIdle = 0;
constexpr std::int64_t kDownloading = 1;
constexpr std::int64_t kDownloaded = 2;
constexpr std::int64_t kUpdating = 3;
constexpr std::int64_t kDone = 1;

class Lwm2mTransport final : public Transport {
 public:
  Lwm2mTransport(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files)
      : context_(context),
        mechanism_(mechanism),
        client_(mechanism.client.value_or(UpdateClient{})),
        server_(
            context, mechanism.serve->name, coap_security(mechanism, files),
            [this](const wire::CoapMessage& request, std::uint16_t from) { return registrar_.answer(request, from); }),
        registrar_(context.network, server_.journal(), client_.endpoint),
        firmware_(context, server_, registrar_),
        deliver_(client_.deliver) {}

  asio::awaitable<Result<>> open() override {
    co_await course_.begin();
    const auto port = mechanism_.serve->port;
    auto opened = co_await server_.open(port);
    co_return opened;
  }

  std::string cannot(const Behaviour& behaviour) const override {
    const auto why = cannot_by_coap(mechanism_, behaviour);
    if (why.empty() && is_false(behaviour) && !mechanism_.version_at.resource.empty()) {
      return "the version is read inside the session that a false server would end (version_at, resource)";
    }
    if (!why.empty() || deliver_ != UpdateDelivery::push) {
      return why;
    }
    const bool link = behaviour.loss_at && behaviour.loss == Loss::link;
    const bool ours = link || behaviour.stall_at || behaviour.drip || behaviour.length > 1 || behaviour.second ||
                      behaviour.status != 0 || !behaviour.url.empty();
    return ours ? "the image is written into the device: it fetches nothing that could be kept from it" : std::string{};
  }

  /// It registers with us, and we tell it of updates.
  bool is_asked() const override { return false; }

  asio::awaitable<Result<>> offer(Offer offer) override {
    pushed_ = {};
    reported_.clear();
    final_ = success_ = false;
    server_.journal().begin();
    false_ = is_false(offer.behaviour);
    if (!false_) {
      const auto within = milliseconds{mechanism_.takes_ms} + kRegistersWithin;
      const auto ready = co_await be_ready(within);
      if (!ready) {
        co_return ready;
      }
      if (auto why = cannot(offer.behaviour); !why.empty()) {
        co_return Error{ErrorKind::unsupported, std::move(why), {}};  // by the way that it told of now
      }
    }
    CoapSite::Inputs inputs;
    inputs.offer = offer;
    inputs.image_path = kImagePath;
    inputs.hold = hold_time(mechanism_);
    const auto served = server_.serve(std::move(inputs));
    if (!served) {
      co_return served;
    }
    if (false_) {
      registrar_.forget();  // it has to come to the false server first
    }
    known_as_ = number();
    course_.start(drive(std::move(offer)));
    co_return Result<>{};
  }

  const Fetched& fetched() const override {
    fetched_ = pushed_;
    if (const auto* seen = server_.seen(); seen != nullptr) {
      fetched_.connections = std::max(fetched_.connections, seen->sessions);
      fetched_.handshakes = seen->handshakes;
      fetched_.refusal = seen->refusal;
      fetched_.first = fetched_.first ? fetched_.first : seen->first;
      fetched_.last = std::max(fetched_.last, seen->last);
    }
    if (deliver_ != UpdateDelivery::push && server_.site() != nullptr) {
      fetched_ = server_.fetched();
      fetched_.told = pushed_.told;
      fetched_.holding = fetched_.holding || pushed_.holding;
      fetched_.released = fetched_.released ? fetched_.released : pushed_.released;
      if (pushed_.first && (!fetched_.first || *pushed_.first < *fetched_.first)) {
        fetched_.first = pushed_.first;
      }
      fetched_.last = std::max(fetched_.last, pushed_.last);
    }
    return fetched_;
  }

  std::string reported() const override { return reported_; }

  bool final_word() const override { return final_ && !success_; }

  bool says_success() const override { return success_; }

  /// Where its version is read of the registered client, a start is silence alone, and then another registration.
  bool started_anew() const override { return success_ && !false_ && number() != known_as_; }

  std::string log() const override { return server_.journal().text(); }

  asio::awaitable<void> withdraw() override {
    passive_ = facts();
    co_await course_.end();
    co_await server_.withdraw();
    if (false_) {
      registrar_.forget();  // nor does a session with the false server serve the true one
    }
  }

  asio::awaitable<void> close() override {
    co_await course_.end();
    co_await server_.close();
  }

  json::object passive() const override { return passive_; }

  asio::awaitable<Result<std::string>> read(std::string path) override {
    const auto within = milliseconds{mechanism_.takes_ms} + kStep;
    const auto there = co_await registered(within);
    if (!there) {
      co_return there.error();
    }
    auto value = co_await firmware_.read(std::move(path), false);
    if (!value && value.error().kind == ErrorKind::refused) {
      co_return Error{ErrorKind::protocol, "the resource has no value: " + value.error().what, {}};
    }
    co_return value;
  }

 private:
  /// Another server than the one that the device trusts.
  static bool is_false(const Behaviour& behaviour) { return !behaviour.certificate.empty() || behaviour.plain; }

  /// Of its registration; 0: it has none.
  int number() const { return registrar_.client() ? registrar_.client()->number : 0; }

  asio::awaitable<Result<>> registered(milliseconds within) {
    const auto began = context_.network.elapsed();
    while (!registrar_.client()) {
      if (context_.network.elapsed() - began > within) {
        co_return Error{ErrorKind::unreachable, "the device did not register at our LwM2M server", {}};
      }
      const auto waited = co_await context_.network.wait(kStep);
      if (!waited) {
        co_return waited;
      }
    }
    co_return Result<>{};
  }

  /// It is registered, its firmware object is idle, and it is known how an image comes into it.
  asio::awaitable<Result<>> be_ready(milliseconds within) {
    const auto there = co_await registered(within);
    if (!there) {
      co_return there;
    }
    if (deliver_ == UpdateDelivery::as_told) {
      std::string method = "/5/0/9";
      const auto told = co_await firmware_.read(std::move(method), true);
      if (!told && sessions::ends_probe(told.error().kind)) {
        co_return told.error();
      }
      deliver_ = told && *told == "1" ? UpdateDelivery::push : UpdateDelivery::pull;
      server_.journal().note("lwm2m: delivery method " + (told ? wire::printable(*told, 20) : told.error().what) +
                             ", so " + enum_name(deliver_));
    }
    const auto began = context_.network.elapsed();
    auto state = co_await firmware_.state();
    while (state && state->state == kUpdating && context_.network.elapsed() - began <= within) {
      const auto waited = co_await context_.network.wait(kStep);
      if (!waited) {
        co_return waited;
      }
      state = co_await firmware_.state();
    }
    if (!state) {
      co_return state.error();
    }
    if (state->state == kUpdating) {  // what it says to anything now is no answer to that
      co_return Error{ErrorKind::unreachable, "the device is still updating with what it was offered before", {}};
    }
    if (state->state == kIdle) {
      co_return Result<>{};
    }
    server_.journal().note("lwm2m: state " + std::to_string(state->state) + ", which is given up");
    std::string nothing;
    const auto given_up = co_await firmware_.write_address(std::move(nothing));
    if (!given_up && sessions::ends_probe(given_up.error().kind)) {
      co_return given_up;
    }
    co_return Result<>{};  // a device that does not give up refuses what comes, which is its answer
  }

  /// From the first word to what the device says at the end. What ends it is in `reported_`.
  asio::awaitable<void> drive(Offer offer) {
    if (false_) {
      pushed_.holding = true;  // whether it trusts us is seen when it registers, not when it looks at us
      const auto within = milliseconds{mechanism_.takes_ms} * 2 + kTrustsWithin;
      const auto ready = co_await be_ready(within);
      pushed_.holding = false;
      pushed_.released = context_.network.elapsed();
      if (!ready) {
        server_.journal().note("lwm2m: " + wire::printable(ready.error().what, 300));
        co_return;
      }
    }
    const auto delivered = co_await deliver(std::move(offer));
    if (!delivered && delivered.error().kind == ErrorKind::refused) {
      end(delivered.error().what, false, true);
      co_return;
    }
    if (!delivered) {  // not in the device's words; what it makes of it shows in its state
      server_.journal().note("lwm2m: " + wire::printable(delivered.error().what, 300));
      if (sessions::ends_probe(delivered.error().kind)) {
        co_return;
      }
    }
    const auto pause = std::clamp(milliseconds{mechanism_.takes_ms} / 8, kStep, milliseconds{2000});
    bool executed = false;
    while (true) {
      const auto waited = co_await context_.network.wait(pause);
      if (!waited) {
        co_return;
      }
      const auto state = co_await firmware_.state();
      if (!state) {
        if (sessions::ends_probe(state.error().kind)) {
          co_return;
        }
        continue;  // it starts anew, or is busy
      }
      note_state(*state);
      const bool busy = state->state == kDownloading || state->state == kUpdating;  // the result is of what was before
      if (state->state == kDownloaded && !executed) {
        const auto done = co_await firmware_.execute();
        server_.journal().note("lwm2m: Update (5/0/2) " + (done ? std::string{"was taken"} : done.error().what));
        executed = done.has_value();
        if (!done && done.error().kind == ErrorKind::refused) {
          end("Update was refused: " + done.error().what, false, true);
          co_return;
        }
      } else if (!busy && (state->result > kDone || (executed && state->result == kDone))) {
        end("result " + result_words(state->result), state->result == kDone, true);
        co_return;
      }
    }
  }

  asio::awaitable<Result<>> deliver(Offer offer) {
    if (deliver_ == UpdateDelivery::push) {
      auto pushed = co_await push(std::move(offer));
      co_return pushed;
    }
    auto address = server_.origin(offer.behaviour.url) + std::string{kImagePath};
    server_.journal().note("lwm2m: Package URI (5/0/1) is " + address);
    auto written = co_await firmware_.write_address(std::move(address));
    mark_told(written.has_value() || written.error().kind == ErrorKind::refused);
    co_return written;
  }

  asio::awaitable<Result<>> push(Offer offer) {
    const auto& behaviour = offer.behaviour;
    const auto size = offer.image->size();
    const auto percent = behaviour.cut_at ? behaviour.cut_at : behaviour.loss_at;
    Firmware::Push image;
    image.image = offer.image;
    image.behind = behaviour.endless ? flood_behind(size) : 0;
    image.until = percent ? size * static_cast<std::uint64_t>(*percent) / 100 : size + image.behind;
    const auto enough = context_.network.elapsed() + hold_time(mechanism_);
    image.goes_on = [this, enough, endless = behaviour.endless](std::uint64_t written) {
      pushed_.bytes = written;
      mark_told(true);
      return !endless || context_.network.elapsed() < enough;
    };
    pushed_.holding = behaviour.endless;
    server_.journal().note("lwm2m: Package (5/0/0) is written, " + std::to_string(image.until) + " of " +
                           std::to_string(size + image.behind) + " bytes");
    const auto written = co_await firmware_.write_image(std::move(image));
    mark_told(written.has_value() || written.error().kind == ErrorKind::refused);
    pushed_.handed_over = written.has_value() && !percent;
    pushed_.whole = pushed_.handed_over && !behaviour.endless;
    pushed_.held_to_the_end = pushed_.handed_over && behaviour.endless;
    if (behaviour.endless) {
      pushed_.holding = false;
      pushed_.released = context_.network.elapsed();
      server_.journal().note("lwm2m: the device took " + std::to_string(pushed_.bytes) +
                             " bytes of an image without end");
    }
    if (!written || !percent) {
      co_return written;
    }
    if (behaviour.loss_at) {
      server_.journal().note("the " + enum_name(behaviour.loss) + " is cut after " + std::to_string(pushed_.bytes) +
                             " bytes");
      const CutOff by = [this](Loss loss) { return cut_off(context_, loss); };
      co_await cut_in_the_middle(by, behaviour.loss, pushed_);
      if (!pushed_.lost) {
        server_.journal().note(pushed_.trouble);
      }
    }
    co_return Error{ErrorKind::closed, "the write was cut as planned", {}};
  }

  /// It has heard of the offer.
  void mark_told(bool heard) {
    if (heard) {
      pushed_.told = true;
      pushed_.over = registrar_.client() ? server_.over(registrar_.client()->port) : "coap";
      pushed_.connections = deliver_ == UpdateDelivery::push ? 1 : 0;
      pushed_.last = context_.network.elapsed();
      pushed_.first = pushed_.first ? pushed_.first : std::optional{pushed_.last};
    }
  }

  void note_state(const FirmwareState& state) {
    const auto words = "lwm2m: state " + std::to_string(state.state) + ", result " + result_words(state.result);
    if (words != last_state_) {
      server_.journal().note(words);
      last_state_ = words;
    }
  }

  void end(const std::string& words, bool success, bool final) {
    reported_ = wire::printable(words, 300);
    success_ = success;
    final_ = final;
    server_.journal().note("lwm2m: " + reported_);
  }

  json::object facts() const {
    auto out = coap_facts(server_, mechanism_);
    if (const auto& client = registrar_.client()) {
      out["identifies_by"] = "endpoint " + wire::printable(client->told.endpoint, 200);
      out["client"] = json::object{{"lwm2m", wire::printable(client->told.version, 20)},
                                   {"binding", wire::printable(client->told.binding, 20)},
                                   {"lifetime_s", client->told.lifetime_s},
                                   {"objects", wire::printable(client->told.objects, 512)},
                                   {"delivery", enum_name(deliver_)}};
    }
    return out;
  }

  ProbeContext& context_;
  const UpdateMechanism& mechanism_;
  UpdateClient client_;
  CoapServer server_;
  Registrar registrar_;
  Firmware firmware_;
  UpdateDelivery deliver_;
  sessions::Tasks course_;
  Fetched pushed_;           // what we brought and said
  mutable Fetched fetched_;  // with what the device fetched
  std::string reported_;
  std::string last_state_;
  bool final_ = false;
  bool success_ = false;
  bool false_ = false;  // our server is one that the device ought not to trust
  int known_as_ = 0;    // the number of its registration when the offer began
  json::object passive_;
};

}  // namespace

std::unique_ptr<Transport> make_lwm2m(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files) {
  return std::make_unique<Lwm2mTransport>(context, mechanism, files);
}

}  // namespace assay::probes::update

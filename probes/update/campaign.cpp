#include "probes/update/campaign.hpp"

#include <algorithm>

#include "harness/model/attacks.hpp"
#include "probes/sessions/channel.hpp"

namespace assay::probes::update {

namespace {

std::string word(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{std::string_view{value->get_string()}} : std::string{};
}

std::string said_version(const Attack& attack, const UpdateMechanism& mechanism, const std::string& of_image,
                         const std::string& running) {
  const auto version = word(attack.metadata, "version");
  if (version == "higher") {
    return "99.99.99";
  }
  if (version == "running") {
    return running;
  }
  return version == "genuine" || of_image.empty() ? mechanism.image.version : of_image;
}

/// What a device tells that runs what was made of the genuine image; empty: not known.
std::string running_version(images::MutationKind kind, const UpdateMechanism& mechanism, const std::string& of_image) {
  const auto version = [](const std::optional<UpdateImage>& image) { return image ? image->version : std::string{}; };
  switch (kind) {
    case images::MutationKind::other_model:
      return version(mechanism.other_model);
    case images::MutationKind::other_component:
      return version(mechanism.component());
    case images::MutationKind::mix_older:  // the newer description, and content that may tell otherwise
      return {};
    default:
      return of_image;
  }
}

bool flag(const json::object& object, std::string_view key, bool otherwise) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_bool() ? value->get_bool() : otherwise;
}

/// When the device began to look: requests that follow each other at once are one look.
std::vector<milliseconds> looks_of(const std::vector<milliseconds>& requests) {
  constexpr milliseconds kOneLook{500};
  std::vector<milliseconds> out;
  auto before = -kOneLook;
  for (const auto& at : requests) {
    if (at - before >= kOneLook) {
      out.push_back(at);
    }
    before = at;
  }
  return out;
}

/// Why nothing can be said of an image, empty where something can.
std::string wordless(const UpdateMechanism& mechanism) {
  const bool tftp = mechanism.transport == UpdateTransport::tftp;
  return tftp || mechanism.transport == UpdateTransport::lwm2m
             ? std::string{tftp ? "TFTP" : "LwM2M"} + " says nothing of an image but the image itself"
             : std::string{};
}

}  // namespace

std::string Campaign::missing(const Attack& attack) const {
  const auto silent = wordless(in_.mechanism);
  for (const auto& need : attack.needs) {
    if (is_given(in_.context.dut, in_.mechanism, need)) {
      continue;
    }
    if (!silent.empty() && (need == "manifest" || need == "open_manifest")) {
      return silent;
    }
    return need == "power" || need == "link"
               ? "the DUT file has no recipe that cuts the " + need + " (lab." + need + ".cycle)"
               : "the DUT file does not give what it needs: " + need;
  }
  const bool digestless = in_.mechanism.transport == UpdateTransport::mender && attack.server.empty();
  if (digestless && !flag(attack.metadata, "digest", true)) {
    return "a server of Mender says neither digest nor size of an artifact";
  }
  const auto behaviour = behaviour_of(attack.server);
  if (behaviour.anonymous && !is_given(in_.context.dut, in_.mechanism, "login")) {
    return "there is no page of the device that asks for a login";
  }
  if (behaviour.loss_installing && asks_person()) {
    return "a person reads the version, so how long an installation takes does not show";
  }
  if (behaviour.loss_installing && !installs_) {
    return "no genuine update was installed before, so how long that takes is not known";
  }
  if (behaviour.loss_installing && *installs_ < step() * 2) {
    return "the genuine image was installed as soon as it was seen to be there (after " +
           std::to_string(installs_->count()) + " ms), so no cut of the " + enum_name(behaviour.loss) +
           " would be in the middle of that";
  }
  return attack.server.empty() ? std::string{} : in_.transport.cannot(behaviour);
}

/// A person is asked when it should be over, however long it took.
bool Campaign::saw_pace() const {
  return first_ && first_->installed.value_or(false) && !asks_person();
}

json::value Campaign::pace() const {
  if (!saw_pace()) {
    return nullptr;
  }
  return json::object{{"takes_ms", in_.mechanism.takes_ms},
                      {"took_ms", first_->took.count()},
                      {"slower", longer_by() > milliseconds{0}}};
}

/// What the estimate of one offer leaves out: each is watched for twice the time of the genuine update.
milliseconds Campaign::longer_by() const {
  return saw_pace() ? std::max(first_->took - milliseconds{in_.mechanism.takes_ms}, milliseconds{0}) * 2
                    : milliseconds{0};
}

/// The last genuine update has to have its time as well.
bool Campaign::out_of_time(const Attack& attack) const {
  const milliseconds needed{attack_ms(in_.mechanism, attack) + control_ms(in_.mechanism)};
  return now() + needed + longer_by() * 2 > in_.choice.until;
}

void Campaign::give_up(const std::string& why) {
  if (stop_.empty()) {
    stop_ = why;
  }
}

Offer Campaign::genuine_offer() const {
  Offer out;
  out.what = "the genuine update";
  out.image = out.genuine = out.told = in_.materials.genuine;
  out.version = out.image_version = in_.mechanism.image.version;
  return out;
}

Result<Offer> Campaign::offer_for(const Attack& attack) {
  auto out = genuine_offer();
  out.attack = attack.id;
  out.what = attack.title;
  std::string of_image = in_.mechanism.image.version;
  if (!attack.image.empty()) {
    const auto spec = images::read_mutation(attack.image);
    if (!spec) {
      return spec.error();
    }
    auto mutation = images::mutate(*spec, in_.materials, in_.map);
    if (!mutation) {
      return mutation.error();
    }
    out.image = mutation->image;
    out.what = mutation->what;
    of_image = spec->kind == images::MutationKind::older && in_.mechanism.older ? in_.mechanism.older->version
               : spec->kind == images::MutationKind::lie_version                ? spec->version
                                                                                : of_image;
    out.image_version = running_version(spec->kind, in_.mechanism, of_image);
  }
  out.behaviour = behaviour_of(attack.server);
  if (out.behaviour.date == "held") {
    out.behaviour.date = in_.mechanism.manifest->expired.front().held;
  }
  out.signature = flag(attack.metadata, "signature", true);
  out.altered = flag(attack.metadata, "altered", false);
  out.manifest = enum_from<Given>(word(attack.metadata, "manifest")).value_or(Given::newest);
  out.version = said_version(attack, in_.mechanism, of_image, current_);
  out.told = flag(attack.metadata, "digest", true) ? out.image : out.genuine;
  const auto digest = images::sha256_of(*out.told);
  if (!digest) {
    return digest.error();
  }
  out.sha256 = *digest;
  return out;
}

asio::awaitable<Result<>> Campaign::run() {
  auto ended = co_await steps();
  reader_.keep("update.control");
  for (const auto& attack : in_.list.attacks) {
    if (!begun_.contains(attack.id) && !not_tried_.contains(attack.id)) {
      not_tried_[attack.id] = !ended ? "the campaign ended before: " + ended.error().what
                              : !is_chosen(attack, in_.choice.attacks) ? "it was not chosen"
                              : stop_.empty()                          ? "it was not come to"
                                                                       : stop_;
    }
  }
  co_return ended;
}

asio::awaitable<Result<>> Campaign::steps() {
  const milliseconds short_while{5000};
  auto version = co_await come_back(short_while);
  if (!version) {
    const auto kind = version.error().kind;
    if (sessions::ends_probe(kind) && !is_unasked(kind)) {
      co_return version.error();
    }
    give_up("the version that the device runs could not be read: " + version.error().what);
    co_return Result<>{};
  }
  base_ = current_ = *version;
  const auto& newer = in_.mechanism.image.version;
  if (!newer.empty() && newer == base_) {
    const auto restored = co_await restore();
    if (!restored) {
      co_return restored.error();
    }
    base_ = current_;
    if (!*restored || base_ == newer) {
      give_up("the device runs the version of the genuine image already (" + base_ +
              "), so no update of it would show");
      co_return Result<>{};
    }
  }
  const auto watched = co_await watch();
  if (!watched) {
    co_return watched;
  }
  const bool back = in_.choice.restore && in_.mechanism.restore.has_value();
  if (back) {
    const auto done = co_await control(first_);
    if (!done) {
      co_return done;
    }
    if (!stopped() && !first_->installed.value_or(false)) {
      give_up("the genuine update was not installed, so no refusal proves anything");
    }
    const auto later = co_await attack_all(true);
    if (!later) {
      co_return later;
    }
  }
  const auto tried = co_await attack_all(false);
  if (!tried) {
    co_return tried;
  }
  const bool changes = !first_ || first_->installed.value_or(false);
  if (bricked_.is_null() && changes && !unread_ && !alone_) {
    const auto done = co_await control(last_);
    if (!done) {
      co_return done;
    }
  }
  if (back && bricked_.is_null() && (changes || unread_ || alone_)) {
    const auto left = co_await restore();
    if (!left) {
      co_return left.error();
    }
  }
  co_return Result<>{};
}

/// How often the device asks when nobody makes it: every request is answered that there is nothing now. What it asks
/// because it was just restored, by us or before another mechanism's turn, is over by then. The genuine updates keep
/// their time. A device that is gone when it is over, or another, was not watched to the end.
asio::awaitable<Result<>> Campaign::watch() {
  if (in_.choice.watch == milliseconds{0} || !in_.mechanism.serve || !in_.transport.is_asked()) {
    co_return Result<>{};
  }
  auto nothing = genuine_offer();
  nothing.behaviour.status = 503;
  if (!in_.transport.cannot(nothing.behaviour).empty()) {
    co_return Result<>{};  // it does not come to us: what is offered would be brought to it
  }
  const milliseconds starts{in_.mechanism.takes_ms};
  const milliseconds controls{control_ms(in_.mechanism) * 2};
  const auto watched = std::min(in_.choice.watch, in_.choice.until - now() - starts - controls);
  if (watched <= milliseconds{0}) {
    co_return Result<>{};
  }
  const auto started = co_await in_.context.network.wait(starts);
  if (!started) {
    co_return started;
  }
  const auto offered = co_await in_.transport.offer(std::move(nothing));
  if (!offered) {
    co_return offered;
  }
  const auto waited = co_await in_.context.network.wait(watched);
  const auto looks = looks_of(in_.transport.fetched().asked);
  if (const auto log = in_.transport.log(); !log.empty()) {
    const auto kept = in_.context.record.artifact("exchange while nobody touched the device", "text/plain", log);
    in_.context.record.evidence("update.passive", kept);
  }
  co_await in_.transport.withdraw();
  polling_["unprompted"] = !looks.empty();
  if (looks.size() > 1) {
    polling_["polling_ms"] = (looks.back() - looks.front()).count() / static_cast<std::int64_t>(looks.size() - 1);
  }
  if (!waited) {
    co_return waited;
  }
  polling_["watched_ms"] = watched.count();
  const auto there = co_await reader_.read();
  if (!there && sessions::ends_probe(there.error().kind) && !goes_unread(there.error())) {
    co_return there.error();
  }
  polling_["watched_to_the_end"] = there && there->version == base_;
  co_return Result<>{};
}

asio::awaitable<Result<>> Campaign::attack_all(bool after_update) {
  std::int64_t done = 0;
  for (const auto& one : in_.list.attacks) {
    ++done;
    if (one.after_update != after_update || !is_chosen(one, in_.choice.attacks) || stopped()) {
      continue;
    }
    if (const auto why = missing(one); !why.empty()) {
      not_tried_[one.id] = why;
      continue;
    }
    if (in_.context.progress) {
      in_.context.progress(done, static_cast<std::int64_t>(in_.list.attacks.size()), one.id);
    }
    const auto tried = co_await attack(one);
    if (!tried) {
      co_return tried;
    }
  }
  co_return Result<>{};
}

asio::awaitable<Result<>> Campaign::control(std::optional<Attempt>& into) {
  auto offer = genuine_offer();
  const auto digest = images::sha256_of(*offer.image);
  if (!digest) {
    co_return digest.error();
  }
  offer.sha256 = *digest;
  auto tried = co_await attempt_apart(std::move(offer), nullptr);
  if (!tried) {
    co_return tried.error();
  }
  if (!*tried) {
    co_return Result<>{};
  }
  into = std::move(*tried);
  const bool shows = passive_.empty() || into->installed.value_or(false);
  if (shows) {
    passive_ = in_.transport.passive();
  }
  co_return Result<>{};
}

asio::awaitable<Result<>> Campaign::attack(const Attack& one) {
  if (out_of_time(one)) {
    const auto slower = longer_by() > milliseconds{0}
                            ? "; the genuine update took " + std::to_string(first_->took.count()) +
                                  " ms, longer than the " + std::to_string(in_.mechanism.takes_ms) +
                                  " ms of takes, by which it was planned"
                            : std::string{};
    give_up("the time that the run plan gives to this probe was over (parameter budget_s)" + slower);
    co_return Result<>{};
  }
  auto offer = offer_for(one);
  if (!offer) {
    not_tried_[one.id] = offer.error().what;
    co_return Result<>{};
  }
  auto tried = co_await attempt_apart(std::move(*offer), &one);
  if (!tried) {
    co_return tried.error();
  }
  if (*tried) {
    attempts_.push_back(std::move(**tried));
  }
  co_return Result<>{};
}

}  // namespace assay::probes::update

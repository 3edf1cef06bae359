#include <algorithm>
#include <utility>

#include "probes/sessions/channel.hpp"
#include "probes/update/campaign.hpp"
#include "probes/update/transports/transports.hpp"
#include "probes/wire/bytes.hpp"

/// One offer of a campaign, from the proof that the device is there to the end of what it does about it.
namespace assay::probes::update {

namespace {

constexpr milliseconds kGrace{10000};  // beyond what an update takes, for a device to come back
constexpr milliseconds kLeastStep{100};
constexpr milliseconds kMostStep{2000};
constexpr milliseconds kLeastDearStep{1000};

/// Part of the image is all that the device gets.
bool is_interrupted(const Behaviour& behaviour) {
  return behaviour.holds() || behaviour.cut_at || behaviour.loss_at || behaviour.length > 1;
}

Attempt::Cut cut_of(const Behaviour& behaviour) {
  return behaviour.loss_installing ? Attempt::Cut::installing
         : behaviour.loss_at       ? Attempt::Cut::fetching
                                   : Attempt::Cut::none;
}

}  // namespace

json::object to_facts(const Attempt& attempt, const UpdateMechanism& mechanism, const std::string& format) {
  const auto& fetched = attempt.fetched;
  const auto text = [](const std::string& value) {
    return value.empty() ? json::value(nullptr) : json::value(json::string(value));
  };
  json::object out;
  out["attack"] = attempt.attack;
  out["mechanism"] = mechanism.mechanism;
  out["image"] = {{"format", format}, {"sha256", attempt.sha256}, {"what", attempt.what}, {"genuine", attempt.genuine}};
  out["offered"] = attempt.offered;
  out["trouble"] = text(attempt.trouble);
  out["fetched"] = {{"connections", fetched.connections},
                    {"handshakes", fetched.handshakes},
                    {"requests", fetched.requests},
                    {"downloads", fetched.downloads},
                    {"bytes", fetched.bytes},
                    {"whole", fetched.whole},
                    {"over", text(fetched.over)},
                    {"handed_over", fetched.handed_over}};
  for (const auto loss : {Loss::power, Loss::link}) {
    const bool planned = attempt.cut != Attempt::Cut::none && attempt.loss == loss;
    out[enum_name(loss) + "_cut"] = planned ? json::value(fetched.lost) : json::value(nullptr);
  }
  out["seen"] = fetched.any();
  out["certificate_refused"] = text(fetched.refusal);
  out["held"] = fetched.held_to_the_end;
  out["gave_up_ms"] = fetched.gave_up_after ? json::value(fetched.gave_up_after->count()) : json::value(nullptr);
  const bool refused = attempt.offered && fetched.any() && attempt.installed == std::optional{false} &&
                       !attempt.says_success && attempt.after == attempt.before;
  out["refused"] =
      !refused ? json::value(nullptr) : json::value(fetched.bytes == 0 ? "before download" : "after download");
  out["installed"] = attempt.installed ? json::value(*attempt.installed) : json::value(nullptr);
  out["late"] = attempt.late;
  out["undecided"] = text(attempt.undecided);
  out["made_again"] = attempt.made_again;
  out["activated"] =
      attempt.installed ? json::value(*attempt.installed && !attempt.after_restart) : json::value(nullptr);
  out["says_success"] = attempt.says_success;
  out["restarted"] = attempt.restarted;
  out["version_before"] = text(attempt.before);
  out["version_after"] = text(attempt.after);
  out["alive"] = attempt.unread ? json::value(nullptr) : json::value(attempt.alive);
  out["reported"] = attempt.report;
  out["took_ms"] = attempt.took.count();
  out["evidence"] = text(attempt.evidence);
  return out;
}

/// Whether nobody can ask for the version any more. That ends the campaign and says nothing of the device.
bool Campaign::goes_unread(const Error& error) {
  if (!is_unasked(error.kind)) {
    return false;
  }
  unread_ = true;
  give_up("the version could not be read any more: " + error.what);
  return true;
}

/// Whether a person had to do it and nobody answered. That ends the campaign and says nothing of the device.
bool Campaign::is_left_alone(const std::optional<Recipe>& recipe, const Error& error) {
  if (!recipe || !recipe->prompt || error.kind != ErrorKind::unsupported) {
    return false;
  }
  alone_ = true;
  give_up("nobody answered: \"" + *recipe->prompt + "\"");
  return true;
}

/// Reads the version until it comes. The last error when it does not.
asio::awaitable<Result<std::string>> Campaign::come_back(milliseconds within) {
  const auto began = now();
  while (true) {
    const auto told = co_await reader_.read();
    if (told) {
      current_ = told->version;
      co_return told->version;
    }
    if (sessions::ends_probe(told.error().kind) || now() - began >= within) {
      co_return told.error();
    }
    const auto pause = asks_person() || reader_.is_dear() ? step() : kLeastStep;
    const auto waited = co_await in_.context.network.wait(pause);
    if (!waited) {
      co_return waited.error();
    }
  }
}

/// Runs the restore recipe and waits for the device. False when it is not back; the campaign stops then.
asio::awaitable<Result<bool>> Campaign::restore() {
  if (!in_.choice.restore || !in_.mechanism.restore) {
    give_up("the device runs another version than before and nothing brings it back (updates, restore)");
    co_return false;
  }
  RecipeUse use;
  use.purpose = "restore";
  use.does = Intrusiveness::destructive;
  const auto ran = co_await in_.context.bench.run(*in_.mechanism.restore, use);
  if (!ran) {
    if (ran.error().kind == ErrorKind::cancelled) {
      co_return ran.error();
    }
    if (!is_left_alone(in_.mechanism.restore, ran.error())) {
      give_up("the device could not be brought back: " + ran.error().what);
    }
    co_return false;
  }
  const auto within = patience();
  const auto version = co_await come_back(within);
  if (!version) {
    if (goes_unread(version.error())) {
      co_return false;
    }
    if (sessions::ends_probe(version.error().kind)) {
      co_return version.error();
    }
    give_up("the device did not come back after its restore: " + version.error().what);
    co_return false;
  }
  co_return true;
}

/// The version that the campaign began with, read now and not remembered: what was offered before may have come into
/// force late.
asio::awaitable<Result<bool>> Campaign::be_at_base() {
  const auto within = milliseconds{in_.mechanism.takes_ms} + kGrace + in_.transport.silence();
  const auto seen = current_;
  const auto version = co_await come_back(within);
  if (!version && goes_unread(version.error())) {
    co_return false;
  }
  if (!version && sessions::ends_probe(version.error().kind)) {
    co_return version.error();
  }
  if (version && *version == base_) {
    co_return true;
  }
  if (version && *version != seen) {
    credit_late(*version);
  }
  const auto restored = co_await restore();
  if (!restored || !*restored) {
    co_return restored;
  }
  if (current_ != base_) {
    give_up("after the restore the device runs " + current_ + " and not " + base_);
    co_return false;
  }
  co_return true;
}

/// Makes the device look for the update. Where nothing does, it looks by itself.
asio::awaitable<Result<>> Campaign::pull_trigger(Attempt& attempt) {
  if (!in_.mechanism.trigger) {
    co_return Result<>{};
  }
  RecipeUse use;
  use.purpose = "look for the update";
  use.does = Intrusiveness::intrusive;
  const auto ran = co_await in_.context.bench.run(*in_.mechanism.trigger, use);
  if (!ran && is_left_alone(in_.mechanism.trigger, ran.error())) {
    attempt.unmade = true;
    co_return Result<>{};
  }
  if (!ran && ran.error().kind != ErrorKind::io) {
    co_return ran.error();
  }
  if (!ran) {
    attempt.trouble = ran.error().what;
  }
  co_return Result<>{};
}

void Campaign::forget_offer() {
  arrived_.reset();
  away_.reset();
  uncut_.clear();
  dark_at_.reset();
  moved_at_.reset();
  cut_ = false;
  taken_by_old_ = false;
}

asio::awaitable<Result<Attempt>> Campaign::attempt(Offer offer) {
  Attempt out;
  out.attack = offer.attack;
  out.what = offer.what;
  out.before = current_;
  const bool control = offer.attack.empty();
  out.in_turns = offer.behaviour.second;
  out.image_version = out.in_turns ? std::string{} : offer.image_version;
  out.enough = is_interrupted(offer.behaviour) ? 1 : offer.genuine->size();
  out.cut = cut_of(offer.behaviour);
  out.loss = offer.behaviour.loss;
  forget_offer();
  const auto digest = images::sha256_of(*offer.image);
  out.sha256 = digest ? *digest : std::string{};
  out.genuine = offer.image == offer.genuine || (first_ && first_->sha256 == out.sha256);
  const auto behaviour = offer.behaviour;
  const auto began = now();
  const auto offered = co_await in_.transport.offer(std::move(offer));
  const auto unplayed = offered || control ? std::string{} : in_.transport.cannot(behaviour);
  if (!unplayed.empty()) {  // which shows only when the device has told how it takes images
    not_tried_[out.attack] = unplayed;
    out.unmade = true;
    co_return out;
  }
  if (!offered) {
    out.unmade = is_left_alone(in_.mechanism.offer, offered.error());
    if (!out.unmade && sessions::ends_probe(offered.error().kind)) {
      co_return offered.error();
    }
    out.trouble = offered.error().what;
    out.failed = true;
    out.fetched = in_.transport.fetched();
    co_await in_.transport.withdraw();
    co_return out;
  }
  out.offered = true;
  const auto pulled = co_await pull_trigger(out);
  if (!pulled) {
    co_return pulled.error();
  }
  if (out.unmade && !in_.transport.fetched().reached()) {
    co_await in_.transport.withdraw();
    co_return out;
  }
  const auto settled = co_await settle(out, control);
  out.took = now() - began;
  out.fetched = in_.transport.fetched();
  out.says_success = in_.transport.says_success();
  out.restarted = out.restarted || in_.transport.started_anew();
  out.says_refused = in_.transport.final_word() && !out.says_success;
  weigh(out);
  if (const auto words = in_.transport.reported(); !words.empty()) {
    out.report = json::string(words);
  }
  const auto log = in_.transport.log();
  if (!log.empty()) {
    const auto title = "exchange of " + (control ? std::string{"the genuine update"} : out.attack);
    out.evidence = in_.context.record.artifact(title, "text/plain", log);
  }
  co_await in_.transport.withdraw();
  if (!settled) {
    co_return settled.error();
  }
  if (may_be_staged(out, control)) {
    const auto started = co_await start_anew(out, control);
    if (!started) {
      co_return started.error();
    }
  }
  if (!out.alive) {
    const bool back = in_.choice.restore && in_.mechanism.restore.has_value();
    Result<bool> restored = false;
    if (back) {
      restored = co_await restore();
    }
    if (!restored) {
      co_return restored.error();
    }
    bricked_ = json::object{{"after", control ? "the genuine update" : out.attack},
                            {"restored", *restored},
                            {"how", back ? stop_ : "no recipe brings it back"}};
    stop_.clear();
    give_up("the device did not come back after " + (control ? std::string{"the genuine update"} : out.attack));
  }
  co_return out;
}

/// Whether it was offered as it was meant. What the device did is no answer where something was to be cut and was not,
/// or where our side failed; a version that moved shows even then.
void Campaign::weigh(Attempt& out) const {
  if (out.of != Attempt::Of::itself) {
    out.offered = out.of == Attempt::Of::undecided;
    out.trouble = "the device came to run " + out.after +
                  (out.offered             ? " when it had the image of this offer and that of one before"
                   : out.fetched.reached() ? " when it had an image of an offer before, and not that of this one"
                                           : " before anything of the offer had reached it");
    return;
  }
  if (std::exchange(out.unmade, false) && !out.installed.value_or(false)) {
    out.offered = false;
    out.trouble = stop_;
    return;
  }
  if (out.cut == Attempt::Cut::installing) {
    out.fetched.lost = cut_;
  }
  if (out.cut != Attempt::Cut::none && !out.fetched.lost) {
    out.offered = false;
    out.trouble = !uncut_.empty()                ? uncut_
                  : !out.fetched.trouble.empty() ? out.fetched.trouble
                  : out.cut == Attempt::Cut::installing
                      ? "the image did not come to its end"
                      : "the device did not take so much of it that the " + enum_name(out.loss) + " was cut";
  } else if (!out.fetched.trouble.empty() && !out.installed.value_or(false)) {
    out.offered = false;
    out.trouble = out.fetched.trouble;
  }
}

/// From one look at the version to the next. A person is asked rarely.
milliseconds Campaign::step() const {
  const milliseconds takes{in_.mechanism.takes_ms};
  if (asks_person()) {
    return std::max(takes / 2, kLeastDearStep);
  }
  return std::clamp(takes / 16, reader_.is_dear() ? kLeastDearStep : kLeastStep, kMostStep);
}

/// The device has had the time that the genuine update took from its first request on, twice; before that is known,
/// what the DUT file says. A device that asks again and again has its answer by then; what it does later is noticed
/// before the next offer.
bool Campaign::is_quiet(const Fetched& fetched, milliseconds began, bool control) const {
  const milliseconds takes{in_.mechanism.takes_ms};
  if (!fetched.first) {
    return now() - began >= (look_ ? std::max(*look_ * 3 + 2 * step(), takes * 2) : takes * 2 + kGrace);
  }
  if (fetched.holding && !fetched.released) {
    return false;  // it is kept waiting, for so long as it likes or as was planned
  }
  if (in_.transport.final_word()) {
    return true;
  }
  const auto begun = fetched.released ? *fetched.released : *fetched.first;
  const auto anew = dark_at_ ? *dark_at_ + look_.value_or(milliseconds{0}) : begun;  // it starts, and looks again
  const auto from = std::max(begun, anew);
  const auto enough = whole_ ? *whole_ * 2 + 2 * step() : takes * 2 + 2 * step();
  // Who still fetches has not decided. Within limits: whoever gave up a download may ask for something else for ever.
  const bool fetches = fetched.downloads > 0 && !fetched.whole && now() - fetched.last < enough / 2;
  return now() - from >= (control ? takes * 2 + kGrace : fetches ? enough * 2 : enough);
}

/// In the middle of an installation, by the time that the genuine one took; unless it is over by then. Silence may be
/// the start with the new version, unless the device is silent from the beginning.
asio::awaitable<Result<>> Campaign::cut_while_installing(const Attempt& attempt) {
  const auto loss = enum_name(attempt.loss);
  const auto due = *arrived_ + *installs_ / 2;
  if (now() < due) {
    const auto left = due - now();
    const auto waited = co_await in_.context.network.wait(left);
    if (!waited) {
      co_return waited;
    }
  }
  const auto told = co_await reader_.read();
  if (!told && goes_unread(told.error())) {
    uncut_ = stop_;
    co_return Result<>{};
  }
  if (!told && sessions::ends_probe(told.error().kind)) {
    co_return told.error();
  }
  if (told && told->version != attempt.before) {
    uncut_ = "it was installed before the " + loss + " could be cut";
    co_return Result<>{};
  }
  if (!told && !in_the_dark_) {
    uncut_ = "the device did not answer any more when its " + loss + " was to be cut: it may have installed it before";
    co_return Result<>{};
  }
  const auto done = co_await cut_off(in_.context, attempt.loss);
  if (!done && done.error().kind == ErrorKind::cancelled) {
    co_return done;
  }
  cut_ = done.has_value();
  uncut_ = done ? std::string{} : uncut(attempt.loss, done.error());
  co_return Result<>{};
}

/// How long a device that shows no version is waited for.
milliseconds Campaign::patience() const {
  return milliseconds{in_.mechanism.takes_ms} * 2 + kGrace + in_.transport.silence();
}

/// After a look that showed no version. True when nothing more is to be seen of the attempt.
Result<bool> Campaign::look_failed(Attempt& out, const Error& error) {
  if (goes_unread(error)) {
    out.unread = true;
    out.trouble = "the version could not be read any more: " + error.what;
    if (!out.installed.value_or(false)) {
      out.installed.reset();
    }
    return true;
  }
  if (sessions::ends_probe(error.kind)) {
    return error;
  }
  const bool cutting = in_.transport.fetched().cutting;
  const bool turned_away = error.kind == ErrorKind::refused || error.kind == ErrorKind::reset;
  // One answer may be lost on its way.
  out.restarted = out.restarted || cutting || turned_away || (away_ && !in_.transport.keeps_silent());
  if (cutting) {
    return false;  // it is off, and for how long is the laboratory's business
  }
  away_ = away_ ? away_ : now();
  out.alive = now() - *away_ <= patience();
  return !out.alive;
}

/// Waits for the end of what the device does: it runs another version, it says that it is done, or it is quiet.
asio::awaitable<Result<>> Campaign::settle(Attempt& out, bool control) {
  const auto pause = step();
  const auto began = now();
  milliseconds stays{0};  // how long the old version was still seen once the image was there
  while (true) {
    const auto waited = co_await in_.context.network.wait(pause);
    if (!waited) {
      co_return waited;
    }
    const auto& seen = in_.transport.fetched();
    arrived_ = !arrived_ && seen.whole ? std::optional{now()} : arrived_;
    dark_at_ = !dark_at_ && (cut_ || seen.lost) ? std::optional{now()} : dark_at_;
    const bool due = out.cut == Attempt::Cut::installing && arrived_;
    if (due && !cut_ && in_.transport.final_word() && uncut_.empty()) {
      uncut_ = "the device said that it is done with the image before the " + enum_name(out.loss) + " was to be cut";
    }
    if (due && !cut_ && uncut_.empty()) {
      const auto cut = co_await cut_while_installing(out);
      if (!cut) {
        co_return cut;
      }
      continue;
    }
    if (asks_person() && !is_quiet(seen, began, control)) {
      continue;  // once is enough: when the device has had its time
    }
    const auto told = co_await reader_.read();
    if (!told) {
      const auto over = look_failed(out, told.error());
      if (!over || *over) {
        co_return over ? Result<>{} : Result<>{over.error()};
      }
      continue;
    }
    away_.reset();
    current_ = out.after = told->version;
    if (!told->report.is_null()) {
      out.report = told->report;
    }
    const bool moved = out.after != out.before;
    stays = arrived_ && !moved ? now() - *arrived_ : stays;
    const auto& fetched = in_.transport.fetched();
    note_look(fetched, moved);
    out.of = moved ? whose(out, fetched) : Attempt::Of::itself;
    out.installed = out.of == Attempt::Of::itself ? std::optional{falls(out, out.after)} : std::nullopt;
    if (out.installed.value_or(false) && control && fetched.first && !asks_person()) {
      whole_ = now() - *fetched.first;
      look_ = *fetched.first - began;
      in_the_dark_ = stays < step() * 2;
      installs_ = !arrived_ ? milliseconds{0} : in_the_dark_ ? now() - *arrived_ : stays;
    }
    if (!fetched.cutting && (moved || is_quiet(fetched, began, control))) {
      co_return Result<>{};
    }
  }
}

}  // namespace assay::probes::update

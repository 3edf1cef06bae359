#include <algorithm>
#include <utility>

#include "harness/model/attacks.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/update/campaign.hpp"
#include "probes/update/transports/transports.hpp"

/// Whose image a device came to run: that of the offer that is on, or that of one before, which it installed late; and
/// what it comes to run with its next start.
namespace assay::probes::update {

namespace {

constexpr int kMostRepeats = 2;  // of an offer during which another came into force

bool is_from_base(const Attack* attack) {
  return attack == nullptr || !attack->after_update;
}

}  // namespace

/// Whether a version says that the device fell for the offer.
bool Campaign::falls(const Attempt& attempt, const std::string& to) const {
  return to != attempt.before && !(attempt.in_turns && to == in_.mechanism.image.version);
}

/// The last offer of whose image the device has something, unless it may have it of a later one; null: none, or it was
/// installed. An offer that is made again to tell it apart stays that one, also where the device fetched nothing anew.
Attempt* Campaign::last_with_image() {
  if (apart_ != nullptr) {
    return apart_->installed.value_or(false) ? nullptr : apart_;
  }
  const auto found = std::find_if(attempts_.rbegin(), attempts_.rend(),
                                  [](const auto& one) { return one.fetched.bytes > 0 || one.failed; });
  return found == attempts_.rend() || found->fetched.bytes == 0 || found->installed.value_or(false) ? nullptr : &*found;
}

/// An image that is on its way, or there, while the old version is seen was not fetched by a device that had started
/// with another.
void Campaign::note_look(const Fetched& fetched, bool moved) {
  if (moved) {
    moved_at_ = now();
  } else if (fetched.bytes > 0) {
    taken_by_old_ = true;
    downloads_by_old_ = fetched.downloads;
  }
}

/// Of two images that the device has, the version that it tells or its own answers to the offers may say which it was.
Attempt::Of Campaign::whose(const Attempt& attempt, const Fetched& fetched) {
  if (!fetched.reached()) {
    return Attempt::Of::before;
  }
  const auto* earlier = last_with_image();
  const bool fetched_anew = !taken_by_old_ || fetched.downloads != downloads_by_old_;
  if (earlier == nullptr || !earlier->has_image(earlier->fetched) || !fetched_anew ||
      earlier->sha256 == attempt.sha256) {
    return Attempt::Of::itself;
  }
  if (!attempt.has_image(fetched)) {
    return Attempt::Of::before;
  }
  const bool known = !attempt.image_version.empty() && !earlier->image_version.empty();
  const bool tells = known && attempt.image_version != earlier->image_version;
  const bool refuses = in_.transport.final_word() && !in_.transport.says_success();
  if (apart_ != nullptr || (tells && attempt.after == attempt.image_version) || (earlier->says_refused && !refuses)) {
    return Attempt::Of::itself;
  }
  const bool other = tells && attempt.after == earlier->image_version;
  return other || (refuses && !earlier->says_refused) ? Attempt::Of::before : Attempt::Of::undecided;
}

void Campaign::credit_late(const std::string& version) {
  if (auto* of = last_with_image(); of != nullptr) {
    of->installed = of->late = falls(*of, version);
    of->after = version;
    of->undecided.clear();
  }
}

/// Of two offers of which one came into force, neither counts as installed, nor as refused.
void Campaign::leave_open(Attempt& attempt, bool each_again) {
  auto* earlier = last_with_image();
  if (earlier == nullptr) {
    return;
  }
  for (const auto& [one, other] : {std::pair{&attempt, earlier}, std::pair{earlier, &attempt}}) {
    one->undecided = other->attack.empty() ? "the genuine update" : other->attack;
    one->installed.reset();
    one->trouble = "of its image or of that of " + one->undecided + " the device came to run another version, and " +
                   (each_again ? "did not when each was offered again" : "they could not be offered again");
  }
}

bool Campaign::has_time_to_tell_apart(const Attempt& earlier, const Attack* attack) const {
  const auto again = std::find_if(in_.list.attacks.begin(), in_.list.attacks.end(),
                                  [&](const auto& one) { return one.id == earlier.attack; });
  const auto late = *moved_at_ - earlier.fetched.first.value_or(*moved_at_);
  const auto of_both = attack_ms(in_.mechanism, *again) + (attack == nullptr ? 0 : attack_ms(in_.mechanism, *attack));
  const milliseconds needed{of_both + control_ms(in_.mechanism)};
  return now() + needed + late + longer_by() * (attack == nullptr ? 2 : 3) <= in_.choice.until;
}

/// Offers the earlier of two images again, and nothing else until it has had the time after which another version was
/// seen. What it left behind is cleared away. False: it could not be offered.
asio::awaitable<Result<bool>> Campaign::make_again(Attempt& earlier) {
  const auto late = *moved_at_ - earlier.fetched.first.value_or(*moved_at_);
  const auto of = std::find_if(in_.list.attacks.begin(), in_.list.attacks.end(),
                               [&](const auto& one) { return one.id == earlier.attack; });
  auto offer = offer_for(*of);
  if (!offer) {
    co_return false;
  }
  auto ready = co_await be_at_base();
  if (!ready || !*ready) {
    co_return ready;
  }
  apart_ = &earlier;
  auto tried = co_await attempt(std::move(*offer));
  if (!tried) {
    co_return tried.error();
  }
  if (tried->unmade) {
    co_return false;
  }
  const auto before = std::exchange(earlier, std::move(*tried));
  earlier.made_again = before.made_again + 1;
  if (!before.undecided.empty() && !earlier.installed.value_or(false)) {
    earlier.installed.reset();
    earlier.undecided = before.undecided;
    earlier.trouble = before.trouble;
  }
  const auto due = earlier.fetched.first.value_or(now()) + late + step() * 2;
  if (!earlier.installed.value_or(false) && now() < due) {
    const auto left = due - now();
    const auto waited = co_await in_.context.network.wait(left);
    if (!waited) {
      co_return waited.error();
    }
  }
  ready = co_await be_at_base();
  if (ready && *ready) {
    ready = co_await restore();
  }
  co_return ready;
}

/// Made once; none where the device could not be brought to the base, or where it was not made in truth.
asio::awaitable<Result<std::optional<Attempt>>> Campaign::attempt_once(const Offer& offer, bool from_base) {
  std::optional<Attempt> made;
  if (from_base) {
    const auto ready = co_await be_at_base();
    if (!ready) {
      co_return ready.error();
    }
    if (!*ready) {
      co_return made;
    }
  }
  const bool first = begun_.insert(offer.attack).second;
  auto copy = offer;
  auto tried = co_await attempt(std::move(copy));
  if (!tried) {
    co_return tried.error();
  }
  if (!tried->unmade) {
    made = std::move(*tried);
  } else if (first) {
    begun_.erase(offer.attack);
  }
  co_return made;
}

/// Tells it of the other offer, where an image of that one came into force, or makes that one again, where it may have.
/// True: this one is to be made again.
asio::awaitable<Result<bool>> Campaign::look_at_earlier(const Attempt& attempt, const Attack* attack, bool last) {
  const bool from_base = is_from_base(attack);
  if (attempt.of == Attempt::Of::before) {
    credit_late(attempt.after);
    co_return from_base && (attack == nullptr || !out_of_time(*attack));
  }
  if (attempt.of == Attempt::Of::itself || !from_base || last) {
    co_return false;
  }
  auto* earlier = last_with_image();
  if (!has_time_to_tell_apart(*earlier, attack)) {
    co_return false;
  }
  auto told = co_await make_again(*earlier);
  co_return told;
}

/// One offer and what came of it; none where it was not made. An image of an offer before may come into force
/// meanwhile: that is told of the other one, and this one is made again. Where it cannot be told of which it was, both
/// are.
asio::awaitable<Result<std::optional<Attempt>>> Campaign::attempt_apart(Offer offer, const Attack* attack) {
  const bool from_base = is_from_base(attack);
  std::optional<Attempt> out;
  apart_ = nullptr;
  bool each_again = false;
  bool again = true;
  for (int made = 0; again && made <= kMostRepeats; ++made) {
    auto tried = co_await attempt_once(offer, from_base);
    if (!tried) {
      co_return tried.error();
    }
    if (!*tried) {
      break;
    }
    out = std::move(*tried);
    out->made_again = made;
    each_again = apart_ != nullptr;
    const auto repeats = co_await look_at_earlier(*out, attack, made == kMostRepeats);
    if (!repeats) {
      co_return repeats.error();
    }
    again = *repeats;
  }
  const bool neither = apart_ != nullptr && out && !out->installed.value_or(false);
  if (out && (neither || out->of == Attempt::Of::undecided)) {
    leave_open(*out, each_again);
  }
  apart_ = nullptr;
  co_return out;
}

/// Whether an image may be installed that waits for the next start: the genuine one, any where the genuine one did, and
/// one that the device says it took.
bool Campaign::may_be_staged(const Attempt& attempt, bool control) const {
  const bool there = attempt.fetched.bytes > 0 || attempt.fetched.handed_over;
  const bool waits = control || needs_restart_ || attempt.says_success;
  return waits && there && attempt.offered && attempt.alive && attempt.cut == Attempt::Cut::none &&
         attempt.installed == std::optional{false} && in_.context.dut.lab.power_cycle;
}

/// By the recipe that cuts the power, when nothing is on offer any more. Without it nothing more is known.
asio::awaitable<Result<>> Campaign::start_anew(Attempt& attempt, bool control) {
  const auto cut = co_await cut_off(in_.context, Loss::power);
  if (!cut) {
    co_return cut.error().kind == ErrorKind::cancelled ? cut : Result<>{};
  }
  const auto within = patience();
  const auto version = co_await come_back(within);
  if (!version) {
    const auto looked = look_failed(attempt, version.error());
    attempt.alive = attempt.unread;
    co_return looked ? Result<>{} : Result<>{looked.error()};
  }
  attempt.after = *version;
  attempt.installed = attempt.after_restart = falls(attempt, *version);
  needs_restart_ = needs_restart_ || (control && attempt.after_restart);
  co_return Result<>{};
}

}  // namespace assay::probes::update

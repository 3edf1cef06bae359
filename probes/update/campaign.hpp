#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "probes/images/image_map.hpp"
#include "probes/images/mutation.hpp"
#include "probes/update/transport.hpp"
#include "probes/update/version.hpp"

namespace assay::probes::update {

/// How a campaign is run.
struct Choice {
  std::string attacks = "all";  // ids separated by commas, or "all"
  milliseconds watch{0};        // how long the device is watched before anything is on offer
  bool restore = true;          // false: nothing brings the device back, and no restore recipe is needed
  milliseconds until{0};        // by Network::elapsed: nothing is begun that could not end before
};

/// One offer and what came of it.
struct Attempt {
  enum class Cut : std::uint8_t { none, fetching, installing };
  enum class Of : std::uint8_t { itself, before, undecided };

  std::string attack;  // id; empty: the genuine update
  std::string what;
  std::string sha256;  // of what was offered
  std::string image_version;
  bool genuine = false;   // it was the maker's own newer image
  bool in_turns = false;  // the genuine image first, and what was offered afterwards
  bool offered = false;
  Cut cut = Cut::none;      // when it is to lose …
  Loss loss = Loss::power;  // … what
  std::string trouble;      // why it was not offered after all
  Fetched fetched;
  std::optional<bool> installed;
  bool after_restart = false;  // … and that came into force only when its power was cut and given back
  bool late = false;           // … and that came into force while something else was on offer
  Of of = Of::itself;  // whose image a version that moved during this offer is: that of one before, by what was fetched
  std::string undecided;     // the other offer that it may be of, where the device had the images of both; empty: none
  int made_again = 0;        // so often, for what came into force during it
  std::uint64_t enough = 0;  // so many bytes of the image are all that the device was to get, or as many as the genuine
  bool restarted = false;    // it was away meanwhile and came back
  bool alive = true;
  bool unread = false;  // its version could not be asked for to the end, so that it is not known whether it is alive
  bool unmade = false;  // nobody answered who had to bring it there, or the device's way to take it has no form for it
  bool failed = false;  // to be offered: how much of the image the device has is not known, unless our side saw it
  std::string before, after;  // versions; empty: not read
  json::value report;         // the device's own words
  bool says_success = false;
  bool says_refused = false;
  milliseconds took{0};
  std::string evidence;  // digest of the log

  /// The device has what it was to get of the image.
  bool has_image(const Fetched& seen) const { return seen.whole || seen.bytes >= enough; }
};

json::object to_facts(const Attempt& attempt, const UpdateMechanism& mechanism, const std::string& format);

/// All attacks on one mechanism: the genuine update first and last, the device brought back in between.
class Campaign {
 public:
  struct Inputs {
    ProbeContext& context;
    const UpdateMechanism& mechanism;
    const AttackList& list;
    Transport& transport;
    images::Materials materials;
    const images::ImageMap& map;
    Choice choice;
  };

  /// What it refers to must outlive it.
  explicit Campaign(Inputs inputs) : in_(std::move(inputs)), reader_(in_.context, in_.mechanism, in_.transport) {}

  /// An error only for what ends the probe: cancelled, out of time, our own fault. What was done until then stands.
  asio::awaitable<Result<>> run();

  const std::vector<Attempt>& attempts() const { return attempts_; }

  const std::optional<Attempt>& first() const { return first_; }

  const std::optional<Attempt>& last() const { return last_; }

  /// Attack id -> why it was not tried.
  const std::map<std::string, std::string>& not_tried() const { return not_tried_; }

  /// {after, restored, how}, or null while the device came back each time.
  const json::value& bricked() const { return bricked_; }

  /// What the genuine exchange showed.
  const json::object& passive() const { return passive_; }

  /// How long the first genuine update took beside `takes`, by which the run plan estimates: {takes_ms, took_ms,
  /// slower}; null where that was not seen.
  json::value pace() const;

  /// Whether it asks by itself, and how often: {unprompted, polling_ms, watched_ms, watched_to_the_end}, null where it
  /// was not watched or came once.
  const json::object& polling() const { return polling_; }

 private:
  asio::awaitable<Result<>> steps();
  asio::awaitable<Result<>> watch();
  asio::awaitable<Result<>> attack_all(bool after_update);
  asio::awaitable<Result<>> control(std::optional<Attempt>& into);
  asio::awaitable<Result<>> attack(const Attack& attack);
  asio::awaitable<Result<std::optional<Attempt>>> attempt_apart(Offer offer, const Attack* attack);
  asio::awaitable<Result<std::optional<Attempt>>> attempt_once(const Offer& offer, bool from_base);
  asio::awaitable<Result<bool>> look_at_earlier(const Attempt& attempt, const Attack* attack, bool last);
  asio::awaitable<Result<Attempt>> attempt(Offer offer);
  asio::awaitable<Result<>> settle(Attempt& attempt, bool control);
  asio::awaitable<Result<>> start_anew(Attempt& attempt, bool control);
  bool may_be_staged(const Attempt& attempt, bool control) const;
  asio::awaitable<Result<>> cut_while_installing(const Attempt& attempt);
  Result<bool> look_failed(Attempt& attempt, const Error& error);
  bool goes_unread(const Error& error);
  bool is_left_alone(const std::optional<Recipe>& recipe, const Error& error);
  void weigh(Attempt& attempt) const;
  bool falls(const Attempt& attempt, const std::string& to) const;
  Attempt* last_with_image();
  Attempt::Of whose(const Attempt& attempt, const Fetched& fetched);
  void note_look(const Fetched& fetched, bool moved);
  void credit_late(const std::string& version);
  void leave_open(Attempt& attempt, bool each_again);
  bool has_time_to_tell_apart(const Attempt& earlier, const Attack* attack) const;
  asio::awaitable<Result<bool>> make_again(Attempt& earlier);
  void forget_offer();
  bool is_quiet(const Fetched& fetched, milliseconds began, bool control) const;
  milliseconds step() const;
  milliseconds patience() const;
  asio::awaitable<Result<>> pull_trigger(Attempt& attempt);
  asio::awaitable<Result<bool>> be_at_base();
  asio::awaitable<Result<bool>> restore();
  asio::awaitable<Result<std::string>> come_back(milliseconds within);
  Result<Offer> offer_for(const Attack& attack);
  Offer genuine_offer() const;
  std::string missing(const Attack& attack) const;
  bool out_of_time(const Attack& attack) const;
  bool saw_pace() const;
  milliseconds longer_by() const;

  milliseconds now() const { return in_.context.network.elapsed(); }

  void give_up(const std::string& why);

  bool stopped() const { return !stop_.empty(); }

  bool asks_person() const { return in_.mechanism.version_at.prompt.has_value(); }

  Inputs in_;
  VersionReader reader_;
  std::string base_;     // version that the device had when the campaign began
  std::string current_;  // version that was read last; empty: unknown
  std::vector<Attempt> attempts_;
  std::optional<Attempt> first_, last_;
  std::map<std::string, std::string> not_tried_;
  std::set<std::string> begun_;
  json::value bricked_;
  json::object passive_;
  json::object polling_{
      {"unprompted", nullptr}, {"polling_ms", nullptr}, {"watched_ms", nullptr}, {"watched_to_the_end", nullptr}};
  std::string stop_;                  // why nothing more is tried
  bool unread_ = false;               // … for the version cannot be asked for any more
  bool alone_ = false;                // … for a person has to do something and nobody answers
  std::optional<milliseconds> look_;  // from offer to first activity, in the control
  std::optional<milliseconds>
      arrived_;  // of this offer: when the whole image was seen to be there, by Network::elapsed
  // In the control, from then on: how long the device was seen to run the old version, else until it ran the new one.
  std::optional<milliseconds> installs_;
  bool needs_restart_ = false;            // the genuine update came into force only then
  bool in_the_dark_ = false;              // … for it did not answer while it installed it
  bool cut_ = false;                      // of this offer: the power or the link was cut while it was installed
  std::optional<milliseconds> dark_at_;   // of this offer: when that was seen to have been cut, by Network::elapsed
  std::optional<milliseconds> away_;      // of this offer: since when no look has shown a version, by Network::elapsed
  std::optional<milliseconds> moved_at_;  // of this offer: when another version was seen, by Network::elapsed
  bool taken_by_old_ = false;             // … its image was on its way to the old version, which was seen meanwhile
  std::int64_t downloads_by_old_ = 0;     // … so many downloads of it
  Attempt* apart_ = nullptr;              // two offers of which it could be are made again, each alone: the earlier one
  std::string uncut_;                     // … and why there was none; empty: there was, or it is not due
  std::optional<milliseconds> whole_;     // from the first activity to the new version, in the control
};

}  // namespace assay::probes::update

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "probes/sessions/together.hpp"
#include "probes/tls/asker.hpp"
#include "probes/tls/hellos.hpp"

/// Which versions and suites a server takes. One ServerHello shows exactly one suite, so a version with m suites takes
/// m + 1 questions at least: strike out what was chosen, ask again, until the server refuses. The rows of questions
/// that run at the same time each end with a refusal of their own; that is the whole price of doing them side by side.
namespace assay::probes::tls {

/// What is known of one version.
struct VersionFacts {
  std::uint16_t version = 0;
  std::vector<std::uint16_t> suites;  // in the order in which they were chosen
  bool asked = false;
  bool settled = false;                // every suite was chosen or refused
  std::string refusal;                 // how the last question ended: "alert handshake_failure", "closed …"
  std::vector<std::string> anomalies;  // "chose 0xc02f, which was not offered"
};

/// Oldest first: DTLS counts its versions downwards.
struct Older {
  bool operator()(std::uint16_t left, std::uint16_t right) const { return wire::tls_age(left) < wire::tls_age(right); }
};

using Versions = std::map<std::uint16_t, VersionFacts, Older>;

/// How hard the device may be asked.
struct Effort {
  const Family& family = tls_family();
  std::size_t width = 1;  // questions at once
  std::string server_name;
};

class SuiteSurvey {
 public:
  /// Sees every reply with a ServerHello; for what else it shows.
  using OnHello = std::function<void(std::uint16_t version, const Reply& reply)>;
  /// How far a flight is read once its suite is known.
  using Wanted = std::function<bool(const wire::TlsFlight& flight)>;
  /// Strikes out of a hello what else was seen to be taken, so that one answer shows more than its suite; true when
  /// there was something to strike out.
  using Narrow = std::function<bool(HelloWish& wish)>;

  SuiteSurvey(Asker& asker, sessions::Jobs& jobs, Effort effort, OnHello on_hello, Wanted wanted)
      : asker_(asker),
        jobs_(jobs),
        effort_(std::move(effort)),
        on_hello_(std::move(on_hello)),
        wanted_(std::move(wanted)) {}

  /// The first question: (D)TLS 1.2, every suite; with fewer suites when that gets no answer. Says whether the peer
  /// speaks TLS at all, and what it costs.
  asio::awaitable<Reply> begin();

  /// The second question: the newest version, every suite of it.
  asio::awaitable<void> ask_newest();

  /// Adds the rest of the first version's questions, and those of all other versions of the family, to the jobs.
  void plan();

  /// After the jobs have run: asks once more, one question at a time, what had no clear end. Silence is not a no.
  asio::awaitable<void> settle();

  /// The suites of a version in the order in which its first question offered them, if that offered all.
  std::vector<std::uint16_t> offered_at_once(std::uint16_t version) const {
    return longest_ == kLongest ? first_offer(version) : std::vector<std::uint16_t>{};
  }

  /// From now on.
  void strike_out_along(Narrow narrow) { narrow_ = std::move(narrow); }

  /// Each is called once at most: when the newest version was asked to its end, and when all were, with nothing
  /// unclear.
  void when_done(std::function<void()> newest, std::function<void()> all) {
    newest_done_ = std::move(newest);
    all_done_ = std::move(all);
  }

  const Family& family() const { return effort_.family; }

  void set_width(std::size_t width) { effort_.width = width; }

  const Versions& versions() const { return versions_; }

  const VersionFacts& facts(std::uint16_t version) { return versions_[version]; }

  /// The run is over.
  const std::optional<Error>& over() const { return over_; }

  bool wants_short_hellos() const { return longest_ < kLongest; }

 private:
  struct Row {
    std::uint16_t version = 0;
    std::vector<std::uint16_t> left;
    bool first = false;   // nothing of this version is known yet
    bool narrow = false;  // was asked so: a refusal may be for want of what else was struck out
  };

  static constexpr std::size_t kLongest = 1000;  // suites in one hello

  std::vector<std::uint16_t> first_offer(std::uint16_t version) const;
  void add(Row row);
  void add_in_parts(std::uint16_t version, std::vector<std::uint16_t> left);
  asio::awaitable<void> strike_out(Row row);
  asio::awaitable<void> ask_row(Row row);
  asio::awaitable<void> ask_again(Row row);
  std::vector<std::uint16_t> take_first(Row& row, const Reply& reply);
  asio::awaitable<Reply> ask(Row& row);
  bool take(Row& row, const Reply& reply);
  bool accept(Row& row, const Reply& reply);
  void give_up(const Row& row, const Reply& reply);
  std::size_t rows_for(std::uint16_t version) const;

  Asker& asker_;
  sessions::Jobs& jobs_;
  Effort effort_;
  OnHello on_hello_;
  Wanted wanted_;
  Narrow narrow_;
  std::function<void()> newest_done_;
  std::function<void()> all_done_;
  std::size_t open_rows_ = 0;
  std::set<std::uint16_t> wide_;  // versions in which a narrow hello was refused
  Versions versions_;
  std::map<std::uint16_t, std::vector<std::uint16_t>> rest_;  // for rows whose number is not known yet
  std::deque<Row> unclear_;
  std::size_t longest_ = kLongest;
  std::optional<Error> over_;
};

}  // namespace assay::probes::tls

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "harness/net/governor.hpp"
#include "harness/net/open_watch.hpp"
#include "harness/net/outage.hpp"
#include "harness/net/port_asker.hpp"
#include "harness/net/sliced_work.hpp"
#include "harness/net/sweep_control.hpp"
#include "harness/net/sweep_ledger.hpp"

namespace assay {

/// One run of sweep_ports: sweep.cpp has what is asked and when, sweep_answers.cpp what the answers mean.
class Sweeper final : public SlicedWork {
 public:
  Sweeper(Governor& governor, std::unique_ptr<PortAsker> asker, std::vector<std::uint16_t> order,
          const Progress& progress, TimePoint deadline);
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;

  /// Sockets that are still pending go back to the budget.
  ~Sweeper() override;

  asio::awaitable<Result<SweepReport>> run();

  bool finished() const override { return done_; }

  bool slice() override;
  void tell(TimePoint now) override;

  void prepare_wait(TimePoint now) override { asker_->wake_at(next_wake(now)); }

  void interrupt(std::string_view reason) override { interruption_ = reason; }

 private:
  using Purpose = PortAsker::Purpose;

  static constexpr int kMostLocalFailures = 1000;  // in a row

  int send_batch(TimePoint now);
  bool has_something_to_ask(TimePoint now) const;
  std::optional<PortAsker::Attempt> choose(TimePoint now);
  PortAsker::Attempt look_in_outage();
  bool take_budget(TimePoint now);
  void give_back();
  void start(const PortAsker::Attempt& attempt, TimePoint now);
  void local_trouble(const PortAsker::Attempt& attempt, const PortAsker::Started& started, TimePoint now);
  void finish(const PortAsker::Ended& ended, TimePoint now);
  bool count(const PortAsker::Ended& ended, TimePoint now);
  void measure(std::chrono::nanoseconds took, TimePoint now);
  void finish_canary(const PortAsker::Ended& ended, bool answered, TimePoint now);
  void finish_still_open(Answer answer, TimePoint now);
  void finish_look(const PortAsker::Ended& ended, bool answered, TimePoint now);
  bool wants_confirmation(TimePoint now) const;
  void end_pass(TimePoint now);
  void watch_device(TimePoint now);
  void begin_outage(TimePoint now);
  void end_outage(Outage::Finding finding, TimePoint now);
  bool settling() const;
  RoundTrip::Duration patience() const;
  TimePoint next_wake(TimePoint now);
  SweepReport report();

  Governor& governor_;
  std::unique_ptr<PortAsker> asker_;
  SweepLedger ledger_;
  const Progress& progress_;
  TimePoint deadline_;
  TimePoint begin_;
  SweepControl control_;
  SweepReport counts_;
  RoundTrip refusals_;
  std::chrono::nanoseconds slowest_{0};
  TimePoint round_start_{};
  std::vector<PortAsker::Ended> ended_;
  std::optional<Error> fatal_;
  std::string interruption_;
  bool done_ = false;
  std::int64_t handed_out_ = 0;
  int settling_sent_ = 0;
  int local_in_row_ = 0;
  TimePoint paused_until_{};
  TimePoint last_answer_{};
  TimePoint last_told_{};
  Tally canaries_;
  Tally looks_;
  OpenWatch open_watch_;
  Outage outage_;
  std::int64_t slow_downs_before_;
};

}  // namespace assay

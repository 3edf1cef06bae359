#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "harness/model/result.hpp"
#include "harness/net/budget.hpp"
#include "harness/net/sweep_ledger.hpp"
#include "harness/net/unique_fd.hpp"

namespace assay {

/// A way of asking many TCP ports of one address at once: whole connects (ConnectPool) or single SYN segments
/// (SynPool). It knows how to ask and what an answer means; how fast, how often and what follows is the sweep's.
class PortAsker {
 public:
  /// What an attempt is for.
  enum class Purpose : std::uint8_t {
    port,       // to learn the port's state
    canary,     // a port known to answer: is anything lost
    still_open  // a port known to be open: does the device still say so
  };

  struct Attempt {
    std::uint16_t port = 0;
    Purpose purpose = Purpose::port;
    std::uint32_t epoch = 0;
  };

  struct Ended {
    Attempt attempt;
    Answer answer = Answer::silence;
    std::chrono::nanoseconds took{0};
    bool closing = false;  // its connection still stands, and is ended in order
  };

  enum class Start : std::uint8_t {
    pending,
    ended,           // answered at once, see `ended`
    no_descriptors,  // EMFILE, ENFILE
    out_of_local,    // ephemeral ports, memory, buffers
    not_allowed,     // a local firewall or the backstop
    no_route,
  };

  struct Started {
    Start how = Start::pending;
    int error = 0;
    Ended ended;
  };

  virtual ~PortAsker() = default;

  /// "tcp-connect", "tcp-syn": goes into the coverage.
  virtual std::string_view method() const = 0;

  /// Whether every attempt is a connection, with a socket here and one on the device.
  virtual bool connects() const = 0;

  virtual Started start(const Attempt& attempt, TimePoint now) = 0;

  /// Lets go what start() has gathered; what this host could not send ends as a local failure.
  virtual void flush(std::vector<Ended>& into) = 0;

  /// Appends what has ended. True when nothing more is waiting: only then may silence be believed.
  virtual bool collect(std::vector<Ended>& into) = 0;

  /// Gives up attempts started before `limit`: they end as silence.
  virtual void expire(TimePoint limit, TimePoint now, std::vector<Ended>& into) = 0;

  virtual std::size_t in_flight() const = 0;

  /// Connections that are being ended in order, and those of them that were gone since the last call.
  virtual std::size_t closing() const { return 0; }

  virtual std::size_t take_closed() { return 0; }

  /// When the oldest pending attempt was started.
  virtual std::optional<TimePoint> oldest() = 0;

  /// A descriptor to wait on; readable when something ended or `wake_at` has come.
  virtual Result<UniqueFd> waitable() const = 0;
  virtual void wake_at(TimePoint when) = 0;
};

}  // namespace assay

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/model/json.hpp"

namespace assay {

/// How hard the device may be worked: hard limits that all probes together stay below. The numbers of a
/// profile are explicit, and each can be set by itself in the DUT file and on the command line.
struct Pace {
  std::string profile = "gentle";
  std::uint32_t max_connections = 4;                 // sockets open to the device at once, sweeps included
  std::uint32_t max_connects_per_second = 20;        // new connections of probes other than sweeps
  std::uint32_t max_packets_per_second = 40;         // SYNs of sweeps and of other probes, and datagrams
  std::uint32_t login_attempts_per_account = 5;      // wrong logins for one account on one endpoint, whole run
  std::uint32_t login_interval_ms = 1000;            // between two logins on one endpoint
  std::uint32_t connect_timeout_ms = 3000;           // upper bound; timers adapt below it
  std::uint32_t reply_timeout_ms = 5000;             // upper bound for one reply
  Later<std::uint32_t> guesses_per_login;            // none or one; see guesses_allowed()
  Later<std::uint32_t> login_attempts_per_endpoint;  // none or one: wrong logins of all accounts together, whole run

  bool operator==(const Pace&) const = default;
};
BOOST_DESCRIBE_STRUCT(Pace, (),
                      (profile, max_connections, max_connects_per_second, max_packets_per_second,
                       login_attempts_per_account, login_interval_ms, connect_timeout_ms, reply_timeout_ms,
                       guesses_per_login, login_attempts_per_endpoint))

/// How many SYNs may be unanswered at once: half-open connections on the device. What it gets in a tenth of a second,
/// so that silent ports are asked no slower than others, and at least `max_connections`.
std::uint32_t max_half_open(const Pace& pace);

/// Logins that the measure of how an endpoint bears guessing may make there in a run; they do not count as logins of an
/// account. Without a number of its own it is the profile's: 40 (gentle), 130 (normal), 200 (fast).
std::uint32_t guesses_allowed(const Pace& pace);

/// gentle: microcontrollers and anything unknown; normal: a small Linux device; fast: an emulated device.
std::optional<Pace> pace_profile(std::string_view name);

}  // namespace assay

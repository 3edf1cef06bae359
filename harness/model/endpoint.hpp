#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "harness/model/json.hpp"

namespace assay {

enum class Transport : std::uint8_t { tcp, udp };
BOOST_DESCRIBE_ENUM(Transport, tcp, udp)

/// A port of the device, written "tcp/443". The address is the target's, never the endpoint's: a probe can
/// name any port but only on the device it was started for.
struct Endpoint {
  Transport transport = Transport::tcp;
  std::uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;

  std::string text() const;
  static std::optional<Endpoint> parse(std::string_view text);

  json::value json() const { return json::string(text()); }

  Result<> read(const json::value& value, const std::string& pointer);
};

/// One unit of the device as seen from one place in one state: what an invocation is run against.
struct Target {
  std::string sample;                 // id of the unit in the DUT file
  std::string state = "initialised";  // factory, initialised, customised, after_reset; "initialised+NAME" once the
                                      // trigger NAME of a state pair was pulled in it
  std::string vantage = "lan";        // lan, wan, guest, bench
  std::string address;                // numeric IPv4 or IPv6 address, no port, no zone

  auto operator<=>(const Target&) const = default;
};
BOOST_DESCRIBE_STRUCT(Target, (), (sample, state, vantage, address))

/// The name of a device state after a trigger: "initialised+services_off".
std::string state_after(std::string_view state, std::string_view trigger);

/// The state without a trigger: "initialised".
std::string state_before(std::string_view state);

/// Same unit, vantage and address, and the same state but for a trigger: the two sides of a state pair.
bool is_same_place(const Target& one, const Target& other);

}  // namespace assay

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// WS-Discovery (OASIS 1.1 and the 2005/04 draft that devices speak): a Probe for everything, and its answers.
namespace assay::wire {

/// What a Probe looks for: everything, or devices of the Devices Profile. Some responders (wsdd) pass over a Probe
/// without types, which the standard says every target service matches.
enum class WsdTypes : std::uint8_t { any, device };

/// A Probe without scopes. `id` is the UUID of the message.
std::string wsd_probe(std::string_view id, WsdTypes types);

struct WsdMatch {
  std::string address;  // of the endpoint reference, mostly urn:uuid:…
  std::string types;
  std::string scopes;
  std::string xaddrs;
};

struct WsdParse {
  Parse state = Parse::malformed;
  std::string relates_to;         // MessageID of the question
  std::vector<WsdMatch> matches;  // of ProbeMatches and Hello, at most 16
};

/// One datagram. Malformed when it is neither ProbeMatches nor Hello; 2 KiB of a value are kept.
WsdParse parse_wsd(std::string_view datagram);

}  // namespace assay::wire

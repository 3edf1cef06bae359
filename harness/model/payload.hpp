#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Requests that UDP services answer, from `testplans/dictionaries/` (docs/dut-format.md, payloads/1).
namespace assay {

/// How the beginning of a datagram must look, bit by bit.
struct BytePattern {
  std::string bytes;  // already masked
  std::string mask;   // as long as `bytes`; a bit of 0 is any

  bool operator==(const BytePattern&) const = default;

  /// True when the datagram is at least as long as the pattern and agrees in every masked bit.
  bool matches(std::string_view datagram) const;
};

/// "30 .. 02 01 8." with dots for nibbles that may be anything; spaces are for reading. Null for any other text.
std::optional<BytePattern> parse_pattern(std::string_view text);

/// One request and how its answers are told from those of other protocols.
struct Payload {
  std::string id;        // "snmp-v2c-get"
  std::string protocol;  // "snmp"
  std::string source;    // the document that defines it, and that the request changes nothing
  std::vector<std::uint16_t> ports;
  std::string request;
  std::vector<BytePattern> answers;         // any of them
  std::optional<std::uint16_t> from_port;   // port that the answer goes to, where a protocol fixes it
  std::optional<std::uint16_t> address_at;  // offset in the request where the asker's IPv4 address is written

  bool operator==(const Payload&) const = default;

  bool recognises(std::string_view datagram) const;
};

struct PayloadList {
  std::string id;
  std::string title;
  std::string source;
  std::vector<Payload> payloads;

  bool operator==(const PayloadList&) const = default;
};

}  // namespace assay

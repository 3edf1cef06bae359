#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The small languages inside scalars: ids, addresses, durations, endpoints. Each says its pattern for the JSON Schema
/// and has a hand-written matcher, because std::regex recurses on hostile input.
namespace assay {

struct Syntax {
  std::string_view name;      // for the docs: "edition"
  std::string_view pattern;   // ECMA-262; may accept more than `matches` where a pattern cannot say it
  std::string_view expected;  // the rest of "… must be", with an example
  bool (*matches)(std::string_view text);
  std::string_view example;
};

extern const Syntax kName;            // an alias, a probe, a vantage: a word without spaces
extern const Syntax kIdentifier;      // a sample, a dictionary: may begin with a digit and hold dots
extern const Syntax kEdition;         // "TS103701@1.1.1"
extern const Syntax kQualifiedId;     // "EN303645@2.1.1:5.1-1"
extern const Syntax kShortProvision;  // "5.1-2"
extern const Syntax kTableName;       // "1-AuthMech"
extern const Syntax kPlanId;          // "cls-iot/1"
extern const Syntax kFactKey;         // "service.protocol"
extern const Syntax kHexText;         // "0a ff 00"
extern const Syntax kPatternText;     // "0a .. 8.": a dot is any nibble
extern const Syntax kEndpointText;    // "tcp/443"
extern const Syntax kAddress;         // numeric IPv4 or IPv6
extern const Syntax kNetwork;         // an address or a CIDR range
extern const Syntax kDuration;        // "30s", "500ms", "2min"
extern const Syntax kMac;
extern const Syntax kObjectId;      // "1.3.6.1.2.1.1.1.0"
extern const Syntax kPartialDate;   // "2025-01-01", "2025-01" or "2025"
extern const Syntax kEndDate;       // the same, or "undated"
extern const Syntax kNamespace;     // a path, or a name as `ip netns` knows it
extern const Syntax kInterface;     // "eth1"
extern const Syntax kRelativePath;  // of a file that is kept with a run: below the file's own folder
extern const Syntax kDate;          // "2026-11-24"

/// Milliseconds of "500ms", "30s" or "2min", up to one day.
std::optional<std::uint32_t> parse_duration(std::string_view text);

/// An address range. IPv4 uses the first 4 bytes.
struct Network {
  std::array<std::uint8_t, 16> bytes{};
  bool v6 = false;
  unsigned prefix = 0;

  unsigned width() const { return v6 ? 128 : 32; }

  bool contains(const Network& other) const;

  /// The range with all bits behind the prefix cleared.
  Network masked() const;

  std::string text() const;
};

/// "10.0.0.5", "10.0.0.0/24", "fd00::/64"; no zone, no name.
std::optional<Network> parse_network(std::string_view text);

}  // namespace assay

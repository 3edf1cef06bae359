#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "harness/load/syntax.hpp"

/// The key tables: for every mapping a person writes, its keys with kind, whether required, default and meaning. They
/// drive the checks, the JSON Schemas and the tables in the docs, so that these cannot disagree.
namespace assay {

struct Table;

enum class Form : std::uint8_t {
  text,     // any scalar that does not look like a boolean; with `syntax`, of that syntax
  word,     // one of `words`
  boolean,  // true or false
  integer,  // within least and most
  jq,       // a program; compiled where it is used
  secret,   // text that is never echoed
  free,     // any value, kept as JSON
  mapping,  // keys of `table`; without table: any keys, kept as JSON
  list,     // of `item`
  map,      // names chosen by the writer (of `syntax` or one of `words`) -> `item`
};

struct Shape {
  Form form = Form::text;
  const Syntax* syntax = nullptr;
  std::span<const std::string_view> words = {};
  const Table* table = nullptr;
  const Shape* item = nullptr;
  const Shape* other = nullptr;  // a second form that is allowed: a list where one value is usual, a word for a mapping
  std::int64_t least = 0;
  std::int64_t most = std::numeric_limits<std::int32_t>::max();
  bool may_be_empty = false;  // text, secret, list, map
};

struct Key {
  std::string_view name;
  const Shape* shape = nullptr;
  bool required = false;
  std::string_view fallback;  // as shown in the docs; empty: nothing
  std::string_view meaning;
  std::string_view example;
};

struct Table {
  std::string_view name;  // in errors: "the device", "a sample"
  std::string_view meaning;
  std::span<const Key> keys;
  std::span<const std::string_view> exactly_one = {};  // of these keys one must be there, and only one
};

/// One kind of file, by its `assay:` line.
struct FileKind {
  std::string_view tag;  // "dut/1"
  const Table* table = nullptr;
  std::string_view schema;  // stem of its schema's file name; empty: not published
};

std::span<const FileKind> file_kinds();
const FileKind* find_file_kind(std::string_view tag);

const Key* find_key(const Table& table, std::string_view name);

/// "text", "a list of mappings", for errors and docs.
std::string form_in_words(const Shape& shape);

// Shapes that several files use.
extern const Shape kText;      // may be empty
extern const Shape kSentence;  // must not be empty
extern const Shape kTexts;
extern const Shape kBoolean;
extern const Shape kJq;
extern const Shape kNameText;
extern const Shape kFreeMapping;
extern const Shape kEditionText;
extern const Shape kQualifiedText;
extern const Shape kStrength;
extern const Shape kModality;
extern const Shape kProductClass;
extern const Shape kRecipe;   // of the DUT file
extern const Shape kUpdates;  // of the DUT file

inline constexpr std::string_view kStateWords[] = {"factory", "initialised", "customised", "after_reset"};
inline constexpr std::string_view kVantageWords[] = {"lan", "wan", "guest", "bench"};

/// What kind of product the device is: the words that scopes of schemes are told apart by (docs/crosswalk.md).
inline constexpr std::string_view kProductClassWords[] = {"unknown",
                                                          "camera",
                                                          "television",
                                                          "speaker",
                                                          "toy",
                                                          "baby-monitor",
                                                          "household-robot",
                                                          "garden-robot",
                                                          "smart-home-hub",
                                                          "health-tracker",
                                                          "lighting",
                                                          "plug",
                                                          "thermostat",
                                                          "appliance",
                                                          "alarm",
                                                          "door-lock",
                                                          "smoke-detector",
                                                          "sensor",
                                                          "battery-sensor-without-ip",
                                                          "router",
                                                          "computer",
                                                          "phone",
                                                          "medical",
                                                          "charge-point",
                                                          "smart-meter",
                                                          "vehicle",
                                                          "other"};

extern const Table kDutTable;
extern const Table kJobTable;
extern const Table kDictionaryTable;
extern const Table kPayloadsTable;
extern const Table kAttacksTable;
extern const Table kFingerprintsTable;
extern const Table kKnownKeysTable;
extern const Table kPolicyTable;
extern const Table kPasswordRulesTable;
extern const Table kWebInterfaceTable;
extern const Table kBrokerTable;
extern const Table kMessageInterfaceTable;
extern const Table kApprovalTable;
extern const Table kAnswersTable;
extern const Table kReviewsTable;
extern const Table kWaiversTable;
extern const Table kMappingTable;
extern const Table kArrangementsTable;
extern const Table kStandardTable;
extern const Table kMethodTable;
extern const Table kCasesTable;
extern const Table kPlanTable;
extern const Table kDeviceFileTable;
extern const Table kExpectedTable;

}  // namespace assay

#include "harness/load/tables.hpp"

#include <algorithm>
#include <array>

#include "harness/load/words.hpp"
#include "harness/model/joined.hpp"

namespace assay {

namespace {

constexpr std::string_view kStrengths[] = {"sourced", "derived", "reasoned", "unconfirmed"};
constexpr std::string_view kModalities[] = {"shall", "should"};

constinit const std::array<FileKind, 21> kFileKinds{{
    {"dut/1", &kDutTable, "dut"},
    {"job/1", &kJobTable, "job"},
    {"dictionary/1", &kDictionaryTable, "dictionary"},
    {"payloads/1", &kPayloadsTable, "payloads"},
    {"attacks/1", &kAttacksTable, "attacks"},
    {"fingerprints/1", &kFingerprintsTable, "fingerprints"},
    {"known-keys/1", &kKnownKeysTable, "known-keys"},
    {"policy/1", &kPolicyTable, "policy"},
    {"password-rules/1", &kPasswordRulesTable, "password-rules"},
    {"plan/1", &kPlanTable, "plan"},
    {"cases/1", &kCasesTable, "cases"},
    {"standard/1", &kStandardTable, "standard"},
    {"mapping/1", &kMappingTable, "mapping"},
    {"arrangements/1", &kArrangementsTable, "arrangements"},
    {"method/1", &kMethodTable, "method"},
    {"approval/1", &kApprovalTable, "approval"},
    {"answers/1", &kAnswersTable, "answers"},
    {"reviews/1", &kReviewsTable, "reviews"},
    {"waivers/1", &kWaiversTable, "waivers"},
    {"device/1", &kDeviceFileTable, ""},
    {"expected/1", &kExpectedTable, ""},
}};

std::string one_form_in_words(const Shape& shape) {
  switch (shape.form) {
    case Form::text:
      return shape.syntax != nullptr ? std::string{shape.syntax->expected} : "text";
    case Form::word:
      return "one of " + joined(shape.words);
    case Form::boolean:
      return "true or false";
    case Form::integer:
      return "an integer from " + std::to_string(shape.least) + " to " + std::to_string(shape.most);
    case Form::jq:
      return "a jq expression";
    case Form::secret:
      return "text";
    case Form::free:
      return "any value";
    case Form::mapping:
      return "a mapping";
    case Form::list:
      return "a list";
    case Form::map:
      return "a mapping";
  }
  return "a value";
}

}  // namespace

constinit const Shape kText{.form = Form::text, .may_be_empty = true};
constinit const Shape kSentence{.form = Form::text};
constinit const Shape kTexts{.form = Form::list, .item = &kSentence, .may_be_empty = true};
constinit const Shape kBoolean{.form = Form::boolean};
constinit const Shape kJq{.form = Form::jq};
constinit const Shape kNameText{.form = Form::text, .syntax = &kName};
constinit const Shape kFreeMapping{.form = Form::mapping};
constinit const Shape kEditionText{.form = Form::text, .syntax = &kEdition};
constinit const Shape kQualifiedText{.form = Form::text, .syntax = &kQualifiedId};
constinit const Shape kStrength{.form = Form::word, .words = kStrengths};
constinit const Shape kModality{.form = Form::word, .words = kModalities};

std::span<const FileKind> file_kinds() {
  return kFileKinds;
}

const FileKind* find_file_kind(std::string_view tag) {
  const auto found =
      std::find_if(kFileKinds.begin(), kFileKinds.end(), [&](const FileKind& kind) { return kind.tag == tag; });
  return found == kFileKinds.end() ? nullptr : &*found;
}

const Key* find_key(const Table& table, std::string_view name) {
  const auto found =
      std::find_if(table.keys.begin(), table.keys.end(), [&](const Key& key) { return key.name == name; });
  return found == table.keys.end() ? nullptr : &*found;
}

std::string form_in_words(const Shape& shape) {
  auto words = one_form_in_words(shape);
  return shape.other != nullptr ? words + ", or " + one_form_in_words(*shape.other) : words;
}

}  // namespace assay

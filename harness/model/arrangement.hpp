#pragma once

#include <string>
#include <vector>

#include "harness/model/plan.hpp"

/// What joins schemes: arrangements of recognition between their owners, products to which a scheme does not speak, and
/// which provisions of another standard support one of its own (docs/crosswalk.md).
namespace assay {

/// What the receiving side does with a label that the other authority issued.
enum class ArrangementKind : std::uint8_t {
  label,                   // gives its own label, or treats the other as one
  simplified_application,  // shortens its own application
  deemed,                  // by law the duties count as met
};
BOOST_DESCRIBE_ENUM(ArrangementKind, label, simplified_application, deemed)

/// One end of an arrangement: labels in words, and the plans of the library that stand for them.
struct ArrangementSide {
  std::string label;                 // "CLS(IoT), level 3 or above"
  std::vector<std::string> schemes;  // first part of plan ids: "cls-iot"
  std::vector<std::string> levels;   // second part: "3"; empty: every level

  bool names(std::string_view plan_id) const;

  bool operator==(const ArrangementSide&) const = default;
};
BOOST_DESCRIBE_STRUCT(ArrangementSide, (), (label, schemes, levels))

/// Recognises a label that was issued, never evidence. Days are ISO 8601, to the day, the month or the year.
struct Arrangement {
  std::string id;
  std::string between;
  ArrangementSide from;
  ArrangementSide to;
  ArrangementKind kind = ArrangementKind::label;
  std::string gives;
  std::string scope;                   // in words
  std::vector<std::string> scope_in;   // product classes; empty: every one that is not out
  std::vector<std::string> scope_out;  // product classes
  std::string agreed;                  // day of signing
  std::string effective;               // first day; empty: not known
  std::string ended;                   // first day without; "undated": ended, the day is not known; empty: goes on
  Strength strength = Strength::sourced;
  std::string source;
  std::string note;

  bool operator==(const Arrangement&) const = default;
};
BOOST_DESCRIBE_STRUCT(Arrangement, (),
                      (id, between, from, to, kind, gives, scope, scope_in, scope_out, agreed, effective, ended,
                       strength, source, note))

/// Product classes to which plans of a scheme do not speak.
struct ProductRule {
  std::string id;
  std::vector<std::string> classes;
  std::vector<std::string> schemes;
  std::vector<std::string> levels;  // empty: every level
  std::string instead;              // plan id
  std::string because;
  Strength strength = Strength::sourced;
  std::string source;

  bool operator==(const ProductRule&) const = default;
};
BOOST_DESCRIBE_STRUCT(ProductRule, (), (id, classes, schemes, levels, instead, because, strength, source))

/// A provision of a scheme and the provisions of another standard whose cases are evidence for it.
struct MappingRow {
  std::string id;
  std::vector<std::string> supported_by;
  std::string gap;
  Strength strength = Strength::derived;
  std::string source;

  bool operator==(const MappingRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(MappingRow, (), (id, supported_by, gap, strength, source))

/// All of the library's.
struct CrosswalkData {
  std::vector<Arrangement> arrangements;
  std::vector<ProductRule> products;
  std::vector<MappingRow> rows;

  bool operator==(const CrosswalkData&) const = default;
};
BOOST_DESCRIBE_STRUCT(CrosswalkData, (), (arrangements, products, rows))

/// "cls-iot" of "cls-iot/3".
std::string scheme_of_plan(std::string_view plan_id);

/// Whether the plan is of one of the schemes, and of one of the levels when there are any.
bool is_of(std::string_view plan_id, const std::vector<std::string>& schemes, const std::vector<std::string>& levels);

}  // namespace assay

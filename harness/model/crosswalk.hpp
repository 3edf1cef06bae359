#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/model/arrangement.hpp"
#include "harness/model/verdict.hpp"

/// What the evidence of one run supports under other plans (docs/crosswalk.md).
namespace assay {

/// Where an arrangement stands on a day.
enum class ArrangementStanding : std::uint8_t {
  not_yet,   // it begins later
  unclear,   // its first day is not known, or not exactly enough
  in_force,  // it has begun and goes on
  ended,
};
BOOST_DESCRIBE_ENUM(ArrangementStanding, not_yet, unclear, in_force, ended)

/// How a product class lies to a scope.
enum class ScopeFit : std::uint8_t {
  in,
  out,
  not_named,  // the scope lists others and does not rule it out
  unknown,    // the declaration does not say the class
};
BOOST_DESCRIBE_ENUM(ScopeFit, in, out, not_named, unknown)

/// One arrangement on the day of a run, for the product of the run.
struct Recognition {
  Arrangement arrangement;
  ArrangementStanding standing = ArrangementStanding::unclear;
  std::string standing_words;  // "in force since 2025-01-01"
  ScopeFit fit = ScopeFit::unknown;
  std::string fit_words;
  std::string requires_label;  // the sentence that a label has to be issued first

  bool operator==(const Recognition&) const = default;
};
BOOST_DESCRIBE_STRUCT(Recognition, (), (arrangement, standing, standing_words, fit, fit_words, requires_label))

struct Closer {
  ClosedBy by = ClosedBy::evidence;
  std::string what;
  std::string hint;                // hand: "look at: the labels of two samples"
  std::vector<std::string> units;  // ids of the unit verdicts that wait for it

  bool operator==(const Closer&) const = default;
};
BOOST_DESCRIBE_STRUCT(Closer, (), (by, what, hint, units))

/// One requirement of the other plan, judged with that plan's pass lines.
struct CrosswalkRow {
  std::string id;
  std::string title;
  std::string modality;
  Strength strength = Strength::derived;  // that the other scheme asks for it
  Verdict verdict = Verdict::not_tested;
  std::string because;
  std::vector<MappingRow> mapped;         // why cases of another standard are evidence for it; none: its own cases are
  std::vector<std::string> observations;  // of this run, that its units were judged on
  std::vector<Finding> findings;
  std::vector<Closer> closes;  // empty when it is settled

  bool operator==(const CrosswalkRow&) const = default;
};
BOOST_DESCRIBE_STRUCT(CrosswalkRow, (),
                      (id, title, modality, strength, verdict, because, mapped, observations, findings, closes))

struct CrosswalkPlan {
  std::string plan;
  std::string title;
  Scheme scheme;
  bool draft = true;
  std::string digest;
  std::optional<ProductRule> suppressed;  // the plan does not speak to this product: nothing was judged
  std::vector<std::string> notes;
  LevelSummary summary;
  std::string statement;  // "evidence for 3 of 16 requirements, 13 open"
  std::vector<CrosswalkRow> rows;

  bool operator==(const CrosswalkPlan&) const = default;
};
BOOST_DESCRIBE_STRUCT(CrosswalkPlan, (),
                      (plan, title, scheme, draft, digest, suppressed, notes, summary, statement, rows))

struct Crosswalk {
  std::string format = "crosswalk/1";
  std::string plan;  // of the run
  std::string date;  // of the run: arrangements are looked at on this day
  std::string product_class;
  std::string sentence;  // what this is and is not
  std::vector<CrosswalkPlan> plans;
  std::vector<Recognition> arrangements;

  bool operator==(const Crosswalk&) const = default;
};
BOOST_DESCRIBE_STRUCT(Crosswalk, (), (format, plan, date, product_class, sentence, plans, arrangements))

/// What a crosswalk is made from beside the bundle; kept in it as inputs/crosswalk.json when a run was asked for one.
struct CrosswalkInputs {
  std::string format = "crosswalk-inputs/1";
  std::vector<Plan> plans;  // resolved
  CrosswalkData data;
};
BOOST_DESCRIBE_STRUCT(CrosswalkInputs, (), (format, plans, data))

}  // namespace assay

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/json.hpp"
#include "harness/model/policy.hpp"
#include "harness/model/probe_info.hpp"

/// What a label level demands: provisions, cases with their units, and the plan that names them
/// (docs/plan-format.md). Every id carries its edition: "EN303645@2.1.1:5.1-1".
namespace assay {

/// The edition in front of the colon of a qualified id: "EN303645@2.1.1".
std::string edition_of(std::string_view qualified);

/// What stands behind it, the form that ICS rows use: "5.1-1".
std::string short_id(std::string_view qualified);

/// How sure we are of a statement about a scheme or a standard.
enum class Strength : std::uint8_t { sourced, derived, reasoned, unconfirmed };
BOOST_DESCRIBE_ENUM(Strength, sourced, derived, reasoned, unconfirmed)

enum class Modality : std::uint8_t { shall, should };
BOOST_DESCRIBE_ENUM(Modality, shall, should)

enum class CaseType : std::uint8_t { conceptual, functional };
BOOST_DESCRIBE_ENUM(CaseType, conceptual, functional)

enum class Quantifier : std::uint8_t { all, any };
BOOST_DESCRIBE_ENUM(Quantifier, all, any)

/// Who can settle a unit. With `assessor` a machine shows what it saw and proposes.
enum class Closes : std::uint8_t { machine, assessor };
BOOST_DESCRIBE_ENUM(Closes, machine, assessor)

/// A provision of a standard, in our own words.
struct Provision {
  std::string id;
  std::string title;
  Modality modality = Modality::shall;
  std::string condition;  // jq over the judge document; empty: unconditional
  std::string condition_words;
  Strength strength = Strength::sourced;
  std::string source;

  bool operator==(const Provision&) const = default;
};
BOOST_DESCRIBE_STRUCT(Provision, (), (id, title, modality, condition, condition_words, strength, source))

/// One alias of a unit: which probe is asked, on which endpoints, how.
struct Observe {
  std::string alias;
  std::string probe;
  std::string for_each;  // jq over the judge document with the aliases before this one; yields endpoints "tcp/80";
                         // empty for device probes
  json::object with;     // parameters as given; defaults are filled in by the planner
  std::string where;     // file:line:column of for_each

  bool operator==(const Observe&) const = default;
};
BOOST_DESCRIBE_STRUCT(Observe, (), (alias, probe, for_each, with, where))

/// What a person does for a unit that no machine settles, or that one only supports.
struct ManualStep {
  std::string question;
  std::string look_at;
  std::string pass;
  std::string fail;
  std::string inconclusive;
  std::vector<std::string> attachments;

  bool operator==(const ManualStep&) const = default;
};
BOOST_DESCRIBE_STRUCT(ManualStep, (), (question, look_at, pass, fail, inconclusive, attachments))

/// The step of a unit that observes, has one setting of the device changed, and observes again.
struct StatePair {
  std::string trigger;  // `lab.trigger` of the DUT file that changes it
  std::string undo;     // trigger that changes it back; empty: none
  std::string ask;      // sentence for a person where the DUT file has no such trigger; empty: nobody is asked
  std::vector<std::string> after;  // aliases that are observed after it; the others before

  bool operator==(const StatePair&) const = default;
};
BOOST_DESCRIBE_STRUCT(StatePair, (), (trigger, undo, ask, after))

/// Smallest thing with a verdict.
struct Unit {
  std::string id;  // "a"; unique in its case
  std::string title;
  Closes closes = Closes::machine;
  bool can_pass = true;
  bool can_fail = true;
  std::vector<Observe> observe;  // in the order written; a later one may expand over earlier ones
  std::string expand;            // alias: one result for each of its observations; empty: one result for the unit
  std::string expect;  // jq yielding endpoints that must be among the expanded ones; a missing one is INCONCLUSIVE
  std::vector<std::string> needs;  // facts that must be settled for a PASS
  std::string fail;                // jq: every item it yields is a finding
  std::string inconclusive;        // jq: every item it yields keeps the unit open
  std::string remedy;
  std::optional<ManualStep> manual;
  std::string planned_probe;  // the probe that will settle it and is not there yet; the unit is NOT_TESTED
  std::string where;          // file:line:column of the unit
  std::string where_fail;
  std::string where_inconclusive;
  std::string where_expect;
  Later<StatePair> pair;  // none or one

  bool operator==(const Unit&) const = default;
};
BOOST_DESCRIBE_STRUCT(Unit, (),
                      (id, title, closes, can_pass, can_fail, observe, expand, expect, needs, fail, inconclusive,
                       remedy, manual, planned_probe, where, where_fail, where_inconclusive, where_expect, pair))

/// Whether that alias is observed after the trigger of the unit's state pair.
bool is_after_trigger(const Unit& unit, const std::string& alias);

/// A machine closes the unit: no person is needed and its probe is in this build.
bool is_machine_unit(const Unit& unit);

/// A test case of the library: one edition of one method.
struct Case {
  std::string id;      // "TS103701@1.1.1:5.1-1-2"
  std::string covers;  // "EN303645@2.1.1:5.1-1"
  std::string title;
  CaseType type = CaseType::functional;
  Quantifier quantifier = Quantifier::all;  // over its units
  std::vector<std::string> states;
  std::vector<std::string> vantages;
  std::int64_t samples = 1;  // units of the model needed
  std::string applies;       // jq, boolean; empty: whenever its provision applies
  Strength strength = Strength::derived;
  std::string source;
  std::vector<Unit> units;
  std::string where;
  std::string where_applies;

  bool operator==(const Case&) const = default;
};
BOOST_DESCRIBE_STRUCT(Case, (),
                      (id, covers, title, type, quantifier, states, vantages, samples, applies, strength, source, units,
                       where, where_applies))

/// What the level demands of one provision: the three columns of the scheme's own methodology, own words.
struct Requirement {
  std::string id;  // "EN303645@2.1.1:5.1-1"
  std::string title;
  Modality modality = Modality::shall;
  std::string condition;  // from the provision
  std::string condition_words;
  std::vector<std::string> evidence_from;  // provisions of other standards whose cases are evidence for it too
  std::string gap;                         // what those leave open and a case of its own covers
  Strength strength = Strength::derived;
  std::string source;
  std::string minimum;     // what must at least be so
  std::string evidence;    // what supports it
  std::string assessment;  // what the assessor looks for
  std::string level;       // plan id that brought it in
  std::string where;

  bool operator==(const Requirement&) const = default;
};
BOOST_DESCRIBE_STRUCT(Requirement, (),
                      (id, title, modality, condition, condition_words, evidence_from, gap, strength, source, minimum,
                       evidence, assessment, level, where))

/// Whether the case is evidence for the requirement: it covers its provision or one that supports it.
bool is_evidence_for(const Case& test_case, const Requirement& requirement);

struct Scheme {
  std::string name;
  std::string owner;
  std::string document;
  bool read = false;  // whether the document itself was read when the plan was written

  bool operator==(const Scheme&) const = default;
};
BOOST_DESCRIBE_STRUCT(Scheme, (), (name, owner, document, read))

/// A file that went into a plan or a run, by digest.
struct InputFile {
  std::string path;    // as named by the user or relative to the plan library
  std::string sha256;  // lower case hex

  bool operator==(const InputFile&) const = default;
};
BOOST_DESCRIBE_STRUCT(InputFile, (), (path, sha256))

/// Who checked a plan against the scheme's own document, and which state of the plan it was.
struct Approval {
  std::string plan;      // id
  std::string digest;    // plan_digest of the plan that was checked
  std::string document;  // the scheme's document with its edition
  std::string by;
  std::string organisation;
  std::string date;  // RFC 3339
  std::string note;

  bool operator==(const Approval&) const = default;
};
BOOST_DESCRIBE_STRUCT(Approval, (), (plan, digest, document, by, organisation, date, note))

/// A plan with its inheritance resolved: every requirement of the level and every case that covers one.
struct Plan {
  std::string id;  // "cls-iot/1"
  std::string title;
  Scheme scheme;
  std::optional<Approval> approval;  // none: a draft, says so everywhere and makes no level statement
  std::string standard;              // "EN303645@2.1.1"
  std::string method;                // "TS103701@1.1.1"
  std::vector<std::string> extends;  // nearest first
  std::vector<Requirement> requirements;
  std::vector<Case> cases;
  json::object parameters;
  std::vector<std::string> ics_names;    // provision ids of the standard, short form: what support() may name
  std::vector<std::string> ixit_tables;  // of the method: what ixit() and declared() may name
  std::vector<InputFile> inputs;
  Later<std::string> needs;  // keys of the DUT file's `device` that must not be unknown
  Later<Policy> policies;    // that its cases judge cryptography by; several of one protocol are all asked

  bool operator==(const Plan&) const = default;
};
BOOST_DESCRIBE_STRUCT(Plan, (),
                      (id, title, scheme, approval, standard, method, extends, requirements, cases, parameters,
                       ics_names, ixit_tables, inputs, needs, policies))
ASSAY_JSON_DECLARE(Plan);

/// "plan p/1 needs device.managed in the DUT file: …".
std::string lacks_in_words(const Plan& plan, const std::string& key);

}  // namespace assay

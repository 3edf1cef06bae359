#include <algorithm>

#include "harness/load/parts.hpp"
#include "harness/load/read.hpp"
#include "harness/load/words.hpp"

namespace assay {

namespace {

/// One alias as written: its mapping (the unit itself for the short form) and the places in it.
struct WrittenAlias {
  std::string alias;
  const Node* node = nullptr;
};

std::vector<WrittenAlias> aliases_of(const Node& unit) {
  std::vector<WrittenAlias> out;
  const auto& observe = child(unit, "observe");
  for (std::size_t i = 0; i < observe.keys.size(); ++i) {
    out.push_back({observe.keys[i].text, &observe.items[i]});
  }
  if (const auto* probe = find(unit, "probe"); probe != nullptr && probe->is_scalar() && out.empty()) {
    if (find(unit, "pair") != nullptr) {
      return {{"before", &unit}, {"after", &unit}};
    }
    out.push_back({probe->text, &unit});
  }
  return out;
}

/// Checks one unit against the probes of this build while reading it.
class UnitReader {
 public:
  UnitReader(LibraryFile& file, const Node& node, const CaseContext& context)
      : file_(file), node_(node), context_(context) {}

  Unit read() {
    read_values();
    rule_has_source();
    rule_short_form();
    for (const auto& written : aliases_of(node_)) {
      read_alias(written);
    }
    read_pair();
    rule_planned_probe();
    rule_needs();
    rule_expand();
    for (const std::string key : {"fail", "inconclusive", "expect"}) {
      context_.programs.add(file_, node_, key, scope(key));
    }
    return std::move(unit_);
  }

 private:
  void read_values() {
    unit_.id = text_of(node_, "id");
    unit_.title = text_of(node_, "title");
    unit_.closes = word_of(node_, "closes", unit_.closes);
    unit_.can_pass = bool_of(node_, "can_pass", true);
    unit_.can_fail = bool_of(node_, "can_fail", true);
    unit_.expand = text_of(node_, "expand");
    unit_.expect = text_of(node_, "expect");
    unit_.needs = texts_of(node_, "needs");
    unit_.fail = text_of(node_, "fail");
    unit_.inconclusive = text_of(node_, "inconclusive");
    unit_.remedy = text_of(node_, "remedy");
    unit_.planned_probe = text_of(node_, "planned_probe");
    unit_.where = file_.where(node_.place);
    unit_.where_fail = where_program(file_, node_, "fail");
    unit_.where_inconclusive = where_program(file_, node_, "inconclusive");
    unit_.where_expect = where_program(file_, node_, "expect");
    if (find(node_, "manual") != nullptr) {
      const auto& manual = child(node_, "manual");
      unit_.manual =
          ManualStep{text_of(manual, "question"), text_of(manual, "look_at"),      text_of(manual, "pass"),
                     text_of(manual, "fail"),     text_of(manual, "inconclusive"), texts_of(manual, "attachments")};
    }
  }

  void fault(Place place, std::string what) { file_.faults.add(place, std::move(what)); }

  bool given(std::string_view key) const { return find(node_, key) != nullptr; }

  /// A declaration alone proves nothing: a probe or a person has to look, now or later.
  void rule_has_source() {
    if (!given("observe") && !given("probe") && !given("manual") && !given("planned_probe")) {
      fault(node_.place, "nothing settles this unit: give it one of observe, probe, manual, planned_probe");
    }
  }

  void rule_short_form() {
    if (given("observe") && given("probe")) {
      fault(place_of(node_, "probe"),
            "write either \"probe\" or \"observe\": probe is short for observe with one alias");
    }
    for (const std::string key : {"with", "for_each"}) {
      if (given(key) && !given("probe")) {
        fault(place_of(node_, key), "\"" + key + "\" stands beside \"probe\", or inside an alias of \"observe\"");
      }
    }
  }

  void read_alias(const WrittenAlias& written) {
    Observe observe;
    observe.alias = written.alias;
    observe.probe = text_of(*written.node, "probe");
    observe.for_each = text_of(*written.node, "for_each");
    observe.with = object_of(*written.node, "with");
    observe.where = where_program(file_, *written.node, "for_each");
    // Its own facts are not there yet: for_each sees the aliases before it.
    context_.programs.add(file_, *written.node, "for_each", scope("for_each"));
    if (const auto* probe = known_probe(*written.node)) {
      check_parameters(*written.node, *probe);
      check_subject(*written.node, *probe);
      for (const auto& fact : probe->facts) {
        facts_.push_back(fact.key);
      }
    } else {
      facts_known_ = false;
    }
    unit_.observe.push_back(std::move(observe));
  }

  void read_pair() {
    const auto* node = find(node_, "pair");
    if (node == nullptr || !node->is_mapping()) {
      return;
    }
    StatePair pair{text_of(*node, "trigger"), text_of(*node, "undo"), text_of(*node, "ask"), texts_of(*node, "after")};
    const auto known = aliases();
    if (given("probe") && pair.after.empty()) {
      pair.after = {"after"};
    }
    for (const auto& alias : pair.after) {
      if (std::find(known.begin(), known.end(), alias) == known.end()) {
        fault(node->place, "this unit has no alias " + shown(alias) + suggestion(alias, known));
      }
    }
    if (pair.after.empty() || pair.after.size() >= known.size()) {
      fault(node->place, "a pair needs an alias before the trigger and one after it: name the later ones in \"after\"");
    }
    unit_.pair.push_back(std::move(pair));
  }

  const ProbeInfo* known_probe(const Node& mapping) {
    const auto* name = find(mapping, "probe");
    if (name == nullptr || !name->is_scalar()) {
      return nullptr;
    }
    const auto found = context_.probes.find(name->text);
    if (found != context_.probes.end()) {
      return &found->second;
    }
    std::vector<std::string> known;
    for (const auto& [id, probe] : context_.probes) {
      known.push_back(id);
    }
    fault(name->place, "this build has no probe " + shown(name->text) + suggestion(name->text, known) +
                           (nearest(name->text, known).empty() ? " (use planned_probe for one that will come)" : ""));
    return nullptr;
  }

  void check_parameters(const Node& mapping, const ProbeInfo& probe) {
    const auto& with = child(mapping, "with");
    std::vector<std::string> known;
    for (const auto& parameter : probe.parameters) {
      known.push_back(parameter.name);
    }
    for (std::size_t i = 0; i < with.keys.size(); ++i) {
      json::object one;
      one[with.keys[i].text] = json_of(with.items[i]);
      if (const auto complete = complete_parameters(probe, one); !complete) {
        const bool unknown = find_parameter(probe, with.keys[i].text) == nullptr;
        fault(unknown ? with.keys[i].place : with.items[i].place,
              complete.error().what + (unknown ? suggestion(with.keys[i].text, known) : ""));
      }
    }
  }

  void check_subject(const Node& mapping, const ProbeInfo& probe) {
    const bool each = find(mapping, "for_each") != nullptr;
    if (probe.subject == ProbeSubject::endpoint && !each) {
      fault(find(mapping, "probe")->place,
            "the probe " + probe.id + " looks at endpoints: add \"for_each\" that yields them");
    }
    if (probe.subject == ProbeSubject::device && each) {
      fault(place_of(mapping, "for_each"), "the probe " + probe.id + " looks at the device: leave \"for_each\" out");
    }
  }

  void rule_planned_probe() {
    const auto* planned = find(node_, "planned_probe");
    if (planned != nullptr && context_.probes.contains(planned->text)) {
      fault(planned->place, "the probe " + planned->text + " is in this build: use it in \"observe\"");
    }
  }

  void rule_needs() {
    for (const auto* need : one_or_more(child(node_, "needs"))) {
      if (facts_known_ && kFactKey.matches(need->text) &&
          std::find(facts_.begin(), facts_.end(), need->text) == facts_.end()) {
        fault(need->place,
              "no probe of this unit declares the fact " + shown(need->text) + suggestion(need->text, facts_));
      }
    }
  }

  void rule_expand() {
    const auto known = aliases();
    if (const auto* expand = find(node_, "expand");
        expand != nullptr && std::find(known.begin(), known.end(), expand->text) == known.end()) {
      fault(expand->place, "this unit has no alias " + shown(expand->text) + suggestion(expand->text, known));
    }
    if (given("expect") && !given("expand")) {
      fault(place_of(node_, "expect"), "\"expect\" names endpoints that \"expand\" must reach: add \"expand\"");
    }
  }

  std::vector<std::string> aliases() const {
    std::vector<std::string> out;
    for (const auto& observe : unit_.observe) {
      out.push_back(observe.alias);
    }
    return out;
  }

  ProgramScope scope(const std::string& key) const {
    ProgramScope out;
    out.place_name = key;
    out.observations = true;
    out.facts_known = facts_known_;
    out.aliases = aliases();
    out.facts = facts_;
    out.ics = &context_.ics;
    out.ixit = &context_.ixit;
    return out;
  }

  LibraryFile& file_;
  const Node& node_;
  const CaseContext& context_;
  Unit unit_;
  std::vector<std::string> facts_;
  bool facts_known_ = true;
};

}  // namespace

Unit read_unit(LibraryFile& file, const Node& node, const CaseContext& context) {
  return UnitReader(file, node, context).read();
}

}  // namespace assay

#include "harness/judge/unit_judge.hpp"

#include <algorithm>
#include <array>

#include "harness/expr/common_factors.hpp"
#include "harness/expr/document.hpp"
#include "harness/judge/findings.hpp"

namespace assay {

namespace {

enum class Program : std::uint8_t { fail, inconclusive, expect };

/// An instance with its expressions: which evaluation is whose.
struct Work {
  Instance instance;
  std::array<std::size_t, 3> evaluation{};  // by Program; 0: none, else index + 1
};

bool is_settled(const Observation& observation, const std::string& fact) {
  return observation.completion != Completion::device_lost &&
         (observation.facts.contains(fact) ||
          std::find(observation.absent.begin(), observation.absent.end(), fact) != observation.absent.end());
}

std::string why_unsettled(const Observation& observation, const std::string& fact) {
  if (const auto reason = observation.unobserved.find(fact); reason != observation.unobserved.end()) {
    return reason->second;
  }
  if (!observation.error.empty()) {
    return observation.error;
  }
  return observation.completion == Completion::completed ? "the probe did not say why"
                                                         : enum_name(observation.completion);
}

constexpr std::string_view kCoverage = "coverage.";

/// One needed fact over the observations that should have settled it.
class Need {
 public:
  Need(const Instance& instance, const std::string& name, std::vector<Obstructed>& out)
      : instance_(instance), name_(name), out_(out) {}

  void check() {
    const bool coverage = name_.starts_with(kCoverage);
    bool declared = coverage;
    bool settled = false;
    bool wanted = false;
    for (const auto& alias : instance_.aliases) {
      if (!coverage && (alias.probe == nullptr || find_fact(*alias.probe, name_) == nullptr)) {
        continue;
      }
      declared = true;
      wanted = wanted || alias.expected || !alias.observations.empty();
      for (const auto* observation : alias.observations) {
        settled = check(alias, *observation, coverage) || settled;
      }
    }
    if (!declared) {
      out_.push_back({Obstacle::error,
                      open_thing(ClosedBy::harness, "the unit needs " + name_ + ", which no probe of it declares")});
    } else if (wanted && !settled && !told_) {
      out_.push_back({Obstacle::missing, open_thing(ClosedBy::probe, name_ + " was not observed", instance_.endpoint)});
    }
  }

 private:
  bool check(const AliasView& alias, const Observation& observation, bool coverage) {
    if (coverage) {
      return observation.completion != Completion::device_lost &&
             observation.coverage.contains(name_.substr(kCoverage.size()));
    }
    if (is_settled(observation, name_)) {
      return true;
    }
    told_ = true;
    const auto& endpoint = observation.invocation.endpoint;
    auto finding = open_thing(ClosedBy::evidence,
                              alias.alias + "." + name_ + " on " + (endpoint ? endpoint->text() : "the device") +
                                  " was not observed (" + why_unsettled(observation, name_) + ")",
                              endpoint ? endpoint->text() : "");
    finding.observations = {observation.id};
    out_.push_back({Obstacle::missing, std::move(finding)});
    return false;
  }

  const Instance& instance_;
  const std::string& name_;
  std::vector<Obstructed>& out_;
  bool told_ = false;
};

std::string person_task(const Unit& unit) {
  return "a person has to answer: " + unit.manual->question;
}

Finding person_finding(const Unit& unit) {
  auto out = open_thing(ClosedBy::hand, unit.manual->question);
  out.expected = unit.manual->pass;
  out.observed = unit.manual->look_at.empty() ? "" : "look at: " + unit.manual->look_at;
  return out;
}

bool has_machine_part(const Unit& unit) {
  return !unit.fail.empty() || !unit.inconclusive.empty() || !unit.needs.empty();
}

/// Gives one instance its verdict by the order of docs/verdicts.md.
class UnitJudge {
 public:
  UnitJudge(Work& work, const std::vector<Evaluated>& evaluated, const RunView& view)
      : instance_(work.instance), unit_(*work.instance.unit), work_(work), evaluated_(evaluated), view_(view) {}

  UnitVerdict judge() {
    out_.id = instance_.id;
    out_.title = unit_.title;
    out_.remedy = unit_.remedy;
    out_.machine = is_machine_unit(unit_);
    for (const auto& alias : instance_.aliases) {
      for (const auto* observation : alias.observations) {
        if (std::find(out_.observations.begin(), out_.observations.end(), observation->id) == out_.observations.end()) {
          out_.observations.push_back(observation->id);
        }
      }
    }
    collect();
    decide();
    inherit();
    return std::move(out_);
  }

 private:
  const Evaluated* result(Program program) const {
    const auto index = work_.evaluation[static_cast<std::size_t>(program)];
    return index == 0 ? nullptr : &evaluated_[index - 1];
  }

  FindingSource source(const std::string& program) const {
    FindingSource out;
    for (const auto& alias : instance_.aliases) {
      for (const auto* observation : alias.observations) {
        if (std::find(out.observations.begin(), out.observations.end(), observation) == out.observations.end()) {
          out.observations.push_back(observation);
        }
      }
    }
    out.endpoint = instance_.endpoint;
    for (const auto& use : names_used(program)) {
      if (use.function == "fact" || use.function == "present" || use.function == "observed" ||
          use.function == "changes") {
        out.facts.push_back(use.name);
      }
    }
    return out;
  }

  void collect() {
    if (const auto* failed = result(Program::fail)) {
      auto items = failed->items;
      const auto no_finding = [](const json::value& item) { return !is_finding(item); };
      if (std::erase_if(items, no_finding) > 0) {
        instance_.obstacles.push_back(
            {Obstacle::error, open_thing(ClosedBy::harness,
                                         unit_.where_fail + ": yields an item that is no finding; it must be a "
                                                            "sentence or an object with \"what\"",
                                         instance_.endpoint)});
      }
      findings_ = to_findings(items, source(unit_.fail));
      doubts(*failed, unit_.where_fail);
    }
    if (const auto* open = result(Program::inconclusive)) {
      for (auto& finding : to_findings(open->items, source(unit_.inconclusive))) {
        finding.closed_by = {closer_of_doubt(finding.what)};
        instance_.obstacles.push_back({Obstacle::missing, std::move(finding)});
      }
      doubts(*open, unit_.where_inconclusive);
    }
    if (const auto* expected = result(Program::expect)) {
      for (auto& obstacle : view_.unexpanded(instance_, *expected)) {
        instance_.obstacles.push_back(std::move(obstacle));
      }
      doubts(*expected, unit_.where_expect);
    }
    if (!instance_.rest && unit_.planned_probe.empty()) {
      for (const auto& need : unit_.needs) {
        Need{instance_, need, instance_.obstacles}.check();
      }
    }
  }

  /// What the expression could not read, and its own faults.
  void doubts(const Evaluated& evaluated, const std::string& where) {
    if (!evaluated.error.empty()) {
      instance_.obstacles.push_back(
          {Obstacle::error,
           open_thing(ClosedBy::harness, (where.empty() ? "" : where + ": ") + evaluated.error, instance_.endpoint)});
    }
    for (const auto& missing : evaluated.missing) {
      instance_.obstacles.push_back(
          {Obstacle::missing, open_thing(closer_of_doubt(missing), missing, instance_.endpoint)});
    }
  }

  bool has(Obstacle kind) const {
    return std::any_of(instance_.obstacles.begin(), instance_.obstacles.end(),
                       [&](const auto& obstacle) { return obstacle.kind == kind; });
  }

  void settle(Verdict verdict, std::string because) {
    out_.verdict = verdict;
    out_.because = std::move(because);
  }

  /// The first obstacle of the kind, and how many more there are.
  std::string reason(Obstacle kind) const {
    std::string first;
    std::size_t more = 0;
    std::vector<std::string> told;
    for (const auto& obstacle : instance_.obstacles) {
      const auto& what = obstacle.finding.what;
      if (obstacle.kind == kind && std::find(told.begin(), told.end(), what) == told.end()) {
        first = told.empty() ? what : first;
        more += told.empty() ? 0 : 1;
        told.push_back(what);
      }
    }
    return first + (more == 0 ? "" : " (and " + std::to_string(more) + " more)");
  }

  /// Everything that is missing goes into the record, whatever the verdict is.
  void list_open() {
    for (const auto& obstacle : instance_.obstacles) {
      if (std::find(out_.open.begin(), out_.open.end(), obstacle.finding) == out_.open.end()) {
        out_.open.push_back(obstacle.finding);
      }
    }
  }

  void decide() {
    if (!findings_.empty() && unit_.can_fail) {
      const auto more = findings_.size() - 1;
      settle(Verdict::fail, findings_.front().what + (more == 0 ? "" : " (and " + std::to_string(more) + " more)"));
      out_.findings = findings_;
      list_open();
      return;
    }
    for (auto finding : findings_) {  // a unit that cannot fail keeps them as doubts
      finding.closed_by = {ClosedBy::evidence};
      instance_.obstacles.push_back({Obstacle::missing, std::move(finding)});
    }
    // Where a machine could only contradict what a person looks at, having nothing to look at keeps the person from nothing.
    const bool for_a_person = !unit_.can_pass && unit_.manual;
    if (instance_.obstacles.empty() && !unit_.observe.empty() && unit_.planned_probe.empty() && !instance_.rest &&
        out_.observations.empty() && !for_a_person) {
      instance_.obstacles.push_back(
          {Obstacle::missing, open_thing(ClosedBy::probe, "nothing was observed", instance_.endpoint)});
    }
    list_open();
    if (has(Obstacle::error)) {
      settle(Verdict::error, reason(Obstacle::error));
    } else if (has(Obstacle::never_ran)) {
      settle(Verdict::not_tested, reason(Obstacle::never_ran));
    } else if (has(Obstacle::missing)) {
      settle(Verdict::inconclusive, reason(Obstacle::missing));
    } else if (has(Obstacle::out_of_reach)) {
      settle(Verdict::not_tested, reason(Obstacle::out_of_reach));
    } else {
      clean();
    }
    if (unit_.manual) {
      out_.open.push_back(person_finding(unit_));
    }
  }

  /// Nothing speaks against it and nothing is missing: who may call that a PASS?
  void clean() {
    if (!unit_.planned_probe.empty()) {
      settle(Verdict::not_tested,
             "needs the probe \"" + unit_.planned_probe + "\", which is planned and not in this build");
      out_.open.push_back(open_thing(ClosedBy::build, "probe \"" + unit_.planned_probe + "\" is not in this build"));
    } else if (!has_machine_part(unit_)) {
      settle(Verdict::not_tested, unit_.manual ? person_task(unit_) : "the unit does not say what to look for");
      if (!unit_.manual) {
        out_.open.push_back(open_thing(ClosedBy::hand, out_.because));
      }
    } else if (!unit_.can_pass) {
      settle(Verdict::not_tested, "nothing contradicts it, and no machine can show that it holds" +
                                      (unit_.manual ? "; " + person_task(unit_) : std::string{}));
      if (!unit_.manual) {
        out_.open.push_back(open_thing(ClosedBy::hand, "a person has to show that it holds: " + unit_.title));
      }
    } else if (unit_.closes == Closes::assessor || unit_.manual) {
      out_.pass_proposed = true;
      settle(Verdict::not_tested, "PASS proposed: nothing contradicts it; " +
                                      (unit_.manual ? person_task(unit_) : "an assessor has to close it"));
      if (!unit_.manual) {
        out_.open.push_back(open_thing(ClosedBy::hand, "an assessor has to confirm the proposed PASS"));
      }
    } else {
      settle(Verdict::pass, "nothing contradicts it and everything it needs is settled");
    }
  }

  /// Accepted evidence of others settles what this run leaves open. What the run itself has found, or has got wrong,
  /// stands.
  void inherit() {
    std::string basis;
    for (const auto& entry : view_.plan().dut.inherits) {
      const auto names = [&](const std::string& id) {
        return std::find(entry.clauses.begin(), entry.clauses.end(), id) != entry.clauses.end();
      };
      if ((names(instance_.test_case->id) || names(instance_.test_case->covers)) &&
          ignored_because(entry, view_.plan().date).empty()) {
        out_.inherited.push_back(in_words(entry));
        basis += (basis.empty() ? "" : "; ") + out_.inherited.back();
      }
    }
    const bool open = out_.verdict == Verdict::inconclusive || out_.verdict == Verdict::not_tested;
    if (open && findings_.empty() && !basis.empty()) {
      settle(Verdict::pass, "inherited: " + basis + "; this run alone would say " +
                                std::string{word_for(out_.verdict)} + " (" + out_.because + ")");
      out_.pass_proposed = false;
      out_.open.clear();
      return;
    }
    out_.inherited.clear();
    if (out_.verdict == Verdict::fail && !basis.empty()) {
      out_.because += "; contradicts inherited evidence: " + basis;
    }
  }

  Instance& instance_;
  const Unit& unit_;
  Work& work_;
  const std::vector<Evaluated>& evaluated_;
  const RunView& view_;
  std::vector<Finding> findings_;
  UnitVerdict out_;
};

/// Queues the expressions of an instance. The rest of an expanded unit has only `expect`.
void queue(Work& work, std::vector<Evaluation>& evaluations, const json::object& shared) {
  const auto& unit = *work.instance.unit;
  if (!unit.planned_probe.empty()) {
    return;
  }
  json::value document;
  const auto add = [&](Program program, const std::string& text, const std::string& where) {
    if (!text.empty()) {
      if (document.is_null()) {
        document = instance_document(work.instance);
      }
      evaluations.push_back({text, where, document, &shared});
      work.evaluation[static_cast<std::size_t>(program)] = evaluations.size();
    }
  };
  if (work.instance.rest) {
    add(Program::expect, unit.expect, unit.where_expect);
  } else {
    add(Program::fail, unit.fail, unit.where_fail);
    add(Program::inconclusive, unit.inconclusive, unit.where_inconclusive);
  }
}

}  // namespace

json::object instance_document(const Instance& instance) {
  json::object out{{"obs", json::object{}}, {"specs", json::object{}}};
  for (const auto& alias : instance.aliases) {
    add_alias(out, alias.alias, alias.probe, alias.observations);
  }
  if (!instance.pair.empty()) {
    out["pair"] = instance.pair;
  }
  // Only where it is asked for: comparing each with each takes its time.
  if (instance.unit->fail.find("shared_factors") != std::string::npos) {
    auto factors = common_factors(out["obs"]);
    out["common_factors"] = std::move(factors.pairs);
    out["moduli_left_out"] = factors.left_out;
  }
  return out;
}

std::vector<JudgedCase> judge_units(const RunView& view) {
  const auto& plan = view.plan();
  const auto shared = declaration_document(plan.plan, plan.dut, plan.date);
  std::vector<std::vector<std::vector<Work>>> work;
  std::vector<Evaluation> evaluations;
  for (const auto& test_case : plan.plan.cases) {
    auto& units = work.emplace_back();
    for (const auto& unit : test_case.units) {
      auto& instances = units.emplace_back();
      for (auto& instance : view.instances(test_case, unit)) {
        if (instance.rest) {
          instance.aliases = view.whole(test_case, unit).aliases;
        }
        instances.push_back({std::move(instance), {}});
        queue(instances.back(), evaluations, shared);
      }
    }
  }
  const auto evaluated = evaluate(evaluations);
  std::vector<JudgedCase> out;
  for (std::size_t i = 0; i < work.size(); ++i) {
    auto& judged = out.emplace_back();
    judged.test_case = &plan.plan.cases[i];
    for (auto& instances : work[i]) {
      auto& verdicts = judged.units.emplace_back();
      for (auto& one : instances) {
        auto verdict = UnitJudge{one, evaluated, view}.judge();
        const bool quiet_rest = one.instance.rest && instances.size() > 1 && one.instance.obstacles.empty();
        if (!quiet_rest) {
          verdicts.push_back(std::move(verdict));
        }
      }
    }
  }
  return out;
}

}  // namespace assay

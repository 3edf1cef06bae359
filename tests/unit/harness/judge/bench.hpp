#pragma once

#include <string>
#include <vector>

#include "harness/judge/judge.hpp"
#include "harness/plan/plan_run.hpp"

/// A small plan, declaration and probe catalogue, and observations to go with them.
namespace assay::bench {

inline ProbeCatalogue catalogue() {
  ProbeInfo sweep;
  sweep.id = "sweep";
  sweep.subject = ProbeSubject::device;
  sweep.facts = {{"sweep.open", ValueKind::list, "open ports"}, {"sweep.doubtful", ValueKind::list, "no answer"}};
  sweep.parameters = {{"range", ValueKind::text, "all", "ports"}};
  ProbeInfo look;
  look.id = "look";
  look.facts = {{"look.protocol", ValueKind::text, "protocol"}, {"look.tls", ValueKind::boolean, "TLS"}};
  ProbeInfo login;
  login.id = "login";
  login.intrusiveness = Intrusiveness::intrusive;
  login.exclusive = Exclusive::login;
  login.facts = {{"login.accepted", ValueKind::list, "logins"}};
  ProbeInfo spend = sweep;
  spend.id = "spend";
  spend.intrusiveness = Intrusiveness::destructive;
  spend.facts = {{"spend.done", ValueKind::boolean, "done"}};
  return {{"sweep", sweep}, {"look", look}, {"login", login}, {"spend", spend}};
}

inline Observe sweep() {
  return {"sweep", "sweep", "", {}, "c.yaml:1:1"};
}

inline Observe look() {
  return {"look", "look", R"(obs("sweep") | fact("sweep.open")[])", {}, "c.yaml:2:1"};
}

inline Observe login() {
  return {"login", "login", R"(obs("look") | .endpoint)", {}, "c.yaml:3:1"};
}

/// Fails on telnet; judged for each endpoint.
inline Unit telnet_unit() {
  Unit unit;
  unit.id = "a";
  unit.title = "No telnet";
  unit.observe = {sweep(), look()};
  unit.expand = "look";
  unit.needs = {"look.protocol"};
  unit.fail = R"jq(obs("look") | select(fact("look.protocol"; "") == "telnet") | {what: "telnet on \(.endpoint)"})jq";
  return unit;
}

/// One result over the sweep; whatever a table row puts into it.
inline Unit sweep_unit() {
  Unit unit;
  unit.id = "a";
  unit.title = "Sweep";
  unit.observe = {sweep()};
  unit.needs = {"sweep.open"};
  unit.fail = R"(obs("sweep") | fact("sweep.open"; [])[] | select(. == "tcp/23") | {what: "open", endpoint: .})";
  return unit;
}

inline Case case_of(std::string id, std::vector<Unit> units, std::string covers = "S@1:5.1-1") {
  Case out;
  out.id = std::move(id);
  out.covers = std::move(covers);
  out.title = "a case";
  out.states = {"initialised"};
  out.vantages = {"lan"};
  out.units = std::move(units);
  return out;
}

inline Requirement requirement(std::string id = "S@1:5.1-1") {
  Requirement out;
  out.id = std::move(id);
  out.title = "a requirement";
  return out;
}

inline Plan plan_of(std::vector<Case> cases) {
  Plan out;
  out.id = "p/1";
  out.standard = "S@1";
  out.method = "M@1";
  out.requirements = {requirement()};
  out.cases = std::move(cases);
  out.ics_names = {"5.1-1", "5.1-2"};
  out.ixit_tables = {"1-AuthMech", "15-Intf"};
  return out;
}

inline Dut dut() {
  Dut out;
  out.standard = "M@1";
  Sample sample;
  sample.id = "A";
  sample.at = {{"lan", {"192.0.2.5"}}};
  out.samples = {sample};
  return out;
}

inline PlanOptions options() {
  PlanOptions out;
  out.date = "2026-11-23T00:00:00Z";
  return out;
}

inline RunPlan run_plan(const Plan& plan, const Dut& device = dut(), const PlanOptions& how = options()) {
  const auto made = make_run_plan(plan, device, catalogue(), how);
  return made ? *made : RunPlan{};
}

inline RunFacts finished() {
  RunFacts out;
  out.finished = true;
  return out;
}

inline Observation observation(const RunPlan& plan, const std::string& id, const std::string& probe,
                               const std::string& endpoint, json::object facts, std::size_t target = 0) {
  Observation out;
  out.id = id;
  out.invocation.id = "i" + id;
  out.invocation.probe = probe;
  out.invocation.target = plan.targets.at(target);
  out.invocation.endpoint = Endpoint::parse(endpoint);
  for (const auto& step : plan.steps) {
    if (step.probe == probe) {
      out.invocation.parameters = step.parameters;
    }
  }
  out.completion = Completion::completed;
  out.facts = std::move(facts);
  for (const auto& [fact, value] : out.facts) {
    out.evidence[std::string{std::string_view{fact}}] = {id + "-digest"};
  }
  return out;
}

inline Observation swept(const RunPlan& plan, json::array open, std::size_t target = 0) {
  return observation(plan, "o" + std::to_string(1 + 10 * target), "sweep", "", {{"sweep.open", std::move(open)}},
                     target);
}

inline Observation looked(const RunPlan& plan, const std::string& id, const std::string& endpoint,
                          const std::string& protocol, std::size_t target = 0) {
  return observation(plan, id, "look", endpoint, {{"look.protocol", protocol}, {"look.tls", false}}, target);
}

inline const CaseVerdict& first_case(const Verdicts& verdicts) {
  return verdicts.requirements.at(0).cases.at(0);
}

inline const UnitVerdict& first_unit(const Verdicts& verdicts) {
  return first_case(verdicts).units.at(0);
}

}  // namespace assay::bench

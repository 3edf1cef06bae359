#include "tests/support/golden_bundle.hpp"
#include "tests/support/golden_content.hpp"

namespace assay::golden {

namespace {

Unit unit(const std::string& id, const std::string& title) {
  Unit out;
  out.id = id;
  out.title = title;
  out.observe = {{"services", "services", R"(obs("ports") | fact("ports.open")[].endpoint)", {}, "5.1.yaml:9:5"}};
  out.needs = {"service.reachable"};
  out.fail = R"(obs("services") | select(fact("service.reachable")) | "reachable")";
  out.remedy = "Close what is not needed.";
  out.where = "5.1.yaml:7:5";
  return out;
}

/// One requirement of the plan and one case that covers it.
void add(Plan& plan, const std::string& clause, const std::string& title, Modality modality) {
  Requirement requirement;
  requirement.id = "EN303645@2.1.1:" + clause;
  requirement.title = title;
  requirement.modality = modality;
  requirement.source = "golden plan";
  requirement.minimum = "what must be so for " + clause;
  requirement.evidence = "what supports it";
  requirement.assessment = "what the assessor looks for";
  requirement.level = "golden/1";
  requirement.where = "level-1.yaml:10:5";
  Case item;
  item.id = "TS103701@1.1.1:" + clause + "-1";
  item.covers = requirement.id;
  item.title = "Case for " + clause;
  item.states = {"initialised"};
  item.vantages = {"lan"};
  item.source = "golden plan";
  item.where = "5.1.yaml:4:3";
  item.units = {unit("a", "Unit a of " + clause)};
  plan.requirements.push_back(std::move(requirement));
  plan.cases.push_back(std::move(item));
}

Plan plan() {
  Plan out;
  out.id = "golden/1";
  out.title = "Golden plan " + hostile();
  out.scheme = {"Golden scheme", "Nobody", "none", false};
  out.standard = "EN303645@2.1.1";
  out.method = "TS103701@1.1.1";
  add(out, "5.1-1", "No universal default passwords", Modality::shall);
  add(out, "5.1-2", "Pre-installed passwords are unique", Modality::shall);
  add(out, "5.2-1", "A way to report vulnerabilities", Modality::shall);
  add(out, "5.3-2", "Updates can be installed securely", Modality::shall);
  add(out, "5.3-3", "Updates are simple", Modality::should);
  add(out, "5.5-1", "Best practice cryptography", Modality::shall);
  add(out, "5.6-1", "Unused interfaces are off", Modality::shall);
  ManualStep step;
  step.question = "Is there a policy? " + hostile();
  step.look_at = "the maker's web site";
  step.pass = "contact, time of receipt and of updates are named";
  step.fail = "there is none";
  step.inconclusive = "the site cannot be reached";
  step.attachments = {"photo"};
  out.cases[2].type = CaseType::conceptual;
  out.cases[2].units[0].closes = Closes::assessor;
  out.cases[2].units[0].manual = step;
  out.cases[3].units[0].planned_probe = "update";
  out.cases[6].units[0].expand = "services";
  out.cases[6].units.push_back(unit("b", "Unit b of 5.6-1"));
  out.parameters = {{"tls", json::object{{"fail", json::array{"below-1.2"}}}}};
  out.ics_names = {"5.1-1", "5.1-2", "5.2-1", "5.3-2", "5.3-3", "5.5-1", "5.6-1"};
  out.ixit_tables = {"1-AuthMech", "15-Intf"};
  out.inputs = {{"plan/level-1.yaml", std::string(64, 'a')}};
  return out;
}

Dut dut() {
  Dut out;
  out.pace.max_packets_per_second = 200;  // of the profile when the golden bundle was made
  out.device = {"Example & Sons", "Hub 2 " + hostile(), "B1", "2.4.1", "smart-home-hub", "retail"};
  out.samples = {{"A", "EX-0001", "02:00:00:00:00:01", {{"lan", {"10.20.0.5", "fd00::5"}}}, false},
                 {"B", "EX-0002", "02:00:00:00:00:02", {{"lan", {"10.20.0.6"}}}, true}};
  out.scope = {"10.20.0.0/28"};
  out.lab.start = Recipe{"./start.sh", std::nullopt, std::nullopt, std::nullopt, 30000, {}};
  out.accounts = {{"admin", "admin", Secret{"never to be seen", "env:DUT_ADMIN"}}};
  out.vendor_credentials = {{"service", Secret{"never to be seen", "vendor_credentials entry 1"}}};
  out.standard = "TS103701@1.1.1";
  out.ics = {{"5.1-2", {Support::not_applicable, "no pre-installed passwords"}}, {"5.3-3", {Support::no, hostile()}}};
  out.ixit = {{"15-Intf", {json::object{{"id", "IF-1"}, {"port", "tcp/80"}}}}};
  return out;
}

ProbeInfo probe(const std::string& id, ProbeSubject subject, std::vector<FactInfo> facts) {
  ProbeInfo out;
  out.id = id;
  out.summary = "What " + id + " looks at";
  out.subject = subject;
  out.facts = std::move(facts);
  return out;
}

}  // namespace

json::object host() {
  return {{"tool", "assay 0.1.0"},
          {"commit", "0000000"},
          {"os", "Linux <golden>"},
          {"libraries", json::object{{"openssl", "3.0"}, {"boost", "1.81"}}},
          {"clock", json::object{{"source", "ntp"}, {"offset_ms", -3}}}};
}

RunPlan run_plan() {
  RunPlan out;
  out.date = "2026-11-23T18:00:00.000000000Z";
  out.plan = plan();
  out.dut = dut();
  out.targets = {{"A", "initialised", "lan", "10.20.0.5"}};
  for (const auto& item : out.plan.cases) {
    out.cases.push_back({item.id, Selection::in, "", ""});
  }
  out.cases[1] = {out.plan.cases[1].id, Selection::not_applicable, "ICS 5.1-2 = N/A: no pre-installed passwords",
                  R"(support("5.1-2") != "N/A")"};
  out.cases[5].selection = Selection::open;
  out.cases[5].because = "IXIT 7-UpdMech is not declared";
  PlannedStep ports;
  ports.id = "s1";
  ports.probe = "ports";
  ports.target = out.targets.front();
  ports.parameters = {{"tcp", "all"}};
  ports.estimate_ms = 330000;
  PlannedStep services = ports;
  services.id = "s2";
  services.probe = "services";
  services.for_each = R"(obs("ports") | fact("ports.open")[].endpoint)";
  services.after = {"s1"};
  services.aliases = {"ports"};
  services.parameters = {};
  out.steps = {ports, services};
  for (const auto& item : out.plan.cases) {
    for (const auto& part : item.units) {
      out.bindings.push_back({item.id + "/" + part.id, "services", {"s2"}});
    }
  }
  out.probes = {probe("ports", ProbeSubject::device,
                      {{"ports.open", ValueKind::list, "open ports"}, {"ports.closed", ValueKind::integer, "count"}}),
                probe("services", ProbeSubject::endpoint,
                      {{"service.reachable", ValueKind::boolean, "answers"},
                       {"service.banner", ValueKind::text, "first bytes"},
                       {"service.details", ValueKind::object, "of the protocol"}})};
  out.assumptions = {"IXIT 7-UpdMech is not declared: cases that need it stay open", hostile()};
  return out;
}

}  // namespace assay::golden

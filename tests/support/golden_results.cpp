#include "tests/support/golden_bundle.hpp"
#include "tests/support/golden_content.hpp"

namespace assay::golden {

namespace {

Observation observation(int number, const std::string& probe, const std::string& endpoint, Completion completion) {
  Observation out;
  out.id = "o" + std::to_string(number);
  out.invocation.id = "i" + std::to_string(number);
  out.invocation.probe = probe;
  out.invocation.target = {"A", "initialised", "lan", "10.20.0.5"};
  if (!endpoint.empty()) {
    out.invocation.endpoint = Endpoint::parse(endpoint);
  }
  out.completion = completion;
  out.began = "2026-11-23T18:00:0" + std::to_string(number) + ".500000000Z";
  out.took_ns = 1'234'567'890;
  return out;
}

/// One that ended before it saw anything.
Observation unseen(int number, Completion completion, const std::string& error) {
  auto out = observation(number, "services", "tcp/" + std::to_string(8000 + number), completion);
  out.error = error;
  for (const auto* fact : {"service.reachable", "service.banner", "service.details"}) {
    out.unobserved[fact] = error;
  }
  return out;
}

RequirementVerdict requirement(std::size_t index, Verdict verdict, const std::string& because) {
  const auto plan = run_plan().plan;
  const auto& from = plan.requirements[index];
  const auto& item = plan.cases[index];
  RequirementVerdict out{from.id, from.title, enum_name(from.modality), enum_name(from.strength), verdict, because, {}};
  CaseVerdict result{item.id, item.covers, item.title, enum_name(item.type), verdict, because, {}};
  if (verdict != Verdict::not_applicable) {
    UnitVerdict part;
    part.id = item.id + "/a";
    part.title = item.units[0].title;
    part.verdict = verdict;
    part.because = because;
    part.machine = item.units[0].closes == Closes::machine;
    result.units = {part};
  }
  out.cases = {result};
  return out;
}

RequirementVerdict failed() {
  auto out = requirement(6, Verdict::fail, "1 finding");
  auto& units = out.cases[0].units;
  units[0].id += "/tcp/80";
  units[0].remedy = "Close what is not needed. " + hostile();
  units[0].observations = {"o1", "o2"};
  units[0].findings = {{"tcp/80 shows " + hostile(),
                        "tcp/80",
                        "only declared interfaces",
                        hostile(),
                        {sha256_hex("tcp/22 SYN-ACK\ntcp/80 SYN-ACK\ntcp/81 RST\n")},
                        {"o2"}},
                       {"the device answers to everybody", "", "", "", {}, {}}};
  auto second = units[0];
  second.id = out.cases[0].id + "/a/tcp/22";
  second.verdict = Verdict::pass;
  second.because = "nothing was found";
  second.findings.clear();
  second.remedy.clear();
  second.observations = {"o1"};
  auto third = second;
  third.id = out.cases[0].id + "/b";
  third.title = "Unit b of 5.6-1";
  third.verdict = Verdict::inconclusive;
  third.because = "service.reachable was not observed";
  third.open = {{"service.reachable on tcp/8003 was not observed: no answer", "tcp/8003", "", "", {}, {"o3"}}};
  third.observations = {"o3"};
  units.push_back(second);
  units.push_back(third);
  return out;
}

}  // namespace

std::vector<Observation> first_observations(const ArtifactRef& scan, const ArtifactRef& banner) {
  auto ports = observation(1, "ports", "", Completion::completed);
  ports.invocation.parameters = {{"tcp", "all"}};
  ports.facts = {{"ports.open", json::array{json::object{{"endpoint", "tcp/22"}, {"reason", "SYN-ACK"}},
                                            json::object{{"endpoint", "tcp/80"}, {"reason", "SYN-ACK"}}}},
                 {"ports.closed", 65533}};
  ports.coverage = {{"tcp", json::object{{"asked", 65535}, {"answered", 65535}, {"lost", 0}, {"ranges", "1-65535"}}}};
  ports.evidence = {{"ports.open", {scan.sha256}}};
  ports.artifacts = {scan};
  auto service = observation(2, "services", "tcp/80", Completion::completed);
  service.facts = {{"service.reachable", true},
                   {"service.banner", hostile()},
                   {"service.details", json::object{{hostile(), json::array{nullptr, false, -1, hostile()}}}}};
  service.absent = {"service.certificate"};
  service.evidence = {{"service.banner", {banner.sha256}}};
  service.artifacts = {banner};
  return {ports, service};
}

std::vector<Observation> later_observations(const ArtifactRef& photo) {
  std::vector<Observation> out = {
      unseen(3, Completion::timed_out, "no answer within 5 s"),
      unseen(4, Completion::refused, "the port refused"),
      unseen(5, Completion::device_lost, "the device did not answer afterwards"),
      unseen(6, Completion::denied, "more intrusive than this run allows"),
      unseen(7, Completion::harness_fault, hostile()),
      unseen(8, Completion::cancelled, "the run was interrupted"),
      unseen(9, Completion::unreachable, "no route"),
  };
  out[0].artifacts = {photo};
  return out;
}

Verdicts verdicts() {
  Verdicts out;
  out.requirements = {
      requirement(0, Verdict::pass, "every case passed"),
      requirement(1, Verdict::not_applicable, "ICS 5.1-2 = N/A: no pre-installed passwords"),
      requirement(2, Verdict::inconclusive, "an assessor has to close it"),
      requirement(3, Verdict::not_tested, "the probe \"update\" is planned, not built"),
      requirement(4, Verdict::not_claimed, hostile()),
      requirement(5, Verdict::error, "jq: " + hostile()),
      failed(),
  };
  auto& manual = out.requirements[2].cases[0].units[0];
  manual.pass_proposed = true;
  manual.open = {{"an assessor has to look: " + hostile(), "", "a policy", "", {}, {}}};
  PersonsVerdict person;
  person.verdict = Verdict::pass;
  person.rationale = hostile();
  person.author = hostile();
  person.time = "2026-11-23T18:00:00.000000000Z";
  person.event = 12;
  person.overrides = true;
  person.machine = Verdict::inconclusive;
  person.machine_because = hostile();
  person.reviewer = hostile();
  person.review_comment = hostile();
  out.requirements[0].cases[0].units[0].person = person;
  out.summary = {"golden/1", true, 7, 1, 1, 2, 1, 1, 7, 2, 1, 0, 1, "1 of 7 requirements evidenced, 1 failed, 2 open"};
  return out;
}

}  // namespace assay::golden

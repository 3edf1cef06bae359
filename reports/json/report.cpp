#include "reports/json/report.hpp"

#include <ostream>

#include "reports/common/reading.hpp"
#include "reports/json/ascii.hpp"

namespace assay {

namespace {

using ArtifactIndex = std::map<std::string, ArtifactRef, std::less<>>;

/// A digest with the file it names. One that no observation names stays a digest with an empty path.
json::object evidence_json(const std::string& digest, const ArtifactIndex& artifacts) {
  const auto found = artifacts.find(digest);
  if (found == artifacts.end()) {
    return {{"sha256", digest}, {"path", ""}, {"media_type", ""}, {"size", 0}, {"title", ""}};
  }
  const auto& artifact = found->second;
  return {{"sha256", digest},
          {"path", (artifact.restricted ? "restricted/" : "artifacts/") + digest},
          {"media_type", artifact.media_type},
          {"size", artifact.size},
          {"title", artifact.title}};
}

/// Findings as the judge made them, their digests as references into the bundle.
json::array findings_json(const std::vector<Finding>& findings, const ArtifactIndex& artifacts) {
  json::array out;
  for (const auto& finding : findings) {
    auto item = to_json(finding).get_object();
    json::array evidence;
    for (const auto& digest : finding.evidence) {
      evidence.push_back(evidence_json(digest, artifacts));
    }
    item["evidence"] = std::move(evidence);
    out.push_back(std::move(item));
  }
  return out;
}

json::array requirements_json(const Bundle& bundle) {
  const auto artifacts = reports::artifacts_by_digest(bundle);
  json::array out;
  for (const auto& requirement : bundle.verdicts()->requirements) {
    auto item = to_json(requirement).get_object();
    const auto* planned = reports::find_requirement(bundle.run_plan().plan, requirement.id);
    item["minimum"] = planned == nullptr ? "" : planned->minimum;
    item["source"] = planned == nullptr ? "" : planned->source;
    for (std::size_t c = 0; c < requirement.cases.size(); ++c) {
      auto& units = item["cases"].get_array()[c].get_object()["units"].get_array();
      for (std::size_t u = 0; u < units.size(); ++u) {
        const auto& unit = requirement.cases[c].units[u];
        units[u].get_object()["findings"] = findings_json(unit.findings, artifacts);
        units[u].get_object()["open"] = findings_json(unit.open, artifacts);
      }
    }
    out.push_back(std::move(item));
  }
  return out;
}

json::array observations_json(const Bundle& bundle) {
  json::array out;
  for (const auto& observation : bundle.observations()) {
    auto item = to_json(observation).get_object();
    item["sequence"] = to_json(bundle.sequence_of(observation.id));
    out.push_back(std::move(item));
  }
  return out;
}

json::object bundle_json(const Bundle& bundle) {
  return {{"closed", bundle.closed()},
          {"torn", bundle.torn()},
          {"events", bundle.events().size()},
          {"chain_head", reports::chain_head(bundle)}};
}

json::object run_json(const Bundle& bundle) {
  const auto dates = reports::run_dates(bundle);
  const auto facts = bundle.run_facts();
  return {{"date", bundle.run_plan().date},
          {"began", dates.began},
          {"ended", dates.ended},
          {"finished", facts.finished},
          {"device_lost", facts.device_lost},
          {"lost_at", facts.lost_at},
          {"lost_after", facts.lost_after},
          {"allow", bundle.run_plan().allow}};
}

json::object plan_json(const Plan& plan) {
  return {{"id", plan.id},
          {"title", plan.title},
          {"scheme", to_json(plan.scheme)},
          {"approved", plan.approval.has_value()},
          {"approval", to_json(plan.approval)},
          {"standard", plan.standard},
          {"method", plan.method},
          {"extends", to_json(plan.extends)},
          {"inputs", to_json(plan.inputs)}};
}

json::array limits_json(const Bundle& bundle) {
  json::array out;
  for (const auto& limit : reports::limits(bundle, bundle.observations())) {
    out.push_back(json::object{{"kind", limit.kind}, {"subject", limit.subject}, {"what", limit.what}});
  }
  return out;
}

}  // namespace

Result<> write_json_report(const Bundle& bundle, std::ostream& out) {
  const auto& plan = bundle.run_plan();
  json::object report;
  report["format"] = "report/1";
  report["bundle"] = bundle_json(bundle);
  report["run"] = run_json(bundle);
  report["host"] = bundle.host();
  report["device"] = to_json(plan.dut.device);
  report["samples"] = to_json(plan.dut.samples);
  if (!plan.dut.inherits.empty()) {
    json::array inherits;
    for (const auto& entry : plan.dut.inherits) {
      auto item = to_json(entry).get_object();
      item["ignored_because"] = ignored_because(entry, plan.date);
      inherits.push_back(std::move(item));
    }
    report["inherits"] = std::move(inherits);
  }
  if (!plan.dut.family.empty()) {
    report["family"] = to_json(plan.dut.family);
  }
  if (const auto secrets = reports::secrets_of_run(bundle)) {
    report["secrets"] = json::object{{"key", secrets->key},
                                     {"because", secrets->because},
                                     {"revealed", secrets->revealed},
                                     {"restricted_to", to_json(secrets->restricted_to)}};
    report["contains_secrets"] = secrets->revealed;
  }
  report["plan"] = plan_json(plan.plan);
  report["summary"] = bundle.verdicts() ? to_json(bundle.verdicts()->summary) : json::value{};
  report["requirements"] = bundle.verdicts() ? requirements_json(bundle) : json::array{};
  report["limits"] = limits_json(bundle);
  report["observations"] = observations_json(bundle);
  out << reports::ascii_json(report);
  if (!out.flush()) {
    return Error{ErrorKind::io, "the JSON report could not be written", {}};
  }
  return {};
}

}  // namespace assay

#include <algorithm>

#include "harness/model/joined.hpp"
#include "reports/html/pages.hpp"

/// Title, result, what is open, and what was tested.
namespace assay::reports {

Reading::Reading(const Bundle& source, std::string_view path)
    : bundle(source),
      plan(source.run_plan()),
      observations(source.observations()),
      artifacts(artifacts_by_digest(bundle)),
      head(chain_head(source)),
      dates(run_dates(source)),
      base(path) {
  for (const auto& observation : observations) {
    for (const auto& capture : observation.captures) {
      frames[capture.sha256] = "frames: " + std::to_string(capture.frames);
    }
  }
}

std::string Reading::folder_of(const ArtifactRef& artifact) const {
  return base + (artifact.restricted ? "restricted" : "artifacts");
}

VerdictLook look_of(Verdict verdict, const std::vector<std::string>& inherited) {
  return {enum_name(verdict), std::string{symbol_for(verdict)}, word_for(verdict, inherited)};
}

VerdictLook look_without_verdict() {
  return {"none", "…", "NO VERDICT YET"};
}

void put_look(Section section, const VerdictLook& look) {
  section.text("CLASS", look.css);
  section.text("SYMBOL", look.symbol);
  section.text("WORD", look.word);
}

std::string requirement_anchor(std::size_t index) {
  return "requirement-" + std::to_string(index + 1);
}

std::string observation_anchor(const Reading& reading, std::string_view observation_id) {
  const auto found = std::ranges::find(reading.observations, observation_id, &Observation::id);
  return found == reading.observations.end()
             ? std::string{}
             : "observation-" + std::to_string(found - reading.observations.begin() + 1);
}

bool put_artifact(const Reading& reading, Section section, const char* name, std::string_view sha256) {
  const auto found = reading.artifacts.find(sha256);
  if (found == reading.artifacts.end()) {
    return false;
  }
  auto link = section.add(name);
  link.text("FOLDER", reading.folder_of(found->second));
  link.text("SHA", sha256);
  link.text("SHORT", sha256.substr(0, 12));
  const auto frames = reading.frames.find(sha256);
  link.text("KIND", found->second.title + (frames == reading.frames.end() ? "" : ", " + frames->second));
  return true;
}

namespace {

std::string or_none(std::string_view text, std::string_view none) {
  return std::string{text.empty() ? none : text};
}

std::string tool_of(const json::object& host) {
  std::string out;
  for (const auto* key : {"tool", "version", "commit"}) {
    const auto* value = host.if_contains(key);
    if (value != nullptr) {
      out += (out.empty() ? "" : ", ") + joined(lines_of(*value), ", ");
    }
  }
  return or_none(out, "not recorded");
}

/// The first 16 digits of the journal's digest, in groups: short enough for every page, long enough to be one report's.
std::string report_id(const Reading& reading) {
  std::string out;
  for (std::size_t i = 0; i < reading.head.size() && i < 16; i += 4) {
    out += (out.empty() ? "" : "-") + reading.head.substr(i, 4);
  }
  return or_none(out, "without journal");
}

std::string samples_of(const RunPlan& plan) {
  std::vector<std::string> out;
  for (const auto& sample : plan.dut.samples) {
    out.push_back(sample.serial.empty() ? sample.id : sample.id + " (" + sample.serial + ")");
  }
  return or_none(joined(out, ", "), "none named");
}

std::string secrets_in_words(const SecretsOfRun& secrets) {
  const auto kept = secrets.restricted_to.empty()
                        ? std::string{"; what holds them was not kept"}
                        : "; what holds them is encrypted to " + joined(secrets.restricted_to, ", ");
  const auto named = secrets.key.empty() ? "without names: " + secrets.because
                                         : "named by HMAC under the laboratory's key " + secrets.key;
  return secrets.revealed ? named + "; written in clear" : named + kept;
}

/// "12 requirements", "1 requirement".
std::string counted(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

void fill_front(const Reading& reading, Section page) {
  const auto& device = reading.plan.dut.device;
  const auto name = device.vendor + " " + device.model;
  const auto& verdicts = reading.bundle.verdicts();
  page.text("REPORT_ID", report_id(reading));
  page.text("TITLE", "Evidence report: " + name + ", " + reading.plan.plan.id);
  page.include("STYLE", "style.tpl").text("REPORT_ID", report_id(reading));
  page.text("DEVICE", name);
  page.text("PLAN_ID", reading.plan.plan.id);
  page.text("PLAN_TITLE", reading.plan.plan.title);
  const auto secrets = secrets_of_run(reading.bundle);
  if (secrets && secrets->revealed) {
    page.add("REVEALED").text("TEXT", kContainsSecrets);
  }
  if (secrets) {
    page.add("SECRETS").text("TEXT", secrets_in_words(*secrets));
  }
  if (!reading.plan.plan.approval || (verdicts && verdicts->summary.draft)) {
    page.add("DRAFT");
  }
  page.text("HARDWARE", device.hardware);
  page.text("FIRMWARE", device.firmware);
  page.text("SAMPLES", samples_of(reading.plan));
  page.text("BEGAN", or_none(readable_time(reading.dates.began), "no event yet"));
  page.text("ENDED", reading.bundle.closed() ? readable_time(reading.dates.ended) : "not ended");
  page.text("TOOL", tool_of(reading.bundle.host()));
}

namespace {

void put_counts(const Verdicts& verdicts, Section result) {
  const auto& summary = verdicts.summary;
  const auto not_claimed =
      std::ranges::count(verdicts.requirements, Verdict::not_claimed, &RequirementVerdict::verdict);

  struct Count {
    std::int64_t number;
    const char* css;
    std::string_view symbol;
    const char* words;
    bool always;
  };

  const Count all[] = {
      {summary.evidenced, "pass", symbol_for(Verdict::pass), "evidenced", true},
      {summary.failed, "fail", symbol_for(Verdict::fail), "failed", true},
      {summary.open, "open", symbol_for(Verdict::inconclusive), "open", true},
      {summary.errors, "error", symbol_for(Verdict::error), "ended in a fault of the harness", false},
      {summary.not_applicable, "not_applicable", symbol_for(Verdict::not_applicable), "not applicable", false},
      {not_claimed, "not_claimed", symbol_for(Verdict::not_claimed), "not claimed by the maker", false}};
  auto counts = result.add("COUNTS");
  for (const auto& count : all) {
    if (count.number > 0) {
      auto part = counts.add("PART");
      part.text("CLASS", count.css);
      part.number("COUNT", count.number);
    }
    if (count.always || count.number > 0) {
      auto item = counts.add("COUNT_ITEM");
      item.number("COUNT", count.number);
      item.text("CLASS", count.css);
      item.text("SYMBOL", count.symbol);
      item.text("WORDS", count.words);
    }
  }
  counts.maybe("MACHINE", "Of the " + counted(summary.machine_units, "unit") + " that a machine can close, " +
                              std::to_string(summary.machine_units_passed) + " passed. This is not a level result.");
}

void put_row(Section row, std::size_t index, std::string_view id, std::string_view title, std::string_view modality,
             const VerdictLook& look) {
  put_look(row, look);
  row.text("ANCHOR", requirement_anchor(index));
  row.text("SHORT_ID", short_id(id));
  row.prose("NAME", title);
  row.maybe("MODALITY", modality);
}

constexpr std::string_view kSettle = "Provide it, check it by hand, or run again where it can be seen.";

void put_open(const Reading& reading, const Verdicts& verdicts, Section result) {
  auto open = result.add("OPEN");
  std::vector<std::pair<std::size_t, OpenItem>> items;
  for (std::size_t i = 0; i < verdicts.requirements.size(); ++i) {
    for (auto& item : open_items(reading.plan.plan, verdicts.requirements[i])) {
      items.emplace_back(i, std::move(item));
    }
  }
  if (items.empty()) {
    open.maybe("NOTHING", "Nothing is open.");
    return;
  }
  auto list = open.add("LIST");
  for (const auto& [index, found] : items) {
    auto item = list.add("ITEM");
    item.text("ANCHOR", requirement_anchor(index));
    item.text("SHORT_ID", short_id(verdicts.requirements[index].id));
    item.text("WHAT", found.what);
    item.prose("CLOSES", or_none(found.closes, kSettle));
    std::vector<std::string> units;
    for (const auto& unit : found.units) {
      units.push_back(short_id(unit));
    }
    item.text("UNITS", joined(units, ", "));
  }
}

/// What the table advises: remedies of what failed, else what would close the first thing that is open.
std::vector<std::string> advice(const Plan& plan, const RequirementVerdict& requirement) {
  auto out = remedies(requirement);
  if (out.empty()) {
    const auto items = open_items(plan, requirement);
    if (!items.empty()) {
      out.push_back(or_none(items.front().closes, kSettle));
    }
    if (items.size() > 1) {
      out.push_back("And " + std::to_string(items.size() - 1) + " more: section 2.");
    }
  }
  return out;
}

void put_verdict_rows(const Reading& reading, const Verdicts& verdicts, Section result) {
  for (std::size_t i = 0; i < verdicts.requirements.size(); ++i) {
    const auto& requirement = verdicts.requirements[i];
    auto row = result.add("ROW");
    put_row(row, i, requirement.id, requirement.title, requirement.modality,
            look_of(requirement.verdict, requirement.inherited));
    row.prose("BECAUSE", requirement.because);
    for (const auto& remedy : advice(reading.plan.plan, requirement)) {
      row.maybe("REMEDY", remedy);
    }
  }
}

}  // namespace

void fill_result(const Reading& reading, Section result) {
  const auto& plan = reading.plan.plan;
  result.text("STANDARD", plan.standard);
  result.text("METHOD", plan.method);
  if (const auto& verdicts = reading.bundle.verdicts()) {
    result.text("STATEMENT", verdicts->summary.statement);
    put_counts(*verdicts, result);
    put_verdict_rows(reading, *verdicts, result);
    put_open(reading, *verdicts, result);
    return;
  }
  result.add("OPEN").maybe("NOTHING", "Every requirement, until the run has ended and been judged.");
  const auto requirements = static_cast<std::int64_t>(plan.requirements.size());
  result.text("STATEMENT", "No verdict yet on " + counted(requirements, "requirement"));
  result.maybe("STILL_OPEN",
               "Verdicts are made when it ends. The journal holds " +
                   counted(static_cast<std::int64_t>(reading.bundle.events().size()), "event") + " with " +
                   counted(static_cast<std::int64_t>(reading.observations.size()), "observation") + " so far.");
  for (std::size_t i = 0; i < plan.requirements.size(); ++i) {
    const auto& requirement = plan.requirements[i];
    put_row(result.add("ROW"), i, requirement.id, requirement.title, enum_name(requirement.modality),
            look_without_verdict());
  }
}

namespace {

void put_targets(const RunPlan& plan, Section tested) {
  for (const auto& target : plan.targets) {
    const auto sample = std::ranges::find(plan.dut.samples, target.sample, &Sample::id);
    const bool known = sample != plan.dut.samples.end();
    auto row = tested.add("TARGET");
    row.text("SAMPLE", target.sample);
    row.text("SERIAL", known ? sample->serial : "");
    row.text("MAC", known ? sample->mac : "");
    row.text("ADDRESS", target.address);
    row.text("VANTAGE", target.vantage);
    row.text("STATE", target.state);
  }
}

std::string pace_in_words(const Pace& pace) {
  return pace.profile + ": at most " + counted(pace.max_connections, "connection") + " at once, " +
         std::to_string(pace.max_packets_per_second) + " packets a second, " +
         std::to_string(pace.login_attempts_per_account) + " wrong logins for an account";
}

std::string state_of(const Plan& plan) {
  if (!plan.approval) {
    return "draft";
  }
  const auto& approval = *plan.approval;
  return "checked against " + approval.document + " by " + approval.by +
         (approval.organisation.empty() ? "" : ", " + approval.organisation) + ", " + readable_time(approval.date);
}

/// The scheme's document, and the policies that cryptography was judged by.
std::string document_of(const Plan& plan) {
  auto out =
      or_none(plan.scheme.document, "none named") + (plan.scheme.read ? "" : " (not read when the plan was written)");
  for (const auto& policy : plan.policies) {
    out += "; " + policy.protocol + " by " + policy_in_words(policy);
  }
  return out;
}

void put_run(const Reading& reading, Section tested) {
  const auto& plan = reading.plan.plan;
  tested.text("PLAN_ID", plan.id);
  tested.text("PLAN_STATE", state_of(plan));
  tested.text("SCHEME", plan.scheme.owner.empty() ? plan.scheme.name : plan.scheme.name + ", " + plan.scheme.owner);
  tested.text("SCHEME_DOCUMENT", document_of(plan));
  tested.text("PLANNED", readable_time(reading.plan.date));
  tested.text("BEGAN", or_none(readable_time(reading.dates.began), "no event yet"));
  tested.text("ENDED", reading.bundle.closed() ? readable_time(reading.dates.ended) : "not ended");
  tested.text("PACE", pace_in_words(reading.plan.dut.pace));
  tested.text("ALLOW", reading.plan.allow);
}

}  // namespace

void fill_tested(const Reading& reading, Section tested) {
  const auto& dut = reading.plan.dut;
  tested.text("VENDOR", dut.device.vendor);
  tested.text("MODEL", dut.device.model);
  tested.text("HARDWARE", dut.device.hardware);
  tested.text("FIRMWARE", dut.device.firmware);
  tested.text("PRODUCT_CLASS", dut.device.product_class);
  if (dut.device.managed != "unknown") {
    tested.maybe("MANAGED", dut.device.managed);
  }
  tested.text("DECLARATION", dut.standard.empty()
                                 ? "none"
                                 : dut.standard + ": " + std::to_string(dut.ics.size()) + " of the ICS rows, " +
                                       std::to_string(dut.ixit.size()) + " of the IXIT tables");
  tested.each("VARIANT", family_statement(dut.family));
  for (const auto& entry : dut.inherits) {
    auto row = tested.add("INHERITED");
    row.text("BASIS", in_words(entry));
    const auto ignored = ignored_because(entry, reading.plan.date);
    row.text("COUNTS", ignored.empty() ? "counts until " + entry.expires : "does not count: " + ignored);
    row.text("CLAUSES", joined(entry.clauses, ", "));
    row.text("FILE", or_none(entry.file, "not kept"));
    row.text("SHA", entry.sha256);
  }
  put_run(reading, tested);
  put_targets(reading.plan, tested);
  for (const auto& probe : reading.plan.probes) {
    auto row = tested.add("PROBE");
    row.text("ID", probe.id);
    row.text("SUMMARY", probe.summary);
    row.number("VERSION", probe.version);
    row.text("INTRUSIVENESS", enum_name(probe.intrusiveness));
  }
  for (const auto& [key, value] : reading.bundle.host()) {
    auto row = tested.add("HOST");
    row.text("KEY", key);
    row.each("LINE", lines_of(value));
  }
}

}  // namespace assay::reports

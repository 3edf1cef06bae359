#include "reports/console/report.hpp"

#include <algorithm>
#include <map>

#include "harness/model/joined.hpp"
#include "reports/common/reading.hpp"
#include "reports/console/page.hpp"

namespace assay {

namespace {

using reports::Page;
using reports::Tone;

constexpr std::size_t kLabel = 10;         // where values of the head begin
constexpr std::size_t kVerdict = 17;       // behind the longest verdict word
constexpr std::size_t kDetail = 28;        // where the words about a requirement begin
constexpr std::size_t kFinding = 31;       // and those about a finding
constexpr std::size_t kUnitsNamed = 3;     // units named for one thing that is open
constexpr std::size_t kFindingsShown = 5;  // of one requirement
constexpr std::size_t kOpenShown = 12;     // things that are missing, beside questions and probes
constexpr std::string_view kDraft = "DRAFT PLAN, not for submission";

bool is_draft(const Bundle& bundle) {
  return !bundle.run_plan().plan.approval || (bundle.verdicts() && bundle.verdicts()->summary.draft);
}

bool reveals_secrets(const Bundle& bundle) {
  const auto secrets = reports::secrets_of_run(bundle);
  return secrets && secrets->revealed;
}

std::string where_tested(const RunPlan& plan) {
  std::string out;
  for (const auto& target : plan.targets) {
    out += (out.empty() ? "" : "; ") + std::string{"sample "} + target.sample + " at " + target.address + " (" +
           target.vantage + ", " + target.state + ")";
  }
  return out.empty() ? "no target" : out;
}

void write_head(const Bundle& bundle, Page& page) {
  const auto& plan = bundle.run_plan();
  const auto& device = plan.dut.device;
  const auto dates = reports::run_dates(bundle);
  page.field(0, "Device", kLabel,
             device.vendor + " " + device.model + ", hardware " + device.hardware + ", firmware " + device.firmware,
             Tone::strong);
  for (const auto& variant : family_statement(plan.dut.family)) {
    page.field(0, "Family", kLabel, variant);
  }
  page.field(0, "Plan", kLabel, plan.plan.id + "  " + plan.plan.title);
  for (const auto& policy : plan.plan.policies) {
    page.field(0, "Policy", kLabel, policy.protocol + ": " + policy_in_words(policy));
  }
  page.field(0, "Tested", kLabel, where_tested(plan));
  page.field(0, "Run", kLabel,
             dates.began.empty() ? "no event yet"
                                 : reports::readable_time(dates.began) + " to " + reports::readable_time(dates.ended));
  if (reveals_secrets(bundle)) {
    page.blank();
    page.text(0, std::string{reports::kContainsSecrets}, Tone::warning);
  }
  if (is_draft(bundle)) {
    page.blank();
    page.text(0, kDraft, Tone::warning);
  }
}

std::string evidence_of(const Finding& finding) {
  std::string out;
  for (const auto& digest : finding.evidence) {
    out += (out.empty() ? "" : ", ") + digest.substr(0, 12);
  }
  for (const auto& id : finding.observations) {
    out += (out.empty() ? "" : ", ") + std::string{"observation "} + id;
  }
  return out;
}

void write_finding(const Finding& finding, Page& page) {
  page.text(kVerdict, "- " + finding.what);
  const auto line = [&](std::string_view label, std::string_view words) {
    if (!words.empty()) {
      page.field(kVerdict + 2, label, kFinding, words);
    }
  };
  line("endpoint", finding.endpoint);
  line("expected", finding.expected);
  line("observed", finding.observed);
  line("evidence", evidence_of(finding));
}

void write_findings(const RequirementVerdict& requirement, const ConsoleOptions& options, Page& page) {
  std::size_t count = 0;
  for (const auto& of : requirement.cases) {
    for (const auto& unit : of.units) {
      for (const auto& finding : unit.findings) {
        if (++count <= kFindingsShown || options.verbose) {
          write_finding(finding, page);
        }
      }
    }
  }
  if (count > kFindingsShown && !options.verbose) {
    page.text(kVerdict, "- and " + std::to_string(count - kFindingsShown) + " more, in the report", Tone::soft);
  }
}

void write_units(const RequirementVerdict& requirement, Page& page) {
  for (const auto& of : requirement.cases) {
    page.verdict(2, of.verdict, of.inherited, kVerdict + 2, of.id + "  " + of.title);
    for (const auto& unit : of.units) {
      page.verdict(4, unit.verdict, unit.inherited, kVerdict + 4, reports::unit_label(of, unit) + "  " + unit.title);
      page.text(kVerdict + 4, unit.because + (unit.pass_proposed ? " Pass proposed: an assessor decides." : ""));
    }
  }
}

void write_requirement(const RequirementVerdict& requirement, const ConsoleOptions& options, Page& page) {
  page.verdict(0, requirement.verdict, requirement.inherited, kVerdict, requirement.id + "  " + requirement.title);
  if (requirement.verdict != Verdict::pass && !requirement.because.empty()) {
    page.field(kVerdict, "why", kDetail, requirement.because);
  }
  for (const auto& basis : requirement.inherited) {
    page.field(kVerdict, "inherits", kDetail, basis);
  }
  for (const auto& remedy : reports::remedies(requirement)) {
    page.field(kVerdict, "remedy", kDetail, remedy);
  }
  write_findings(requirement, options, page);
  if (options.verbose) {
    write_units(requirement, page);
  }
}

std::string behind_colon(std::string_view id) {
  const auto colon = id.rfind(':');
  return std::string{colon == std::string_view::npos ? id : id.substr(colon + 1)};
}

void add_once(std::vector<std::string>& list, std::string text) {
  if (std::ranges::find(list, text) == list.end()) {
    list.push_back(std::move(text));
  }
}

/// One thing that is missing may keep many requirements open: it is said once.
struct OpenGroup {
  reports::OpenItem item;
  std::vector<std::string> requirements;
};

std::vector<OpenGroup> open_groups(const Bundle& bundle, const Verdicts& verdicts) {
  std::vector<OpenGroup> groups;
  for (const auto& requirement : verdicts.requirements) {
    for (auto& item : reports::open_items(bundle.run_plan().plan, requirement)) {
      auto group = std::ranges::find_if(groups, [&](const OpenGroup& known) {
        return known.item.what == item.what && known.item.closes == item.closes;
      });
      if (group == groups.end()) {
        group = groups.insert(groups.end(), OpenGroup{std::move(item), {}});
      } else {
        group->item.units.insert(group->item.units.end(), item.units.begin(), item.units.end());
      }
      add_once(group->requirements, behind_colon(requirement.id));
    }
  }
  return groups;
}

/// "5.1-1-2/a, 5.1-1-2/b and 4 more".
std::string some_of(const std::vector<std::string>& ids) {
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < ids.size() && i < kUnitsNamed; ++i) {
    shown.push_back(behind_colon(ids[i]));
  }
  return joined(shown) + (ids.size() > kUnitsNamed ? " and " + std::to_string(ids.size() - kUnitsNamed) + " more" : "");
}

void write_group(const OpenGroup& group, Page& page) {
  page.text(2, joined(group.requirements) + ": " + group.item.what);
  if (!group.item.closes.empty()) {
    page.field(4, "closes", 12, group.item.closes);
  }
  page.field(4, "units", 12, some_of(group.item.units));
}

/// What many requirements share is one line: the questions by their number, each missing probe by its name.
void write_open_shortly(const std::vector<OpenGroup>& groups, Page& page) {
  std::size_t questions = 0;
  std::vector<std::string> asked;
  std::map<std::string, std::vector<std::string>> probes;
  std::size_t others = 0;
  for (const auto& group : groups) {
    const bool question = group.item.waits_for == reports::WaitsFor::answer;
    questions += question ? 1 : 0;
    for (const auto& requirement : group.requirements) {
      if (question) {
        add_once(asked, requirement);
      } else if (group.item.waits_for == reports::WaitsFor::probe) {
        add_once(probes[group.item.closes], requirement);
      }
    }
    if (group.item.waits_for == reports::WaitsFor::other && ++others <= kOpenShown) {
      write_group(group, page);
    }
  }
  if (others > kOpenShown) {
    page.text(2, "and " + std::to_string(others - kOpenShown) + " more, in the report", Tone::soft);
  }
  for (const auto& [probe, requirements] : probes) {
    page.text(2, joined(requirements) + ": " + probe);
  }
  if (questions > 0) {
    page.text(2, joined(asked) + ": an assessor's answer to " + std::to_string(questions) +
                     (questions == 1 ? " question" : " questions") + ", guided by the report.");
  }
}

void write_open(const Bundle& bundle, const Verdicts& verdicts, const ConsoleOptions& options, Page& page) {
  const auto groups = open_groups(bundle, verdicts);
  if (groups.empty()) {
    return;
  }
  page.blank();
  page.text(0, "Open, and what would close it", Tone::strong);
  if (!options.verbose) {
    write_open_shortly(groups, page);
    return;
  }
  for (const auto& group : groups) {
    write_group(group, page);
  }
}

void write_limits(const Bundle& bundle, const ConsoleOptions& options, Page& page) {
  const auto all = reports::limits(bundle, bundle.observations());
  if (all.empty()) {
    return;
  }
  page.blank();
  if (!options.verbose) {
    page.field(0, "Limits", kLabel,
               std::to_string(all.size()) + " (assumed, left out or cut short): shown with --verbose");
    return;
  }
  page.text(0, "Limits of this run", Tone::strong);
  for (const auto& limit : all) {
    page.text(2, limit.kind + ", " + limit.subject + ": " + limit.what);
  }
}

/// Always shown: they change what a pipeline does.
void write_waivers(const Bundle& bundle, Page& page) {
  const auto all = reports::waivers_of(bundle);
  if (!all.empty()) {
    page.blank();
    page.text(0, "Waivers (they change exit codes, never verdicts)", Tone::strong);
  }
  for (const auto& status : all) {
    page.text(2, status.waiver.id + ", " + status.waiver.owner + ": it " + status.says,
              status.state == WaiverState::holds ? Tone::plain : Tone::warning);
  }
}

void write_foot(const Bundle& bundle, Page& page) {
  const auto head = reports::chain_head(bundle);
  page.field(0, "Evidence", kLabel, bundle.directory().string());
  if (!head.empty()) {
    page.field(0, "Journal", kLabel, std::to_string(bundle.events().size()) + " events, sha256 " + head);
  }
  page.field(0, "Report", kLabel, "assay report --format html " + bundle.directory().string());
}

void write_without_verdicts(const Bundle& bundle, Page& page) {
  page.text(0,
            "The run is still open: no verdicts yet. The journal holds " + std::to_string(bundle.events().size()) +
                " events with " + std::to_string(bundle.observations().size()) + " observations so far.",
            Tone::warning);
  page.blank();
  page.text(0, "Requirements it will be judged against", Tone::strong);
  for (const auto& requirement : bundle.run_plan().plan.requirements) {
    page.text(2, requirement.id + "  " + requirement.title);
  }
}

}  // namespace

void write_console_report(const Bundle& bundle, const ConsoleOptions& options, std::ostream& out) {
  Page page{out, options.colour, options.width};
  write_head(bundle, page);
  page.blank();
  const auto& verdicts = bundle.verdicts();
  if (!verdicts) {
    write_without_verdicts(bundle, page);
  } else {
    for (const auto& requirement : verdicts->requirements) {
      write_requirement(requirement, options, page);
    }
    write_open(bundle, *verdicts, options, page);
  }
  write_limits(bundle, options, page);
  write_waivers(bundle, page);
  page.blank();
  if (verdicts) {
    page.text(0, verdicts->summary.statement, Tone::strong);
  }
  if (is_draft(bundle)) {
    page.text(0, kDraft, Tone::warning);
  }
  if (reveals_secrets(bundle)) {
    page.text(0, std::string{reports::kContainsSecrets}, Tone::warning);
  }
  write_foot(bundle, page);
}

}  // namespace assay

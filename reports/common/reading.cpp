#include "reports/common/reading.hpp"

#include <algorithm>
#include <cctype>

namespace assay::reports {

std::string_view symbol_for(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "✓";
    case Verdict::fail:
      return "✗";
    case Verdict::inconclusive:
      return "?";
    case Verdict::not_applicable:
      return "–";
    case Verdict::not_tested:
      return "○";
    case Verdict::not_claimed:
      return "□";
    case Verdict::error:
      return "!";
  }
  return "!";
}

bool is_open(Verdict verdict) {
  return verdict == Verdict::inconclusive || verdict == Verdict::not_tested || verdict == Verdict::error;
}

std::string_view words_for(Completion completion) {
  switch (completion) {
    case Completion::completed:
      return "completed";
    case Completion::refused:
      return "refused by the device";
    case Completion::unreachable:
      return "no path to the device";
    case Completion::reset:
      return "cut by the device";
    case Completion::timed_out:
      return "ran out of time";
    case Completion::cancelled:
      return "interrupted";
    case Completion::device_lost:
      return "device lost: not to be believed";
    case Completion::denied:
      return "not allowed";
    case Completion::harness_fault:
      return "fault of the harness";
  }
  return "fault of the harness";
}

const Requirement* find_requirement(const Plan& plan, std::string_view id) {
  const auto found = std::ranges::find(plan.requirements, id, &Requirement::id);
  return found == plan.requirements.end() ? nullptr : &*found;
}

const Case* find_case(const Plan& plan, std::string_view id) {
  const auto found = std::ranges::find(plan.cases, id, &Case::id);
  return found == plan.cases.end() ? nullptr : &*found;
}

namespace {

/// What stands behind "CASE/" in a unit verdict's id: "a" or "a/tcp/80".
std::string_view behind_case(std::string_view case_id, std::string_view unit_verdict_id) {
  if (!unit_verdict_id.starts_with(case_id) || unit_verdict_id.size() <= case_id.size() + 1) {
    return unit_verdict_id;
  }
  return unit_verdict_id.substr(case_id.size() + 1);
}

}  // namespace

const Unit* find_unit(const Case& planned, std::string_view unit_verdict_id) {
  const auto rest = behind_case(planned.id, unit_verdict_id);
  const auto found = std::ranges::find(planned.units, rest.substr(0, rest.find('/')), &Unit::id);
  return found == planned.units.end() ? nullptr : &*found;
}

std::string unit_label(const CaseVerdict& of, const UnitVerdict& unit) {
  const auto rest = behind_case(of.id, unit.id);
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) {
    return std::string{rest};
  }
  return std::string{rest.substr(0, slash)} + ", " + std::string{rest.substr(slash + 1)};
}

namespace {

void add_item(std::vector<OpenItem>& items, OpenItem found) {
  const auto same = std::ranges::find_if(
      items, [&](const OpenItem& item) { return item.what == found.what && item.closes == found.closes; });
  if (same == items.end()) {
    items.push_back(std::move(found));
    return;
  }
  for (auto& unit : found.units) {
    if (std::ranges::find(same->units, unit) == same->units.end()) {
      same->units.push_back(std::move(unit));
    }
  }
}

bool is_question(const Unit* planned, const Finding& open) {
  return planned != nullptr && planned->manual && open.what == planned->manual->question;
}

/// What settles one thing that is missing, as far as the plan tells. A unit's remedy is for a device that failed and
/// has no place here.
OpenItem open_item(const Unit* planned, const UnitVerdict& unit, const Finding& open) {
  const bool named = open.endpoint.empty() || open.what.find(open.endpoint) != std::string::npos;
  OpenItem item{WaitsFor::other, named ? open.what : open.endpoint + ": " + open.what, "", {unit.id}};
  if (is_question(planned, open)) {
    const auto& look_at = planned->manual->look_at;
    item.waits_for = WaitsFor::answer;
    item.closes = "An assessor's answer." + (look_at.empty() ? std::string{} : " Look at: " + look_at);
  } else if (!open.expected.empty()) {
    item.closes = open.expected;
  } else if (planned != nullptr && !planned->planned_probe.empty()) {
    item.waits_for = WaitsFor::probe;
    item.closes = "The probe “" + planned->planned_probe + "”, which this build does not have.";
  } else if (unit.pass_proposed) {
    item.waits_for = WaitsFor::answer;
    item.closes = "An assessor's confirmation: nothing that was seen speaks against it.";
  } else if (unit.verdict == Verdict::error) {
    item.closes = "The harness has to be mended and the case run again.";
  }
  return item;
}

}  // namespace

std::vector<Finding> open_findings(const Unit* planned, const UnitVerdict& unit) {
  std::vector<Finding> out;
  for (const auto& open : unit.open) {
    if (!is_question(planned, open)) {
      out.push_back(open);
    }
  }
  return out;
}

std::vector<OpenItem> open_items(const Plan& plan, const RequirementVerdict& requirement) {
  std::vector<OpenItem> items;
  for (const auto& of : requirement.cases) {
    const auto* planned_case = find_case(plan, of.id);
    for (const auto& unit : of.units) {
      if (!is_open(unit.verdict)) {
        continue;
      }
      const auto* planned = planned_case == nullptr ? nullptr : find_unit(*planned_case, unit.id);
      for (const auto& open : unit.open) {
        add_item(items, open_item(planned, unit, open));
      }
      if (unit.open.empty()) {
        add_item(items, open_item(planned, unit, {unit.because, "", "", "", {}, {}}));
      }
    }
  }
  if (items.empty() && is_open(requirement.verdict)) {
    items.push_back({WaitsFor::other, requirement.because, "", {requirement.id}});
  }
  return items;
}

std::vector<std::string> remedies(const RequirementVerdict& requirement) {
  std::vector<std::string> out;
  for (const auto& of : requirement.cases) {
    for (const auto& unit : of.units) {
      if (unit.verdict == Verdict::fail && !unit.remedy.empty() && std::ranges::find(out, unit.remedy) == out.end()) {
        out.push_back(unit.remedy);
      }
    }
  }
  return out;
}

RunDates run_dates(const Bundle& bundle) {
  const auto& events = bundle.events();
  if (events.empty()) {
    return {};
  }
  // What people add later does not make the run longer.
  const auto closed = std::ranges::find(events, "closed", &Event::type);
  return {events.front().time, closed == events.end() ? events.back().time : closed->time};
}

std::optional<SecretsOfRun> secrets_of_run(const Bundle& bundle) {
  std::optional<SecretsOfRun> out;
  for (const auto& event : bundle.events()) {
    if (event.type != "secrets") {
      continue;
    }
    out = out.value_or(SecretsOfRun{});
    const auto text = [](const json::object& of, std::string_view key) {
      const auto* value = of.if_contains(key);
      return value != nullptr && value->is_string() ? std::string{std::string_view{value->get_string()}}
                                                    : std::string{};
    };
    const auto* revealed = event.data.if_contains("revealed");
    const auto* certificates = event.data.if_contains("restricted_to");
    out->key = text(event.data, "key");
    out->because = text(event.data, "because");
    out->revealed = out->revealed || (revealed != nullptr && *revealed == true);
    out->restricted_to.clear();
    for (const auto& one :
         certificates != nullptr && certificates->is_array() ? certificates->get_array() : json::array{}) {
      out->restricted_to.push_back(one.is_object() ? text(one.get_object(), "subject") : std::string{});
    }
  }
  return out;
}

std::string readable_time(std::string_view rfc3339) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  const auto fits = [&] {
    for (std::size_t i = 0; i < kShape.size(); ++i) {
      const bool digit = std::isdigit(static_cast<unsigned char>(rfc3339[i])) != 0;
      if (kShape[i] == '0' ? !digit : rfc3339[i] != kShape[i]) {
        return false;
      }
    }
    return true;
  };
  if (rfc3339.size() <= kShape.size() || rfc3339.back() != 'Z' || !fits()) {
    return std::string{rfc3339};
  }
  return std::string{rfc3339.substr(0, 10)} + " " + std::string{rfc3339.substr(11, 8)} + " UTC";
}

std::string chain_head(const Bundle& bundle) {
  return bundle.events().empty() ? std::string{} : sha256_hex(canonical(to_json(bundle.events().back())));
}

std::optional<ArtifactRef> unowned_packets(const Bundle& bundle) {
  std::optional<ArtifactRef> out;
  for (const auto& event : bundle.events()) {
    const auto* artifacts = event.type == "capture_ended" ? event.data.if_contains("artifacts") : nullptr;
    std::vector<ArtifactRef> read;
    if (artifacts != nullptr && from_json(*artifacts, read) && !read.empty()) {
      out = read.front();
    }
  }
  return out;
}

std::map<std::string, ArtifactRef, std::less<>> artifacts_by_digest(const Bundle& bundle) {
  std::map<std::string, ArtifactRef, std::less<>> out;
  const auto add = [&](const auto& list) {
    for (const auto& one : list) {
      for (const auto& artifact : one.artifacts) {
        out.emplace(artifact.sha256, artifact);
      }
    }
  };
  add(bundle.observations());
  if (const auto packets = unowned_packets(bundle)) {
    out.emplace(packets->sha256, *packets);
  }
  add(bundle.record().answers);
  add(bundle.record().acceptances);
  return out;
}

std::vector<WaiverStatus> waivers_of(const Bundle& bundle) {
  return bundle.verdicts() ? waiver_statuses(*bundle.verdicts(), bundle.record(), bundle.events().back().time)
                           : std::vector<WaiverStatus>{};
}

namespace {

std::string in_words(const json::value& value) {
  if (const auto* text = value.if_string()) {
    return std::string{std::string_view{*text}};
  }
  if (const auto* flag = value.if_bool()) {
    return *flag ? "yes" : "no";
  }
  const auto* list = value.if_array();
  if (list == nullptr || std::ranges::any_of(*list, [](const auto& item) { return item.is_structured(); })) {
    return canonical(value);
  }
  std::string out;
  for (const auto& item : *list) {
    out += (out.empty() ? "" : ", ") + in_words(item);
  }
  return list->empty() ? "none" : out;
}

std::string in_words(const json::object& object) {
  std::string out;
  for (const auto& [key, value] : object) {
    out += (out.empty() ? "" : ", ") + std::string{std::string_view{key}} + " " + in_words(value);
  }
  return out;
}

}  // namespace

std::vector<std::string> lines_of(const json::value& value, std::size_t limit) {
  std::vector<std::string> out;
  std::size_t left_out = 0;
  const auto add = [&](std::string line) {
    if (out.size() < limit) {
      out.push_back(std::move(line));
    } else {
      ++left_out;
    }
  };
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    for (const auto& [key, item] : *object) {
      add(std::string{std::string_view{key}} + ": " + in_words(item));
    }
  } else if (const auto* list = value.if_array(); list != nullptr && !list->empty()) {
    for (const auto& item : *list) {
      add(item.is_object() ? in_words(item.get_object()) : in_words(item));
    }
  } else {
    add(in_words(value));
  }
  if (left_out > 0) {
    out.push_back("and " + std::to_string(left_out) + " more, in the journal");
  }
  return out;
}

}  // namespace assay::reports

#include "harness/cli/crosswalk.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "harness/cli/approval.hpp"
#include "harness/judge/crosswalk.hpp"
#include "harness/judge/recognition.hpp"
#include "harness/model/joined.hpp"
#include "harness/plan/plan_run.hpp"

namespace assay {

namespace {

constexpr std::string_view kKept = "crosswalk.json";
constexpr std::string_view kAsked = "crosswalk_asked";

/// The plan of that id, or the only one of that scheme.
Result<std::string> plan_named(const std::string& name, const std::vector<PlanListing>& plans) {
  std::vector<std::string> of_scheme;
  std::vector<std::string> all;
  for (const auto& plan : plans) {
    if (plan.id == name) {
      return plan.id;
    }
    if (scheme_of_plan(plan.id) == name) {
      of_scheme.push_back(plan.id);
    }
    all.push_back(plan.id);
  }
  if (of_scheme.size() == 1) {
    return of_scheme.front();
  }
  return Error{ErrorKind::bad_input,
               of_scheme.empty() ? "the library has no plan or scheme \"" + name + "\"; its plans are " + joined(all)
                                 : "the scheme \"" + name + "\" has several plans; name one: " + joined(of_scheme),
               {}};
}

/// In the order asked for. Each load reads the whole library, so many plans are loaded together.
Loaded<std::vector<Plan>> plans_of(const PlanLibrary& library, const std::vector<std::string>& ids,
                                   const ProbeCatalogue& probes) {
  constexpr std::size_t kFew = 3;
  std::vector<Plan> out;
  if (ids.size() > kFew) {
    auto all = load_plans(library, probes);
    if (!all.value) {
      return all;
    }
    for (const auto& id : ids) {
      const auto found =
          std::find_if(all.value->begin(), all.value->end(), [&](const auto& one) { return one.id == id; });
      if (found != all.value->end()) {
        out.push_back(*found);
      }
    }
    return {std::move(out), {}};
  }
  for (const auto& id : ids) {
    auto plan = load_plan(library, id, probes);
    if (!plan.value) {
      return {std::nullopt, std::move(plan.errors)};
    }
    out.push_back(std::move(*plan.value));
  }
  return {std::move(out), {}};
}

/// What the journal says of a file that was written before the run; empty when it names none.
std::string digest_at_start(const Bundle& bundle, const std::string& file) {
  const auto& events = bundle.events();
  const auto* files = events.empty() ? nullptr : events.front().data.if_contains("files");
  const auto* digest = files != nullptr && files->is_object() ? files->get_object().if_contains(file) : nullptr;
  return digest != nullptr && digest->is_string() ? std::string{std::string_view{digest->get_string()}} : std::string{};
}

/// Probes as they were in the run: an invocation is the same only with the same parameters.
ProbeCatalogue as_in_run(const RunPlan& plan, ProbeCatalogue probes) {
  for (const auto& probe : plan.probes) {
    probes[probe.id] = probe;
  }
  return probes;
}

bool was_visited(const RunPlan& run, const std::string& state) {
  return std::any_of(run.phases.begin(), run.phases.end(), [&](const auto& phase) { return phase.state == state; });
}

bool was_pulled(const RunPlan& run, const std::string& trigger) {
  return std::any_of(run.phases.begin(), run.phases.end(), [&](const auto& phase) { return phase.trigger == trigger; });
}

PlanOptions options_of(const RunPlan& plan) {
  PlanOptions out;
  out.date = plan.date;
  out.allow = enum_from<Intrusiveness>(plan.allow).value_or(Intrusiveness::intrusive);
  out.vantages.clear();
  for (const auto& phase : plan.phases) {
    out.person = out.person || (phase.recipe && phase.recipe->prompt);
    out.state = phase.found ? phase.state : out.state;
  }
  for (const auto& target : plan.targets) {
    out.state = plan.phases.empty() ? target.state : out.state;
    if (std::find(out.vantages.begin(), out.vantages.end(), target.vantage) == out.vantages.end()) {
      out.vantages.push_back(target.vantage);
    }
  }
  return out;
}

}  // namespace

std::optional<std::vector<std::string>> plans_named(Context& context, const PlanLibrary& library,
                                                    const std::vector<std::string>& names) {
  if (names.empty()) {
    return std::vector<std::string>{};
  }
  const auto plans = list_plans(library);
  context.complain(plans.errors);
  if (!plans.value) {
    return std::nullopt;
  }
  std::vector<std::string> out;
  bool good = true;
  for (const auto& name : names) {
    const auto plan = plan_named(name, *plans.value);
    if (!plan) {
      context.complain(plan.error(), ExitCode::usage);
      good = false;
    } else if (std::find(out.begin(), out.end(), *plan) == out.end()) {
      out.push_back(*plan);
    }
  }
  return good ? std::optional{std::move(out)} : std::nullopt;
}

std::optional<CrosswalkInputs> load_crosswalk_inputs(Context& context, const PlanLibrary& library,
                                                     const std::vector<std::string>& plan_ids) {
  CrosswalkInputs out;
  auto data = load_crosswalk(library);
  const auto approvals = load_approvals(library);
  context.complain(data.errors);
  context.complain(approvals.errors);
  if (!data.value || !approvals.value) {
    return std::nullopt;
  }
  out.data = std::move(*data.value);
  auto plans = plans_of(library, plan_ids, context.probes());
  context.complain(plans.errors);
  if (!plans.value) {
    return std::nullopt;
  }
  for (auto& plan : *plans.value) {
    take_approval(plan, *approvals.value);
  }
  out.plans = std::move(*plans.value);
  return out;
}

bool keep_crosswalk(Context& context, const PlanLibrary& library, const CrosswalkInputs& inputs, BundleInputs& out) {
  auto kept = inputs;
  for (auto& plan : kept.plans) {
    const auto sources = plan_sources(library, plan);
    if (!sources) {
      context.complain(sources.error(), ExitCode::error);
      return false;
    }
    plan.inputs.clear();
    for (const auto& source : *sources) {
      plan.inputs.push_back({source.path, sha256_hex(source.text)});
      out.files[source.path] = source.text;
    }
  }
  out.files[std::string{kKept}] = canonical(to_json(kept)) + "\n";
  return true;
}

Result<> record_crosswalk(const CrosswalkInputs& inputs, BundleWriter& writer) {
  json::array plans;
  for (const auto& plan : inputs.plans) {
    plans.push_back(json::object{{"id", plan.id}, {"digest", plan_digest(plan)}});
  }
  json::object data{{"plans", std::move(plans)}};
  return writer.append(kAsked, std::move(data));
}

Result<std::optional<CrosswalkInputs>> kept_crosswalk(const Bundle& bundle) {
  const auto path = bundle.directory() / "inputs" / kKept;
  std::error_code failed;
  const auto& events = bundle.events();
  const bool asked = std::any_of(events.begin(), events.end(), [](const Event& event) { return event.type == kAsked; });
  if (!asked) {
    return std::optional<CrosswalkInputs>{};
  }
  if (!std::filesystem::exists(path, failed)) {
    return Error{ErrorKind::bad_input, "the run was asked for a crosswalk and its file is missing", path.string()};
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (sha256_hex(text) != digest_at_start(bundle, "inputs/" + std::string{kKept})) {
    return Error{ErrorKind::bad_input, "the file is not the one that the journal names", path.string()};
  }
  const auto value = parse_json(text, path.string());
  if (!value) {
    return value.error();
  }
  CrosswalkInputs out;
  if (const auto read = from_json(*value, out); !read) {
    return Error{read.error().kind, read.error().what, path.string()};
  }
  return std::optional{std::move(out)};
}

Result<Crosswalk> crosswalk_of(const Bundle& bundle, const CrosswalkInputs& inputs, const ProbeCatalogue& probes) {
  const auto& run = bundle.run_plan();
  const auto catalogue = as_in_run(run, probes);
  const auto options = options_of(run);
  Crosswalk out;
  out.plan = run.plan.id;
  out.date = run.date;
  out.product_class = run.dut.device.product_class;
  out.sentence = crosswalk_sentence(run.plan.id);
  for (const auto& plan : inputs.plans) {
    if (const auto* rule = suppressing_rule(inputs.data, plan.id, out.product_class)) {
      out.plans.push_back(not_judged(plan, *rule, out.product_class));
      continue;
    }
    auto dut = run.dut;
    // Another plan may ask for states that this run had no reason to visit.
    std::erase_if(dut.lab.states, [&](const auto& state) { return !was_visited(run, state.first); });
    std::erase_if(dut.lab.triggers, [&](const auto& trigger) { return !was_pulled(run, trigger.first); });
    std::vector<std::string> notes;
    if (!dut.standard.empty() && dut.standard != plan.method) {
      notes.push_back("It reads a declaration of " + plan.method + " and that of the run follows " + dut.standard +
                      ": judged on the recorded facts alone.");
      dut.standard.clear();
      dut.ics.clear();
      dut.ixit.clear();
    }
    const auto other = make_run_plan(plan, dut, catalogue, options);
    if (!other) {  // the device of the run is not described as this plan asks
      out.plans.push_back(not_judged(plan, other.error().what));
      continue;
    }
    auto judged = judge_elsewhere(*other, inputs.data, bundle.observations(), bundle.run_facts(), bundle.record());
    judged.notes = std::move(notes);
    out.plans.push_back(std::move(judged));
  }
  for (std::size_t i = 0; i < inputs.plans.size(); ++i) {
    out.plans[i].digest = plan_digest(inputs.plans[i]);
  }
  out.arrangements = recognitions(inputs.data, run.plan.id, run.date, out.product_class);
  return out;
}

Result<std::optional<Crosswalk>> asked_crosswalk(const Context& context, const Bundle& bundle) {
  const auto inputs = kept_crosswalk(bundle);
  if (!inputs) {
    return inputs.error();
  }
  if (!*inputs) {
    return std::optional<Crosswalk>{};
  }
  auto made = crosswalk_of(bundle, **inputs, context.probes());
  if (!made) {
    return made.error();
  }
  return std::optional{std::move(*made)};
}

}  // namespace assay

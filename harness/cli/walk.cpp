#include "harness/cli/walk.hpp"

#include <iostream>
#include <set>

#include "harness/model/display.hpp"
#include "reports/common/reading.hpp"

namespace assay {

namespace {

namespace fs = std::filesystem;

/// An open step with the guidance of its plan.
struct Step {
  const CaseVerdict* of = nullptr;
  const UnitVerdict* unit = nullptr;
  const Unit* planned = nullptr;
};

bool is_wanted(const std::string& only, const std::string& id) {
  return only.empty() || id == only || short_id(id) == only;
}

std::vector<Step> open_steps(const Bundle& bundle, const std::string& only) {
  std::vector<Step> out;
  std::set<std::string> seen;  // a case may stand under several requirements
  for (const auto& requirement : bundle.verdicts()->requirements) {
    for (const auto& one : requirement.cases) {
      const auto* planned = reports::find_case(bundle.run_plan().plan, one.id);
      for (const auto& unit : one.units) {
        const bool wanted = is_wanted(only, one.id) || is_wanted(only, unit.id) || is_wanted(only, requirement.id);
        if (wanted && is_open_step(one, unit) && seen.insert(unit.id).second) {
          out.push_back({&one, &unit, planned == nullptr ? nullptr : reports::find_unit(*planned, unit.id)});
        }
      }
    }
  }
  return out;
}

/// What to look at and what makes which verdict: lines of "name: text".
std::vector<std::string> guidance(const Step& step) {
  std::vector<std::string> out = {step.of->id + ": " + step.of->title, step.unit->id + ": " + step.unit->title,
                                  "so far: " + step.unit->because};
  if (step.planned == nullptr || !step.planned->manual) {
    return out;
  }
  const auto& manual = *step.planned->manual;
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) {
      out.push_back(std::string{name} + ": " + text);
    }
  };
  add("question", manual.question);
  add("look at", manual.look_at);
  add("PASS", manual.pass);
  add("FAIL", manual.fail);
  add("INCONCLUSIVE", manual.inconclusive);
  for (const auto& attachment : manual.attachments) {
    add("attach", attachment);
  }
  return out;
}

/// One step at the terminal. None: skipped; `stop` is set when the person wants no more.
std::optional<AnswerEntry> ask_step(const Step& step, bool& stop) {
  while (true) {
    const auto letter = ask_at_terminal("[p]ass, [f]ail, [i]nconclusive, [s]kip, [q]uit? ");
    stop = !letter || *letter == "q";
    if (stop || *letter == "s" || letter->empty()) {
      return std::nullopt;
    }
    AnswerEntry entry;
    entry.id = step.unit->id;
    if (*letter == "p") {
      entry.verdict = Verdict::pass;
    } else if (*letter == "f") {
      entry.verdict = Verdict::fail;
    } else if (*letter != "i") {
      continue;
    }
    const auto rationale = ask_at_terminal("Why? One or more sentences that stand alone: ");
    if (!rationale || rationale->empty()) {
      std::cerr << "A verdict needs a reason.\n";
      stop = !rationale;
      if (stop) {
        return std::nullopt;
      }
      continue;
    }
    entry.rationale = *rationale;
    while (true) {
      const auto path = ask_at_terminal("File to attach (Enter: no more): ");
      if (!path || path->empty()) {
        return entry;
      }
      entry.attachments.push_back(*path);
    }
  }
}

}  // namespace

std::optional<std::string> ask_at_terminal(const char* question) {
  std::cerr << question << std::flush;
  std::string answer;
  return std::getline(std::cin, answer) ? std::optional{answer} : std::nullopt;
}

bool is_open_step(const CaseVerdict& of, const UnitVerdict& unit) {
  return of.verdict != Verdict::not_applicable && unit.verdict == Verdict::not_tested && !unit.person;
}

std::optional<Assessed> walk(Context& context, const fs::path& folder, const Bundle& bundle, const Person& author,
                             const std::string& only) {
  const auto steps = open_steps(bundle, only);
  std::unique_ptr<BundleWriter> writer;
  std::size_t number = 0;
  bool stop = steps.empty();
  for (auto step = steps.begin(); step != steps.end() && !stop;) {
    std::cerr << "\nStep " << number + 1 << " of " << steps.size() << "\n";
    for (const auto& line : guidance(*step)) {
      std::cerr << "  " << displayable(line) << "\n";
    }
    const auto entry = ask_step(*step, stop);
    if (entry) {
      const auto statements = to_statements(AnswersFile{author, {*entry}}, bundle, fs::current_path());
      if (!statements.errors.empty()) {
        context.complain(statements.errors);
        context.exit_code = ExitCode::passed;  // the person is asked again
        continue;
      }
      if (!writer) {
        auto opened = BundleWriter::amend(bundle_in(folder));
        if (!opened) {
          context.complain(opened.error(), exit_code_for(opened.error()));
          return std::nullopt;
        }
        writer = std::move(*opened);
      }
      if (const auto written = append_statements(*writer, statements.list); !written) {
        context.complain(written.error(), ExitCode::error);
        return std::nullopt;
      }
    }
    ++step;
    ++number;
  }
  if (steps.empty()) {
    std::cerr << "No step is open" << (only.empty() ? "" : " in " + displayable(only)) << ".\n";
  }
  return writer ? close_amended(context, folder, *writer) : std::nullopt;
}

void write_skeleton(std::ostream& out, const Bundle& bundle, const Person& author, const std::string& only) {
  out << "# Take away the # of an entry to answer it; write why in sentences that stand alone.\n"
         "assay: answers/1\nauthor: {name: "
      << yaml_quoted(author.name) << ", organisation: " << yaml_quoted(author.organisation) << "}\nanswers:\n";
  for (const auto& step : open_steps(bundle, only)) {
    out << "\n";
    for (const auto& line : guidance(step)) {
      out << "  # " << displayable(line) << "\n";
    }
    out << "  # - id: " << step.unit->id << "\n  #   verdict: PASS\n  #   rationale: \"\"\n  #   attachments: []\n";
  }
}

}  // namespace assay

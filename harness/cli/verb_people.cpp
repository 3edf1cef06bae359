#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "harness/cli/amend.hpp"
#include "harness/cli/first_hour.hpp"
#include "harness/cli/walk.hpp"
#include "harness/model/display.hpp"

/// answer, review, waive: what people add to the record of a run (docs/people.md).
namespace assay {

namespace {

struct PeopleVerb {
  std::string folder;
  std::string id;
  std::string file;
  Person author;
  std::string verdict;
  std::string rationale;
  std::vector<std::string> attachments;
  bool overrides = false;
  bool skeleton = false;
  std::string decision;
  std::string comment;
  Waiver waiver;
};

void print_outcome(const Context& context, const Assessed& assessed, std::size_t count, std::string_view what) {
  if (context.json) {
    context.print_json(json::object{{"recorded", count}, {"summary", to_json(assessed.verdicts.summary)}});
    return;
  }
  std::cout << count << " " << what << (count == 1 ? "" : "s") << " recorded. "
            << displayable(assessed.verdicts.summary.statement) << ".\n";
  for (const auto& status : assessed.waivers) {
    std::cout << "Waiver of " << displayable(status.waiver.id) << " (" << displayable(status.waiver.owner) << ") "
              << displayable(status.says) << ".\n";
  }
}

/// Appends what was asked for, or says everything that is wrong with it.
void record(Context& context, const PeopleVerb& verb, const Statements& statements, std::string_view what) {
  if (!statements.errors.empty()) {
    context.complain(statements.errors);
    return;
  }
  if (const auto assessed = amend(context, verb.folder, statements.list)) {
    print_outcome(context, *assessed, statements.list.size(), what);
  }
}

/// Reads a file that people write with its loader; every error is printed.
template <class T, class Load>
std::optional<T> read_record(Context& context, const std::string& path, Load load) {
  const auto source = read_source(path);
  if (!source) {
    context.complain(source.error(), ExitCode::usage);
    return std::nullopt;
  }
  auto loaded = load(*source);
  context.complain(loaded.errors);
  return std::move(loaded.value);
}

bool needs(Context& context, bool there, const char* what) {
  if (!there) {
    context.complain({ErrorKind::bad_input, what, {}}, ExitCode::usage);
  }
  return there;
}

void answer_one(Context& context, const PeopleVerb& verb, const Bundle& bundle) {
  if (!needs(context, !verb.id.empty() && !verb.rationale.empty() && !verb.author.name.empty(),
             "an answer needs the id of a case or unit, --verdict, --rationale and --author")) {
    return;
  }
  AnswerEntry entry;
  entry.id = verb.id;
  for (const auto verdict : {Verdict::pass, Verdict::fail, Verdict::inconclusive, Verdict::not_applicable}) {
    entry.verdict = verb.verdict == word_for(verdict) ? verdict : entry.verdict;
  }
  entry.rationale = verb.rationale;
  entry.overrides = verb.overrides;
  entry.attachments = verb.attachments;
  record(context, verb, to_statements(AnswersFile{verb.author, {entry}}, bundle, std::filesystem::current_path()),
         "answer");
}

void answer(Context& context, const PeopleVerb& verb) {
  const auto bundle = open_for_people(context, verb.folder);
  if (!bundle) {
    return;
  }
  if (verb.skeleton) {
    write_skeleton(std::cout, *bundle, verb.author, verb.id);
  } else if (!verb.file.empty()) {
    if (const auto file = read_record<AnswersFile>(context, verb.file, load_answers)) {
      record(context, verb, to_statements(*file, *bundle, std::filesystem::path{verb.file}.parent_path()), "answer");
    }
  } else if (!verb.verdict.empty()) {
    answer_one(context, verb, *bundle);
  } else if (needs(context, person_at_terminal() && !verb.author.name.empty(),
                   "to walk through the open steps needs a terminal and --author; otherwise give --file, or --verdict "
                   "with its --rationale")) {
    if (const auto assessed = walk(context, verb.folder, *bundle, verb.author, verb.id)) {
      const auto before = bundle->verdicts()->summary.answers;
      print_outcome(context, *assessed, static_cast<std::size_t>(assessed->verdicts.summary.answers - before),
                    "answer");
    }
  }
}

void review(Context& context, const PeopleVerb& verb) {
  const auto bundle = open_for_people(context, verb.folder);
  if (!bundle) {
    return;
  }
  if (!verb.file.empty()) {
    if (const auto file = read_record<ReviewsFile>(context, verb.file, load_reviews)) {
      record(context, verb, to_statements(*file, *bundle), "review");
    }
    return;
  }
  const auto decision = enum_from<Decision>(verb.decision);
  if (!needs(context, decision && !verb.author.name.empty(), "a review needs --file, or --decision and --author") ||
      !needs(context, decision != Decision::disputed || !(verb.comment.empty() || verb.id.empty()),
             "to dispute needs the id of the answer and a --comment that says what is wrong")) {
    return;
  }
  ReviewsFile file{verb.author, {}, std::nullopt};
  if (verb.id.empty()) {
    file.others = decision;
  } else {
    file.reviews.push_back({verb.id, *decision, verb.comment, {}});
  }
  record(context, verb, to_statements(file, *bundle), "review");
}

void waive(Context& context, const PeopleVerb& verb) {
  const auto bundle = open_for_people(context, verb.folder);
  if (!bundle) {
    return;
  }
  if (const auto waivers = read_record<std::vector<WaiverEntry>>(context, verb.file, load_waivers)) {
    record(context, verb, to_statements(*waivers, *bundle->verdicts()), "waiver");
  }
}

std::shared_ptr<PeopleVerb> add_common(CLI::App& verb, bool with_id) {
  auto options = std::make_shared<PeopleVerb>();
  verb.add_option("folder", options->folder, "Run folder or bundle")->required()->type_name("DIR");
  if (with_id) {
    verb.add_option("id", options->id, "Requirement, case or unit, with or without its edition; all when left out")
        ->type_name("ID");
    verb.add_option("--author", options->author.name, "Who says it")->type_name("NAME");
    verb.add_option("--organisation", options->author.organisation, "For whom")->type_name("NAME");
    verb.add_option("--role", options->author.role, "As what")->type_name("WORD");
  }
  return options;
}

}  // namespace

void add_answer(CLI::App& app, Context& context) {
  auto* verb = app.add_subcommand(
      "answer", "Settle the open steps of a run: walk through them at the terminal, or give the answers in a file");
  auto options = add_common(*verb, true);
  verb->add_option("-f,--file", options->file, "Answers, as docs/people.md describes them")->type_name("FILE");
  verb->add_flag("--skeleton", options->skeleton, "Print an answers file with every open step to fill in");
  verb->add_option("--verdict", options->verdict, "Answer one case or unit without asking")
      ->check(CLI::IsMember({"PASS", "FAIL", "INCONCLUSIVE", "NOT_APPLICABLE"}));
  verb->add_option("--rationale", options->rationale, "Why, in sentences that stand alone")->type_name("TEXT");
  verb->add_option("--attach", options->attachments, "File to keep with the answer; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  verb->add_flag("--overrides", options->overrides,
                 "It goes against a verdict of the machine; counts once a second person has confirmed it");
  verb->callback([&context, options] { answer(context, *options); });
}

void add_review(CLI::App& app, Context& context) {
  auto* verb = app.add_subcommand("review", "Confirm or dispute answers, as a second person");
  auto options = add_common(*verb, true);
  verb->add_option("-f,--file", options->file, "Reviews, as docs/people.md describes them")->type_name("FILE");
  verb->add_option("--decision", options->decision, "What the reviewer says")
      ->check(CLI::IsMember({"confirmed", "disputed"}));
  verb->add_option("--comment", options->comment, "Why; needed to dispute")->type_name("TEXT");
  verb->callback([&context, options] { review(context, *options); });
}

void add_waive(CLI::App& app, Context& context) {
  auto* verb = app.add_subcommand(
      "waive", "Record who takes a known failure on himself until when; changes exit codes, never verdicts");
  auto options = add_common(*verb, false);
  verb->add_option("-f,--file", options->file, "Waivers, as docs/people.md describes them")
      ->required()
      ->type_name("FILE");
  verb->callback([&context, options] { waive(context, *options); });
}

}  // namespace assay

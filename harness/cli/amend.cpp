#include "harness/cli/amend.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "harness/model/display.hpp"

namespace assay {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaximumAttachment = std::uintmax_t{64} * 1024 * 1024;

/// What an id of a person names in the verdicts. At most one of each.
struct Named {
  const RequirementVerdict* requirement = nullptr;
  const CaseVerdict* test_case = nullptr;
  std::vector<const UnitVerdict*> units;  // of a unit without endpoint: all of its endpoints
  const CaseVerdict* of = nullptr;        // the units' case
};

/// "5.2-1-1/a" or "TS103701@1.1.1:5.2-1-1/a" for the latter.
bool is_named(std::string_view given, std::string_view id) {
  const auto colon = id.find(':');
  return given == id || (colon != id.npos && given == id.substr(colon + 1));
}

/// Whether the id of a unit verdict is that of the named unit, or of one of its endpoints.
bool is_of_unit(std::string_view given, std::string_view id) {
  const auto slash = id.find('/');
  for (auto end = id.find_first_of("/@", slash + 1); end != id.npos; end = id.find_first_of("/@", end + 1)) {
    if (is_named(given, id.substr(0, end))) {
      return true;
    }
  }
  return is_named(given, id);
}

/// Finds ids as people write them, with or without edition.
class Names {
 public:
  explicit Names(const Verdicts& verdicts) : verdicts_(verdicts) {}

  Result<Named> find(const std::string& given) const {
    Named out;
    std::set<std::string> found;
    for (const auto& requirement : verdicts_.requirements) {
      if (is_named(given, requirement.id)) {
        out.requirement = &requirement;
        found.insert(requirement.id);
      }
      for (const auto& one : requirement.cases) {
        if (is_named(given, one.id)) {
          out.test_case = &one;
          found.insert(one.id);
        }
        const bool again = out.of != nullptr && out.of->id == one.id;  // a case may stand under several requirements
        for (const auto& unit : one.units) {
          if (!again && is_of_unit(given, unit.id)) {
            out.units.push_back(&unit);
            out.of = &one;
            found.insert(one.id + "/");
          }
        }
      }
    }
    if (found.empty()) {
      return Error{ErrorKind::bad_input,
                   "no requirement, case or unit of this run is called \"" + displayable(given) + "\"",
                   {}};
    }
    if (found.size() > 1) {
      std::string list;
      for (const auto& id : found) {
        list += (list.empty() ? "" : ", ") + (id.ends_with('/') ? id + given.substr(given.find('/') + 1) : id);
      }
      return Error{
          ErrorKind::bad_input, "\"" + displayable(given) + "\" may be " + list + ": give the edition too", {}};
    }
    return out;
  }

 private:
  const Verdicts& verdicts_;
};

/// The verdict the machine gave, whatever a person said since.
Verdict machine_verdict(const UnitVerdict& unit) {
  return unit.person ? unit.person->machine : unit.verdict;
}

json::object event_data(json::value statement) {
  return std::move(statement.get_object());
}

Result<> check_attachment(const fs::path& file) {
  std::error_code failed;
  if (!fs::is_regular_file(file, failed)) {
    return Error{ErrorKind::bad_input, "the attachment " + file.string() + " is not a file", {}};
  }
  if (fs::file_size(file, failed) > kMaximumAttachment || failed) {
    return Error{ErrorKind::bad_input, "the attachment " + file.string() + " is larger than 64 MiB", {}};
  }
  return {};
}

std::string media_type_of(const fs::path& file) {
  static const std::map<std::string, std::string> kTypes = {{".jpg", "image/jpeg"},
                                                            {".jpeg", "image/jpeg"},
                                                            {".png", "image/png"},
                                                            {".pdf", "application/pdf"},
                                                            {".txt", "text/plain"},
                                                            {".md", "text/markdown"},
                                                            {".csv", "text/csv"},
                                                            {".json", "application/json"},
                                                            {".yaml", "application/yaml"},
                                                            {".html", "text/html"},
                                                            {".pcapng", "application/x-pcapng"}};
  const auto found = kTypes.find(file.extension().string());
  return found == kTypes.end() ? "application/octet-stream" : found->second;
}

/// Turns answers into events, entry by entry; keeps every error.
class AnswerMaker {
 public:
  AnswerMaker(const AnswersFile& file, const Bundle& bundle, const fs::path& folder)
      : file_(file), names_(*bundle.verdicts()), folder_(folder) {}

  Statements make() {
    for (const auto& entry : file_.answers) {
      add(entry);
    }
    return std::move(out_);
  }

 private:
  void refuse(const AnswerEntry& entry, std::string what) {
    out_.errors.push_back({ErrorKind::bad_input, std::move(what), entry.where});
  }

  void add(const AnswerEntry& entry) {
    const auto named = names_.find(entry.id);
    if (!named) {
      return refuse(entry, named.error().what);
    }
    attachments_.clear();
    for (const auto& name : entry.attachments) {
      attachments_.push_back(folder_ / name);
      if (const auto sound = check_attachment(attachments_.back()); !sound) {
        refuse(entry, sound.error().what);
      }
    }
    if (entry.verdict == Verdict::not_applicable) {
      accept(entry, *named);
    } else if (!named->units.empty()) {
      answer_units(entry, *named);
    } else if (named->test_case != nullptr) {
      answer_case(entry, *named->test_case);
    } else {
      refuse(entry, entry.id + " is a requirement: answer its cases or their units");
    }
  }

  void accept(const AnswerEntry& entry, const Named& named) {
    const bool requirement = named.requirement != nullptr;
    const auto& id = requirement ? named.requirement->id : named.test_case != nullptr ? named.test_case->id : entry.id;
    const auto is_out = [](const CaseVerdict& one) { return one.verdict == Verdict::not_applicable; };
    if (!named.units.empty()) {
      return refuse(entry, "a unit cannot be accepted as not applicable: name its case or requirement");
    }
    if (file_.author.organisation.empty()) {
      return refuse(entry, "only a named laboratory can accept an N/A: give the author's organisation");
    }
    if (requirement ? named.requirement->cases.empty() || !std::ranges::all_of(named.requirement->cases, is_out)
                    : !is_out(*named.test_case)) {
      return refuse(entry, id + " applies to this device by its declaration, so there is no N/A to accept");
    }
    Acceptance acceptance;
    acceptance.id = id;
    acceptance.rationale = entry.rationale;
    acceptance.author = file_.author;
    put(entry, "acceptance", id, event_data(to_json(acceptance)));
  }

  void answer_case(const AnswerEntry& entry, const CaseVerdict& one) {
    bool any = false;
    for (const auto& unit : one.units) {
      if (machine_verdict(unit) == Verdict::not_tested) {
        any = true;
        answer_unit(entry, one, unit);
      }
    }
    if (!any) {
      refuse(entry, one.id + " has no open unit: name the unit, with overrides, to go against its verdict");
    }
  }

  /// One unit, or those endpoints of it that the answer is about: the open ones, or with `overrides` those that the
  /// machine judged otherwise.
  void answer_units(const AnswerEntry& entry, const Named& named) {
    std::vector<const UnitVerdict*> meant;
    for (const auto* unit : named.units) {
      const auto machine = machine_verdict(*unit);
      if (entry.overrides ? machine != Verdict::not_tested && machine != entry.verdict
                          : machine == Verdict::not_tested) {
        meant.push_back(unit);
      }
    }
    for (const auto* unit : meant.empty() ? named.units : meant) {
      answer_unit(entry, *named.of, *unit);
    }
  }

  void answer_unit(const AnswerEntry& entry, const CaseVerdict& one, const UnitVerdict& unit) {
    const auto machine = machine_verdict(unit);
    if (one.verdict == Verdict::not_applicable) {
      return refuse(entry, one.id + " does not apply to this device: accept that with NOT_APPLICABLE");
    }
    if (machine != Verdict::not_tested && !entry.overrides) {
      return refuse(entry, "the machine's verdict on " + unit.id + " is " + std::string{word_for(machine)} +
                               ": to go against it say so with overrides; it counts once a second person has confirmed "
                               "it");
    }
    if (machine == Verdict::not_tested && entry.overrides) {
      return refuse(entry, unit.id + " is open: an answer to it overrides nothing");
    }
    Answer answer;
    answer.unit = unit.id;
    answer.verdict = entry.verdict;
    answer.rationale = entry.rationale;
    answer.overrides = entry.overrides;
    answer.author = file_.author;
    answer.done = entry.done;
    put(entry, "answer", unit.id, event_data(to_json(answer)));
  }

  void put(const AnswerEntry& entry, std::string type, const std::string& id, json::object data) {
    if (const auto [first, added] = seen_.emplace(id, entry.where); !added) {
      return refuse(entry, id + " is answered twice" + (first->second.empty() ? "" : ", first at " + first->second));
    }
    out_.list.push_back({std::move(type), std::move(data), attachments_});
  }

  const AnswersFile& file_;
  Names names_;
  fs::path folder_;
  std::vector<fs::path> attachments_;  // of the entry at hand
  std::map<std::string, std::string> seen_;
  Statements out_;
};

/// Something that can be reviewed: an answer that stands, or an acceptance.
struct Reviewable {
  std::int64_t sequence = 0;
  std::string id;  // of the unit, requirement or case
  Person author;
};

/// The last answer to each unit and the last acceptance of each id.
std::vector<Reviewable> reviewables(const HumanRecord& record) {
  std::map<std::string, Reviewable> last;
  for (const auto& answer : record.answers) {
    last[answer.unit] = {answer.sequence, answer.unit, answer.author};
  }
  for (const auto& acceptance : record.acceptances) {
    last[acceptance.id] = {acceptance.sequence, acceptance.id, acceptance.author};
  }
  std::vector<Reviewable> out;
  for (auto& [id, one] : last) {
    out.push_back(std::move(one));
  }
  return out;
}

bool belongs_to(const Reviewable& one, const Named& named) {
  if (!named.units.empty()) {
    return std::ranges::any_of(named.units, [&](const UnitVerdict* unit) { return unit->id == one.id; });
  }
  if (named.test_case == nullptr) {
    return one.id == named.requirement->id;
  }
  return one.id == named.test_case->id ||
         std::ranges::any_of(named.test_case->units, [&](const UnitVerdict& unit) { return unit.id == one.id; });
}

Statement to_review(const Reviewable& of, Decision decision, const std::string& comment, const Person& author) {
  Review review;
  review.of = of.sequence;
  review.decision = decision;
  review.comment = comment;
  review.author = author;
  return {"review", event_data(to_json(review)), {}};
}

}  // namespace

Statements to_statements(const AnswersFile& file, const Bundle& bundle, const fs::path& folder) {
  return AnswerMaker{file, bundle, folder}.make();
}

Statements to_statements(const ReviewsFile& file, const Bundle& bundle) {
  Statements out;
  const Names names{*bundle.verdicts()};
  const auto all = reviewables(bundle.record());
  std::set<std::int64_t> done;
  for (const auto& entry : file.reviews) {
    const auto refuse = [&](std::string what) {
      out.errors.push_back({ErrorKind::bad_input, std::move(what), entry.where});
    };
    const auto named = names.find(entry.id);
    if (!named) {
      refuse(named.error().what);
      continue;
    }
    bool any = false;
    for (const auto& one : all) {
      if (!belongs_to(one, *named)) {
        continue;
      }
      any = true;
      if (same_person(one.author, file.author)) {
        refuse(one.id + " was answered by " + one.author.name + ": somebody else has to review it");
      } else if (done.insert(one.sequence).second) {
        out.list.push_back(to_review(one, entry.decision, entry.comment, file.author));
      }
    }
    if (!any) {
      refuse(entry.id + " has no answer to review");
    }
  }
  for (const auto& one : all) {
    if (file.others && review_of(bundle.record(), one.sequence, one.author) == nullptr &&
        !same_person(one.author, file.author) && done.insert(one.sequence).second) {
      out.list.push_back(to_review(one, *file.others, "", file.author));
    }
  }
  if (out.errors.empty() && out.list.empty()) {
    out.errors.push_back({ErrorKind::bad_input, "nothing waits for a review by " + file.author.name, {}});
  }
  return out;
}

Statements to_statements(const std::vector<WaiverEntry>& waivers, const Verdicts& verdicts) {
  Statements out;
  const Names names{verdicts};
  for (const auto& entry : waivers) {
    auto waiver = entry.waiver;
    const auto named = names.find(waiver.id);
    if (named && !named->units.empty()) {
      out.errors.push_back(
          {ErrorKind::bad_input, "a unit cannot be waived: name its case or requirement", entry.where});
      continue;
    }
    // One that names nothing of this plan is kept and reported: a list of waivers serves several plans.
    if (named) {
      waiver.id = named->requirement != nullptr ? named->requirement->id : named->test_case->id;
    }
    out.list.push_back({"waiver", event_data(to_json(waiver)), {}});
  }
  return out;
}

Result<> append_statements(BundleWriter& writer, const std::vector<Statement>& statements) {
  for (const auto& statement : statements) {
    auto data = statement.data;
    json::array artifacts;
    for (const auto& path : statement.attachments) {
      std::ifstream file(path, std::ios::binary);
      std::ostringstream bytes;
      bytes << file.rdbuf();
      if (!file) {
        return Error{ErrorKind::io, "could not read the attachment " + path.string(), {}};
      }
      const auto kept = writer.artifact(path.filename().string(), media_type_of(path), bytes.view());
      if (!kept) {
        return kept.error();
      }
      artifacts.push_back(to_json(*kept));
    }
    if (statement.type == "answer" || statement.type == "acceptance") {
      data["artifacts"] = std::move(artifacts);
    }
    if (auto written = writer.append(statement.type, std::move(data)); !written) {
      return written;
    }
  }
  return {};
}

std::optional<Bundle> open_for_people(Context& context, const fs::path& folder) {
  auto bundle = Bundle::open(bundle_in(folder));
  if (!bundle) {
    context.complain(bundle.error(), ExitCode::not_verified);
    return std::nullopt;
  }
  if (!bundle->closed()) {
    // An amendment that was interrupted is closed with what it has.
    const auto writer = BundleWriter::amend(bundle_in(folder));
    const auto closed = writer ? (*writer)->close(judge_bundle(*bundle)) : Result<>{writer.error()};
    if (!closed) {
      context.complain(closed.error(), ExitCode::usage);
      return std::nullopt;
    }
    bundle = Bundle::open(bundle_in(folder));
    if (!bundle) {
      context.complain(bundle.error(), ExitCode::not_verified);
      return std::nullopt;
    }
  }
  return std::move(*bundle);
}

std::optional<Assessed> close_amended(Context& context, const fs::path& folder, BundleWriter& writer) {
  const auto bundle = Bundle::open(writer.directory());
  if (!bundle) {
    context.complain(bundle.error(), ExitCode::error);
    return std::nullopt;
  }
  auto out = judged(folder, *bundle);
  if (const auto closed = writer.close(out.verdicts); !closed) {
    context.complain(closed.error(), ExitCode::error);
    return std::nullopt;
  }
  const bool has_reports = writer.directory() != folder;
  if (has_reports && !write_reports(context, folder)) {
    return std::nullopt;
  }
  return out;
}

std::optional<Assessed> amend(Context& context, const fs::path& folder, const std::vector<Statement>& statements) {
  const auto writer = BundleWriter::amend(bundle_in(folder));
  if (!writer) {
    context.complain(writer.error(), exit_code_for(writer.error()));
    return std::nullopt;
  }
  if (const auto written = append_statements(**writer, statements); !written) {
    context.complain(written.error(), ExitCode::error);
    return std::nullopt;
  }
  return close_amended(context, folder, **writer);
}

}  // namespace assay

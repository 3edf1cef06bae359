#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/cli/assess.hpp"
#include "harness/evidence/bundle.hpp"
#include "harness/load/record.hpp"

/// What people add to a closed bundle: checked against its verdicts as a whole, then appended, judged and closed again.
namespace assay {

/// One event to append, with the files that go with it.
struct Statement {
  std::string type;  // answer, acceptance, review, waiver
  json::object data;
  std::vector<std::filesystem::path> attachments;
};

/// Statements, or every reason why they cannot be made. Nothing is written when there is one.
struct Statements {
  std::vector<Statement> list;
  std::vector<Error> errors;
};

/// A case stands for each of its open units. Attachments are relative to `folder`.
Statements to_statements(const AnswersFile& file, const Bundle& bundle, const std::filesystem::path& folder);
Statements to_statements(const ReviewsFile& file, const Bundle& bundle);
Statements to_statements(const std::vector<WaiverEntry>& waivers, const Verdicts& verdicts);

/// Appends to the bundle, whether it is new or reopened.
Result<> append_statements(BundleWriter& writer, const std::vector<Statement>& statements);

/// Reopens the bundle in `folder`, appends, closes it with the verdicts that follow, and writes the reports anew.
std::optional<Assessed> amend(Context& context, const std::filesystem::path& folder,
                              const std::vector<Statement>& statements);

/// Closes an amended bundle with the verdicts that follow from it, and writes the reports anew.
std::optional<Assessed> close_amended(Context& context, const std::filesystem::path& folder, BundleWriter& writer);

/// Opens a bundle for a person: one whose run has ended.
std::optional<Bundle> open_for_people(Context& context, const std::filesystem::path& folder);

}  // namespace assay

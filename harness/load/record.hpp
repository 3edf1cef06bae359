#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/load/load.hpp"
#include "harness/model/record.hpp"

/// Files in which people state things about a run (docs/people.md). Ids are as written: only the bundle knows them.
namespace assay {

struct AnswerEntry {
  std::string id;
  Verdict verdict = Verdict::inconclusive;
  std::string rationale;
  bool overrides = false;
  std::string done;                      // "2026-11-20" or empty
  std::vector<std::string> attachments;  // paths, those of a file relative to its folder
  std::string where;                     // file:line:column; empty for a command line
};

struct AnswersFile {
  Person author;
  std::vector<AnswerEntry> answers;
};

struct ReviewEntry {
  std::string id;
  Decision decision = Decision::confirmed;
  std::string comment;
  std::string where;
};

struct ReviewsFile {
  Person author;
  std::vector<ReviewEntry> reviews;
  std::optional<Decision> others;  // all that is not reviewed yet
};

struct WaiverEntry {
  Waiver waiver;
  std::string where;
};

Loaded<AnswersFile> load_answers(const SourceText& source);
Loaded<ReviewsFile> load_reviews(const SourceText& source);
Loaded<std::vector<WaiverEntry>> load_waivers(const SourceText& source);

}  // namespace assay

#include "harness/load/tables.hpp"

/// The tables of what people state about a run: answers/1, reviews/1 and waivers/1 (docs/people.md).
namespace assay {

namespace {

constexpr std::string_view kAnswersTag[] = {"answers/1"};
constexpr std::string_view kReviewsTag[] = {"reviews/1"};
constexpr std::string_view kWaiversTag[] = {"waivers/1"};
constexpr std::string_view kAnswerWords[] = {"PASS", "FAIL", "INCONCLUSIVE", "NOT_APPLICABLE"};
constexpr std::string_view kDecisionWords[] = {"confirmed", "disputed"};

constinit const Shape kAnswersTagWord{.form = Form::word, .words = kAnswersTag};
constinit const Shape kReviewsTagWord{.form = Form::word, .words = kReviewsTag};
constinit const Shape kWaiversTagWord{.form = Form::word, .words = kWaiversTag};
constinit const Shape kAnswerWord{.form = Form::word, .words = kAnswerWords};
constinit const Shape kDecisionWord{.form = Form::word, .words = kDecisionWords};
constinit const Shape kDayText{.form = Form::text, .syntax = &kDate};

constinit const Key kPersonKeys[] = {
    {"name", &kSentence, true, "", "Name", "A. Person"},
    {"organisation", &kText, false, "", "For whom; needed to accept that something does not apply",
     "Example Laboratory"},
    {"role", &kText, false, "", "As what", "tester"},
};
constinit const Table kPersonTable{"a person", "Who says it", kPersonKeys};
constinit const Shape kPerson{.form = Form::mapping, .table = &kPersonTable};

constinit const Key kAnswerKeys[] = {
    {"id", &kSentence, true, "",
     "A unit; a case, for each of its open units; or, with NOT_APPLICABLE, a requirement or a case. The edition may be "
     "left out",
     "5.2-1-1/a"},
    {"verdict", &kAnswerWord, true, "", "The person's verdict", "PASS"},
    {"rationale", &kSentence, true, "", "Why, in sentences that stand alone", "\"The policy names a contact.\""},
    {"overrides", &kBoolean, false, "false", "Goes against a verdict of the machine; counts once it is reviewed",
     "true"},
    {"done", &kDayText, false, "", "Day on which it was looked at", "\"2026-11-20\""},
    {"attachments", &kTexts, false, "[]", "Files to keep with it, from this file's folder", "[photos/label.jpg]"},
};
constinit const Table kAnswerTable{"an answer", "One verdict of a person", kAnswerKeys};
constinit const Shape kAnswer{.form = Form::mapping, .table = &kAnswerTable};
constinit const Shape kAnswers{.form = Form::list, .item = &kAnswer};
constinit const Key kAnswersKeys[] = {
    {"assay", &kAnswersTagWord, true, "", "Kind and version of this file", "answers/1"},
    {"author", &kPerson, true, "", "Who answers", "{name: A. Person}"},
    {"answers", &kAnswers, true, "", "The answers", "[{id: 5.2-1-1/a, verdict: PASS, rationale: Seen.}]"},
};

constinit const Key kReviewKeys[] = {
    {"id", &kSentence, true, "", "As in an answer: a unit, a case, a requirement", "5.2-1-1/a"},
    {"decision", &kDecisionWord, true, "", "Whether the reviewer agrees", "confirmed"},
    {"comment", &kText, false, "", "Why; needed to dispute", "\"The photo shows another unit.\""},
};
constinit const Table kReviewTable{"a review", "A second person on one answer", kReviewKeys};
constinit const Shape kReview{.form = Form::mapping, .table = &kReviewTable};
constinit const Shape kReviews{.form = Form::list, .item = &kReview, .may_be_empty = true};
constinit const Key kReviewsKeys[] = {
    {"assay", &kReviewsTagWord, true, "", "Kind and version of this file", "reviews/1"},
    {"author", &kPerson, true, "", "Who reviews: not the author of the answer", "{name: B. Person}"},
    {"reviews", &kReviews, false, "[]", "One by one", "[{id: 5.2-1-1/a, decision: confirmed}]"},
    {"others", &kDecisionWord, false, "", "All answers of other people that are not reviewed yet", "confirmed"},
};

constinit const Key kWaiverKeys[] = {
    {"id", &kSentence, true, "", "A requirement or a case; the edition may be left out", "5.6-1"},
    {"owner", &kSentence, true, "", "Who answers for it", "A. Person"},
    {"reason", &kSentence, true, "", "Why it may fail for now", "\"Telnet is removed in 2.5\""},
    {"expires", &kDayText, true, "", "Last day on which it holds, UTC", "\"2027-01-31\""},
};
constinit const Table kWaiverTable{"a waiver", "A known failure that does not stop a pipeline", kWaiverKeys};
constinit const Shape kWaiver{.form = Form::mapping, .table = &kWaiverTable};
constinit const Shape kWaivers{.form = Form::list, .item = &kWaiver};
constinit const Key kWaiversKeys[] = {
    {"assay", &kWaiversTagWord, true, "", "Kind and version of this file", "waivers/1"},
    {"waivers", &kWaivers, true, "", "The waivers",
     "[{id: 5.6-1, owner: A. Person, reason: Known., expires: \"2027-01-31\"}]"},
};

}  // namespace

constinit const Table kAnswersTable{"the answers file", "What a person found", kAnswersKeys};
constinit const Table kReviewsTable{"the reviews file", "What a second person says of the answers", kReviewsKeys};
constinit const Table kWaiversTable{"the waivers file", "Failures that are known and owned", kWaiversKeys};

}  // namespace assay

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/model/json.hpp"
#include "harness/model/observation.hpp"
#include "harness/model/verdict.hpp"

/// What people state about a run: answers, acceptances, reviews, waivers. Each is an appended event of the journal
/// (docs/evidence-format.md); what it does to a verdict is the judge's (docs/verdicts.md, "People").
namespace assay {

/// A name as the person gave it. Nothing here proves who wrote it; a seal does.
struct Person {
  std::string name;
  std::string organisation;
  std::string role;

  bool operator==(const Person&) const = default;
};
BOOST_DESCRIBE_STRUCT(Person, (), (name, organisation, role))

/// "Mei Tan, Example Laboratory"
std::string text_of(const Person& person);

/// The same person, however the name is spaced or capitalised: the rule that an author cannot review.
bool same_person(const Person& a, const Person& b);

/// A person's verdict on one unit, or on one endpoint of an expanded one.
struct Answer {
  std::int64_t sequence = 0;                // of its event, and what a review names
  std::string time;                         // of its event, RFC 3339 UTC
  std::string unit;                         // id of a unit verdict
  Verdict verdict = Verdict::inconclusive;  // pass, fail, inconclusive
  std::string rationale;
  bool overrides = false;  // the author knew that it goes against a verdict of the machine
  Person author;
  std::string done;  // when it was looked at, as stated; empty: at the time of the event
  std::vector<ArtifactRef> artifacts;

  bool operator==(const Answer&) const = default;
};
BOOST_DESCRIBE_STRUCT(Answer, (), (unit, verdict, rationale, overrides, author, done, artifacts))

/// A named laboratory agrees that something does not apply to the device.
struct Acceptance {
  std::int64_t sequence = 0;
  std::string time;
  std::string id;  // of a requirement or a case
  std::string rationale;
  Person author;  // with its organisation
  std::vector<ArtifactRef> artifacts;

  bool operator==(const Acceptance&) const = default;
};
BOOST_DESCRIBE_STRUCT(Acceptance, (), (id, rationale, author, artifacts))

enum class Decision : std::uint8_t { confirmed, disputed };
BOOST_DESCRIBE_ENUM(Decision, confirmed, disputed)

/// A second person on an answer or an acceptance.
struct Review {
  std::int64_t sequence = 0;
  std::string time;
  std::int64_t of = 0;  // sequence of what is reviewed
  Decision decision = Decision::confirmed;
  std::string comment;
  Person author;

  bool operator==(const Review&) const = default;
};
BOOST_DESCRIBE_STRUCT(Review, (), (of, decision, comment, author))

/// Somebody takes a known failure on himself for a time. Changes exit codes, never verdicts.
struct Waiver {
  std::int64_t sequence = 0;
  std::string time;
  std::string id;  // of a requirement or a case
  std::string owner;
  std::string reason;
  std::string expires;  // "2027-01-31": the last day on which it holds, UTC

  bool operator==(const Waiver&) const = default;
};
BOOST_DESCRIBE_STRUCT(Waiver, (), (id, owner, reason, expires))

/// Everything people stated, in the order of the journal.
struct HumanRecord {
  std::vector<Answer> answers;
  std::vector<Acceptance> acceptances;
  std::vector<Review> reviews;
  std::vector<Waiver> waivers;

  bool empty() const { return answers.empty() && acceptances.empty() && reviews.empty() && waivers.empty(); }
};

/// The review that stands for the answer or acceptance of that sequence: the last one that its author did not write.
const Review* review_of(const HumanRecord& record, std::int64_t sequence, const Person& author);

}  // namespace assay

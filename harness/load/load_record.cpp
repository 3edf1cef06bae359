#include "harness/load/check.hpp"
#include "harness/load/read.hpp"
#include "harness/load/record.hpp"

/// answers/1, reviews/1 and waivers/1.
namespace assay {

namespace {

Person person_of(const Node& root) {
  const auto& node = child(root, "author");
  return {text_of(node, "name"), text_of(node, "organisation"), text_of(node, "role")};
}

Verdict verdict_of(const Node& node) {
  const auto word = text_of(node, "verdict");
  for (const auto verdict : {Verdict::pass, Verdict::fail, Verdict::not_applicable}) {
    if (word == word_for(verdict)) {
      return verdict;
    }
  }
  return Verdict::inconclusive;
}

/// Reads a checked file with `take`; every fault comes back.
template <class T, class Take>
Loaded<T> load_record(const SourceText& source, std::string_view kind, Take take) {
  Faults faults(source.path);
  const auto root = read_yaml(source.text, faults);
  if (!root || !check_file(*root, kind, faults)) {
    return {std::nullopt, faults.errors()};
  }
  T out = take(*root, faults);
  if (!faults.empty()) {
    return {std::nullopt, faults.errors()};
  }
  return {std::move(out), {}};
}

}  // namespace

Loaded<AnswersFile> load_answers(const SourceText& source) {
  return load_record<AnswersFile>(source, "answers/1", [](const Node& root, Faults& faults) {
    AnswersFile out{person_of(root), {}};
    for (const auto& node : child(root, "answers").items) {
      out.answers.push_back({text_of(node, "id"), verdict_of(node), text_of(node, "rationale"),
                             bool_of(node, "overrides", false), text_of(node, "done"), texts_of(node, "attachments"),
                             faults.where(node.place)});
    }
    return out;
  });
}

Loaded<ReviewsFile> load_reviews(const SourceText& source) {
  return load_record<ReviewsFile>(source, "reviews/1", [](const Node& root, Faults& faults) {
    ReviewsFile out{person_of(root), {}, enum_from<Decision>(text_of(root, "others"))};
    for (const auto& node : child(root, "reviews").items) {
      ReviewEntry entry{text_of(node, "id"), word_of(node, "decision", Decision::confirmed), text_of(node, "comment"),
                        faults.where(node.place)};
      if (entry.decision == Decision::disputed && entry.comment.empty()) {
        faults.add(node.place, "a review that disputes needs a comment: say what is wrong");
      }
      out.reviews.push_back(std::move(entry));
    }
    if (out.others == Decision::disputed) {
      faults.add(place_of(root, "others"), "dispute one by one under reviews, each with its comment");
    }
    if (out.reviews.empty() && !out.others) {
      faults.add(root.place, "nothing is reviewed: give reviews, or others: confirmed");
    }
    return out;
  });
}

Loaded<std::vector<WaiverEntry>> load_waivers(const SourceText& source) {
  return load_record<std::vector<WaiverEntry>>(source, "waivers/1", [](const Node& root, Faults& faults) {
    std::vector<WaiverEntry> out;
    for (const auto& node : child(root, "waivers").items) {
      Waiver waiver;
      waiver.id = text_of(node, "id");
      waiver.owner = text_of(node, "owner");
      waiver.reason = text_of(node, "reason");
      waiver.expires = text_of(node, "expires");
      out.push_back({std::move(waiver), faults.where(node.place)});
    }
    return out;
  });
}

}  // namespace assay

#include "harness/model/record.hpp"

#include <cctype>

namespace assay {

namespace {

/// Letters in lower case, runs of white space as one blank, none at the ends.
std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      out += out.empty() || out.back() == ' ' ? "" : " ";
    } else {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  if (!out.empty() && out.back() == ' ') {
    out.pop_back();
  }
  return out;
}

}  // namespace

std::string text_of(const Person& person) {
  return person.name + (person.organisation.empty() ? "" : ", " + person.organisation);
}

bool same_person(const Person& a, const Person& b) {
  return folded(a.name) == folded(b.name);
}

const Review* review_of(const HumanRecord& record, std::int64_t sequence, const Person& author) {
  for (auto review = record.reviews.rbegin(); review != record.reviews.rend(); ++review) {
    if (review->of == sequence && !same_person(review->author, author)) {
      return &*review;
    }
  }
  return nullptr;
}

}  // namespace assay

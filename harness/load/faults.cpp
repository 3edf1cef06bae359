#include "harness/load/faults.hpp"

#include <algorithm>

namespace assay {

namespace {

// A hostile file may hold a fault in every byte; what is kept stays small.
constexpr std::size_t kMaximumKept = 10000;

}  // namespace

void Faults::add(Place place, std::string what) {
  if (faults_.size() >= kMaximumKept) {
    ++dropped_;
    return;
  }
  faults_.push_back({place, std::move(what), ErrorKind::bad_input, false});
}

void Faults::add(ErrorKind kind, std::string what) {
  faults_.push_back({Place{}, std::move(what), kind, true});
}

std::string Faults::where(Place place) const {
  return path_ + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

std::vector<Error> Faults::errors() const {
  auto sorted = faults_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Fault& left, const Fault& right) { return left.place < right.place; });
  std::vector<Error> out;
  std::size_t more = dropped_;
  for (const auto& fault : sorted) {
    Error error{fault.kind, fault.what, fault.whole_file ? path_ : where(fault.place)};
    if (std::find(out.begin(), out.end(), error) != out.end()) {
      continue;
    }
    if (out.size() >= kMaximumShown) {
      ++more;
      continue;
    }
    out.push_back(std::move(error));
  }
  if (more > 0) {
    out.push_back({ErrorKind::bad_input, std::to_string(more) + " more errors in this file are not shown", path_});
  }
  return out;
}

}  // namespace assay

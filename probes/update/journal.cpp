#include "probes/update/journal.hpp"

namespace assay::probes::update {

namespace {

constexpr std::size_t kMostLog = 64 * 1024;

}  // namespace

void Journal::begin() {
  text_.clear();
  began_ = network_.elapsed();
}

void Journal::note(std::string_view line) {
  if (text_.size() < kMostLog) {
    const auto at = network_.elapsed() - began_;
    text_ += "+" + std::to_string(at.count()) + " ms  " + std::string{line} + "\n";
  }
}

}  // namespace assay::probes::update

#pragma once

#include <string>
#include <string_view>

#include "harness/probe/network.hpp"

namespace assay::probes::update {

/// Lines of what went on, with the time since the offer.
class Journal {
 public:
  explicit Journal(const Network& network) : network_(network) {}

  void begin();
  void note(std::string_view line);

  const std::string& text() const { return text_; }

 private:
  const Network& network_;
  std::string text_;
  milliseconds began_{};
};

}  // namespace assay::probes::update

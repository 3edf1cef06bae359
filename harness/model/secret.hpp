#pragma once

#include <string>
#include <utility>

#include "harness/model/json.hpp"

namespace assay {

/// A value that must never reach a transcript, a journal, a log or a report. It prints and serialises as its
/// name only; the one way to its text is `reveal()`, which is for the bytes sent to the device.
class Secret {
 public:
  Secret() = default;

  explicit Secret(std::string text, std::string name = "secret") : text_(std::move(text)), name_(std::move(name)) {}

  const std::string& reveal() const { return text_; }

  /// What may be printed: where it came from ("dictionary iot-common, entry 3", "env:DUT_ADMIN").
  const std::string& name() const { return name_; }

  bool empty() const { return text_.empty(); }

  json::value json() const { return json::string(name_); }

  bool operator==(const Secret&) const = default;

  /// From a bundle only the name comes back.
  Result<> read(const json::value& value, const std::string& pointer) {
    text_.clear();
    return from_json(value, name_, pointer);
  }

 private:
  std::string text_;
  std::string name_ = "secret";
};

}  // namespace assay

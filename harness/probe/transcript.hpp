#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace assay {

/// The bytes of one exchange in a form a person can read and a tool can turn back: each chunk with its
/// direction, offset in time and hex dump. Bounded; what was left out is said.
class Transcript {
 public:
  explicit Transcript(std::string_view what, std::size_t limit = 64 * 1024);

  void sent(std::span<const std::byte> bytes);
  void received(std::span<const std::byte> bytes);
  void note(std::string_view text);

  const std::string& text() const { return text_; }

 private:
  void chunk(char direction, std::span<const std::byte> bytes);

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::size_t limit_;
  std::size_t left_out_ = 0;
  std::string text_;
};

}  // namespace assay

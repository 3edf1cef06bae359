#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace assay {

/// The bytes of one exchange in a form a person can read and a tool can turn back: each chunk with its
/// direction, offset in time and hex dump. Bounded; what was left out is said. `limit` counts characters of the text.
class Transcript {
 public:
  explicit Transcript(std::string_view what, std::size_t limit = 64 * 1024);

  void sent(std::span<const std::byte> bytes);
  void received(std::span<const std::byte> bytes);
  void note(std::string_view text);

  /// From now on this text is written as {name}, in the hex dump too: masking the finished text would miss what a dump
  /// line splits. Also its base64 form, and how addresses and forms write it. Call it before the bytes are passed; a
  /// secret that two calls split is not seen.
  void conceal(std::string_view text, std::string_view name);

  const std::string& text() const { return text_; }

 private:
  void chunk(char direction, std::span<const std::byte> bytes);
  void append(std::string_view line, std::size_t bytes);

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::size_t limit_;
  std::size_t left_out_ = 0;
  bool full_ = false;
  std::string text_;
  std::map<std::string, std::string> concealed_;
};

}  // namespace assay

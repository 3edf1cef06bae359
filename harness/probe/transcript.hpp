#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "harness/model/concealed.hpp"

namespace assay {

/// The bytes of one exchange in a form a person can read and a tool can turn back: each chunk with its
/// direction, offset in time and hex dump. Bounded; what was left out is said. `limit` counts characters of the text.
class Transcript {
 public:
  explicit Transcript(std::string_view what, std::size_t limit = 64 * 1024);
  Transcript(Transcript&&) = default;  // a copy's finder would look into the list of another

  void sent(std::span<const std::byte> bytes);
  void received(std::span<const std::byte> bytes);
  void note(std::string_view text);

  /// Sent bytes with a secret in them: `shown` is what may be read, such as "PASS {accounts entry 1}".
  void sent_concealed(std::span<const std::byte> bytes, std::string_view shown);

  /// From now on this text, in every form of `forms_of`, is written as {name}, in the hex dump too: masking the
  /// finished text would miss what a dump line splits. Call it before the bytes are passed; a secret that two calls
  /// split is not seen.
  void conceal(std::string_view text, std::string_view name);

  /// From now on the texts of a list are concealed too, which transcripts may share.
  void conceal_all(std::shared_ptr<const ConcealedList> list) { shared_ = std::move(list); }

  /// The same for what is sent and received, not for notes: these texts are also words of ours.
  void conceal_in_bytes(std::shared_ptr<const ConcealedList> list) { in_bytes_ = std::move(list); }

  const std::string& text() const { return shown_.text; }

  /// With everything that was concealed; null where that is nothing.
  const std::string* open_text() const { return open_ ? &open_->text : nullptr; }

 private:
  struct Page {
    std::string text;
    std::size_t left_out = 0;
    bool full = false;
  };

  using Hits = std::vector<ConcealedFinder::Hit>;

  Hits hits(std::string_view text);

  std::string masked(std::string_view text) { return ConcealedFinder::masked(text, hits(text)); }

  std::string masked_bytes(std::string_view bytes);
  std::string since_start() const;
  void part(std::string_view shown, std::string_view open);
  void chunk(char direction, std::string_view bytes);
  bool is_full() const;
  void leave_out(std::size_t shown, std::size_t open);
  void dump(Page& page, char direction, const std::string& when, std::string_view bytes) const;
  void append(Page& page, std::string_view line, std::size_t bytes) const;

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::size_t limit_;
  Page shown_;
  std::optional<Page> open_;  // from the first concealed text on
  Concealed concealed_;
  std::optional<ConcealedFinder> finder_;  // of concealed_, made anew when that grows
  std::shared_ptr<const ConcealedList> shared_;
  std::shared_ptr<const ConcealedList> in_bytes_;
};

}  // namespace assay

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace assay {

/// The two texts of a transcript: what may be read, and beside it, from the first difference on, what was said. Each is
/// bounded in its characters, and says what was left out.
class TranscriptPages {
 public:
  TranscriptPages(std::string_view what, std::size_t limit);

  /// A line of words.
  void line(const std::string& when, std::string_view shown, std::string_view open);

  /// Bytes of one direction as a dump; the first `continued` of them belong to a mask that was written before.
  void chunk(char direction, const std::string& when, std::string_view shown, std::size_t continued,
             std::string_view open);

  /// Sent bytes of which only words are shown.
  void chunk_in_words(const std::string& when, std::string_view shown, std::string_view open);

  /// Nothing more fits: thousands of logins go on after the last line that does.
  bool full() const { return shown_.full && (!open_ || open_->full); }

  void leave_out(std::size_t shown, std::size_t open);

  const std::string& shown() const { return shown_.text; }

  const std::string* open() const { return open_ ? &open_->text : nullptr; }

 private:
  struct Page {
    std::string text;
    std::size_t left_out = 0;
    bool full = false;
  };

  void dump(Page& page, char direction, const std::string& when, std::string_view bytes) const;
  void append(Page& page, std::string_view line, std::size_t bytes) const;

  std::size_t limit_;
  Page shown_;
  std::optional<Page> open_;
};

}  // namespace assay

#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "harness/model/concealment.hpp"
#include "harness/model/secret.hpp"
#include "harness/probe/masked_stream.hpp"
#include "harness/probe/transcript_pages.hpp"

namespace assay {

/// The bytes of one exchange in a form a person can read and a tool can turn back: each chunk with its
/// direction, offset in time and hex dump. Bounded; what was left out is said. `limit` counts characters of the text.
class Transcript {
 public:
  explicit Transcript(std::string_view what, std::size_t limit = 64 * 1024);
  Transcript(Transcript&&) = default;

  void sent(std::span<const std::byte> bytes);
  void received(std::span<const std::byte> bytes);
  void note(std::string_view text);

  /// Sent bytes with a secret in them: `shown` is what may be read, such as "PASS {accounts entry 1}".
  void sent_concealed(std::span<const std::byte> bytes, std::string_view shown);

  /// From now on this text, in every form of `forms_of`, is written as {name}, in the hex dump too: masking the
  /// finished text would miss what a dump line splits. Call it before the bytes are passed. What one side says is one
  /// text, however many calls it comes in and whatever the other says in between.
  void conceal(std::string_view text, std::string_view name);

  /// The same, with other capitals too; where it may be a word, in what is sent and received alone.
  void conceal(const Secret& secret);

  /// From now on what a list says is concealed too; transcripts and recorders may share it.
  void conceal_all(std::shared_ptr<const Concealment> list) { concealed_.share(std::move(list)); }

  std::string text() const { return with_all().pages.shown(); }

  /// With everything that was concealed; nothing where that is nothing.
  std::optional<std::string> open_text() const;

 private:
  /// Something that happened, with its time.
  struct Record {
    enum class Kind : std::uint8_t { sent, received, sent_in_words, note };

    Kind kind = Kind::note;
    std::string when;
    std::string bytes;    // as they were
    std::string shown{};  // of words: what may be read
  };

  /// What happened so far. Records wait while the end of what was said may be the beginning of a secret.
  struct Kept {
    TranscriptPages pages;
    MaskedStream sent{};
    MaskedStream received{};
    std::deque<Record> waiting{};
    std::size_t waiting_size = 0;
  };

  static MaskedStream& side(Kept& kept, Record::Kind kind);
  static void write_first(Kept& kept);
  static void write_all(Kept& kept);

  Kept with_all() const;
  std::string masked(std::string_view text) const;
  std::string since_start() const;
  void chunk(Record::Kind kind, std::string_view bytes);
  void wait(Record record);
  void write_decided();

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::size_t limit_;
  Kept kept_;
  Concealment concealed_{1};
};

}  // namespace assay

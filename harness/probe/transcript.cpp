#include "harness/probe/transcript.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace assay {

namespace {

constexpr std::size_t kRecordSize = 64;  // about what a record is beside its bytes

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string offset_text(std::chrono::steady_clock::duration since) {
  std::array<char, 48> text{};
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(since).count();
  std::snprintf(text.data(), text.size(), "+%lld.%06lld", static_cast<long long>(micros / 1'000'000),
                static_cast<long long>(micros % 1'000'000));
  return text.data();
}

}  // namespace

Transcript::Transcript(std::string_view what, std::size_t limit) : limit_(limit), kept_{TranscriptPages{what, limit}} {}

void Transcript::sent(std::span<const std::byte> bytes) {
  chunk(Record::Kind::sent, text_of(bytes));
}

void Transcript::received(std::span<const std::byte> bytes) {
  chunk(Record::Kind::received, text_of(bytes));
}

void Transcript::sent_concealed(std::span<const std::byte> bytes, std::string_view shown) {
  if (kept_.pages.open() != nullptr && kept_.pages.full()) {
    kept_.pages.leave_out(shown.size(), bytes.size());
    return;
  }
  kept_.sent.end();  // what these bytes are is not looked at
  wait({Record::Kind::sent_in_words, since_start(), std::string{text_of(bytes)}, masked(shown)});
}

void Transcript::note(std::string_view text) {
  if (kept_.pages.full()) {
    kept_.pages.leave_out(text.size(), text.size());
    return;
  }
  wait({Record::Kind::note, since_start(), std::string{text}, masked(text)});
}

void Transcript::conceal(std::string_view text, std::string_view name) {
  concealed_.add(text, name);
}

void Transcript::conceal(const Secret& secret) {
  concealed_.add(secret);
}

std::string Transcript::masked(std::string_view text) const {
  return ConcealedFinder::masked(text, find_concealed(text, concealed_.finders()).hits);
}

std::string Transcript::since_start() const {
  return offset_text(std::chrono::steady_clock::now() - start_);
}

void Transcript::chunk(Record::Kind kind, std::string_view bytes) {
  if (kept_.pages.full()) {
    kept_.pages.leave_out(bytes.size(), bytes.size());
    return;
  }
  const auto lists = concealed_.finders_in_bytes();
  if (kept_.waiting.empty()) {  // nearly always, and nothing is copied
    const auto found = find_concealed(bytes, lists);
    if (found.decided == bytes.size()) {
      kept_.pages.chunk(kind == Record::Kind::sent ? '>' : '<', since_start(),
                        ConcealedFinder::masked(bytes, found.hits), 0, bytes);
      return;
    }
  }
  side(kept_, kind).add(bytes, lists);
  wait({kind, since_start(), std::string{bytes}});
}

MaskedStream& Transcript::side(Kept& kept, Record::Kind kind) {
  return kind == Record::Kind::sent ? kept.sent : kept.received;
}

void Transcript::wait(Record record) {
  kept_.waiting_size += kRecordSize + record.bytes.size() + record.shown.size();
  kept_.waiting.push_back(std::move(record));
  write_decided();
}

/// Records in their order, up to the first with bytes that may be the beginning of a secret. Where so many wait that no
/// page holds them the rest of such a secret is on no page.
void Transcript::write_decided() {
  if (kept_.waiting_size > limit_) {
    write_all(kept_);
    return;
  }
  while (!kept_.waiting.empty()) {
    const auto& first = kept_.waiting.front();
    const bool bytes = first.kind == Record::Kind::sent || first.kind == Record::Kind::received;
    if (bytes && !side(kept_, first.kind).decided(first.bytes.size())) {
      return;
    }
    write_first(kept_);
  }
}

void Transcript::write_first(Kept& kept) {
  const auto record = std::move(kept.waiting.front());
  kept.waiting.pop_front();
  kept.waiting_size -= kRecordSize + record.bytes.size() + record.shown.size();
  if (record.kind == Record::Kind::note) {
    kept.pages.line(record.when, record.shown, record.bytes);
  } else if (record.kind == Record::Kind::sent_in_words) {
    kept.pages.chunk_in_words(record.when, record.shown, record.bytes);
  } else {
    const auto piece = side(kept, record.kind).take(record.bytes.size());
    const char direction = record.kind == Record::Kind::sent ? '>' : '<';
    kept.pages.chunk(direction, record.when, piece.shown, piece.continued, record.bytes);
  }
}

void Transcript::write_all(Kept& kept) {
  while (!kept.waiting.empty()) {
    write_first(kept);
  }
}

Transcript::Kept Transcript::with_all() const {
  auto out = kept_;
  write_all(out);
  return out;
}

std::optional<std::string> Transcript::open_text() const {
  const auto all = with_all();
  return all.pages.open() == nullptr ? std::nullopt : std::optional{*all.pages.open()};
}

}  // namespace assay

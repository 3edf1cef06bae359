#include "harness/expr/chunk.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <unistd.h>

#include "harness/expr/prelude.hpp"

extern "C" {
#include <jq.h>
}

namespace assay::expr {

namespace {

constexpr std::int64_t kExactInteger = std::int64_t{1} << 53;  // a double holds integers up to here
constexpr int kMaximumDepth = 256;
constexpr std::size_t kMaximumNotes = 1000;

/// Owns one jv.
class Value {
 public:
  explicit Value(jv value) : value_(value) {}

  ~Value() { jv_free(value_); }

  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;

  jv copy() const { return jv_copy(value_); }

  jv get() const { return value_; }

 private:
  jv value_;
};

jv text_value(std::string_view text) {
  return jv_string_sized(text.data(), static_cast<int>(std::min<std::size_t>(text.size(), 1u << 30u)));
}

template <class T>
jv integer_value(T number) {
  const bool exact =
      number <= static_cast<T>(kExactInteger) && (!std::is_signed_v<T> || number >= static_cast<T>(-kExactInteger));
  return exact ? jv_number(static_cast<double>(number)) : text_value(std::to_string(number));
}

jv to_jv(const json::value& value, int depth) {
  if (depth > kMaximumDepth) {
    return text_value("(nested too deeply)");
  }
  switch (value.kind()) {
    case json::kind::null:
      return jv_null();
    case json::kind::bool_:
      return jv_bool(value.get_bool() ? 1 : 0);
    case json::kind::int64:
      return integer_value(value.get_int64());
    case json::kind::uint64:
      return integer_value(value.get_uint64());
    case json::kind::double_:
      return jv_number(value.get_double());
    case json::kind::string:
      return text_value(value.get_string());
    case json::kind::array: {
      jv out = jv_array_sized(static_cast<int>(value.get_array().size()));
      for (const auto& item : value.get_array()) {
        out = jv_array_append(out, to_jv(item, depth + 1));
      }
      return out;
    }
    case json::kind::object: {
      jv out = jv_object();
      for (const auto& [key, item] : value.get_object()) {
        out = jv_object_set(out, text_value(key), to_jv(item, depth + 1));
      }
      return out;
    }
  }
  return jv_null();
}

std::string to_text(jv value) {
  const Value text{jv_get_kind(value) == JV_KIND_STRING ? value : jv_dump_string(value, 0)};
  return {jv_string_value(text.get()), static_cast<std::size_t>(jv_string_length_bytes(text.copy()))};
}

std::array<std::string_view, 3> prelude() {
  return {kPrelude, kWebPrelude, kUpdatePrelude};
}

}  // namespace

std::string whole_prelude() {
  std::string text;
  for (const auto part : prelude()) {
    text += part;
  }
  return text;
}

namespace {

constexpr std::string_view kHead = ". as {doc: $__judge, n: $__n} |";

/// if $__n < m then … else … end, halved until one program is left.
void dispatch(std::span<const std::string_view> programs, std::size_t first, std::string& out) {
  if (programs.size() == 1) {
    out += "($__judge | (\n";
    out += programs.front();
    out += "\n))";
    return;
  }
  const auto half = programs.size() / 2;
  out += "if $__n < " + std::to_string(first + half) + " then ";
  dispatch(programs.first(half), first, out);
  out += " else ";
  dispatch(programs.subspan(half), first + half, out);
  out += " end";
}

/// jq's message as a sentence: its prefix, the advice about shells and the quoted program go, the line becomes the
/// expression's own.
std::string tidy_compile_error(std::string message) {
  message = message.substr(0, message.find('\n'));
  const auto cut = [&](std::string_view part) {
    if (const auto at = message.find(part); at != std::string::npos) {
      message.erase(at, part.size());
    }
  };
  cut("jq: error: ");
  cut(" (Unix shell quoting issues?)");
  constexpr std::string_view kAt = " at <top-level>, line ";
  if (const auto at = message.find(kAt); at != std::string::npos) {
    int line = 0;
    std::from_chars(message.data() + at + kAt.size(), message.data() + message.size(), line);
    std::ptrdiff_t lines = 0;
    for (const auto part : prelude()) {
      lines += std::count(part.begin(), part.end(), '\n');
    }
    line -= static_cast<int>(lines) + 1;
    message = message.substr(0, at) + " (line " + std::to_string(std::max(line, 1)) + " of the expression)";
  }
  return message;
}

struct Notes {
  const ProgramEvents* events = nullptr;
  std::set<std::string, std::less<>> told;
  std::string error;

  void missing(std::string text) {
    if (told.size() < kMaximumNotes && !told.contains(text)) {
      events->missing(text);
      told.insert(std::move(text));
    }
  }
};

extern "C" void keep_first_error(void* data, jv message) {
  auto& first = *static_cast<std::string*>(data);
  const auto text = to_text(message);
  if (first.empty()) {
    first = text;
  }
}

extern "C" void take_note(void* data, jv note) {
  auto& notes = *static_cast<Notes*>(data);
  const Value value{note};
  const auto kind = to_text(jv_array_get(value.copy(), 0));
  auto text = to_text(jv_array_get(value.copy(), 1));
  if (notes.events == nullptr) {
    return;
  }
  if (kind == "missing") {
    notes.missing(std::move(text));
  } else if (notes.error.empty()) {
    notes.error = std::move(text);
  }
}

extern "C" void end_without_memory(void*) {
  ::_exit(kExitMemory);
}

class JqChunk final : public Chunk {
 public:
  JqChunk() : jq_(jq_init()) { jq_set_nomem_handler(jq_, end_without_memory, nullptr); }

  ~JqChunk() override { jq_teardown(&jq_); }

  JqChunk(const JqChunk&) = delete;
  JqChunk& operator=(const JqChunk&) = delete;

  bool compile(std::span<const std::string_view> programs, std::string& error) {
    std::string text{kHead};
    text += whole_prelude();
    dispatch(programs, 0, text);
    std::string message;
    jq_set_error_cb(jq_, keep_first_error, &message);
    const bool compiled = jq_compile(jq_, text.c_str()) != 0;
    jq_set_error_cb(jq_, keep_first_error, &ignored_);
    jq_set_debug_cb(jq_, take_note, &notes_);
    if (!compiled) {
      error = "the expression does not compile: " + tidy_compile_error(message);
    }
    return compiled;
  }

  std::string run(std::size_t index, const Document& document, const ExprLimits& limits,
                  const ProgramEvents& events) override {
    notes_ = {};
    notes_.events = &events;
    jv input = jv_object();
    input = jv_object_set(input, jv_string("doc"), jv_copy(*static_cast<const jv*>(document.handle())));
    input = jv_object_set(input, jv_string("n"), jv_number(static_cast<double>(index)));
    jq_start(jq_, input, 0);
    auto error = items(limits, events);
    notes_.events = nullptr;
    return notes_.error.empty() ? error : notes_.error;
  }

 private:
  std::string items(const ExprLimits& limits, const ProgramEvents& events) {
    std::size_t count = 0;
    std::size_t bytes = 0;
    while (true) {
      jv item = jq_next(jq_);
      if (jv_is_valid(item) == 0) {
        return ending(item);
      }
      const Value text{jv_dump_string(item, 0)};
      const std::string_view dumped{jv_string_value(text.get()),
                                    static_cast<std::size_t>(jv_string_length_bytes(text.copy()))};
      bytes += dumped.size();
      if (++count > limits.items) {
        return "stopped: it yielded more than " + std::to_string(limits.items) + " items";
      }
      if (bytes > limits.output_bytes) {
        return "stopped: it yielded more than " + std::to_string(limits.output_bytes >> 10u) + " KiB";
      }
      events.item(dumped);
    }
  }

  /// Why jq_next() stopped: the end, a missing fact (a note, not an error), or an error.
  std::string ending(jv stopped) {
    const Value message{jv_invalid_get_msg(stopped)};
    if (jv_get_kind(message.get()) == JV_KIND_NULL) {
      return jq_halted(jq_) != 0 ? "halt is shut" : "";
    }
    if (jv_get_kind(message.get()) == JV_KIND_OBJECT) {
      const Value missing{jv_object_get(message.copy(), jv_string("__missing"))};
      if (jv_get_kind(missing.get()) == JV_KIND_STRING) {
        notes_.missing(to_text(missing.copy()));
        return "";
      }
    }
    const auto text = to_text(message.copy());
    return text.empty() ? "an error without a message" : text;
  }

  jq_state* jq_;
  Notes notes_;
  std::string ignored_;
};

void free_handle(void* handle) {
  auto* held = static_cast<jv*>(handle);
  jv_free(*held);
  delete held;
}

}  // namespace

Document::Document(const json::value& value) : value_(new jv(to_jv(value, 0)), free_handle) {}

Document::Document(const Document& shared, const json::object& own)
    : value_(new jv(jv_copy(*static_cast<const jv*>(shared.handle()))), free_handle) {
  auto& merged = *static_cast<jv*>(value_.get());
  for (const auto& [key, item] : own) {
    merged = jv_object_set(merged, text_value(key), to_jv(item, 1));
  }
}

Document::~Document() = default;

std::unique_ptr<Chunk> Chunk::compile(std::span<const std::string_view> programs, std::string& error) {
  auto chunk = std::make_unique<JqChunk>();
  if (programs.empty() || !chunk->compile(programs, error)) {
    return nullptr;
  }
  return chunk;
}

}  // namespace assay::expr

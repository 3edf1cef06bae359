#include "harness/evidence/journal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <unistd.h>

#include "harness/evidence/digest.hpp"
#include "harness/evidence/layout.hpp"

namespace assay::evidence {

namespace {

/// Length of the UTF-8 sequence at the start of `text` (RFC 3629), 0 when it is none.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const unsigned first = at(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return follows(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && at(1) < 0xA0;
    const bool surrogate = first == 0xED && at(1) > 0x9F;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && at(1) < 0x90;
    const bool beyond = first == 0xF4 && at(1) > 0x8F;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

std::string readable_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto length = utf8_length(text);
    out += length == 0 ? std::string_view{"\xEF\xBF\xBD"} : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

void add_paths(const json::value* artifacts, std::vector<std::string>& out) {
  if (artifacts == nullptr || !artifacts->is_array()) {
    return;
  }
  for (const auto& item : artifacts->get_array()) {
    const auto* object = item.if_object();
    const auto* digest = object == nullptr ? nullptr : object->if_contains("sha256");
    const auto* restricted = object == nullptr ? nullptr : object->if_contains("restricted");
    const bool apart = restricted != nullptr && restricted->is_bool() && restricted->get_bool();
    if (digest != nullptr && digest->is_string()) {
      out.push_back(artifact_path(std::string_view{digest->get_string()}, apart));
    }
  }
}

const json::object* observation_of(const Event& event) {
  const auto* observation = event.type == "observation" ? event.data.if_contains("observation") : nullptr;
  return observation == nullptr ? nullptr : observation->if_object();
}

}  // namespace

std::string no_previous() {
  return std::string(64, '0');
}

std::string encode_event(const Event& event) {
  return canonical(to_json(event));
}

Result<Event> parse_event(std::string_view line, std::string_view where) {
  auto value = parse_json(line, where);
  if (!value) {
    return value.error();
  }
  Event event;
  if (auto read = from_json(*value, event); !read) {
    auto error = read.error();
    error.where = where;
    return error;
  }
  // The bundled parser may round a fraction in its last digit, so only lines without one are compared.
  if (!has_fraction(*value) && canonical(*value) != line) {
    return Error{ErrorKind::bad_input, "is not in canonical form", std::string{where}};
  }
  if (!is_utc_time(event.time) || !is_sha256(event.previous)) {
    return Error{ErrorKind::bad_input, "has no proper time or previous digest", std::string{where}};
  }
  return event;
}

std::string event_place(std::int64_t sequence) {
  return std::string{kJournal} + " event " + std::to_string(sequence);
}

json::value readable(const json::value& value) {
  if (const auto* object = value.if_object()) {
    json::object out;
    for (const auto& item : *object) {
      out[readable_text(item.key())] = readable(item.value());
    }
    return out;
  }
  if (const auto* array = value.if_array()) {
    json::array out;
    out.reserve(array->size());
    for (const auto& item : *array) {
      out.push_back(readable(item));
    }
    return out;
  }
  if (const auto* text = value.if_string()) {
    return json::string(readable_text(*text));
  }
  return value;
}

bool has_fraction(const json::value& value) {
  if (const auto* object = value.if_object()) {
    for (const auto& item : *object) {
      if (has_fraction(item.value())) {
        return true;
      }
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array) {
      if (has_fraction(item)) {
        return true;
      }
    }
  }
  return value.is_double();
}

std::vector<std::string> named_artifacts(const Event& event) {
  std::vector<std::string> out;
  add_paths(event.data.if_contains("artifacts"), out);
  if (const auto* observation = observation_of(event)) {
    add_paths(observation->if_contains("artifacts"), out);
  }
  return out;
}

std::vector<std::string> named_evidence(const Event& event) {
  std::vector<std::string> out;
  const auto* observation = observation_of(event);
  const auto* evidence = observation == nullptr ? nullptr : observation->if_contains("evidence");
  if (evidence == nullptr || !evidence->is_object()) {
    return out;
  }
  for (const auto& fact : evidence->get_object()) {
    if (const auto* digests = fact.value().if_array()) {
      for (const auto& digest : *digests) {
        if (digest.is_string()) {
          out.emplace_back(std::string_view{digest.get_string()});
        }
      }
    }
  }
  return out;
}

std::map<std::string, std::string> vouched_files(const Event& event) {
  std::map<std::string, std::string> out;
  const auto* files = event.data.if_contains("files");
  if (files != nullptr && files->is_object()) {
    for (const auto& item : files->get_object()) {
      if (item.value().is_string()) {
        out.emplace(item.key(), std::string_view{item.value().get_string()});
      }
    }
  }
  return out;
}

Result<std::optional<std::string>> LineReader::next() {
  while (true) {
    const auto newline = buffer_.find('\n', searched_);
    const auto length = (newline == buffer_.npos ? buffer_.size() : newline) - start_;
    if (length > kMaximumLine) {
      return Error{ErrorKind::bad_input, "is longer than " + std::to_string(kMaximumLine) + " bytes",
                   std::string{kJournal} + " line " + std::to_string(lines_ + 1)};
    }
    if (newline != buffer_.npos) {
      std::string line = buffer_.substr(start_, length);
      start_ = searched_ = newline + 1;
      whole_ += length + 1;
      ++lines_;
      return std::optional<std::string>{std::move(line)};
    }
    if (ended_) {
      return std::optional<std::string>{};
    }
    if (whole_ + length > kMaximumJournal) {
      return Error{ErrorKind::bad_input, "is larger than " + std::to_string(kMaximumJournal) + " bytes",
                   std::string{kJournal}};
    }
    buffer_.erase(0, start_);
    start_ = 0;
    searched_ = buffer_.size();
    if (auto got = read_more(); !got) {
      return got.error();
    }
  }
}

Result<> LineReader::read_more() {
  std::array<char, std::size_t{64} * 1024> piece;
  const auto got = ::read(file_.get(), piece.data(), piece.size());
  if (got < 0 && errno != EINTR) {
    return io_error("read", std::string{kJournal}, errno);
  }
  ended_ = got == 0;
  buffer_.append(piece.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return {};
}

bool Chain::reopened() const {
  const auto last = std::find_if(events.rbegin(), events.rend(),
                                 [](const Event& event) { return event.type == "closed" || event.type == "reopened"; });
  return last != events.rend() && last->type == "reopened";
}

Result<Chain> read_chain(Fd journal) {
  Chain chain;
  chain.head = no_previous();
  LineReader lines{std::move(journal)};
  while (true) {
    auto line = lines.next();
    if (!line) {
      return line.error();
    }
    if (!line->has_value()) {
      break;
    }
    const auto number = static_cast<std::int64_t>(chain.events.size()) + 1;
    const auto where = std::string{kJournal} + " line " + std::to_string(number);
    auto event = parse_event(**line, where);
    if (!event) {
      return event.error();
    }
    if (event->sequence != number || event->previous != chain.head) {
      return Error{ErrorKind::bad_input,
                   "does not follow the line before: the journal was changed; `assay verify` says what", where};
    }
    chain.head = sha256_hex(**line);
    chain.events.push_back(std::move(*event));
  }
  chain.whole = lines.whole();
  chain.torn = lines.torn();
  return chain;
}

}  // namespace assay::evidence

#include "probes/wire/http_request.hpp"

#include <algorithm>
#include <charconv>

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumHead = 64U << 10U;
constexpr std::size_t kMaximumBody = 256U << 10U;
constexpr std::size_t kMaximumHeaders = 256;
constexpr std::size_t kMaximumDeviations = 16;
constexpr std::size_t kMaximumTarget = 8192;
constexpr std::size_t kMaximumChunkLine = 1024;

/// The next line without its end, and where the text behind it begins; npos when there is none yet.
std::size_t next_line(std::string_view bytes, std::string_view& line) {
  const auto end = bytes.find('\n');
  if (end == std::string_view::npos) {
    return end;
  }
  line = bytes.substr(0, end);
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return end + 1;
}

std::optional<std::uint64_t> number(std::string_view text, int base = 10) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const bool whole = failed == std::errc{} && end == text.data() + text.size() && !text.empty();
  return whole ? std::optional{value} : std::nullopt;
}

/// Offset behind the empty line that ends a head, or npos.
std::size_t end_of_head(std::string_view bytes) {
  std::size_t at = 0;
  std::string_view line;
  for (;;) {
    const auto size = next_line(bytes.substr(at), line);
    if (size == std::string_view::npos) {
      return size;
    }
    at += size;
    if (line.empty()) {
      return at;
    }
  }
}

}  // namespace

const std::string* HttpAsked::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& header) { return equal_ignoring_case(header.name, name); });
  return found == headers.end() ? nullptr : &found->value;
}

std::string HttpAsked::path() const {
  std::string_view rest = target;
  if (const auto scheme = rest.find("://"); scheme != std::string_view::npos && !rest.starts_with('/')) {
    const auto slash = rest.find('/', scheme + 3);
    rest = slash == std::string_view::npos ? "/" : rest.substr(slash);
  }
  return std::string{rest.substr(0, rest.find_first_of("?#"))};
}

void HttpAskedReader::deviate(std::string_view what) {
  auto& list = request_.deviations;
  if (list.size() < kMaximumDeviations && std::find(list.begin(), list.end(), what) == list.end()) {
    list.emplace_back(what);
  }
}

HttpAskedReader::State HttpAskedReader::feed(std::string_view bytes) {
  if (state_ == State::malformed) {
    return state_;
  }
  // A client that sends ahead of our answers is not kept without bound.
  if (pending_.size() + bytes.size() > kMaximumHead + kMaximumBody) {
    bytes = bytes.substr(0, kMaximumHead + kMaximumBody - std::min(pending_.size(), kMaximumHead + kMaximumBody));
    deviate("more was sent ahead than is kept");
  }
  pending_.append(bytes);
  if (state_ == State::head) {
    read_head();
  }
  if (state_ == State::body) {
    read_body();
  }
  return state_;
}

HttpAskedReader::State HttpAskedReader::next() {
  if (state_ != State::done) {
    return state_;
  }
  state_ = State::head;
  request_ = {};
  chunked_ = false;
  left_ = 0;
  return feed({});
}

void HttpAskedReader::read_head() {
  while (pending_.starts_with("\r\n") || pending_.starts_with('\n')) {
    deviate("empty lines before the request line");
    pending_.erase(0, pending_[0] == '\n' ? 1 : 2);
  }
  const auto end = end_of_head(pending_);
  if (end == std::string::npos) {
    if (pending_.size() > kMaximumHead) {
      state_ = State::malformed;
    }
    return;
  }
  const auto head = pending_.substr(0, end);
  pending_.erase(0, end);
  std::string_view rest = head;
  std::string_view line;
  rest.remove_prefix(next_line(rest, line));
  if (!read_request_line(line)) {
    state_ = State::malformed;
    return;
  }
  while (!rest.empty()) {
    rest.remove_prefix(next_line(rest, line));
    if (!line.empty()) {
      read_header_line(line);
    }
  }
  choose_framing();
}

bool HttpAskedReader::read_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto method = line.substr(0, first);
  const bool word = !method.empty() && method.size() <= 32 &&
                    std::all_of(method.begin(), method.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (first == std::string_view::npos || !word) {
    return false;
  }
  auto target = trim(line.substr(first + 1));
  const auto last = target.rfind(' ');
  if (last != std::string_view::npos && target.substr(last + 1).starts_with("HTTP/")) {
    request_.version = std::string{target.substr(last + 6, 8)};
    target = trim(target.substr(0, last));
  } else {
    deviate("no version of the protocol");
  }
  if (target.empty() || target.size() > kMaximumTarget) {
    return false;
  }
  if (target.find(' ') != std::string_view::npos) {
    deviate("blanks in the target");
  }
  request_.method = std::string{method};
  request_.target = std::string{target};
  return true;
}

void HttpAskedReader::read_header_line(std::string_view line) {
  if (request_.headers.size() >= kMaximumHeaders) {
    deviate("more headers than are kept");
    return;
  }
  if (line[0] == ' ' || line[0] == '\t') {
    deviate("a folded header line");
    if (!request_.headers.empty()) {
      request_.headers.back().value += " " + std::string{trim(line)};
    }
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) {
    deviate("a header line without colon");
    return;
  }
  if (trim(line.substr(0, colon)).size() != colon) {
    deviate("blanks around a header's name");
  }
  request_.headers.push_back({std::string{trim(line.substr(0, colon))}, std::string{trim(line.substr(colon + 1))}});
}

void HttpAskedReader::choose_framing() {
  const auto* connection = request_.header("Connection");
  const auto words = connection == nullptr ? std::string{} : lower(*connection);
  request_.keeps_open = request_.version == "1.1" ? words.find("close") == std::string::npos
                                                  : words.find("keep-alive") != std::string::npos;
  const auto* coding = request_.header("Transfer-Encoding");
  const auto* length = request_.header("Content-Length");
  chunked_ = coding != nullptr && lower(*coding).find("chunked") != std::string::npos;
  state_ = State::body;
  if (chunked_ && length != nullptr) {
    deviate("both a length and chunks");
  }
  if (chunked_ || length == nullptr) {
    left_ = 0;
    if (!chunked_) {
      state_ = State::done;
    }
    return;
  }
  const auto size = number(*length);
  if (!size) {
    state_ = State::malformed;
    return;
  }
  left_ = *size;
  if (left_ == 0) {
    state_ = State::done;
  }
}

void HttpAskedReader::keep_body(std::string_view bytes) {
  const auto room = kMaximumBody - std::min(kMaximumBody, request_.body.size());
  request_.body_cut = request_.body_cut || bytes.size() > room;
  request_.body.append(bytes.substr(0, room));
}

void HttpAskedReader::read_body() {
  while (state_ == State::body) {
    if (left_ > 0) {
      if (pending_.empty()) {
        return;
      }
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, pending_.size()));
      keep_body(std::string_view{pending_}.substr(0, size));
      pending_.erase(0, size);
      left_ -= size;
      if (left_ == 0 && !chunked_) {
        state_ = State::done;
      }
    } else if (!read_chunk()) {
      return;
    }
  }
}

/// The size of the next chunk, with the empty line that ends the one before. False when more has to come, or at the
/// end.
bool HttpAskedReader::read_chunk() {
  std::string_view line;
  auto at = next_line(pending_, line);
  if (at == std::string::npos) {
    if (pending_.size() > kMaximumChunkLine) {
      state_ = State::malformed;
    }
    return false;
  }
  const auto digits = trim(line.substr(0, line.find(';')));
  if (digits.empty()) {
    pending_.erase(0, at);
    return true;
  }
  const auto size = number(digits, 16);
  if (!size) {
    state_ = State::malformed;
    return false;
  }
  pending_.erase(0, at);
  left_ = *size;
  if (left_ > 0) {
    return true;
  }
  // Trailers are dropped up to the empty line; a client that leaves it out waits for nothing.
  at = next_line(pending_, line);
  if (at != std::string::npos && line.empty()) {
    pending_.erase(0, at);
  }
  state_ = State::done;
  return false;
}

std::optional<ByteRange> byte_range(std::string_view value, std::uint64_t size) {
  const auto text = trim(value);
  constexpr std::string_view kUnit = "bytes=";
  if (!text.starts_with(kUnit) || text.find(',') != std::string_view::npos || size == 0) {
    return std::nullopt;
  }
  const auto range = text.substr(kUnit.size());
  const auto dash = range.find('-');
  if (dash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto first = number(trim(range.substr(0, dash)));
  const auto last = number(trim(range.substr(dash + 1)));
  if (!first) {
    if (!last || *last == 0) {
      return std::nullopt;
    }
    return ByteRange{size - std::min(size, *last), size - 1};
  }
  const bool open = trim(range.substr(dash + 1)).empty();
  if (*first >= size || (!open && (!last || *last < *first))) {
    return std::nullopt;
  }
  return ByteRange{*first, open ? size - 1 : std::min(*last, size - 1)};
}

}  // namespace assay::wire

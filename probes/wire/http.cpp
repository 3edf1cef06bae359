#include "probes/wire/http.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "probes/wire/http_coding.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumHead = 64U << 10U;
constexpr std::size_t kMaximumBody = 256U << 10U;
constexpr std::size_t kMaximumHeaders = 256;
constexpr std::size_t kMaximumDeviations = 16;
constexpr std::size_t kMaximumChunkLine = 1024;

std::string one_line(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return c != '\r' && c != '\n' && c != '\0'; });
  return out;
}

std::string safe_target(std::string_view target) {
  std::string out;
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f) {
      out += c;
    } else {
      static constexpr std::string_view kDigits = "0123456789ABCDEF";
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
  return out.empty() ? "/" : out;
}

bool could_start(std::string_view bytes, std::string_view word) {
  const auto size = std::min(bytes.size(), word.size());
  return equal_ignoring_case(bytes.substr(0, size), word.substr(0, size));
}

std::string_view without_leading_lines(std::string_view bytes) {
  const auto first = bytes.find_first_not_of("\r\n");
  return first == std::string_view::npos ? std::string_view{} : bytes.substr(first);
}

/// End of the head: the offset behind the first empty line, or npos.
std::size_t end_of_head(std::string_view bytes, std::size_t from) {
  for (auto at = bytes.find('\n', from); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if (at + 1 < bytes.size() && bytes[at + 1] == '\n') {
      return at + 2;
    }
    if (at + 2 < bytes.size() && bytes[at + 1] == '\r' && bytes[at + 2] == '\n') {
      return at + 3;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::string http_request(const HttpRequest& request) {
  std::string out = one_line(request.method) + " " + safe_target(request.target) + " " + request.protocol + "\r\n";
  if (!request.host.empty()) {
    out += "Host: " + one_line(request.host) + "\r\n";
  }
  for (const auto& header : request.headers) {
    out += one_line(header.name) + ": " + one_line(header.value) + "\r\n";
  }
  if (!request.body.empty()) {
    out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return out + "\r\n" + request.body;
}

const std::string* HttpResponse::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& header) { return equal_ignoring_case(header.name, name); });
  return found == headers.end() ? nullptr : &found->value;
}

std::vector<std::string> HttpResponse::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& header : headers) {
    if (equal_ignoring_case(header.name, name)) {
      values.push_back(header.value);
    }
  }
  return values;
}

void HttpReader::deviate(std::string_view what) {
  auto& list = response_.deviations;
  if (list.size() < kMaximumDeviations && std::find(list.begin(), list.end(), what) == list.end()) {
    list.emplace_back(what);
  }
}

HttpReader::State HttpReader::feed(std::string_view bytes) {
  if (state_ == State::done || state_ == State::malformed) {
    if (state_ == State::done && !bytes.empty()) {
      deviate("bytes after the end of the response");
      response_.keeps_open = false;
    }
    return state_;
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

void HttpReader::read_head() {
  for (;;) {
    const auto start = without_leading_lines(pending_);
    if (!could_start(start, "HTTP") && !could_start(start, "RTSP")) {
      state_ = State::malformed;
      return;
    }
    const auto skipped = pending_.size() - start.size();
    const auto from = std::max(searched_ > 3 ? searched_ - 3 : 0, skipped);
    const auto end = end_of_head(pending_, from);
    searched_ = pending_.size();
    if (end == std::string_view::npos) {
      if (pending_.size() > kMaximumHead) {
        state_ = State::malformed;
      }
      return;
    }
    if (skipped != 0) {
      deviate("empty lines before the status line");
    }
    std::string head = pending_.substr(skipped, end - skipped);
    pending_.erase(0, end);
    head_size_ += end;
    searched_ = 0;
    bool first = true;
    for (std::size_t at = 0; at < head.size() && state_ == State::head;) {
      const auto newline = head.find('\n', at);
      auto line = std::string_view{head}.substr(at, newline - at);
      at = newline == std::string::npos ? head.size() : newline + 1;
      if (line.ends_with('\r')) {
        line.remove_suffix(1);
      } else {
        deviate("lines end with LF only");
      }
      first ? read_status_line(line) : read_header_line(line);
      first = false;
    }
    const bool interim = response_.status >= 100 && response_.status < 200 && response_.status != 101;
    if (state_ == State::malformed) {
      return;
    }
    if (interim) {
      response_.headers.clear();
      response_.status = 0;
      continue;
    }
    choose_framing();
    return;
  }
}

void HttpReader::read_status_line(std::string_view line) {
  const auto space = line.find_first_of(" \t");
  const auto word = line.substr(0, space);
  const auto slash = word.find('/');
  response_.protocol = could_start(word, "RTSP") ? "RTSP" : "HTTP";
  if (word.substr(0, slash) != response_.protocol) {
    deviate("the protocol name is not in capitals");
  }
  response_.version = slash == std::string_view::npos ? std::string{} : printable(word.substr(slash + 1), 8);
  if (slash == std::string_view::npos || word.size() > 12) {
    deviate("the status line has no version");
  }
  auto rest = space == std::string_view::npos ? std::string_view{} : line.substr(space);
  const auto digits = rest.find_first_not_of(" \t");
  if (digits == std::string_view::npos) {
    state_ = State::malformed;
    return;
  }
  rest.remove_prefix(digits);
  int status = 0;
  const auto [end, failed] = std::from_chars(rest.data(), rest.data() + std::min<std::size_t>(rest.size(), 3), status);
  if (failed != std::errc{} || status < 100 || end != rest.data() + 3) {
    state_ = State::malformed;
    return;
  }
  response_.status = status;
  rest.remove_prefix(3);
  if (!rest.starts_with(' ')) {
    deviate("nothing follows the status code");
  }
  response_.reason = printable(trim(rest), 128);
}

void HttpReader::read_header_line(std::string_view line) {
  if (line.empty()) {
    return;
  }
  if (line.front() == ' ' || line.front() == '\t') {
    deviate("a header is folded over lines");
    if (!response_.headers.empty()) {
      response_.headers.back().value += " " + std::string{trim(line)};
    }
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) {
    deviate("a header line has no colon");
    return;
  }
  if (response_.headers.size() >= kMaximumHeaders) {
    deviate("more headers than are kept");
    return;
  }
  const auto name = line.substr(0, colon);
  if (name != trim(name)) {
    deviate("white space stands before the colon of a header");
  }
  response_.headers.push_back({std::string{trim(name)}, std::string{trim(line.substr(colon + 1))}});
}

void HttpReader::choose_framing() {
  state_ = State::body;
  const auto* transfer = response_.header("Transfer-Encoding");
  const auto lengths = response_.all("Content-Length");
  const auto* connection = response_.header("Connection");
  const bool says_close = connection != nullptr && contains_ignoring_case(*connection, "close");
  const bool says_keep = connection != nullptr && contains_ignoring_case(*connection, "keep-alive");
  response_.keeps_open = !says_close && (response_.version == "1.1" || says_keep || response_.protocol == "RTSP");
  const auto codings = response_.all("Content-Encoding");
  response_.packed = std::any_of(codings.begin(), codings.end(), [](const auto& coding) {
    return !trim(coding).empty() && !equal_ignoring_case(trim(coding), "identity");
  });
  const bool empty = bodyless_ || response_.status == 204 || response_.status == 304 || response_.status == 101;
  if (transfer != nullptr && contains_ignoring_case(*transfer, "chunked") && !empty) {
    framing_ = Framing::chunked;
  } else if (empty || !lengths.empty() || response_.protocol == "RTSP") {
    framing_ = Framing::length;
    const auto text = empty || lengths.empty() ? std::string{"0"} : lengths.front();
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), left_);
    if (failed != std::errc{} || end != text.data() + text.size()) {
      deviate("Content-Length is not a number");
      framing_ = Framing::until_close;
    }
    if (lengths.size() > 1 &&
        std::adjacent_find(lengths.begin(), lengths.end(), std::not_equal_to<>{}) != lengths.end()) {
      deviate("several Content-Length headers disagree");
    }
  }
  if (framing_ == Framing::until_close) {
    response_.keeps_open = false;
  }
}

void HttpReader::keep_body(std::string_view bytes) {
  const auto room = kMaximumBody - response_.body.size();
  response_.body.append(bytes.substr(0, room));
  if (bytes.size() > room) {
    response_.body_cut = true;
    response_.keeps_open = false;
    end_body();
  }
}

/// Of the body. A device may send compressed what nobody asked it to compress.
void HttpReader::end_body() {
  state_ = State::done;
  response_.packed = response_.packed && !response_.body.empty();
  if (!response_.packed) {
    return;
  }
  const auto codings = response_.all("Content-Encoding");
  auto unpacked = codings.size() == 1 ? unpack_body(trim(codings.front()), response_.body, kMaximumBody) : std::nullopt;
  if (!unpacked) {
    return;
  }
  response_.packed = false;
  response_.unpacked_from = response_.body.size();
  response_.body = std::move(unpacked->text);
  response_.body_cut = response_.body_cut || unpacked->cut;
  response_.complete = response_.complete && unpacked->whole;
}

bool HttpReader::read_chunk_size() {
  const auto newline = pending_.find('\n');
  if (newline == std::string::npos) {
    if (pending_.size() > kMaximumChunkLine) {
      deviate("a chunk has no readable size");
      framing_ = Framing::until_close;
      response_.keeps_open = false;
      return true;
    }
    return false;
  }
  const auto line = trim(std::string_view{pending_}.substr(0, newline));
  if (last_chunk_ || line.empty()) {  // trailers, or the line that ends a chunk
    const bool end = last_chunk_ && line.empty();
    pending_.erase(0, newline + 1);
    if (end) {
      response_.complete = true;
      end_body();
    }
    return true;
  }
  std::uint32_t size = 0;
  const auto [end, failed] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
  if (failed != std::errc{} || (end != line.data() + line.size() && *end != ';' && *end != ' ')) {
    deviate("a chunk has no readable size");
    framing_ = Framing::until_close;
    response_.keeps_open = false;
    return true;
  }
  pending_.erase(0, newline + 1);
  left_ = size;
  in_chunk_ = size != 0;
  last_chunk_ = size == 0;
  return true;
}

void HttpReader::read_body() {
  while (state_ == State::body) {
    if (framing_ == Framing::until_close) {
      const auto bytes = std::exchange(pending_, {});
      keep_body(bytes);
      return;
    }
    if (framing_ == Framing::chunked && !in_chunk_) {
      if (!read_chunk_size()) {
        return;
      }
      continue;
    }
    const auto take = std::min(left_, pending_.size());
    const auto bytes = pending_.substr(0, take);
    pending_.erase(0, take);
    left_ -= take;
    keep_body(bytes);
    if (state_ != State::body) {
      return;
    }
    if (left_ == 0 && framing_ == Framing::chunked) {
      in_chunk_ = false;
      continue;
    }
    if (left_ == 0) {
      response_.complete = true;
      end_body();
      if (!pending_.empty() && !more_) {
        deviate("bytes after the end of the response");
        response_.keeps_open = false;
      }
    }
    return;
  }
}

HttpReader::State HttpReader::finish() {
  if (state_ == State::head) {
    // Some servers send a status line and close without the empty line.
    const auto start = without_leading_lines(pending_);
    if (start.find('\n') != std::string_view::npos && start.size() > 12) {
      deviate("the head has no end");
      return pending_ += "\r\n\r\n", feed({}), finish();
    }
    state_ = State::malformed;
  } else if (state_ == State::body) {
    response_.complete = framing_ == Framing::until_close;
    response_.keeps_open = false;
    if (!response_.complete) {
      deviate("the body is shorter than announced");
    }
    end_body();
  }
  return state_;
}

namespace {

/// Without the segments "." and ".." (RFC 3986, 5.2.4). The path begins with a slash.
std::string without_dots(std::string_view path) {
  const auto end = std::min(path.find('?'), path.size());
  std::string out;
  for (std::size_t at = 0; at < end;) {
    const auto next = std::min(path.find('/', at + 1), end);
    const auto segment = path.substr(at + 1, next - at - 1);
    const bool up = segment == "..";
    if (up) {
      out.resize(out.empty() ? 0 : out.rfind('/'));
    }
    if (!up && segment != ".") {
      out += '/';
      out += segment;
    } else if (next == end) {
      out += '/';
    }
    at = next;
  }
  return out.append(path.substr(end));
}

}  // namespace

std::optional<HttpPlace> http_location(std::string_view value, std::string_view base_path) {
  value = trim(value);
  if (value.empty() || value.size() > 2048) {
    return std::nullopt;
  }
  HttpPlace place;
  const auto mark = value.find("://");
  if (mark != std::string_view::npos && mark < value.find_first_of("/?#")) {
    place.scheme = lower(value.substr(0, mark));
    if (place.scheme != "http" && place.scheme != "https") {
      return std::nullopt;
    }
    value.remove_prefix(mark + 1);
  }
  if (value.starts_with("//")) {
    value.remove_prefix(2);
    const auto end = value.find_first_of("/?#");
    auto authority = value.substr(0, end);
    value = end == std::string_view::npos ? std::string_view{} : value.substr(end);
    if (const auto user = authority.rfind('@'); user != std::string_view::npos) {
      authority.remove_prefix(user + 1);
    }
    const auto bracket = authority.find(']');
    const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon != std::string_view::npos) {
      const auto digits = authority.substr(colon + 1);
      const auto [stop, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), place.port);
      if (!digits.empty() && (failed != std::errc{} || stop != digits.data() + digits.size())) {
        return std::nullopt;
      }
    }
    place.host = lower(authority.substr(0, colon));
    if (place.host.starts_with('[') && place.host.ends_with(']')) {
      place.host = place.host.substr(1, place.host.size() - 2);
    }
  }
  value = value.substr(0, value.find('#'));
  if (value.starts_with('/')) {
    place.path = value;
  } else if (value.starts_with('?')) {
    place.path = std::string{base_path.substr(0, base_path.find('?'))} + std::string{value};
  } else if (!value.empty()) {
    const auto folder = base_path.substr(0, base_path.find('?'));
    place.path = std::string{folder.substr(0, folder.rfind('/') + 1)} + std::string{value};
  }
  if (!place.path.starts_with('/')) {
    place.path.insert(0, "/");
  }
  place.path = without_dots(place.path);
  return place;
}

bool leads_to(const HttpPlace& place, std::string_view address, std::uint16_t port, bool tls) {
  const bool wants_tls = place.scheme.empty() ? tls : place.scheme == "https";
  const std::uint16_t usual = wants_tls ? 443 : 80;
  const auto wants_port = place.host.empty() ? port : place.port == 0 ? usual : place.port;
  return (place.host.empty() || place.host == address) && wants_tls == tls && wants_port == port;
}

std::pair<std::string, std::string> product_version(std::string_view text) {
  text = trim(text.substr(0, text.find('(')));
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) {
    return {printable(text, 64), {}};
  }
  auto version = text.substr(slash + 1);
  version = version.substr(0, version.find_first_of(" \t,;"));
  return {printable(trim(text.substr(0, slash)), 64), printable(version, 64)};
}

}  // namespace assay::wire

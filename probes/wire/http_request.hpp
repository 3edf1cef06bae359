#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/http.hpp"

/// Requests as clients of a server that we play really write them (RFC 9112): line ends of any kind, odd spacing and
/// unknown methods are taken, what is against the rules is kept as a list of deviations.
namespace assay::wire {

struct HttpAsked {
  std::string method;
  std::string target;   // as it came, at most 8 KiB
  std::string version;  // "1.1"; empty: HTTP/0.9
  std::vector<HttpHeader> headers;
  std::string body;
  bool body_cut = false;    // longer than we keep
  bool keeps_open = false;  // the client wants the connection to go on
  std::vector<std::string> deviations;

  /// First header of that name, or null.
  const std::string* header(std::string_view name) const;

  /// The path of the target without scheme, host and query.
  std::string path() const;
};

/// Reads one request after the other from bytes as they come. Memory is bounded: 64 KiB of head, 256 headers, 256 KiB
/// of body.
class HttpAskedReader {
 public:
  enum class State : std::uint8_t { head, body, done, malformed };

  State feed(std::string_view bytes);

  State state() const { return state_; }

  const HttpAsked& request() const { return request_; }

  /// Begins with the next request, whose first bytes may have come already.
  State next();

 private:
  void read_head();
  bool read_request_line(std::string_view line);
  void read_header_line(std::string_view line);
  void choose_framing();
  void read_body();
  bool read_chunk();
  void keep_body(std::string_view bytes);
  void deviate(std::string_view what);

  State state_ = State::head;
  std::string pending_;
  std::uint64_t left_ = 0;
  bool chunked_ = false;
  HttpAsked request_;
};

/// The part of a resource that a Range header asks for (RFC 9110, 14.2); bytes, inclusive.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  bool operator==(const ByteRange&) const = default;
};

/// One range of "bytes=" within a resource of `size` bytes; null for what cannot be served or is more than one range.
std::optional<ByteRange> byte_range(std::string_view value, std::uint64_t size);

}  // namespace assay::wire

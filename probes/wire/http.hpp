#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/wire/bytes.hpp"

/// HTTP/1.x and RTSP messages (RFC 9112, RFC 2326): requests built, responses read the way embedded servers really
/// write them. What a response does against the rules is kept as a list of deviations, not refused.
namespace assay::wire {

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  std::string host;  // as it stands in the Host header; empty: no such header
  std::vector<HttpHeader> headers;
  std::string body;
  std::string protocol = "HTTP/1.1";
};

/// The bytes of a request. CR and LF inside any part are dropped, so that text of a device cannot add headers.
std::string http_request(const HttpRequest& request);

struct HttpResponse {
  std::string protocol;  // "HTTP" or "RTSP"
  std::string version;   // "1.1"
  int status = 0;
  std::string reason;
  std::vector<HttpHeader> headers;
  std::string body;
  bool complete = false;          // the body ended as its framing says
  bool body_cut = false;          // longer than we keep
  bool packed = false;            // the body is compressed, and what it holds was not read
  std::size_t unpacked_from = 0;  // bytes of a body that came compressed and is here as what it holds
  bool keeps_open = false;        // the connection can carry another request
  std::vector<std::string> deviations;

  /// First header of that name, or null.
  const std::string* header(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
};

/// Reads one response from bytes as they come. Memory is bounded: 64 KiB of head, 256 headers, 256 KiB of body, which
/// is unpacked at its end where it came compressed (http_coding.hpp).
class HttpReader {
 public:
  enum class State : std::uint8_t { head, body, done, malformed };

  /// `bodyless`: the answer to a HEAD request.
  explicit HttpReader(bool bodyless = false) : bodyless_(bodyless) {}

  State feed(std::string_view bytes);

  /// The peer closed: ends a body that has no other end.
  State finish();

  State state() const { return state_; }

  /// Other responses follow on this connection: bytes after the end are theirs.
  void expect_more() { more_ = true; }

  /// Bytes after the end of the response.
  std::string take_rest() { return std::exchange(pending_, {}); }

  const HttpResponse& response() const { return response_; }

  /// Bytes before the body, with the interim responses before the head.
  std::size_t head_size() const { return head_size_; }

 private:
  enum class Framing : std::uint8_t { length, chunked, until_close };

  void read_head();
  void read_status_line(std::string_view line);
  void read_header_line(std::string_view line);
  void choose_framing();
  void read_body();
  bool read_chunk_size();
  void keep_body(std::string_view bytes);
  void end_body();
  void deviate(std::string_view what);

  bool bodyless_;
  bool more_ = false;
  State state_ = State::head;
  Framing framing_ = Framing::until_close;
  std::string pending_;
  std::size_t searched_ = 0;
  std::size_t head_size_ = 0;
  std::size_t left_ = 0;  // of the length or of the chunk
  bool in_chunk_ = false;
  bool last_chunk_ = false;
  HttpResponse response_;
};

/// Where a Location header leads.
struct HttpPlace {
  std::string scheme;      // "http", "https"; empty: unchanged
  std::string host;        // empty: unchanged
  std::uint16_t port = 0;  // 0: the scheme's own, or unchanged when there is no host
  std::string path = "/";  // with query
};

std::optional<HttpPlace> http_location(std::string_view value, std::string_view base_path);

/// The place is on this very endpoint, so that following it asks nobody else.
bool leads_to(const HttpPlace& place, std::string_view address, std::uint16_t port, bool tls);

/// "lighttpd/1.4.69 (Debian)" -> product and version, each empty when not given.
std::pair<std::string, std::string> product_version(std::string_view text);

}  // namespace assay::wire

#include "probes/wire/http_coding.hpp"

#include <algorithm>
#include <array>
#include <zlib.h>

#include "probes/wire/bytes.hpp"

namespace assay::wire {

namespace {

// How zlib is told what stands around a stream: its own wrapper, none, or that of gzip.
constexpr int kZlib = 15;
constexpr int kBare = -15;
constexpr int kGzip = 16 + 15;

/// One stream of zlib's.
class Inflater {
 public:
  Inflater(std::string_view packed, int wrapper) {
    stream_.next_in = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(packed.data()));
    stream_.avail_in = static_cast<uInt>(packed.size());
    state_ = inflateInit2(&stream_, wrapper);
  }

  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  ~Inflater() { inflateEnd(&stream_); }

  /// The next bytes; none at the end, where the rest is missing, and where it is broken.
  std::string_view next() {
    if (state_ != Z_OK) {
      return {};
    }
    stream_.next_out = piece_.data();
    stream_.avail_out = static_cast<uInt>(piece_.size());
    state_ = inflate(&stream_, Z_NO_FLUSH);
    return {reinterpret_cast<const char*>(piece_.data()), piece_.size() - stream_.avail_out};
  }

  bool at_end() const { return state_ == Z_STREAM_END && stream_.avail_in == 0; }

 private:
  z_stream stream_{};
  int state_ = Z_STREAM_ERROR;
  std::array<unsigned char, 16U << 10U> piece_{};
};

std::optional<Unpacked> inflated(std::string_view packed, int wrapper, std::size_t most) {
  Unpacked out;
  Inflater inflater{packed, wrapper};
  for (auto piece = inflater.next(); !piece.empty() && !out.cut; piece = inflater.next()) {
    const auto room = most - out.text.size();
    out.text += piece.substr(0, room);
    out.cut = piece.size() > room;
  }
  out.whole = !out.cut && inflater.at_end();
  return out.text.empty() && !out.whole ? std::nullopt : std::optional{std::move(out)};
}

}  // namespace

std::optional<Unpacked> unpack_body(std::string_view coding, std::string_view body, std::size_t most) {
  if (equal_ignoring_case(coding, "gzip") || equal_ignoring_case(coding, "x-gzip")) {
    return inflated(body, kGzip, most);
  }
  if (!equal_ignoring_case(coding, "deflate")) {
    return std::nullopt;
  }
  auto out = inflated(body, kZlib, most);
  return out ? out : inflated(body, kBare, most);
}

}  // namespace assay::wire

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// Content codings of HTTP (RFC 9110, 8.4.1) that zlib reads.
namespace assay::wire {

struct Unpacked {
  std::string text;
  bool whole = false;  // the stream came to its end, and nothing stands behind it
  bool cut = false;    // it holds more than is kept
};

/// What a body holds that came as gzip, or as deflate, with its wrapper of zlib or without, as devices send it. At most
/// `most` bytes of it, which is all that is ever unpacked. Nothing: another coding, or nothing of it can be read.
std::optional<Unpacked> unpack_body(std::string_view coding, std::string_view body, std::size_t most);

}  // namespace assay::wire

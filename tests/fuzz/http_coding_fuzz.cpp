#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <zlib.h>

#include "probes/wire/http_coding.hpp"

using namespace assay::wire;

namespace {

constexpr std::string_view kCodings[] = {"gzip", "X-GZIP", "deflate", "Deflate", "br"};
constexpr std::size_t kMost = std::size_t{256} << 10U;

std::string packed(std::string_view text, int wrapper) {
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, wrapper, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    std::abort();
  }
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) {
    std::abort();
  }
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

/// Nothing grows beyond its bound, a stream that is cut is not whole, and what was packed comes out as it was.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto coding = kCodings[data[0] % std::size(kCodings)];
  const std::string_view bytes{reinterpret_cast<const char*>(data + 1), size - 1};
  for (const std::size_t most : {kMost, std::size_t{100}}) {
    const auto out = unpack_body(coding, bytes, most);
    if (out && (out->text.size() > most || (out->whole && out->cut) || (out->cut && out->text.size() != most) ||
                coding == "br")) {
      std::abort();
    }
  }
  for (const auto& [name, wrapper] : {std::pair{"gzip", 31}, std::pair{"deflate", 15}}) {
    const auto genuine = packed(bytes, wrapper);
    const auto out = unpack_body(name, genuine, kMost);
    if (!out || !out->whole || out->text != bytes) {
      std::abort();
    }
    const auto part = unpack_body(name, std::string_view{genuine}.substr(0, genuine.size() - 1), kMost);
    if (part && (part->whole || !bytes.starts_with(part->text))) {
      std::abort();
    }
    const auto more = unpack_body(name, genuine + "x", kMost);
    if (!bytes.empty() && (!more || more->whole)) {
      std::abort();
    }
  }
  return 0;
}

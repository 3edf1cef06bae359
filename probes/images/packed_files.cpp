#include <array>
#include <cstdio>
#include <lzma.h>
#include <memory>
#include <unistd.h>
#include <zlib.h>

#include "probes/images/packed.hpp"

/// Streams of any size through temporary files that have no name.
namespace assay::images {

namespace {

constexpr std::uint64_t kMaximum = std::uint64_t{4} << 30U;
constexpr std::uint64_t kLzmaMemory = std::uint64_t{128} << 20U;
constexpr int kGzipOnly = 16 + 15;  // zlib: with gzip's header
constexpr std::size_t kOut = 64 * 1024;

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

using File = std::unique_ptr<std::FILE, Close>;

/// What a coder said to one piece.
enum class Step : std::uint8_t { more, ended, broken };

/// zlib and liblzma behind one face: bytes in, bytes out.
class Coder {
 public:
  Coder(Packing packing, bool unpack) : gzip_(packing == Packing::gzip), unpack_(unpack) {
    if (gzip_) {
      ready_ = (unpack ? inflateInit2(&zlib_, kGzipOnly)
                       : deflateInit2(&zlib_, 6, Z_DEFLATED, kGzipOnly, 8, Z_DEFAULT_STRATEGY)) == Z_OK;
    } else {
      ready_ = (unpack ? lzma_stream_decoder(&lzma_, kLzmaMemory, 0)
                       : lzma_easy_encoder(&lzma_, 3, LZMA_CHECK_CRC64)) == LZMA_OK;
    }
  }

  Coder(const Coder&) = delete;
  Coder& operator=(const Coder&) = delete;

  ~Coder() {
    if (!gzip_) {
      lzma_end(&lzma_);
    } else if (unpack_) {
      inflateEnd(&zlib_);
    } else {
      deflateEnd(&zlib_);
    }
  }

  /// `last`: nothing follows this piece.
  template <class Write>
  Step add(std::string_view piece, bool last, Write&& write) {
    if (!ready_) {
      return Step::broken;
    }
    zlib_.next_in = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(piece.data()));
    zlib_.avail_in = static_cast<uInt>(piece.size());
    lzma_.next_in = reinterpret_cast<const std::uint8_t*>(piece.data());
    lzma_.avail_in = piece.size();
    std::array<char, kOut> out;
    for (;;) {
      std::size_t made = 0;
      const auto step = gzip_ ? zlib_step(out, made, last) : lzma_step(out, made, last);
      if (step == Step::broken || !write(std::string_view{out.data(), made})) {
        return Step::broken;
      }
      if (step == Step::ended || made < out.size()) {
        return step;
      }
    }
  }

 private:
  Step zlib_step(std::array<char, kOut>& out, std::size_t& made, bool last) {
    zlib_.next_out = reinterpret_cast<unsigned char*>(out.data());
    zlib_.avail_out = static_cast<uInt>(out.size());
    const int flush = last && !unpack_ ? Z_FINISH : Z_NO_FLUSH;
    const int state = unpack_ ? inflate(&zlib_, flush) : deflate(&zlib_, flush);
    made = out.size() - zlib_.avail_out;
    return state == Z_STREAM_END ? Step::ended : state == Z_OK || state == Z_BUF_ERROR ? Step::more : Step::broken;
  }

  Step lzma_step(std::array<char, kOut>& out, std::size_t& made, bool last) {
    lzma_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    lzma_.avail_out = out.size();
    const auto state = lzma_code(&lzma_, last ? LZMA_FINISH : LZMA_RUN);
    made = out.size() - lzma_.avail_out;
    return state == LZMA_STREAM_END                      ? Step::ended
           : state == LZMA_OK || state == LZMA_BUF_ERROR ? Step::more
                                                         : Step::broken;
  }

  z_stream zlib_{};
  lzma_stream lzma_ = LZMA_STREAM_INIT;
  bool gzip_;
  bool unpack_;
  bool ready_ = false;
};

/// The file as a source; what was written so far.
Result<Source> taken(File file, std::uint64_t size) {
  const int descriptor = std::fflush(file.get()) == 0 ? ::dup(::fileno(file.get())) : -1;
  if (descriptor < 0) {
    return Error{ErrorKind::io, "cannot write a temporary file", {}};
  }
  return Source{std::make_shared<FileSource>(descriptor, size)};
}

Result<Source> coded(Packing packing, const Source& content, bool unpack) {
  File file{std::tmpfile()};
  if (!file) {
    return Error{ErrorKind::io, "cannot make a temporary file", {}};
  }
  Coder coder{packing, unpack};
  std::uint64_t size = 0;
  const auto write = [&](std::string_view part) {
    size += part.size();
    return size <= kMaximum && std::fwrite(part.data(), 1, part.size(), file.get()) == part.size();
  };
  std::uint64_t left = content->size();
  auto step = left == 0 ? coder.add({}, true, write) : Step::more;
  const auto read = for_each_piece(*content, 0, content->size(), [&](std::string_view piece) {
    left -= piece.size();
    step = step == Step::more ? coder.add(piece, left == 0, write) : step;
  });
  if (!read) {
    return read.error();
  }
  if (step != Step::ended) {
    return Error{size > kMaximum ? ErrorKind::unsupported : ErrorKind::protocol,
                 size > kMaximum ? "a stream unpacks to more than 4 GiB" : "a packed stream is broken",
                 {}};
  }
  return taken(std::move(file), size);
}

}  // namespace

Result<Source> unpacked_file(const Source& packed) {
  const auto head = read_text(*packed, 0, 6);
  if (!head) {
    return head.error();
  }
  const auto packing = packing_of(*head);
  return packing == Packing::none ? Result<Source>{packed} : coded(packing, packed, true);
}

Result<Source> packed_file(Packing packing, const Source& content) {
  return packing == Packing::none ? Result<Source>{content} : coded(packing, content, false);
}

}  // namespace assay::images

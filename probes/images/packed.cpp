#include "probes/images/packed.hpp"

#include <algorithm>
#include <array>
#include <lzma.h>
#include <memory>
#include <zlib.h>

namespace assay::images {

namespace {

constexpr std::uint64_t kMaximumBomb = std::uint64_t{64} << 30U;
constexpr std::uint64_t kLzmaMemory = std::uint64_t{64} << 20U;
constexpr std::uint64_t kStep = std::uint64_t{1} << 20U;
constexpr int kRaw = -15;           // zlib: no header, a window of 32 KiB
constexpr int kGzipOnly = 16 + 15;  // zlib: with gzip's header
constexpr std::size_t kOut = 32 * 1024;

Error broken(const char* what) {
  return {ErrorKind::protocol, what, {}};
}

Error too_large(std::uint64_t limit) {
  return {ErrorKind::unsupported, "a stream unpacks to more than " + std::to_string(limit) + " bytes", {}};
}

unsigned char* bytes_of(std::string_view text) {
  // zlib only reads from it, but says so only when built in another way.
  return const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(text.data()));
}

class Inflater {
 public:
  explicit Inflater(int window) { ready_ = inflateInit2(&stream_, window) == Z_OK; }

  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  ~Inflater() { inflateEnd(&stream_); }

  /// Shows what `piece` unpacks to. False when the stream is broken or `show` has enough.
  template <class Show>
  bool add(std::string_view piece, Show&& show) {
    stream_.next_in = bytes_of(piece);
    stream_.avail_in = static_cast<uInt>(piece.size());
    std::array<char, kOut> out;
    while (ready_ && !ended_) {
      stream_.next_out = reinterpret_cast<unsigned char*>(out.data());
      stream_.avail_out = kOut;
      const int state = inflate(&stream_, Z_NO_FLUSH);
      ended_ = state == Z_STREAM_END;
      if (!ended_ && state != Z_OK && state != Z_BUF_ERROR) {
        return false;
      }
      if (!show(std::string_view{out.data(), kOut - stream_.avail_out})) {
        return false;
      }
      if (stream_.avail_out != 0) {
        break;
      }
    }
    return ready_;
  }

  bool ended() const { return ended_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
  bool ended_ = false;
};

Result<std::string> gunzip(std::string_view packed, std::uint64_t limit) {
  Inflater inflater{kGzipOnly};
  std::string out;
  const bool well = inflater.add(packed, [&](std::string_view part) {
    out += part;
    return out.size() <= limit;
  });
  if (out.size() > limit) {
    return too_large(limit);
  }
  return well && inflater.ended() ? Result<std::string>{std::move(out)}
                                  : Result<std::string>{broken("a gzip stream is broken")};
}

Result<std::string> unxz(std::string_view packed, std::uint64_t limit) {
  std::string out;
  std::uint64_t memory = kLzmaMemory;
  std::size_t read = 0;
  std::size_t written = 0;
  for (std::size_t room = 64 * 1024;; room *= 4) {
    out.resize(static_cast<std::size_t>(std::min<std::uint64_t>(room, limit + 1)));
    read = written = 0;
    const auto state =
        lzma_stream_buffer_decode(&memory, LZMA_CONCATENATED, nullptr, bytes_of(packed), &read, packed.size(),
                                  reinterpret_cast<std::uint8_t*>(out.data()), &written, out.size());
    if (state == LZMA_OK && written <= limit) {
      out.resize(written);
      return out;
    }
    if (state != LZMA_BUF_ERROR) {
      return broken("an xz stream is broken");
    }
    if (out.size() > limit) {
      return too_large(limit);
    }
  }
}

/// Zero bytes through an encoder of liblzma.
Result<std::string> xz_zeros(std::uint64_t bytes) {
  lzma_stream stream = LZMA_STREAM_INIT;
  const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> owner{&stream, lzma_end};
  if (lzma_easy_encoder(&stream, 0, LZMA_CHECK_CRC32) != LZMA_OK) {
    return Error{ErrorKind::internal, "liblzma could not begin a stream", {}};
  }
  const std::string zeros(kStep, '\0');
  std::string out;
  std::array<char, kOut> room;
  for (lzma_ret state = LZMA_OK; state != LZMA_STREAM_END;) {
    if (stream.avail_in == 0 && bytes > 0) {
      stream.next_in = bytes_of(zeros);
      stream.avail_in = static_cast<std::size_t>(std::min(bytes, kStep));
      bytes -= stream.avail_in;
    }
    stream.next_out = reinterpret_cast<std::uint8_t*>(room.data());
    stream.avail_out = room.size();
    state = lzma_code(&stream, bytes == 0 ? LZMA_FINISH : LZMA_RUN);
    if (state != LZMA_OK && state != LZMA_STREAM_END) {
      return Error{ErrorKind::internal, "liblzma could not pack", {}};
    }
    out.append(room.data(), room.size() - stream.avail_out);
  }
  return out;
}

std::string deflated(std::string_view text, int flush) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, kRaw, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())) + 64, '\0');
  stream.next_in = bytes_of(text);
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, flush);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

void put_little(std::string& out, std::uint64_t value) {
  for (unsigned int shift = 0; shift < 32; shift += 8) {
    out += static_cast<char>(value >> shift & 0xFFU);
  }
}

std::string gzip_of(std::string deflate, std::uint32_t crc, std::uint64_t length) {
  std::string out{"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff", 10};
  out += deflate;
  put_little(out, crc);
  put_little(out, length);
  return out;
}

}  // namespace

Packing packing_of(std::string_view head) {
  if (head.starts_with("\x1f\x8b\x08")) {
    return Packing::gzip;
  }
  return head.starts_with(std::string_view{"\xfd"
                                           "7zXZ\0",
                                           6})
             ? Packing::xz
             : Packing::none;
}

std::string deflated_zeros(std::uint64_t bytes, std::uint32_t& crc) {
  // After a full flush a stream begins on a byte and remembers nothing, so that one piece can be repeated.
  const std::string zeros(kStep, '\0');
  const auto piece = deflated(zeros, Z_FULL_FLUSH);
  const auto piece_crc = crc32_of(zeros);
  std::string out;
  crc = 0;
  for (; bytes >= kStep; bytes -= kStep) {
    out += piece;
    crc = static_cast<std::uint32_t>(crc32_combine(crc, piece_crc, static_cast<z_off_t>(kStep)));
  }
  const std::string_view rest{zeros.data(), static_cast<std::size_t>(bytes)};
  crc = crc32_of(rest, crc);
  return out + deflated(rest, Z_FINISH);
}

Result<std::string> make_bomb(Packing packing, std::uint64_t bytes) {
  if (bytes > kMaximumBomb || packing == Packing::none) {
    return Error{ErrorKind::unsupported, "a bomb is a packed stream of at most 64 GiB", {}};
  }
  if (packing == Packing::xz) {
    return xz_zeros(bytes);
  }
  std::uint32_t crc = 0;
  auto stream = deflated_zeros(bytes, crc);
  return gzip_of(std::move(stream), crc, bytes);
}

Result<std::string> unpack(const ByteSource& image, std::uint64_t offset, std::uint64_t length, std::uint64_t limit) {
  const auto packed = read_text(image, offset, length, limit);
  if (!packed) {
    return packed.error();
  }
  switch (packing_of(*packed)) {
    case Packing::gzip:
      return gunzip(*packed, limit);
    case Packing::xz:
      return unxz(*packed, limit);
    case Packing::none:
      break;
  }
  return *packed;
}

std::string pack_gzip(std::string_view text) {
  return gzip_of(deflated(text, Z_FINISH), crc32_of(text), text.size());
}

Result<std::string> pack(Packing packing, std::string_view text) {
  if (packing == Packing::none) {
    return std::string{text};
  }
  if (packing == Packing::gzip) {
    return pack_gzip(text);
  }
  std::string out(lzma_stream_buffer_bound(text.size()), '\0');
  std::size_t written = 0;
  if (lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr, bytes_of(text), text.size(),
                              reinterpret_cast<std::uint8_t*>(out.data()), &written, out.size()) != LZMA_OK) {
    return Error{ErrorKind::internal, "liblzma could not pack", {}};
  }
  out.resize(written);
  return out;
}

std::uint32_t crc32_of(std::string_view bytes, std::uint32_t before) {
  return static_cast<std::uint32_t>(crc32_z(before, bytes_of(bytes), bytes.size()));
}

Result<std::uint32_t> crc32_of(const ByteSource& image, std::uint64_t offset, std::uint64_t length) {
  std::uint32_t out = 0;
  const auto read = for_each_piece(image, offset, length, [&](std::string_view piece) { out = crc32_of(piece, out); });
  return read ? Result<std::uint32_t>{out} : Result<std::uint32_t>{read.error()};
}

Result<Unpacked> measure_deflated(const ByteSource& image, std::uint64_t offset, std::uint64_t length,
                                  std::uint64_t limit) {
  Inflater inflater{kRaw};
  Unpacked out;
  bool well = true;
  const auto read = for_each_piece(image, offset, length, [&](std::string_view piece) {
    well = well && inflater.add(piece, [&](std::string_view part) {
      out.crc = crc32_of(part, out.crc);
      out.length += part.size();
      return out.length <= limit;
    });
  });
  if (!read) {
    return read.error();
  }
  if (out.length > limit) {
    return too_large(limit);
  }
  return well && inflater.ended() ? Result<Unpacked>{out} : Result<Unpacked>{broken("a deflate stream is broken")};
}

}  // namespace assay::images

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/model/result.hpp"

/// Bytes that are read where they are wanted: an image of any size is looked at, changed and served in constant memory.
namespace assay::images {

class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  /// In bytes; it does not change while the source lives.
  virtual std::uint64_t size() const = 0;

  /// Reads from `offset` and says how many bytes came: as many as asked for, fewer only at the end, 0 behind it. `io`
  /// when the file cannot be read or shrank.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const = 0;
};

using Source = std::shared_ptr<const ByteSource>;

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}

  std::uint64_t size() const override { return bytes_.size(); }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override;

 private:
  std::string bytes_;
};

/// A regular file, read with pread: several readers do not disturb each other.
class FileSource final : public ByteSource {
 public:
  /// `bad_input` when the file is not there, cannot be read or is no regular file.
  static Result<std::shared_ptr<FileSource>> open(const std::filesystem::path& path);

  /// Takes over a descriptor; what it holds now is the source.
  FileSource(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}

  ~FileSource() override;

  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override;

 private:
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// A part of another source.
class SliceSource final : public ByteSource {
 public:
  /// What lies behind the end of `base` is left out.
  SliceSource(Source base, std::uint64_t offset, std::uint64_t length);

  std::uint64_t size() const override { return length_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override;

 private:
  Source base_;
  std::uint64_t offset_;
  std::uint64_t length_;
};

/// Nothing but zero bytes.
class ZeroSource final : public ByteSource {
 public:
  explicit ZeroSource(std::uint64_t size) : size_(size) {}

  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override;

 private:
  std::uint64_t size_;
};

/// At `offset` of a source, `remove` bytes give way to `insert` (nothing: they are only removed).
struct Edit {
  std::uint64_t offset = 0;
  std::uint64_t remove = 0;
  Source insert;
};

Edit edit_text(std::uint64_t offset, std::uint64_t remove, std::string insert);

/// A source as it is after edits; itself it holds only the edits.
class EditedSource final : public ByteSource {
 public:
  /// Edits may come in any order. `internal` when two of them overlap or one reaches behind the end. Two insertions at
  /// one place keep their order.
  static Result<std::shared_ptr<EditedSource>> make(Source base, std::vector<Edit> edits);

  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override;

 private:
  /// A run of bytes of the result, and whose they are.
  struct Piece {
    std::uint64_t begin = 0;  // in the result
    std::uint64_t length = 0;
    Source source;
    std::uint64_t offset = 0;  // in `source`
  };

  void add(Source source, std::uint64_t offset, std::uint64_t length);

  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

/// `base`, cut to `length` bytes or with zeros behind it.
Result<Source> fitted(const Source& base, std::uint64_t length);

/// Reads `length` bytes as text; fewer when the source ends before. `unsupported` above `limit`.
Result<std::string> read_text(const ByteSource& source, std::uint64_t offset, std::uint64_t length,
                              std::uint64_t limit = std::uint64_t{8} << 20U);

/// Calls `visit` with pieces of at most 64 KiB until all `length` bytes at `offset` were shown.
template <class Visit>
Result<> for_each_piece(const ByteSource& source, std::uint64_t offset, std::uint64_t length, Visit&& visit);

/// Lower case hex of the digest of `length` bytes at `offset`. `name` as OpenSSL knows it ("SHA256").
Result<std::string> digest_of(const ByteSource& source, std::uint64_t offset, std::uint64_t length,
                              std::string_view name = "SHA256");
Result<std::string> sha256_of(const ByteSource& source);

/// Writes the source into a file that is new or empty afterwards.
Result<> write_file(const ByteSource& source, const std::filesystem::path& path);

template <class Visit>
Result<> for_each_piece(const ByteSource& source, std::uint64_t offset, std::uint64_t length, Visit&& visit) {
  constexpr std::uint64_t kPiece = 64 * 1024;
  std::vector<std::byte> piece(static_cast<std::size_t>(length < kPiece ? length : kPiece));
  while (length > 0) {
    const auto want = static_cast<std::size_t>(length < kPiece ? length : kPiece);
    const auto got = source.read_at(offset, std::span{piece}.first(want));
    if (!got) {
      return got.error();
    }
    if (*got == 0) {
      return Error{ErrorKind::io, "the image ends before its content does", {}};
    }
    visit(std::string_view{reinterpret_cast<const char*>(piece.data()), *got});
    offset += *got;
    length -= *got;
  }
  return {};
}

}  // namespace assay::images

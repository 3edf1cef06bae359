#include "probes/images/byte_source.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "probes/images/crypto.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::images {

namespace {

Error io_error(const std::string& what) {
  return {ErrorKind::io, what + ": " + std::strerror(errno), {}};
}

/// Where [offset, offset + want) ends in a source of `size` bytes; 0 behind its end.
std::size_t within(std::uint64_t size, std::uint64_t offset, std::size_t want) {
  return offset >= size ? 0 : static_cast<std::size_t>(std::min<std::uint64_t>(want, size - offset));
}

}  // namespace

Result<std::size_t> MemorySource::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  const auto count = within(bytes_.size(), offset, into.size());
  if (count > 0) {
    std::memcpy(into.data(), bytes_.data() + offset, count);
  }
  return count;
}

Result<std::shared_ptr<FileSource>> FileSource::open(const std::filesystem::path& path) {
  // Without O_NONBLOCK a pipe of that name would hold us here.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    return Error{ErrorKind::bad_input, "cannot read " + path.string() + ": " + std::strerror(errno), {}};
  }

  struct stat facts {};

  if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    ::close(descriptor);
    return Error{ErrorKind::bad_input, path.string() + " is no regular file", {}};
  }
  return std::make_shared<FileSource>(descriptor, static_cast<std::uint64_t>(facts.st_size));
}

FileSource::~FileSource() {
  ::close(descriptor_);
}

Result<std::size_t> FileSource::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  const auto count = within(size_, offset, into.size());
  std::size_t done = 0;
  while (done < count) {
    const auto got = ::pread(descriptor_, into.data() + done, count - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return io_error("cannot read the image");
    }
    if (got == 0) {
      return Error{ErrorKind::io, "the image's file became shorter while it was read", {}};
    }
    done += static_cast<std::size_t>(got);
  }
  return count;
}

SliceSource::SliceSource(Source base, std::uint64_t offset, std::uint64_t length)
    : base_(std::move(base)),
      offset_(std::min(offset, base_->size())),
      length_(std::min(length, base_->size() - offset_)) {}

Result<std::size_t> SliceSource::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  const auto count = within(length_, offset, into.size());
  return count == 0 ? Result<std::size_t>{std::size_t{0}} : base_->read_at(offset_ + offset, into.first(count));
}

Result<std::size_t> ZeroSource::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  const auto count = within(size_, offset, into.size());
  std::fill_n(into.begin(), count, std::byte{0});
  return count;
}

Edit edit_text(std::uint64_t offset, std::uint64_t remove, std::string insert) {
  return {offset, remove, std::make_shared<MemorySource>(std::move(insert))};
}

Result<std::shared_ptr<EditedSource>> EditedSource::make(Source base, std::vector<Edit> edits) {
  std::stable_sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) { return a.offset < b.offset; });
  auto out = std::make_shared<EditedSource>();
  std::uint64_t at = 0;
  for (auto& edit : edits) {
    if (edit.offset < at || edit.offset > base->size() || edit.remove > base->size() - edit.offset) {
      return Error{ErrorKind::internal, "edits of an image overlap or reach behind its end", {}};
    }
    out->add(base, at, edit.offset - at);
    if (edit.insert) {
      out->add(edit.insert, 0, edit.insert->size());
    }
    at = edit.offset + edit.remove;
  }
  out->add(base, at, base->size() - at);
  return out;
}

void EditedSource::add(Source source, std::uint64_t offset, std::uint64_t length) {
  if (length > 0) {
    pieces_.push_back({size_, length, std::move(source), offset});
    size_ += length;
  }
}

Result<std::size_t> EditedSource::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  const auto count = within(size_, offset, into.size());
  auto piece = std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                                [](std::uint64_t at, const Piece& one) { return at < one.begin; });
  std::size_t done = 0;
  while (done < count) {
    // `count` ends within the pieces, so the one before `piece` holds the next byte.
    const auto& current = *std::prev(piece);
    const auto skip = offset + done - current.begin;
    const auto part = into.subspan(done, within(current.length, skip, count - done));
    const auto got = current.source->read_at(current.offset + skip, part);
    if (!got) {
      return got;
    }
    if (*got != part.size()) {
      return Error{ErrorKind::io, "the image's source became shorter while it was read", {}};
    }
    done += *got;
    ++piece;
  }
  return count;
}

Result<Source> fitted(const Source& base, std::uint64_t length) {
  const auto size = base->size();
  auto edit =
      size > length ? Edit{length, size - length, nullptr} : Edit{size, 0, std::make_shared<ZeroSource>(length - size)};
  auto made = EditedSource::make(base, {std::move(edit)});
  return made ? Result<Source>{std::move(*made)} : Result<Source>{made.error()};
}

Result<std::string> read_text(const ByteSource& source, std::uint64_t offset, std::uint64_t length,
                              std::uint64_t limit) {
  const auto size = source.size();
  const auto count = offset >= size ? 0 : std::min(length, size - offset);
  if (count > limit) {
    return Error{
        ErrorKind::unsupported, "a part of " + std::to_string(count) + " bytes is too large to be read at once", {}};
  }
  std::string out(static_cast<std::size_t>(count), '\0');
  const auto got = source.read_at(offset, std::as_writable_bytes(std::span{out}));
  if (!got) {
    return got.error();
  }
  out.resize(*got);
  return out;
}

Result<std::string> digest_of(const ByteSource& source, std::uint64_t offset, std::uint64_t length,
                              std::string_view name) {
  const auto* kind = EVP_get_digestbyname(std::string{name}.c_str());
  const MdContext context{EVP_MD_CTX_new()};
  if (kind == nullptr || !context || EVP_DigestInit_ex(context.get(), kind, nullptr) != 1) {
    return Error{ErrorKind::unsupported, "no digest " + std::string{name} + " here", {}};
  }
  bool added = true;
  const auto read = for_each_piece(source, offset, length, [&](std::string_view piece) {
    added = EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1 && added;
  });
  if (!read) {
    return read.error();
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (!added || EVP_DigestFinal_ex(context.get(), digest.data(), &size) != 1) {
    return Error{ErrorKind::internal, "OpenSSL could not make a digest", {}};
  }
  return wire::hex({reinterpret_cast<const char*>(digest.data()), size});
}

Result<std::string> sha256_of(const ByteSource& source) {
  return digest_of(source, 0, source.size());
}

Result<> write_file(const ByteSource& source, const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) {
    return io_error("cannot write " + path.string());
  }
  bool written = true;
  const auto read = for_each_piece(source, 0, source.size(), [&](std::string_view piece) {
    while (written && !piece.empty()) {
      const auto count = ::write(file, piece.data(), piece.size());
      written = count > 0 || (count < 0 && errno == EINTR);
      piece.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
  });
  const auto failed = written ? Error{} : io_error("cannot write " + path.string());
  ::close(file);
  if (!read) {
    return read;
  }
  return written ? Result<>{} : Result<>{failed};
}

}  // namespace assay::images

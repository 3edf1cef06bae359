#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "harness/model/result.hpp"

/// Files of a bundle: durable writing for our own, bounded reading without following links for anybody's.
namespace assay::evidence {

/// Owns one file descriptor.
class Fd {
 public:
  Fd() = default;

  explicit Fd(int number) : number_(number) {}

  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

  Fd& operator=(Fd&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }

  ~Fd();

  int get() const { return number_; }

  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// "cannot <doing> <file>: <reason>", kind io.
Error io_error(std::string_view doing, const std::filesystem::path& file, int number);

/// A directory, for the readers below. The last component may be a link: the user named it.
Result<Fd> open_directory(const std::filesystem::path& directory);

/// Opens a regular file below `root` for reading. A link, a device or a pipe anywhere on the way is an error.
Result<Fd> open_beneath(const Fd& root, std::string_view relative);

/// All bytes of a file below `root`; an error when there are more than `limit`.
Result<std::string> read_beneath(const Fd& root, std::string_view relative, std::uint64_t limit);

struct FileFacts {
  std::int64_t size = 0;
  std::string sha256;

  bool operator==(const FileFacts&) const = default;
};

/// Size and digest, read in pieces; an error when the file is larger than `limit`.
Result<FileFacts> digest_beneath(const Fd& root, std::string_view relative, std::uint64_t limit);

enum class EntryKind : std::uint8_t { file, folder, other };

/// Everything below `root` by relative path, links not followed. Bounded in depth and count.
Result<std::map<std::string, EntryKind>> list_tree(const Fd& root);

/// Writes a file and fsyncs it. What was there is replaced; on failure the file is removed.
Result<> write_durable(const std::filesystem::path& file, std::string_view bytes);

/// `write_durable` to "<file>.tmp", then rename and fsync of the folder: the name never stands for half a file.
Result<> write_atomic(const std::filesystem::path& file, std::string_view bytes);

/// Makes a file that its owner alone may read, at any instant, and fsyncs it; an error where the name is taken. On
/// failure the file is removed.
Result<> write_private(const std::filesystem::path& file, std::string_view bytes);

Result<> rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// Makes names in a folder durable.
Result<> sync_directory(const std::filesystem::path& directory);

inline constexpr std::string_view kTemporary = ".tmp";

}  // namespace assay::evidence

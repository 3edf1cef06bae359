#include "harness/evidence/files.hpp"

#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "harness/evidence/digest.hpp"

namespace assay::evidence {

namespace {

constexpr std::size_t kMaximumEntries = 200'000;
constexpr int kMaximumFolders = 16;
constexpr std::size_t kPiece = std::size_t{64} * 1024;

Result<> write_all(int descriptor, std::string_view bytes, const std::filesystem::path& file) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return io_error("write", file, written == 0 ? EIO : errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

/// Calls `take` with every piece of an open file; stops with an error beyond `limit`.
template <class Take>
Result<> read_pieces(const Fd& file, std::string_view name, std::uint64_t limit, Take take) {
  std::array<char, kPiece> piece;
  std::uint64_t total = 0;
  while (true) {
    const auto got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return io_error("read", std::filesystem::path{name}, errno);
    }
    if (got == 0) {
      return {};
    }
    total += static_cast<std::uint64_t>(got);
    if (total > limit) {
      return Error{ErrorKind::bad_input, "is larger than the " + std::to_string(limit) + " bytes allowed for it",
                   printable(name)};
    }
    take(std::string_view{piece.data(), static_cast<std::size_t>(got)});
  }
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

EntryKind kind_at(int folder, const char* name) {
  struct stat facts {};

  if (::fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    return EntryKind::other;
  }
  return S_ISREG(facts.st_mode) ? EntryKind::file : S_ISDIR(facts.st_mode) ? EntryKind::folder : EntryKind::other;
}

Result<> list_folder(int parent, const std::string& name, const std::string& prefix, int depth,
                     std::map<std::string, EntryKind>& out) {
  Fd descriptor{::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!descriptor || depth > kMaximumFolders) {
    return io_error("list", prefix.empty() ? name : prefix, descriptor ? ELOOP : errno);
  }
  const std::unique_ptr<DIR, CloseFolder> folder{::fdopendir(::dup(descriptor.get()))};
  if (folder == nullptr) {
    return io_error("list", prefix, errno);
  }
  while (const auto* entry = ::readdir(folder.get())) {
    const std::string child = entry->d_name;
    if (child == "." || child == "..") {
      continue;
    }
    if (out.size() >= kMaximumEntries) {
      return Error{ErrorKind::bad_input, "more than " + std::to_string(kMaximumEntries) + " files", {}};
    }
    const auto kind = kind_at(descriptor.get(), child.c_str());
    out.emplace(prefix + child, kind);
    if (kind == EntryKind::folder) {
      if (auto listed = list_folder(descriptor.get(), child, prefix + child + "/", depth + 1, out); !listed) {
        return listed;
      }
    }
  }
  return {};
}

}  // namespace

Fd::~Fd() {
  if (number_ >= 0) {
    ::close(number_);
  }
}

Error io_error(std::string_view doing, const std::filesystem::path& file, int number) {
  return Error{ErrorKind::io,
               "cannot " + std::string{doing} + " " + file.string() + ": " + std::generic_category().message(number),
               {}};
}

Result<Fd> open_directory(const std::filesystem::path& directory) {
  Fd out{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!out) {
    return io_error("open", directory, errno);
  }
  return out;
}

Result<Fd> open_beneath(const Fd& root, std::string_view relative) {
  const std::string name{relative};
  Fd folder;
  int at = root.get();
  std::string_view rest = relative;
  for (auto slash = rest.find('/'); slash != rest.npos; slash = rest.find('/')) {
    const std::string part{rest.substr(0, slash)};
    Fd next{part == ".." ? -1 : ::openat(at, part.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!next) {
      return io_error("open", name, part == ".." ? EINVAL : errno);
    }
    folder = std::move(next);
    at = folder.get();
    rest.remove_prefix(slash + 1);
  }
  const std::string last{rest};
  // O_NONBLOCK: a pipe planted in a bundle must not hold us.
  Fd file{::openat(at, last.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (!file) {
    return io_error("open", name, errno);
  }

  struct stat facts {};

  if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return Error{ErrorKind::bad_input, "is not a regular file", printable(relative)};
  }
  return file;
}

Result<std::string> read_beneath(const Fd& root, std::string_view relative, std::uint64_t limit) {
  auto file = open_beneath(root, relative);
  if (!file) {
    return file.error();
  }
  std::string out;
  if (auto read = read_pieces(*file, relative, limit, [&](std::string_view piece) { out += piece; }); !read) {
    return read.error();
  }
  return out;
}

Result<FileFacts> digest_beneath(const Fd& root, std::string_view relative, std::uint64_t limit) {
  auto file = open_beneath(root, relative);
  if (!file) {
    return file.error();
  }
  FileFacts out;
  Sha256 digest;
  auto read = read_pieces(*file, relative, limit, [&](std::string_view piece) {
    out.size += static_cast<std::int64_t>(piece.size());
    digest.add(piece);
  });
  if (!read) {
    return read.error();
  }
  out.sha256 = digest.finish();
  return out;
}

Result<std::map<std::string, EntryKind>> list_tree(const Fd& root) {
  std::map<std::string, EntryKind> out;
  if (auto listed = list_folder(root.get(), ".", "", 0, out); !listed) {
    return listed.error();
  }
  return out;
}

namespace {

/// `out` was opened for writing.
Result<> fill(const Fd& out, const std::filesystem::path& file, std::string_view bytes) {
  auto written = write_all(out.get(), bytes, file);
  if (written && ::fsync(out.get()) != 0) {
    written = io_error("write", file, errno);
  }
  if (!written) {
    ::unlink(file.c_str());
  }
  return written;
}

}  // namespace

Result<> write_durable(const std::filesystem::path& file, std::string_view bytes) {
  const Fd out{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644)};
  return out ? fill(out, file, bytes) : Result<>{io_error("write", file, errno)};
}

Result<> write_private(const std::filesystem::path& file, std::string_view bytes) {
  const Fd out{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  return out ? fill(out, file, bytes) : Result<>{io_error("create", file, errno)};
}

Result<> write_atomic(const std::filesystem::path& file, std::string_view bytes) {
  const std::filesystem::path temporary = file.string() + std::string{kTemporary};
  if (auto written = write_durable(temporary, bytes); !written) {
    return written;
  }
  if (auto renamed = rename_file(temporary, file); !renamed) {
    ::unlink(temporary.c_str());
    return renamed;
  }
  return sync_directory(file.parent_path());
}

Result<> rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return io_error("rename to", to, errno);
  }
  return {};
}

Result<> sync_directory(const std::filesystem::path& directory) {
  auto folder = open_directory(directory);
  if (!folder) {
    return folder.error();
  }
  if (::fsync(folder->get()) != 0) {
    return io_error("write", directory, errno);
  }
  return {};
}

}  // namespace assay::evidence

#include <array>
#include <fstream>
#include <system_error>

#include "harness/load/load.hpp"

namespace assay {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t kMaximumBytes = 1u << 20u;

}  // namespace

Result<SourceText> read_source(const fs::path& path) {
  std::error_code failed;
  // A FIFO or a device would block or never end.
  const auto status = fs::status(path, failed);
  if (!fs::exists(status)) {
    return Error{ErrorKind::io, "there is no such file", path.string()};
  }
  if (!fs::is_regular_file(status)) {
    return Error{ErrorKind::io, "this is not a file", path.string()};
  }
  std::ifstream in(path, std::ios::binary);
  std::string text;
  std::array<char, 16384> piece{};
  // Piece by piece: a library has some hundred files, and room for the largest in each would cost more than reading
  // them.
  while (in && text.size() <= kMaximumBytes) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad() || !in.is_open()) {
    return Error{ErrorKind::io, "the file cannot be read", path.string()};
  }
  if (text.size() > kMaximumBytes) {
    return Error{ErrorKind::bad_input, "the file is larger than 1 MiB", path.string()};
  }
  return SourceText{path.string(), std::move(text)};
}

}  // namespace assay

#include "probes/images/verity.hpp"

#include <vector>

#include "probes/images/crypto.hpp"

namespace assay::images {

namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr std::uint64_t kMaximum = std::uint64_t{4} << 30U;
constexpr std::size_t kDigest = 32;

/// SHA-256 over salt and block, behind `out`.
bool add_digest(EVP_MD_CTX* context, std::string_view salt, std::string_view block, std::string& out) {
  unsigned char digest[kDigest];
  const bool made = EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1 &&
                    EVP_DigestUpdate(context, salt.data(), salt.size()) == 1 &&
                    EVP_DigestUpdate(context, block.data(), block.size()) == 1 &&
                    EVP_DigestFinal_ex(context, digest, nullptr) == 1;
  out.append(reinterpret_cast<const char*>(digest), kDigest);
  return made;
}

}  // namespace

Result<VerityTree> verity_tree(const ByteSource& data, std::uint64_t length, std::string_view salt) {
  if (length == 0 || length % kBlock != 0 || length > kMaximum) {
    return Error{ErrorKind::unsupported, "the data is no whole number of blocks, or too much", {}};
  }
  const MdContext context{EVP_MD_CTX_new()};
  std::string level;
  bool made = true;
  // A piece is a whole number of blocks.
  const auto read = for_each_piece(data, 0, length, [&](std::string_view piece) {
    for (; piece.size() >= kBlock; piece.remove_prefix(kBlock)) {
      made = add_digest(context.get(), salt, piece.substr(0, kBlock), level) && made;
    }
  });
  if (!read) {
    return read.error();
  }
  VerityTree out;
  while (made && level.size() > kDigest) {
    level.resize((level.size() + kBlock - 1) / kBlock * kBlock, '\0');
    out.blocks.insert(0, level);
    std::string above;
    for (std::string_view rest = level; !rest.empty(); rest.remove_prefix(kBlock)) {
      made = add_digest(context.get(), salt, rest.substr(0, kBlock), above) && made;
    }
    level = std::move(above);
  }
  if (!made) {
    return Error{ErrorKind::internal, "OpenSSL could not make a digest", {}};
  }
  out.root = std::move(level);
  return out;
}

}  // namespace assay::images

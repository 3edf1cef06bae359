#include <algorithm>
#include <optional>

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "probes/images/boards.hpp"
#include "probes/images/esp_ecdsa.hpp"
#include "probes/images/packed.hpp"
#include "probes/images/scan.hpp"
#include "probes/images/signature.hpp"
#include "probes/images/verify.hpp"

/// ESP-IDF application images: segments, a checksum of one byte, a SHA-256 where the header says so, and the signature
/// blocks of secure boot version 2 (RSA-3072 with PSS, or ECDSA) in a sector of their own.
namespace assay::images {

namespace {

constexpr std::size_t kHeader = 24;
constexpr char kMagic = '\xe9';
constexpr std::size_t kHashAppendedAt = 23;
constexpr std::size_t kSegmentHeader = 8;
constexpr unsigned int kMaximumSegments = 16;
constexpr unsigned char kChecksumSeed = 0xEF;
constexpr std::uint64_t kDigest = 32;
constexpr std::uint64_t kSector = 4096;
// The description of the application lies at the beginning of the first segment.
constexpr std::size_t kDescription = kHeader + kSegmentHeader;
constexpr std::size_t kDescriptionLength = 256;
constexpr std::uint32_t kDescriptionMagic = 0xABCD5432;
constexpr std::size_t kVersionAt = 16;
constexpr std::size_t kTextLength = 32;
constexpr std::size_t kTimeAt = 80;  // and the date behind it
constexpr std::size_t kTimeLength = 16;
// A signature block.
constexpr std::size_t kBlock = 1216;
constexpr std::size_t kBlockDigestAt = 4;
constexpr std::size_t kModulusAt = 36;
constexpr std::size_t kModulus = 384;
constexpr std::size_t kExponentAt = 420;
constexpr std::size_t kMontgomeryAt = 424;
constexpr std::size_t kInverseAt = 808;
constexpr std::size_t kSignatureAt = 812;
constexpr std::size_t kBlockCrcAt = 1196;

struct Segment {
  std::uint64_t begin = 0;  // of its header
  std::uint64_t length = 0;
};

struct Layout {
  std::vector<Segment> segments;
  std::uint64_t checksum = 0;       // where it stands; 0: a segment reaches behind the end
  bool digest = false;              // 32 bytes behind the checksum
  std::uint64_t sector = 0;         // of the signature; 0: none
  const EspCurve* curve = nullptr;  // of the signature; null: RSA

  std::uint64_t end() const { return checksum + 1 + (digest ? kDigest : 0); }
};

bool recognises(std::string_view head, const ByteSource& image) {
  return head.size() >= kHeader + kSegmentHeader && head[0] == kMagic && head[1] != 0 &&
         static_cast<unsigned char>(head[1]) <= kMaximumSegments && static_cast<unsigned char>(head[2]) <= 5 &&
         static_cast<unsigned char>(head[kHashAppendedAt]) <= 1 && little_u32(head, kHeader + 4) < image.size();
}

Result<Layout> read_layout(const ByteSource& image) {
  const auto header = read_text(image, 0, kHeader);
  if (!header) {
    return header.error();
  }
  Layout out;
  std::uint64_t at = kHeader;
  for (unsigned int left = header->size() < kHeader ? 0 : static_cast<unsigned char>((*header)[1]); left > 0; --left) {
    const auto segment = read_text(image, at, kSegmentHeader);
    if (!segment) {
      return segment.error();
    }
    const std::uint64_t length = little_u32(*segment, 4);
    if (segment->size() < kSegmentHeader || at + kSegmentHeader + length >= image.size() ||
        out.segments.size() >= kMaximumSegments) {
      return out;
    }
    out.segments.push_back({at, length});
    at += kSegmentHeader + length;
  }
  out.checksum = at | 15U;
  out.digest = (*header)[kHashAppendedAt] == 1;
  if (out.checksum == 0 || out.end() > image.size()) {
    out.checksum = 0;
    return out;
  }
  const auto sector = (out.end() + kSector - 1) / kSector * kSector;
  const auto block = read_text(image, sector, kBlock);
  if (block && block->size() == kBlock) {
    out.curve = esp_curve_of(*block);
    out.sector = out.curve != nullptr || block->starts_with("\xe7\x02") ? sector : 0;
  }
  return out;
}

void add_description(std::string_view text, ImageMap& map) {
  if (little_u32(text, 0) != kDescriptionMagic) {
    return;
  }
  map.facts["sequence_number"] = little_u32(text, 4);
  map.facts["version"] = shown(until_nul(text.substr(kVersionAt, kTextLength)));
  map.facts["name"] = shown(until_nul(text.substr(48, kTextLength)));
  map.facts["created"] = shown(std::string{until_nul(text.substr(kTimeAt + kTimeLength, kTimeLength))} + " " +
                               std::string{until_nul(text.substr(kTimeAt, kTimeLength))});
  map.facts["framework"] = shown(until_nul(text.substr(112, kTextLength)));
}

void add_regions(const ByteSource& image, const Layout& layout, ImageMap& map) {
  add_region(map, image, "image header", RegionKind::header, 0, kHeader);
  for (std::size_t i = 0; i < layout.segments.size(); ++i) {
    const auto& segment = layout.segments[i];
    const auto name = "segment " + std::to_string(i);
    const auto content = segment.begin + kSegmentHeader;
    add_region(map, image, name + " header", RegionKind::header, segment.begin, kSegmentHeader);
    const bool described = i == 0 && map.facts.contains("version") && segment.length >= kDescriptionLength;
    const std::uint64_t skip = described ? kDescriptionLength : 0;
    add_region(map, image, "application description", RegionKind::manifest, content, skip);
    add_region(map, image, name, RegionKind::payload, content + skip, segment.length - skip);
  }
  if (layout.checksum == 0) {
    return;
  }
  add_region(map, image, "checksum", RegionKind::trailer, layout.checksum, 1);
  add_region(map, image, "SHA-256", RegionKind::trailer, layout.checksum + 1, layout.digest ? kDigest : 0);
  if (layout.sector != 0) {
    add_region(map, image, "padding", RegionKind::padding, layout.end(), layout.sector - layout.end());
    add_region(map, image, "signature block", RegionKind::signature, layout.sector, kBlock);
  }
  const auto known = layout.sector == 0 ? layout.end() : layout.sector + kBlock;
  add_region(map, image, "behind the image", RegionKind::padding, known, image.size() - known);
}

json::object signature_of(const Layout& layout) {
  if (layout.sector == 0) {
    return {{"present", false}};
  }
  if (layout.curve == nullptr) {
    return {{"present", true}, {"scheme", "rsa_pss"}, {"digest", "sha256"}, {"key", "rsa"}, {"key_bits", 3072}};
  }
  return {{"present", true},
          {"scheme", enum_name(Plain::ecdsa_raw)},
          {"digest", layout.curve->digest_size == kDigest ? "sha256" : "sha384"},
          {"key", "ec"},
          {"key_bits", layout.curve->bits}};
}

Result<> map_esp(const ByteSource& image, ImageMap& map) {
  const auto layout = read_layout(image);
  const auto head = read_text(image, 0, kDescription + kDescriptionLength);
  if (!layout || !head) {
    return layout ? head.error() : layout.error();
  }
  if (head->size() == kDescription + kDescriptionLength) {
    add_description(std::string_view{*head}.substr(kDescription), map);
  }
  add_regions(image, *layout, map);
  if (layout->checksum == 0) {
    map.doubts.emplace_back("the segments reach behind the end of the image");
  }
  map.facts["chip"] = little_u16(*head, 12);
  map.facts["digests"] =
      layout->digest ? json::array{json::string{"xor"}, json::string{"sha256"}} : json::array{json::string{"xor"}};
  map.facts["signature"] = signature_of(*layout);
  return {};
}

std::string reversed(std::string text) {
  std::reverse(text.begin(), text.end());
  return text;
}

/// A number of OpenSSL's in `count` bytes, the lowest first.
std::string little_number(const BIGNUM* number, int count) {
  std::string out(static_cast<std::size_t>(count), '\0');
  BN_bn2lebinpad(number, reinterpret_cast<unsigned char*>(out.data()), count);
  return out;
}

/// Modulus, exponent and what the boot loader's arithmetic wants beforehand: 2^6144 mod n, and -1/n mod 2^32.
std::optional<std::string> key_fields(EVP_PKEY* key) {
  using Number = std::unique_ptr<BIGNUM, Freer<BN_free>>;
  const std::unique_ptr<BN_CTX, Freer<BN_CTX_free>> context{BN_CTX_new()};
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &raw) != 1) {
    return std::nullopt;
  }
  const Number n{raw};
  raw = nullptr;
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw);
  const Number e{raw};
  const Number word{BN_new()};
  const Number inverse{BN_new()};
  const Number power{BN_new()};
  if (BN_num_bits(n.get()) != static_cast<int>(kModulus * 8) || BN_set_bit(word.get(), 32) != 1 ||
      BN_mod_inverse(inverse.get(), n.get(), word.get(), context.get()) == nullptr ||
      BN_sub(inverse.get(), word.get(), inverse.get()) != 1 ||
      BN_set_bit(power.get(), static_cast<int>(kModulus * 16)) != 1 ||
      BN_mod(power.get(), power.get(), n.get(), context.get()) != 1) {
    return std::nullopt;
  }
  const int size = static_cast<int>(kModulus);
  return little_number(n.get(), size) + little_number(e.get(), 4) + little_number(power.get(), size) +
         little_number(inverse.get(), 4);
}

std::string with_crc(std::string block) {
  block += little_bytes(crc32_of(block), 4);
  block.resize(kBlock, '\0');
  return block;
}

Result<std::string> block_for(const Source& image, const Layout& layout, EVP_PKEY* key) {
  const auto covered = std::make_shared<SliceSource>(image, 0, layout.sector);
  if (layout.curve != nullptr) {
    auto block = esp_ecdsa_block(*covered, key, *layout.curve, kBlockCrcAt);
    return block ? Result<std::string>{with_crc(std::move(*block))} : block;
  }
  const auto fields = key_fields(key);
  if (!fields) {
    return not_for("esp", "secure boot signs with RSA keys of 3072 bits");
  }
  const auto digest = sha256_of(*covered);
  const auto signature = digest ? plain_sign(*covered, key, Plain::rsa_pss) : Result<std::string>{digest.error()};
  if (!signature) {
    return signature.error();
  }
  std::string out{"\xe7\x02\x00\x00", 4};
  out += from_hex(*digest) + *fields + reversed(*signature);
  return with_crc(std::move(out));
}

Result<Change> resigned(const MutationSpec& spec, const Materials& materials, const Source& image,
                        const Layout& layout) {
  const auto signer = signer_for(spec, materials, layout.curve != nullptr ? layout.curve->key : "rsa-3072", nullptr);
  auto block = signer ? block_for(image, layout, (*signer)->key()) : Result<std::string>{signer.error()};
  return block ? Result<Change>{Change{{edit_text(layout.sector, kBlock, std::move(*block))},
                                       "the signature block is made " + signed_words(spec)}}
               : Result<Change>{block.error()};
}

/// As the compiler writes __TIME__ and __DATE__.
Result<Change> other_date(const ImageMap& map) {
  if (!map.facts.contains("created")) {
    return not_for("esp", "the image has no description of its application");
  }
  std::string time{"00:00:00"};
  std::string date{"Dec 31 2037"};
  time.resize(kTimeLength, '\0');
  date.resize(kTimeLength, '\0');
  return Change{{edit_text(kDescription + kTimeAt, 2 * kTimeLength, time + date)},
                "the application's description says that it was built on Dec 31 2037"};
}

Result<Change> change_esp(const MutationSpec& spec, const Materials& materials, const Opened& genuine) {
  const auto layout = read_layout(*genuine.image);
  if (!layout) {
    return layout.error();
  }
  if ((spec.kind == MutationKind::remove_signature || spec.kind == MutationKind::resign) && layout->sector == 0) {
    return not_for("esp", "the image has no signature block");
  }
  switch (spec.kind) {
    case MutationKind::remove_signature:
      return Change{{Edit{layout->sector, genuine.image->size() - layout->sector, nullptr}},
                    "the sector with the signature is taken off"};
    case MutationKind::resign:
      return resigned(spec, materials, genuine.image, *layout);
    case MutationKind::lie_version: {
      if (!genuine.map.facts.contains("version")) {
        return not_for("esp", "the image has no description of its application");
      }
      auto text = spec.version.substr(0, kTextLength - 1);
      text.resize(kTextLength, '\0');
      return Change{{edit_text(kDescription + kVersionAt, kTextLength, text)},
                    "the application's description says version " + spec.version};
    }
    case MutationKind::lie_date:
      return other_date(genuine.map);
    case MutationKind::lie_size: {
      if (layout->segments.empty()) {
        return not_for("esp", "the image has no segment");
      }
      const auto& last = layout->segments.back();
      const auto said = std::min<std::uint64_t>(last.length * static_cast<std::uint64_t>(spec.factor), 0xFFFFFFFFU);
      return Change{
          {edit_text(last.begin + 4, 4, little_bytes(said, 4))},
          "the last segment says " + std::to_string(said) + " bytes instead of " + std::to_string(last.length)};
    }
    default:
      return not_for("esp", "the format has nothing that \"" + enum_name(spec.kind) + "\" could change");
  }
}

/// Puts one more edit over `source` and into `edits`.
Result<Source> with(const Source& source, Edit edit, std::vector<Edit>& edits) {
  edits.push_back(edit);
  const auto made = EditedSource::make(source, {std::move(edit)});
  return made ? Result<Source>{*made} : Result<Source>{made.error()};
}

Result<unsigned char> checksum_of(const ByteSource& image, const Layout& layout) {
  unsigned char out = kChecksumSeed;
  for (const auto& segment : layout.segments) {
    const auto read =
        for_each_piece(image, segment.begin + kSegmentHeader, segment.length, [&](std::string_view piece) {
          for (const char c : piece) {
            out = static_cast<unsigned char>(out ^ static_cast<unsigned char>(c));
          }
        });
    if (!read) {
      return read.error();
    }
  }
  return out;
}

/// What the signature's block says of all before it.
Result<std::string> covered_digest(const Source& image, const Layout& layout) {
  if (layout.curve != nullptr) {
    return esp_digest(SliceSource{image, 0, layout.sector}, *layout.curve);
  }
  const auto digest = digest_of(*image, 0, layout.sector);
  return digest ? Result<std::string>{from_hex(*digest)} : Result<std::string>{digest.error()};
}

/// Checksum, SHA-256, and digest and CRC of the signature block: the boot loader checks them all before the signature.
Result<std::vector<Edit>> repair_esp(const Opened&, const Source& edited) {
  const auto layout = read_layout(*edited);
  if (!layout || layout->checksum == 0) {
    return layout ? not_for("esp", "the changed image has no place for its checksum any more") : layout.error();
  }
  std::vector<Edit> edits;
  const auto sum = checksum_of(*edited, *layout);
  if (!sum) {
    return sum.error();
  }
  auto source = with(edited, edit_text(layout->checksum, 1, {static_cast<char>(*sum)}), edits);
  if (source && layout->digest) {
    const auto digest = digest_of(**source, 0, layout->checksum + 1);
    source = digest ? with(*source, edit_text(layout->checksum + 1, kDigest, from_hex(*digest)), edits)
                    : Result<Source>{digest.error()};
  }
  if (source && layout->sector != 0) {
    const auto digest = covered_digest(*source, *layout);
    auto block = digest ? read_text(**source, layout->sector, kBlock) : Result<std::string>{digest.error()};
    if (!block) {
      return block.error();
    }
    block->replace(kBlockDigestAt, digest->size(), *digest);
    block->replace(kBlockCrcAt, 4, little_bytes(crc32_of(std::string_view{*block}.substr(0, kBlockCrcAt)), 4));
    source = with(*source, edit_text(layout->sector, kBlock, *block), edits);
  }
  return source ? Result<std::vector<Edit>>{std::move(edits)} : Result<std::vector<Edit>>{source.error()};
}

Result<Verified> verify_esp(const Source& image, const ImageMap&, const Trusted& trusted) {
  const auto layout = read_layout(*image);
  if (!layout || layout->sector == 0) {
    return layout ? not_for("esp", "the image has no signature block") : layout.error();
  }
  const auto block = read_text(*image, layout->sector, kBlock);
  if (!block) {
    return block.error();
  }
  Verified out;
  out.scheme = enum_name(layout->curve != nullptr ? Plain::ecdsa_raw : Plain::rsa_pss);
  const SliceSource covered{image, 0, layout->sector};
  out.verified = layout->curve != nullptr ? esp_ecdsa_verifies(covered, *block, trusted.key.get(), *layout->curve)
                                          : plain_verifies(covered, reversed(block->substr(kSignatureAt, kModulus)),
                                                           trusted.key.get(), Plain::rsa_pss);
  out.reason = out.verified ? "" : "the signature is of another key or over other content";
  return out;
}

static_assert(kModulusAt + kModulus == kExponentAt && kMontgomeryAt + kModulus == kInverseAt);

}  // namespace

const Format kEsp{"esp", recognises, map_esp, change_esp, repair_esp, verify_esp};

}  // namespace assay::images

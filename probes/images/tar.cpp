#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "probes/images/archive.hpp"

namespace assay::images {

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameLength = 100;
constexpr std::size_t kSizeAt = 124;
constexpr std::size_t kSizeLength = 12;
constexpr std::size_t kSumAt = 148;
constexpr std::size_t kSumLength = 8;
constexpr std::size_t kTypeAt = 156;
constexpr std::size_t kMagicAt = 257;
constexpr std::size_t kPrefixAt = 345;
constexpr std::size_t kPrefixLength = 155;
constexpr std::size_t kMaximumName = 4096;
constexpr std::size_t kMaximumExtra = 64 * 1024;
constexpr std::size_t kMaximumEntries = 4096;
constexpr std::uint64_t kMaximumSize = std::uint64_t{1} << 60U;

std::string_view text_field(std::string_view header, std::size_t at, std::size_t length) {
  const auto field = header.substr(at, length);
  return field.substr(0, field.find('\0'));
}

/// Octal digits, or base 256 behind a byte with its highest bit set.
std::optional<std::uint64_t> number_field(std::string_view header, std::size_t at, std::size_t length) {
  const auto field = header.substr(at, length);
  std::uint64_t out = 0;
  if ((static_cast<unsigned char>(field[0]) & 0x80U) != 0) {
    for (const char c : field.substr(1)) {
      out = out << 8U | static_cast<unsigned char>(c);
      if (out > kMaximumSize) {
        return std::nullopt;
      }
    }
    return out;
  }
  bool digits = false;
  for (const char c : field) {
    if (c >= '0' && c <= '7') {
      out = out * 8 + static_cast<std::uint64_t>(c - '0');
      digits = true;
    } else if (digits) {
      break;
    } else if (c != ' ') {
      return std::nullopt;
    }
  }
  return digits ? std::optional{out} : std::nullopt;
}

std::uint64_t sum_of(std::string_view header) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    out += i >= kSumAt && i < kSumAt + kSumLength ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return out;
}

void put_sum(std::string& header) {
  header.replace(kSumAt, kSumLength, fmt::format("{:06o}", sum_of(header)) + std::string{"\0 ", 2});
}

bool is_header(std::string_view header) {
  return header.size() == kBlock && text_field(header, kMagicAt, 5) == "ustar";
}

std::uint64_t padded(std::uint64_t length) {
  return (length + kBlock - 1) / kBlock * kBlock;
}

/// What headers before the true one say of the next entry.
struct Extra {
  std::string name;
};

/// Records "LENGTH KEY=VALUE\n" of a pax header (POSIX.1-2001).
void read_pax(std::string_view records, Extra& out) {
  while (!records.empty()) {
    std::size_t length = 0;
    std::size_t digits = 0;
    while (digits < records.size() && digits < 6 && records[digits] >= '0' && records[digits] <= '9') {
      length = length * 10 + static_cast<std::size_t>(records[digits++] - '0');
    }
    if (digits == 0 || length <= digits + 1 || length > records.size() || records[digits] != ' ') {
      return;
    }
    const auto record = records.substr(digits + 1, length - digits - 2);
    if (record.starts_with("path=")) {
      out.name = record.substr(5, kMaximumName);
    }
    records.remove_prefix(length);
  }
}

Result<> read_extra(const ByteSource& image, std::uint64_t at, std::uint64_t length, char type, Extra& out) {
  if (length > kMaximumExtra) {
    return {};
  }
  const auto text = read_text(image, at, length);
  if (!text) {
    return text.error();
  }
  if (type == 'L') {
    out.name = text->substr(0, std::min(text->find('\0'), kMaximumName));
  } else if (type == 'x') {
    read_pax(*text, out);
  }
  return {};
}

std::string name_in(std::string_view header) {
  const auto prefix = text_field(header, kPrefixAt, kPrefixLength);
  const auto name = std::string{text_field(header, 0, kNameLength)};
  // GNU's own form ("ustar  ") keeps other things where POSIX has the prefix.
  return prefix.empty() || header[kMagicAt + 5] == ' ' ? name : std::string{prefix} + "/" + name;
}

Result<Archive> read_tar(const ByteSource& image) {
  Archive out;
  Extra extra;
  std::uint64_t at = 0;
  std::size_t headers = 0;
  while (out.entries.size() < kMaximumEntries && ++headers < 2 * kMaximumEntries) {
    const auto header = read_text(image, at, kBlock);
    if (!header) {
      return header.error();
    }
    if (header->size() == kBlock && header->find_first_not_of('\0') == header->npos) {
      return out;
    }
    const auto length = is_header(*header) ? number_field(*header, kSizeAt, kSizeLength) : std::nullopt;
    if (!length || at + kBlock + *length > image.size()) {
      out.doubts.push_back(
          fmt::format("the tar archive ends without its mark, or an entry reaches behind the end, at byte {}", at));
      return out;
    }
    if (number_field(*header, kSumAt, kSumLength) != sum_of(*header)) {
      out.doubts.push_back(fmt::format("the checksum of the header at byte {} is wrong", at));
    }
    const char type = (*header)[kTypeAt];
    const auto content = at + kBlock;
    if (type == 'L' || type == 'K' || type == 'x' || type == 'g') {
      if (const auto read = read_extra(image, content, *length, type, extra); !read) {
        return read.error();
      }
      at = content + padded(*length);
      continue;
    }
    Entry entry{
        extra.name.empty() ? name_in(*header) : extra.name, out.end, at, content, *length, content + padded(*length)};
    extra = {};
    at = entry.end;
    out.end = at;
    out.entries.push_back(std::move(entry));
  }
  out.doubts.emplace_back("the tar archive has more entries than are looked at");
  return out;
}

void put_size(std::string& header, std::uint64_t length) {
  constexpr std::uint64_t kMostOctal = 077777777777;
  header.replace(kSizeAt, kSizeLength, fmt::format("{:011o}", std::min(length, kMostOctal)) + '\0');
}

std::string tar_header(const std::string& like, std::string_view name, std::string_view content) {
  std::string out = like.substr(0, kBlock);
  std::string field{name.substr(0, kNameLength)};
  field.resize(kNameLength, '\0');
  out.replace(0, kNameLength, field);
  out.replace(kPrefixAt, kPrefixLength, std::string(kPrefixLength, '\0'));
  out[kTypeAt] = '0';
  put_size(out, content.size());
  put_sum(out);
  return out;
}

std::string tar_resized(std::string header, std::uint64_t length) {
  put_size(header, length);
  put_sum(header);
  return header;
}

Result<std::string> tar_refilled(std::string header, const ByteSource& content) {
  return tar_resized(std::move(header), content.size());
}

bool recognises_tar(std::string_view head, const ByteSource&) {
  return head.size() >= kBlock && is_header(head.substr(0, kBlock));
}

Result<> map_tar(const ByteSource& image, ImageMap& map) {
  auto archive = read_tar(image);
  if (!archive) {
    return archive.error();
  }
  add_entries(map, image, *archive, [](std::string_view) { return RegionKind::payload; });
  return {};
}

Result<Change> change_tar(const MutationSpec& spec, const Materials& materials, const Opened& genuine) {
  const auto archive = read_tar(*genuine.image);
  if (!archive) {
    return archive.error();
  }
  const auto largest = std::max_element(archive->entries.begin(), archive->entries.end(),
                                        [](const Entry& a, const Entry& b) { return a.length < b.length; });
  if (largest == archive->entries.end()) {
    return not_for("tar", "the archive is empty");
  }
  return change_archive(tar_kind(), spec, materials, genuine.image, *archive, *largest);
}

Result<std::vector<Edit>> repair_tar(const Opened&, const Source& edited) {
  return repaired_checksums(tar_kind(), *edited);
}

}  // namespace

const ArchiveKind& tar_kind() {
  static constexpr ArchiveKind kKind{"tar", read_tar, tar_header, tar_resized, tar_refilled, kBlock, kBlock};
  return kKind;
}

/// The sum over each header.
Result<std::vector<Edit>> repaired_tar_sums(const ByteSource& image) {
  const auto archive = read_tar(image);
  if (!archive) {
    return archive.error();
  }
  std::vector<Edit> out;
  for (const auto& entry : archive->entries) {
    for (auto at = entry.begin; at <= entry.header; at = at == entry.header ? at + 1 : entry.header) {
      auto header = read_text(image, at, kBlock);
      if (!header) {
        return header.error();
      }
      if (header->size() == kBlock && number_field(*header, kSumAt, kSumLength) != sum_of(*header)) {
        put_sum(*header);
        out.push_back(edit_text(at + kSumAt, kSumLength, header->substr(kSumAt, kSumLength)));
      }
    }
  }
  return out;
}

const Format kTar{"tar", recognises_tar, map_tar, change_tar, repair_tar};

}  // namespace assay::images

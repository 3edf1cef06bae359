#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "probes/images/archive.hpp"

namespace assay::images {

namespace {

constexpr std::size_t kHeader = 110;
constexpr std::size_t kSizeAt = 54;
constexpr std::size_t kNameSizeAt = 94;
constexpr std::size_t kCheckAt = 102;
constexpr std::size_t kMaximumName = 4096;
constexpr std::size_t kMaximumEntries = 4096;
constexpr std::string_view kPlain = "070701";
constexpr std::string_view kWithSum = "070702";
constexpr std::string_view kTrailer = "TRAILER!!!";

std::uint64_t padded(std::uint64_t at) {
  return (at + 3) / 4 * 4;
}

bool is_header(std::string_view bytes) {
  return bytes.starts_with(kPlain) || bytes.starts_with(kWithSum);
}

std::optional<std::uint32_t> field(std::string_view header, std::size_t at) {
  std::uint32_t out = 0;
  const auto text = header.substr(at, 8);
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return failed == std::errc{} && end == text.data() + text.size() ? std::optional{out} : std::nullopt;
}

/// One header; nothing when there is none or it cannot be read, with the reason in `doubts`.
Result<std::optional<Entry>> read_entry(const ByteSource& image, std::uint64_t at, std::vector<std::string>& doubts) {
  const auto header = read_text(image, at, kHeader);
  if (!header) {
    return header.error();
  }
  const auto doubt = [&](const char* what) {
    doubts.push_back(fmt::format("{} at byte {}", what, at));
    return std::optional<Entry>{};
  };
  if (header->size() < kHeader || !is_header(*header)) {
    return doubt("the cpio archive ends without its mark");
  }
  const auto length = field(*header, kSizeAt);
  const auto name_size = field(*header, kNameSizeAt);
  if (!length || !name_size || *name_size == 0 || *name_size > kMaximumName) {
    return doubt("a cpio header cannot be read");
  }
  const auto name = read_text(image, at + kHeader, *name_size);
  if (!name) {
    return name.error();
  }
  Entry out{name->substr(0, name->find('\0')), at, at, padded(at + kHeader + *name_size), *length, 0};
  out.end = padded(out.content + out.length);
  return std::optional{out};
}

Result<Archive> read_cpio(const ByteSource& image) {
  Archive out;
  while (out.entries.size() < kMaximumEntries) {
    const auto entry = read_entry(image, out.end, out.doubts);
    if (!entry) {
      return entry.error();
    }
    if (!*entry || (*entry)->name == kTrailer) {
      return out;
    }
    if ((*entry)->content + (*entry)->length > image.size()) {
      out.doubts.push_back(fmt::format("the entry at byte {} reaches behind the end of the image", out.end));
      return out;
    }
    out.end = (*entry)->end;
    out.entries.push_back(**entry);
  }
  out.doubts.emplace_back("the cpio archive has more entries than are looked at");
  return out;
}

void put(std::string& header, std::size_t at, std::uint64_t value) {
  header.replace(at, 8, fmt::format("{:08X}", std::min<std::uint64_t>(value, 0xFFFFFFFFU)));
}

std::uint32_t sum_of(std::string_view bytes) {
  std::uint32_t out = 0;
  for (const char c : bytes) {
    out += static_cast<unsigned char>(c);
  }
  return out;
}

std::string cpio_header(const std::string& like, std::string_view name, std::string_view content) {
  std::string out = like.substr(0, kHeader);
  put(out, kSizeAt, content.size());
  put(out, kNameSizeAt, name.size() + 1);
  put(out, kCheckAt, out.starts_with(kWithSum) ? sum_of(content) : 0);
  out += name;
  out.append(padded(out.size() + 1) - out.size(), '\0');
  return out;
}

std::string cpio_resized(std::string header, std::uint64_t length) {
  put(header, kSizeAt, length);
  return header;
}

Result<std::string> cpio_refilled(std::string header, const ByteSource& content) {
  put(header, kSizeAt, content.size());
  if (header.starts_with(kWithSum)) {
    std::uint32_t sum = 0;
    const auto read = for_each_piece(content, 0, content.size(), [&](std::string_view piece) { sum += sum_of(piece); });
    if (!read) {
      return read.error();
    }
    put(header, kCheckAt, sum);
  }
  return header;
}

bool recognises_cpio(std::string_view head, const ByteSource&) {
  return head.size() >= kHeader && is_header(head);
}

Result<> map_cpio(const ByteSource& image, ImageMap& map) {
  auto archive = read_cpio(image);
  if (!archive) {
    return archive.error();
  }
  add_entries(map, image, *archive, [](std::string_view) { return RegionKind::payload; });
  return {};
}

Result<Change> change_cpio(const MutationSpec& spec, const Materials& materials, const Opened& genuine) {
  const auto archive = read_cpio(*genuine.image);
  if (!archive) {
    return archive.error();
  }
  const auto largest = std::max_element(archive->entries.begin(), archive->entries.end(),
                                        [](const Entry& a, const Entry& b) { return a.length < b.length; });
  if (largest == archive->entries.end()) {
    return not_for("cpio", "the archive is empty");
  }
  return change_archive(cpio_kind(), spec, materials, genuine.image, *archive, *largest);
}

Result<std::vector<Edit>> repair_cpio(const Opened&, const Source& edited) {
  return repaired_checksums(cpio_kind(), *edited);
}

}  // namespace

const ArchiveKind& cpio_kind() {
  static constexpr ArchiveKind kKind{"cpio", read_cpio, cpio_header, cpio_resized, cpio_refilled, 4, kHeader};
  return kKind;
}

/// The sum of the content of each entry in the crc form.
Result<std::vector<Edit>> repaired_cpio_sums(const ByteSource& image) {
  const auto archive = read_cpio(image);
  if (!archive) {
    return archive.error();
  }
  std::vector<Edit> out;
  for (const auto& entry : archive->entries) {
    auto header = read_text(image, entry.header, kHeader);
    if (!header) {
      return header.error();
    }
    if (!header->starts_with(kWithSum)) {
      continue;
    }
    std::uint32_t sum = 0;
    const auto read =
        for_each_piece(image, entry.content, entry.length, [&](std::string_view piece) { sum += sum_of(piece); });
    if (!read) {
      return read.error();
    }
    if (field(*header, kCheckAt) != sum) {
      put(*header, kCheckAt, sum);
      out.push_back(edit_text(entry.header + kCheckAt, 8, header->substr(kCheckAt, 8)));
    }
  }
  return out;
}

const Format kCpio{"cpio", recognises_cpio, map_cpio, change_cpio, repair_cpio};

}  // namespace assay::images

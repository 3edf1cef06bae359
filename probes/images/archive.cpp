#include "probes/images/archive.hpp"

#include <algorithm>
#include <limits>

#include "probes/images/packed.hpp"

namespace assay::images {

Result<std::vector<Edit>> repaired_cpio_sums(const ByteSource& image);
Result<std::vector<Edit>> repaired_tar_sums(const ByteSource& image);

namespace {

constexpr std::size_t kMaximumListed = 64;

std::uint64_t padding_of(const ArchiveKind& kind, std::uint64_t length) {
  return (kind.block - length % kind.block) % kind.block;
}

/// The content that takes the genuine one's place: of the same entry in another image of the maker's, else of the
/// largest entry there.
Result<Source> other_content(const ArchiveKind& kind, const Source& other, const Entry& payload) {
  if (!other) {
    return not_for(kind.name, "the maker gave no other image whose content could be taken");
  }
  const auto archive = kind.read(*other);
  if (!archive) {
    return archive.error();
  }
  const auto* entry = archive->named(payload.name);
  if (entry == nullptr) {
    const auto largest = std::max_element(archive->entries.begin(), archive->entries.end(),
                                          [](const Entry& a, const Entry& b) { return a.length < b.length; });
    entry = largest == archive->entries.end() ? nullptr : &*largest;
  }
  if (entry == nullptr) {
    return not_for(kind.name, "the maker's other image is no such archive");
  }
  return Source{std::make_shared<SliceSource>(other, entry->content, entry->length)};
}

Result<Change> replaced(const ArchiveKind& kind, const Source& image, const Entry& entry, const Source& content,
                        std::string what) {
  auto edits = replace_content(kind, *image, entry, content);
  if (!edits) {
    return edits.error();
  }
  return Change{std::move(*edits), "the content of entry " + std::string{shown(entry.name)} + std::move(what)};
}

Result<Change> bombed(const ArchiveKind& kind, const Materials& materials, const Source& image, const Entry& payload) {
  auto bomb = make_bomb(Packing::gzip, materials.bomb_bytes);
  if (!bomb) {
    return bomb.error();
  }
  const auto size = std::to_string(bomb->size());
  return replaced(kind, image, payload, std::make_shared<MemorySource>(std::move(*bomb)),
                  " is " + size + " bytes of gzip that unpack to " + std::to_string(materials.bomb_bytes));
}

}  // namespace

const Entry* Archive::named(std::string_view name) const {
  // A name may begin with "./" or not: both mean the same file.
  const auto plain = [](std::string_view text) { return text.starts_with("./") ? text.substr(2) : text; };
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return plain(entry.name) == plain(name); });
  return found == entries.end() ? nullptr : &*found;
}

Result<std::vector<Edit>> replace_content(const ArchiveKind& kind, const ByteSource& image, const Entry& entry,
                                          const Source& content) {
  const auto like = read_text(image, entry.header, kind.header_length);
  auto header = like ? kind.refilled(*like, *content) : Result<std::string>{like.error()};
  if (!header) {
    return header.error();
  }
  const std::string padding(padding_of(kind, content->size()), '\0');
  auto whole = EditedSource::make(content, {edit_text(content->size(), 0, padding)});
  if (!whole) {
    return whole.error();
  }
  const auto end = std::min(entry.end, image.size());
  return std::vector<Edit>{edit_text(entry.header, like->size(), std::move(*header)),
                           Edit{entry.content, end - entry.content, *whole}};
}

Result<Edit> added_entry(const ArchiveKind& kind, const ByteSource& image, const Archive& archive,
                         std::string_view name, const std::string& content) {
  if (archive.entries.empty()) {
    return not_for(kind.name, "the archive is empty");
  }
  const auto like = read_text(image, archive.entries.back().header, kind.header_length);
  if (!like) {
    return like.error();
  }
  auto text = kind.header(*like, name, content) + content;
  text.append(padding_of(kind, content.size()), '\0');
  return edit_text(std::min(archive.end, image.size()), 0, std::move(text));
}

Result<Edit> lied_size(const ArchiveKind& kind, const ByteSource& image, const Entry& entry, std::uint64_t length) {
  const auto header = read_text(image, entry.header, kind.header_length);
  if (!header) {
    return header.error();
  }
  return edit_text(entry.header, header->size(), kind.resized(*header, length));
}

Result<std::vector<Edit>> repaired_checksums(const ArchiveKind& kind, const ByteSource& image) {
  return kind.name == cpio_kind().name ? repaired_cpio_sums(image) : repaired_tar_sums(image);
}

Result<Change> change_archive(const ArchiveKind& kind, const MutationSpec& spec, const Materials& materials,
                              const Source& image, const Archive& archive, const Entry& payload) {
  switch (spec.kind) {
    case MutationKind::traversal: {
      auto added = added_entry(kind, *image, archive, kTraversalName, "assay\n");
      return added ? Result<Change>{Change{{std::move(*added)}, "an entry more, named " + std::string{kTraversalName}}}
                   : Result<Change>{added.error()};
    }
    case MutationKind::bomb:
      return bombed(kind, materials, image, payload);
    case MutationKind::lie_size: {
      const auto said = payload.length * static_cast<std::uint64_t>(spec.factor);
      auto edit = lied_size(kind, *image, payload, said);
      return edit ? Result<Change>{Change{{std::move(*edit)},
                                          "the archive says " + std::to_string(said) + " bytes for entry " +
                                              std::string{shown(payload.name)} + " of " +
                                              std::to_string(payload.length)}}
                  : Result<Change>{edit.error()};
    }
    case MutationKind::swap_content: {
      const auto content = other_content(kind, materials.older ? materials.older : materials.other_model, payload);
      return content ? replaced(kind, image, payload, *content, " is that of the maker's other image")
                     : Result<Change>{content.error()};
    }
    case MutationKind::mix_older: {
      const auto content = other_content(kind, materials.older, payload);
      return content ? replaced(kind, image, payload, *content, " is that of the maker's older image")
                     : Result<Change>{content.error()};
    }
    default:
      return not_for(kind.name, "the format has nothing that \"" + enum_name(spec.kind) + "\" could change");
  }
}

namespace {

/// Of tar: a header of its own, in whose content a long name stands. Only the first is under a sum.
void add_extended_header(ImageMap& map, const ByteSource& image, const Entry& entry) {
  const auto length = entry.header - entry.begin;
  const auto first = std::min(length, tar_kind().header_length);
  add_region(map, image, entry.name + " extended header", RegionKind::header, entry.begin, first);
  add_region(map, image, entry.name + " extended header, content", RegionKind::header, entry.begin + first,
             length - first);
}

}  // namespace

void add_entries(ImageMap& map, const ByteSource& image, const Archive& archive, RegionKind (*role)(std::string_view)) {
  json::array listed;
  for (const auto& entry : archive.entries) {
    add_extended_header(map, image, entry);
    add_region(map, image, entry.name + " header", RegionKind::header, entry.header, entry.content - entry.header);
    add_region(map, image, entry.name, role(entry.name), entry.content, entry.length);
    const auto end = std::min(entry.end, image.size());
    const auto content_end = entry.content + entry.length;
    add_region(map, image, "padding", RegionKind::padding, content_end, end > content_end ? end - content_end : 0);
    if (listed.size() < kMaximumListed) {
      listed.push_back(shown(entry.name));
    }
  }
  if (archive.end < image.size()) {
    add_region(map, image, "end of archive", RegionKind::trailer, archive.end, image.size() - archive.end);
  }
  map.facts["entries"] = std::move(listed);
  map.doubts.insert(map.doubts.end(), archive.doubts.begin(), archive.doubts.end());
}

}  // namespace assay::images

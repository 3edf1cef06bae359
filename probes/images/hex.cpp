#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "probes/images/boards.hpp"
#include "probes/images/scan.hpp"

/// Intel HEX: lines ":LLAAAATT…CC" of hex digits, each with a checksum of one byte; no signature.
namespace assay::images {

namespace {

constexpr std::size_t kShortest = 11;       // ":" and five bytes
constexpr std::size_t kLongest = 11 + 510;  // a record of 255 bytes
constexpr std::size_t kContentAt = 9;
constexpr unsigned int kData = 0;
constexpr unsigned int kEnd = 1;
constexpr unsigned int kSegment = 2;
constexpr unsigned int kLinear = 4;

struct Record {
  std::uint64_t at = 0;    // of the ":"
  std::size_t length = 0;  // of the text
  unsigned int kind = 0;
  std::uint32_t address = 0;  // lowest 16 bits
  std::string bytes;          // decoded, with length, address, kind and checksum
  bool right = false;         // its checksum
};

unsigned char sum_of(std::string_view bytes) {
  unsigned int sum = 0;
  for (const char c : bytes) {
    sum += static_cast<unsigned char>(c);
  }
  return static_cast<unsigned char>(sum);
}

std::optional<Record> parse(std::string_view line, std::uint64_t at) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) {
    line.remove_suffix(1);
  }
  if (line.size() < kShortest || line.size() > kLongest || line[0] != ':' || line.size() % 2 == 0) {
    return std::nullopt;
  }
  Record out{at, line.size(), 0, 0, from_hex(line.substr(1)), false};
  if (out.bytes.size() != (line.size() - 1) / 2 || static_cast<unsigned char>(out.bytes[0]) + 5U != out.bytes.size()) {
    return std::nullopt;
  }
  out.kind = static_cast<unsigned char>(out.bytes[3]);
  out.address = big_u32(out.bytes, 0) >> 8U & 0xFFFFU;
  out.right = sum_of(out.bytes) == 0;
  return out;
}

/// Shows every line that is a record; the lines that are none are counted. Lines are as long as a record at most.
template <class Visit>
Result<std::uint64_t> for_each_record(const ByteSource& image, Visit&& visit) {
  std::string line;
  std::uint64_t at = 0;
  std::uint64_t begin = 0;
  std::uint64_t others = 0;
  const auto ended = [&] {
    if (!line.empty() && line != "\r") {
      const auto record = parse(line, begin);
      others += record ? 0 : 1;
      if (record) {
        visit(*record);
      }
    }
    line.clear();
  };
  const auto read = for_each_piece(image, 0, image.size(), [&](std::string_view piece) {
    for (const char c : piece) {
      if (c == '\n') {
        ended();
        begin = at + 1;
      } else if (line.size() <= kLongest + 1) {
        line += c;
      }
      ++at;
    }
  });
  if (!read) {
    return read.error();
  }
  ended();
  return others;
}

bool recognises(std::string_view head, const ByteSource&) {
  const auto record = parse(head.substr(0, std::min(head.find('\n'), head.size())), 0);
  return record && record->right;
}

/// Lines of one kind after each other as one region.
class Runs {
 public:
  void add(RegionKind kind, std::uint64_t begin, std::uint64_t end) {
    if (!runs_.empty() && runs_.back().kind == kind) {
      runs_.back().length = end - runs_.back().offset;
      return;
    }
    if (runs_.size() < kMost) {
      runs_.push_back({kind == RegionKind::payload   ? "data records"
                       : kind == RegionKind::trailer ? "end record"
                                                     : "address records",
                       kind, begin, end - begin});
    }
  }

  const std::vector<Region>& runs() const { return runs_; }

 private:
  static constexpr std::size_t kMost = 4096;
  std::vector<Region> runs_;
};

Result<> map_hex(const ByteSource& image, ImageMap& map) {
  Runs runs;
  std::uint64_t bytes = 0;
  std::uint64_t wrong = 0;
  std::uint64_t base = 0;
  std::uint64_t lowest = std::numeric_limits<std::uint64_t>::max();
  bool ended = false;
  const auto others = for_each_record(image, [&](const Record& record) {
    runs.add(record.kind == kData  ? RegionKind::payload
             : record.kind == kEnd ? RegionKind::trailer
                                   : RegionKind::header,
             record.at, record.at + record.length);
    wrong += record.right ? 0 : 1;
    ended = ended || record.kind == kEnd;
    if (record.kind == kData) {
      bytes += record.bytes.size() - 5;
      lowest = std::min(lowest, base + record.address);
    } else if ((record.kind == kLinear || record.kind == kSegment) && record.bytes.size() == 7) {
      const std::uint64_t said = big_u32(record.bytes, 3) & 0xFFFFFFU;
      base = (said >> 8U & 0xFFFFU) << (record.kind == kLinear ? 16U : 4U);
    }
  });
  if (!others) {
    return others.error();
  }
  for (const auto& run : runs.runs()) {
    add_region(map, image, run.name, run.kind, run.offset, run.length);
  }
  map.facts["size_said"] = bytes;
  map.facts["digests"] = json::array{json::string{"sum8"}};
  map.facts["signature"] = json::object{{"present", false}};
  if (bytes > 0) {
    map.facts["address"] = fmt::format("0x{:x}", lowest);
  }
  if (*others > 0 || wrong > 0 || !ended) {
    map.doubts.push_back(fmt::format("{} lines are no records, {} checksums are wrong, {} end record", *others, wrong,
                                     ended ? "there is an" : "there is no"));
  }
  return {};
}

/// The lowest bit of a digit, so that it stays a digit.
char flipped_digit(char digit) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kSmall = "0123456789abcdef";
  const auto& digits = kDigits.find(digit) == kDigits.npos ? kSmall : kDigits;
  const auto at = digits.find(digit);
  return at == digits.npos ? digit : digits[at ^ 1U];
}

Result<Change> change_hex(const MutationSpec& spec, const Materials&, const Opened& genuine) {
  const auto* data = largest_of(genuine.map, RegionKind::payload);
  if (spec.kind != MutationKind::flip_bit || spec.where != Where::payload || data == nullptr) {
    return not_for("ihex", "the format has nothing that \"" + enum_name(spec.kind) + "\" could change");
  }
  std::optional<Record> middle;
  const auto read = for_each_record(*genuine.image, [&](const Record& record) {
    const bool usable = record.kind == kData && record.bytes.size() > 5;
    if (usable && (!middle || record.at <= data->offset + data->length / 2)) {
      middle = record;
    }
  });
  if (!read) {
    return read.error();
  }
  if (!middle) {
    return not_for("ihex", "the image holds no data");
  }
  const auto at = middle->at + kContentAt + 1;
  const auto digit = read_text(*genuine.image, at, 1);
  if (!digit || digit->empty()) {
    return digit ? not_for("ihex", "the image holds no data") : digit.error();
  }
  return Change{{edit_text(at, 1, {flipped_digit((*digit)[0])})},
                "bit 0 of the first byte of the record at byte " + std::to_string(middle->at) + " is flipped"};
}

Result<std::vector<Edit>> repair_hex(const Opened&, const Source& edited) {
  constexpr std::size_t kMost = 4096;
  std::vector<Edit> out;
  const auto read = for_each_record(*edited, [&](const Record& record) {
    if (!record.right && out.size() < kMost) {
      const auto sum = sum_of(std::string_view{record.bytes}.substr(0, record.bytes.size() - 1));
      out.push_back(
          edit_text(record.at + record.length - 2, 2, fmt::format("{:02X}", static_cast<unsigned char>(0U - sum))));
    }
  });
  return read ? Result<std::vector<Edit>>{std::move(out)} : Result<std::vector<Edit>>{read.error()};
}

}  // namespace

const Format kIntelHex{"ihex", recognises, map_hex, change_hex, repair_hex};

}  // namespace assay::images

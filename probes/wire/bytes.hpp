#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// Small tools that every codec of this folder uses. Bytes of a device travel as `std::string`.
namespace assay::wire {

std::string_view text_of(std::span<const std::byte> bytes);
std::span<const std::byte> bytes_of(std::string_view text);

/// Bytes of a device as pure printable ASCII: anything else becomes an escape (\n, \xff), so that no terminal and no
/// report can be steered by it. At most `limit` bytes of the input are shown; "…" would not be ASCII, so a cut ends
/// with "[cut]".
std::string printable(std::string_view bytes, std::size_t limit = 512);

std::string hex(std::string_view bytes);
std::string base64(std::string_view bytes);

bool equal_ignoring_case(std::string_view a, std::string_view b);
bool contains_ignoring_case(std::string_view text, std::string_view part);
std::string lower(std::string_view text);
std::string_view trim(std::string_view text);

/// Share of bytes that a line of text may hold (printable ASCII, tab, CR, LF, and bytes of UTF-8), in percent.
int text_share(std::string_view bytes);

/// Reads numbers in network order; once something is missing every further read gives zero and `failed()` is true.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u24();
  std::uint32_t u32();
  std::string_view take(std::size_t count);

  std::string_view rest() const { return rest_; }

  bool failed() const { return failed_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

void put_u8(std::string& out, std::uint32_t value);
void put_u16(std::string& out, std::uint32_t value);
void put_u24(std::string& out, std::uint32_t value);
void put_u32(std::string& out, std::uint32_t value);

/// How far a parser came with the bytes it has.
enum class Parse : std::uint8_t { complete, need_more, malformed };

}  // namespace assay::wire

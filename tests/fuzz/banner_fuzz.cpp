#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/banner.hpp"
#include "probes/wire/reply_lines.hpp"

using namespace assay::wire;

/// Any bytes get one recognition, and what is shown of them is printable ASCII.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto recognition = recognise(bytes);
  if (recognition.need_more && recognition.speech != Speech::unknown) {
    std::abort();
  }
  for (const char c : printable(bytes)) {
    if (c < 0x20 || c > 0x7e) {
      std::abort();
    }
  }
  const auto lines = parse_reply_lines(bytes);
  if (lines.reply.lines.size() > 64 || lines.used > size) {
    std::abort();
  }
  greeting_product(bytes);
  if (demands_new_password(bytes) && bytes.size() < 6) {
    std::abort();  // a word for a password and one for another need more
  }
  return 0;
}

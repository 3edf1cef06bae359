#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/banner.hpp"
#include "probes/wire/telnet.hpp"

using namespace assay::wire;

/// Text and replies do not depend on how the bytes are cut, and no peer can make us answer without end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  TelnetParser whole;
  const auto step = whole.feed(bytes);
  TelnetParser parts;
  TelnetParser::Step sum;
  for (const char c : bytes) {
    const auto one = parts.feed({&c, 1});
    sum.text += one.text;
    sum.replies += one.replies;
  }
  constexpr std::size_t kMostReplies = 256U * 2U * 3U;
  if (sum.text != step.text || sum.replies != step.replies || step.replies.size() > kMostReplies ||
      step.text.size() > size) {
    std::abort();
  }
  const auto prompt = prompt_of(step.text);
  if (prompt.size() > 128) {
    std::abort();
  }
  return 0;
}

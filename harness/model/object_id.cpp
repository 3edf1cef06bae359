#include "harness/model/object_id.hpp"

#include <algorithm>
#include <charconv>

namespace assay {

namespace {

constexpr std::size_t kMostArcs = 64;

std::optional<std::uint32_t> arc_of(std::string_view text) {
  std::uint32_t arc = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, arc);
  const bool padded = text.size() > 1 && text[0] == '0';
  return failed == std::errc{} && stop == end && !padded ? std::optional{arc} : std::nullopt;
}

}  // namespace

std::optional<std::vector<std::uint32_t>> parse_object_id(std::string_view text) {
  std::vector<std::uint32_t> arcs;
  for (std::size_t from = 0; from <= text.size();) {
    const auto end = std::min(text.find('.', from), text.size());
    const auto arc = arc_of(text.substr(from, end - from));
    if (!arc || arcs.size() == kMostArcs) {
      return std::nullopt;
    }
    arcs.push_back(*arc);
    from = end + 1;
  }
  const bool shares = arcs.size() >= 2 && (arcs[0] == 2 || (arcs[0] < 2 && arcs[1] < 40));
  return shares ? std::optional{std::move(arcs)} : std::nullopt;
}

}  // namespace assay

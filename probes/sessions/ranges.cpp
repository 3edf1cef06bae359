#include "probes/sessions/ranges.hpp"

#include <algorithm>
#include <charconv>

#include "probes/wire/bytes.hpp"

namespace assay::sessions {

namespace {

bool parse_port(std::string_view text, std::uint16_t& port) {
  text = wire::trim(text);
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc{} && end == text.data() + text.size() && !text.empty() && port != 0;
}

Error wrong(std::string_view part, std::string_view parameter) {
  return {ErrorKind::bad_input,
          "parameter " + std::string{parameter} + ": \"" + wire::printable(part, 40) +
              "\" is not a port or a range; write \"all\", or ports from 1 to 65535 as in \"1-1024,8080\"",
          {}};
}

}  // namespace

Result<std::vector<PortRange>> parse_ranges(std::string_view text, std::string_view parameter) {
  if (wire::trim(text) == "all") {
    return std::vector<PortRange>{{1, 65535}};
  }
  std::vector<PortRange> ranges;
  for (bool more = true; more;) {
    const auto comma = text.find(',');
    const auto part = wire::trim(text.substr(0, comma));
    more = comma != std::string_view::npos;
    text = more ? text.substr(comma + 1) : std::string_view{};
    const auto dash = part.find('-');
    PortRange range;
    if (!parse_port(part.substr(0, dash), range.first)) {
      return wrong(part, parameter);
    }
    range.last = range.first;
    if ((dash != std::string_view::npos && !parse_port(part.substr(dash + 1), range.last)) ||
        range.last < range.first) {
      return wrong(part, parameter);
    }
    ranges.push_back(range);
  }
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<PortRange> merged;
  for (const auto& range : ranges) {
    if (!merged.empty() && range.first <= merged.back().last + 1) {
      merged.back().last = std::max(merged.back().last, range.last);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

std::string ranges_text(const std::vector<PortRange>& ranges) {
  std::string text;
  for (const auto& range : ranges) {
    text += (text.empty() ? "" : ",") + std::to_string(range.first);
    if (range.last != range.first) {
      text += "-" + std::to_string(range.last);
    }
  }
  return text;
}

}  // namespace assay::sessions

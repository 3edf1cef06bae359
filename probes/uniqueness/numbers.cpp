#include "probes/uniqueness/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "probes/uniqueness/spellings.hpp"

namespace assay::probes::uniqueness {

namespace {

constexpr int kBases[] = {10, 16, 36};

/// How many digits of a base fit a number with room for differences.
std::size_t digits_of(int base) {
  return base == 10 ? 17 : base == 16 ? 14 : 11;
}

int digit_of(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

std::string tail_digits(const std::string& text) {
  auto out = digits_alone(text);
  return out.size() > 15 ? out.substr(out.size() - 15) : out;
}

void add_line(std::vector<Line>& lines, std::string what, const Values& values, const std::string& kind,
              const std::function<std::optional<Number>(const std::string&)>& read) {
  Line line{std::move(what), {}};
  for (const auto& value : values) {
    for (const auto& one : value.identifiers) {
      const auto number = one.kind == kind ? read(one.text) : std::nullopt;
      if (number) {
        line.all.push_back(*number);
        break;
      }
    }
  }
  const bool varies = std::adjacent_find(line.all.begin(), line.all.end(), std::not_equal_to<>{}) != line.all.end();
  if (line.all.size() == values.size() && varies) {
    lines.push_back(std::move(line));
  }
}

}  // namespace

std::optional<Number> number_of(std::string_view text, int base) {
  if (text.empty() || text.size() > digits_of(base)) {
    return std::nullopt;
  }
  Number out = 0;
  for (const char c : text) {
    if (digit_of(c) >= base) {
      return std::nullopt;
    }
    out = out * base + digit_of(c);
  }
  return out;
}

std::size_t common_beginning(const std::vector<std::string>& texts) {
  std::size_t same = 0;
  for (; same < texts.front().size(); ++same) {
    const auto differs = [&](const std::string& one) { return same >= one.size() || one[same] != texts.front()[same]; };
    if (std::any_of(texts.begin(), texts.end(), differs)) {
      break;
    }
  }
  return same;
}

std::size_t number_start(const std::string& text, std::size_t from, int base) {
  while (from > 0 && text.size() - from < digits_of(base) && digit_of(text[from - 1]) < base) {
    --from;
  }
  return from;
}

std::optional<Numbers> numbers_of(std::vector<std::string> texts) {
  const auto length = texts.front().size();
  const auto longer = [&](const std::string& one) { return one.size() != length; };
  if (length == 0 || std::any_of(texts.begin(), texts.end(), longer)) {
    return std::nullopt;
  }
  // The base is that of what varies; what stands before it counts as far as it is of that base and fits a number.
  const auto same = std::min(common_beginning(texts), length - 1);
  for (const int base : kBases) {
    const auto cut = number_start(texts.front(), same, base);
    Numbers out;
    out.base = base;
    out.places = static_cast<double>(length - cut) * std::log10(static_cast<double>(base));
    out.free = static_cast<double>(length - same) * std::log10(static_cast<double>(base));
    out.unit = std::pow(static_cast<double>(base), static_cast<double>(length - same - 1));
    for (const auto& text : texts) {
      if (const auto number = number_of(std::string_view{text}.substr(cut), base)) {
        out.all.push_back(*number);
      }
    }
    if (out.all.size() == texts.size()) {
      return out;
    }
  }
  return std::nullopt;
}

std::vector<std::string> texts_of(const Values& values) {
  std::vector<std::string> out;
  for (const auto& value : values) {
    out.push_back(folded(alphanumeric(value.text)));
  }
  return out;
}

std::vector<Line> lines_of(const Values& values) {
  std::vector<Line> lines;
  const auto tail = [](std::size_t digits, int base) {
    return [digits, base](const std::string& text) {
      const auto plain = folded(alphanumeric(text));
      return number_of(plain.size() > digits ? std::string_view{plain}.substr(plain.size() - digits) : plain, base);
    };
  };
  for (const std::string kind : {"serial", "ssid", "date"}) {
    add_line(lines, "the digits of the " + kind, values, kind,
             [](const std::string& text) { return number_of(tail_digits(text), 10); });
  }
  add_line(lines, "the serial in hexadecimal", values, "serial", tail(12, 16));
  add_line(lines, "the MAC address", values, "mac", tail(12, 16));
  add_line(lines, "the MAC address without the maker's part", values, "mac", tail(6, 16));
  return lines;
}

}  // namespace assay::probes::uniqueness

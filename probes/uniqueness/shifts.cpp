#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "probes/uniqueness/spellings.hpp"
#include "probes/uniqueness/values.hpp"

/// Values whose characters are those of an identifier, each moved by an amount of its place that is the same for all
/// devices: a constant added (Caesar), subtracted from, or combined by exclusive or.
namespace assay::probes::uniqueness {

namespace {

constexpr std::size_t kFewestMoved = 4;  // characters
constexpr std::size_t kOwnAlphabet = 5;  // values from which on a place shows its own alphabet

/// The same part of an identifier of every value, all of one length.
struct Part {
  std::string what;
  int base = 10;
  std::vector<std::string> texts{};
};

int digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

void add_part(std::vector<Part>& out, const Values& values, const std::string& kind, Part part, bool digits,
              std::size_t tail) {
  for (const auto& value : values) {
    const auto found = std::find_if(value.identifiers.begin(), value.identifiers.end(),
                                    [&](const Identifier& one) { return one.kind == kind; });
    if (found == value.identifiers.end()) {
      return;
    }
    auto text = folded(digits ? digits_alone(found->text) : alphanumeric(found->text));
    text.erase(0, tail == 0 || text.size() <= tail ? 0 : text.size() - tail);
    part.texts.push_back(std::move(text));
  }
  const auto unfit = [&](const std::string& one) {
    return one.size() < kFewestMoved || one.size() != part.texts.front().size() ||
           std::any_of(one.begin(), one.end(), [&](char c) { return digit(c) >= part.base; });
  };
  if (std::none_of(part.texts.begin(), part.texts.end(), unfit)) {
    out.push_back(std::move(part));
  }
}

std::vector<Part> parts_of(const Values& values) {
  constexpr std::size_t kMacTail = 6;
  std::vector<Part> out;
  for (const std::string kind : {"serial", "ssid", "date"}) {
    add_part(out, values, kind, {"the digits of the " + kind, 10}, true, 0);
  }
  add_part(out, values, "serial", {"the serial in hexadecimal", 16}, false, 0);
  add_part(out, values, "mac", {"the MAC address", 16}, false, 0);
  add_part(out, values, "mac", {"the MAC address without the maker's part", 16}, false, kMacTail);
  return out;
}

enum class Way : std::uint8_t { difference, sum, exclusive_or };

std::string_view words_for(Way way) {
  return way == Way::difference ? "its difference to the same place of "
         : way == Way::sum      ? "its sum with the same place of "
                                : "its exclusive or with the same place of ";
}

int moved(int value, int part, int base, Way way) {
  return way == Way::difference ? (value - part + base) % base : way == Way::sum ? (value + part) % base : value ^ part;
}

/// Decimal places of luck, where from `at` on every character of all values is moved by the amount of its place.
std::optional<double> moved_alike(const std::vector<std::string>& texts, const Part& part, std::size_t at, Way way) {
  double luck = 0;
  bool is_copy = way != Way::sum;
  for (std::size_t i = 0; i < part.texts.front().size(); ++i) {
    std::set<char> here;
    std::optional<int> amount;
    for (std::size_t who = 0; who < texts.size(); ++who) {
      const auto c = texts[who][at + i];
      if (digit(c) >= part.base) {
        return std::nullopt;
      }
      const auto now = moved(digit(c), digit(part.texts[who][i]), part.base, way);
      if (amount && *amount != now) {
        return std::nullopt;
      }
      amount = now;
      here.insert(c);
    }
    is_copy = is_copy && *amount == 0;
    // What is the same in all values fits by itself.
    const auto kinds = static_cast<double>(here.size());
    const double alphabet = texts.size() >= kOwnAlphabet ? std::min(kinds, static_cast<double>(part.base)) : part.base;
    luck += here.size() > 1 ? static_cast<double>(texts.size() - 1) * std::log10(std::max(2.0, alphabet)) : 0;
  }
  return is_copy ? std::nullopt : std::optional{luck};  // a copy is told as one
}

}  // namespace

std::vector<Relation> shifted_identifiers(const Values& values) {
  std::vector<std::string> texts;
  for (const auto& value : values) {
    texts.push_back(folded(alphanumeric(value.text)));
  }
  std::vector<Relation> out;
  const auto odd = [&](const std::string& one) { return one.size() != texts.front().size(); };
  if (texts.size() < 2 || std::any_of(texts.begin(), texts.end(), odd)) {
    return out;
  }
  const auto parts = parts_of(values);
  double looked = 0;
  std::optional<Relation> best;
  for (const auto& part : parts) {
    const auto length = part.texts.front().size();
    for (std::size_t at = 0; at + length <= texts.front().size(); ++at) {
      for (const auto way : {Way::difference, Way::sum, Way::exclusive_or}) {
        ++looked;
        const auto luck = moved_alike(texts, part, at, way);
        if (!luck || (best && *luck <= best->luck)) {
          continue;
        }
        std::vector<std::string> names;
        for (const auto& value : values) {
          names.push_back(value.name);
        }
        best = Relation{"identifier",
                        "of each character, " + std::string{words_for(way)} + part.what +
                            " is the same for all (base " + std::to_string(part.base) + ")",
                        std::move(names),
                        -1,
                        static_cast<std::int64_t>(length),
                        *luck};
      }
    }
  }
  if (best) {
    best->luck -= std::log10(looked);
    if (best->luck >= kTold) {
      out.push_back(std::move(*best));
    }
  }
  return out;
}

}  // namespace assay::probes::uniqueness

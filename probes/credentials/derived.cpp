#include "probes/credentials/derived.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

#include "probes/uniqueness/identifiers.hpp"
#include "probes/uniqueness/texts.hpp"

/// What makers are known to make passwords of: what stands on the label, in whole or its end, and words of the product.
/// How identifiers turn into texts is known to `uniqueness`, which looks for them in factory values.
namespace assay::probes::credentials {

namespace {

using uniqueness::Identifier;
using uniqueness::Texts;

enum class Letters : std::uint8_t { as_they_are, lower, upper };

/// One way to make a password.
struct Transform {
  std::string_view text;  // of uniqueness::direct_texts, or an identifier as it is
  Letters letters = Letters::lower;
  std::size_t last = 0;       // characters of its end; 0: all
  std::string_view behind{};  // that follows; "year": the year of the date of manufacture
};

constexpr std::string_view kYear = "year";
constexpr std::size_t kShortest = 4;  // characters of a password that is tried
// A name that is less likely by one place gets the ways that the one before it had so many turns earlier.
constexpr std::size_t kHeadStart = 6;

constexpr Transform kTransforms[] = {
    {"the serial", Letters::as_they_are},
    {"the mac", Letters::upper, 6},
    {"the mac", Letters::lower, 6},
    {"the serial", Letters::as_they_are, 8},
    {"the mac", Letters::upper, 8},
    {"the mac", Letters::lower},
    {"the vendor", Letters::lower},
    {"the serial", Letters::as_they_are, 6},
    {"the ssid", Letters::as_they_are},
    {"the model", Letters::as_they_are},
    {"the mac", Letters::upper},
    {"the mac", Letters::lower, 8},
    {"the digits of the serial"},
    {"the serial", Letters::as_they_are, 4},
    {"the mac", Letters::upper, 4},
    {"the vendor", Letters::lower, 0, "123"},
    {"the mac plus 1", Letters::upper, 6},
    {"the mac less 1", Letters::upper, 6},
    {"the WPS PIN of the mac by its last 24 bits"},
    {"the WPS PIN of the mac plus 1 as D-Link makes it"},  // of the WAN side, which the access point's is one below
    {"the mac", Letters::lower, 4},
    {"the date", Letters::as_they_are},
    {"the serial", Letters::lower},
    {"the model", Letters::lower},
    {"the model", Letters::lower, 0, "123"},
    {"the model", Letters::lower, 0, kYear},
    {"the vendor", Letters::lower, 0, kYear},
    {"the mac plus 1"},
    {"the mac less 1"},
    {"the mac plus 1", Letters::lower, 6},
    {"the mac less 1", Letters::lower, 6},
    {"the mac", Letters::as_they_are},
    {"the serial reversed"},
    {"the mac reversed"},
    {"the vendor", Letters::lower, 0, "1234"},
    {"the vendor", Letters::as_they_are},
    {"the mac plus 1", Letters::upper},
    {"the mac less 1", Letters::upper},
    {"the date"},
    {"the mac without the maker's part, in decimal"},
    {"the mac in decimal"},
    {"the WPS PIN of the mac as D-Link makes it"},
    {"the WPS PIN of the mac less 1 as D-Link makes it"},
    {"the WPS PIN of the mac plus 1 by its last 24 bits"},
    {"the WPS PIN of the mac less 1 by its last 24 bits"},
    {"the WPS PIN of the mac by its last 28 bits"},
    {"the WPS PIN of the mac by its last 32 bits"},
    {"the WPS PIN of the mac plus 1 by its last 28 bits"},
    {"the WPS PIN of the mac less 1 by its last 28 bits"},
    {"the WPS PIN of the mac plus 1 by its last 32 bits"},
    {"the WPS PIN of the mac less 1 by its last 32 bits"},
    {"the model reversed"},
    {"the vendor reversed"},
};

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// The first four digits in a row that can be a year.
std::optional<std::string> year_in(std::string_view date) {
  constexpr std::string_view kDigits = "0123456789";
  for (std::size_t at = 0; at + 4 <= date.size(); ++at) {
    const auto part = date.substr(at, 4);
    if ((part.starts_with("19") || part.starts_with("20")) &&
        part.find_first_not_of(kDigits) == std::string_view::npos) {
      return std::string{part};
    }
  }
  return std::nullopt;
}

class Maker {
 public:
  explicit Maker(uniqueness::Value of) : of_(std::move(of)), texts_(uniqueness::direct_texts(of_)) {}

  /// Nothing where the DUT file does not say what it is made of, or where too little is left.
  std::optional<std::string> make(const Transform& way) const {
    auto text = text_of(way);
    const auto behind = way.behind == kYear ? year() : std::optional{std::string{way.behind}};
    if (!text || !behind || (way.last > 0 && text->size() <= way.last)) {
      return std::nullopt;
    }
    const auto from = way.last == 0 ? 0 : text->size() - way.last;
    auto out = text->substr(from) + *behind;
    return out.size() >= kShortest ? std::optional{std::move(out)} : std::nullopt;
  }

 private:
  const std::string* identifier(std::string_view name) const {
    const auto found = std::find_if(of_.identifiers.begin(), of_.identifiers.end(),
                                    [&](const Identifier& one) { return "the " + one.kind == name; });
    return found == of_.identifiers.end() ? nullptr : &found->text;
  }

  std::optional<std::string> text_of(const Transform& way) const {
    if (way.letters == Letters::as_they_are) {
      const auto* text = identifier(way.text);
      return text == nullptr ? std::nullopt
             : way.last == 0 ? std::optional{*text}
                             : std::optional{uniqueness::alphanumeric(*text)};
    }
    const auto found = texts_.find(std::string{way.text});
    if (found == texts_.end()) {
      return std::nullopt;
    }
    return way.letters == Letters::upper ? upper(found->second) : found->second;
  }

  std::optional<std::string> year() const {
    const auto* date = identifier("the date");
    return date == nullptr ? std::nullopt : year_in(*date);
  }

  uniqueness::Value of_;
  Texts texts_;
};

/// The text in words, with the names that the DUT file's readers know.
std::string in_words(std::string_view text) {
  std::string out{text};
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"mac", "MAC address"}, {"ssid", "SSID"}, {"serial", "serial number"}, {"date", "date of manufacture"}};
  for (const auto& [kind, name] : kNames) {
    if (const auto at = out.find("the " + std::string{kind}); at != std::string::npos) {
      out.replace(at + 4, kind.size(), name);
      break;
    }
  }
  return out;
}

std::string how(const Transform& way, std::string_view text) {
  auto out = in_words(way.text);
  if (way.last > 0) {
    out = "last " + std::to_string(way.last) + " characters of " + out;
  } else if (way.letters == Letters::as_they_are) {
    out += " as it is";
  }
  if (way.behind == kYear) {
    out += " and the year";
  } else if (!way.behind.empty()) {
    out += " and " + std::string{way.behind};
  }
  const bool has_letters = std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
  if (has_letters && way.letters != Letters::as_they_are) {
    out += way.letters == Letters::upper ? ", in upper case" : ", in lower case";
  }
  return "derived: " + out;
}

/// What is told of a sample: its own entry among the factory values has more than the list of samples.
uniqueness::Value value_of(const Dut& dut, std::string_view sample) {
  PasswordSample given;
  given.sample = sample;
  for (const auto& one : dut.password_samples) {
    if (!sample.empty() && one.sample == sample) {
      given = one;
      break;
    }
  }
  given.username.clear();
  auto identifiers = uniqueness::identifiers_of(dut, given);
  for (auto& one : identifiers) {
    if (one.kind == "vendor") {
      one.text = one.text.substr(0, one.text.find(' '));  // "Acme" of "Acme Networks Inc."
    }
  }
  return {{}, {}, std::move(identifiers)};
}

}  // namespace

std::vector<Derived> derived_passwords(const Dut& dut, std::string_view sample, const std::vector<DerivedFor>& names,
                                       std::size_t most) {
  const Maker maker{value_of(dut, sample)};
  std::vector<std::pair<std::string, std::string>> made;  // text and how it is made
  std::set<std::string> texts;
  for (const auto& way : kTransforms) {
    auto text = maker.make(way);
    if (text && texts.insert(*text).second) {
      auto source = how(way, *text);
      made.emplace_back(std::move(*text), std::move(source));
    }
  }
  std::vector<Derived> out;
  for (std::size_t turn = 0; turn < made.size() + names.size() * kHeadStart; ++turn) {
    for (std::size_t place = 0; place < names.size() && out.size() < most; ++place) {
      const auto late = place * kHeadStart;
      if (turn >= late && turn - late < std::min(made.size(), names[place].most)) {
        const auto& [text, way] = made[turn - late];
        out.push_back({names[place].username, Secret{text, way}});
      }
    }
  }
  return out;
}

}  // namespace assay::probes::credentials

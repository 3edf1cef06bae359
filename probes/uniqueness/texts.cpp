#include "probes/uniqueness/texts.hpp"

#include <algorithm>

#include "probes/uniqueness/spellings.hpp"
#include "probes/uniqueness/wps_pin.hpp"

namespace assay::probes::uniqueness {

void add(Texts& out, std::string way, std::string_view text) {
  if (text.size() >= 2) {
    out.emplace(std::move(way), folded(text));
  }
}

namespace {

void add_mac(Texts& out, const std::string& kind, const std::string& plain) {
  if (plain.size() != kMacDigits || !is_hex(plain)) {
    return;
  }
  const auto number = std::stoull(plain, nullptr, 16);
  const auto tail = plain.substr(kOuiDigits);
  for (const int step : {-2, -1, 1, 2}) {
    const auto neighbour = to_hex(number + static_cast<std::uint64_t>(static_cast<std::int64_t>(step)), kMacDigits);
    add(out, "the " + kind + (step < 0 ? " less " : " plus ") + std::to_string(std::abs(step)), neighbour);
  }
  add(out, "the " + kind + " in decimal", std::to_string(number));
  add(out, "the " + kind + " without the maker's part, in decimal", std::to_string(std::stoull(tail, nullptr, 16)));
  std::string octets;
  for (std::size_t i = kMacDigits; i >= 2; i -= 2) {
    octets += plain.substr(i - 2, 2);
  }
  add(out, "the octets of the " + kind + " in reverse", octets);
  for (const auto& [way, pin] : wps_pins(number)) {
    add(out, way, pin);
  }
}

void add_numbers(Texts& out, const std::string& kind, const std::string& plain) {
  const auto digits = digits_alone(plain);
  if (digits != plain) {
    add(out, "the digits of the " + kind, digits);
  }
  if (!digits.empty() && digits.size() <= 18) {
    const auto number = std::stoull(digits);
    auto hex = to_hex(number, 16);
    hex.erase(0, std::min(hex.find_first_not_of('0'), hex.size()));
    add(out, "the digits of the " + kind + " in hexadecimal", hex);
  }
  if (kind != "mac" && is_hex(plain) && digits != plain) {
    add(out, "the " + kind + " read as hexadecimal, in decimal", std::to_string(std::stoull(plain, nullptr, 16)));
  }
}

}  // namespace

Texts direct_texts(const Value& value) {
  Texts out;
  for (const auto& one : value.identifiers) {
    const auto plain = folded(alphanumeric(one.text));
    add(out, "the " + one.kind, plain);
    add(out, "the " + one.kind + " reversed", reversed(plain));
    if (one.kind == "mac") {
      add_mac(out, one.kind, plain);
    }
    add_numbers(out, one.kind, plain);
  }
  return out;
}

}  // namespace assay::probes::uniqueness

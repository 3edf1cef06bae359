#include "probes/uniqueness/wps_pin.hpp"

namespace assay::probes::uniqueness {

namespace {

constexpr std::uint64_t kSevenDigits = 10'000'000;
constexpr std::uint64_t kSixDigits = 1'000'000;
constexpr std::uint64_t kAddress = 0xFFFF'FFFF'FFFF;
constexpr std::uint64_t kNic = 0xFF'FFFF;  // what the maker numbers

/// Digits from the last on count three times and once in turn; with the checksum their sum ends in 0.
std::uint64_t checksum(std::uint64_t seven) {
  std::uint64_t sum = 0;
  for (std::uint64_t weight = 3; seven > 0; seven /= 10, weight = 4 - weight) {
    sum += weight * (seven % 10);
  }
  return (10 - sum % 10) % 10;
}

/// Firmware of D-Link mixes the maker's number with a pattern and with its own last four bits, and makes a result of
/// fewer than seven digits longer.
std::uint64_t mixed(std::uint64_t mac) {
  constexpr std::uint64_t kPattern = 0x55AA55;
  constexpr std::uint64_t kFiveTimes = 0x111110;
  auto pin = (mac & kNic) ^ kPattern;
  pin ^= (pin & 0xFU) * kFiveTimes;
  pin %= kSevenDigits;
  return pin < kSixDigits ? pin + (pin % 9 + 1) * kSixDigits : pin;
}

}  // namespace

std::string wps_pin(std::uint64_t number) {
  const auto seven = number % kSevenDigits;
  auto out = std::to_string(seven * 10 + checksum(seven));
  return out.insert(0, 8 - out.size(), '0');
}

std::vector<std::pair<std::string, std::string>> wps_pins(std::uint64_t mac) {
  constexpr std::pair<const char*, std::uint64_t> kNeighbours[] = {
      {"", 0}, {" plus 1", 1}, {" less 1", kAddress}};  // the last is -1
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [words, step] : kNeighbours) {
    const auto address = (mac + step) & kAddress;
    const auto way = "the WPS PIN of the mac" + std::string{words};
    for (const unsigned bits : {24U, 28U, 32U}) {
      out.emplace_back(way + " by its last " + std::to_string(bits) + " bits",
                       wps_pin(address & ((std::uint64_t{1} << bits) - 1)));
    }
    out.emplace_back(way + " as D-Link makes it", wps_pin(mixed(address)));
  }
  return out;
}

}  // namespace assay::probes::uniqueness

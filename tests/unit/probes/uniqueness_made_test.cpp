#include <algorithm>
#include <random>
#include <tuple>

#include "probes/uniqueness/values.hpp"
#include "probes/uniqueness/wps_pin.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/probes/uniqueness_support.hpp"

/// Values that are made of identifiers in ways which are published.
namespace {

using namespace assay::probes::uniqueness;

std::uint64_t mac_of(const Value& value) {
  return std::stoull(alphanumeric(value.identifiers[1].text), nullptr, 16);
}

}  // namespace

TEST_CASE("Default PINs of Wi-Fi Protected Setup are those that others publish") {
  CHECK(wps_pin(1234567) == "12345670");
  CHECK(wps_pin(5967201) == "59672012");
  CHECK(wps_pin(0) == "00000000");
  const auto pins = wps_pins(0x0014D1112233);
  const auto pin = [&](const std::string& way) {
    const auto found = std::find_if(pins.begin(), pins.end(),
                                    [&](const auto& one) { return one.first == "the WPS PIN of the mac" + way; });
    return found == pins.end() ? std::string{} : found->second;
  };
  CHECK(pins.size() == 12);
  CHECK(pin(" by its last 24 bits") == "11228677");
  CHECK(pin(" by its last 28 bits") == "79000833");
  CHECK(pin(" by its last 32 bits") == "75610111");
  CHECK(pin(" as D-Link makes it") == "22891587");
  CHECK(pin(" plus 1 as D-Link makes it") == "56098419");
  CHECK(pin(" less 1 by its last 24 bits") == "11228660");
  CHECK(wps_pins(0xFFFFFFFFFFFF)[4].second == "00000000");  // plus 1, by 24 bits
  CHECK(wps_pins(0xC0A0BBEFB3D6)[7].second == "99767389");  // the router that the algorithm was found in
  CHECK(wps_pins(0x020000000000)[3].second == "90652851");  // made longer
}

TEST_CASE("A default PIN of Wi-Fi Protected Setup is told, from one value on") {
  for (const std::size_t way : {0U, 1U, 2U, 3U, 7U, 11U}) {
    for (const std::size_t count : {std::size_t{1}, std::size_t{5}}) {
      auto values = unrelated_devices(count);
      std::string words;
      for (auto& value : values) {
        const auto pins = wps_pins(mac_of(value));
        std::tie(words, value.text) = pins[way];
      }
      const auto found = identifier_relations(values);
      INFO(count << ": " << words_of(found));
      CHECK(tells(found, "", "the whole value is in " + words + ", from character 1"));
    }
  }
}

TEST_CASE("PINs that were drawn are never said to be related, though all have the checksum") {
  std::size_t told = 0;
  std::string words;
  for (unsigned seed = 0; seed < kRandomSets * 3 / 10; ++seed) {
    std::mt19937 random{seed};
    auto values = unrelated_devices(std::size_t{1} + seed % 10, seed + 5000);
    for (auto& value : values) {
      value.text = wps_pin(std::stoul(drawn(random, kDigits, 7)));
    }
    const auto found = identifier_relations(values);
    told += found.empty() ? 0 : 1;
    words += found.empty() ? "" : "seed " + std::to_string(seed) + ": " + words_of(found);
  }
  INFO(words);
  CHECK(told == 0);
}

TEST_CASE("Hashes of hashes, of two identifiers in more ways, and keyed ones are told") {
  // As md5sum, sha1sum, sha256sum and openssl dgst -hmac give them for EX-481516, 02:4f:9b:31:01:09 and Hub 2.
  const std::pair<std::string, std::string> known[] = {
      {"a84247fc0cb8", "MD5 of the MD5 in hexadecimal of the mac without separators, in lower case, in hexadecimal"},
      {"8327b1f51d15", "SHA-256 of the SHA-256 in hexadecimal of the serial as it is, in hexadecimal"},
      {"ea548a5ae829", "MD5 of the mac and serial, in hexadecimal"},
      {"8b635fb4edce", "SHA-1 of the serial and mac with : between, in hexadecimal"},
      {"bdba735671ae", "SHA-256 of the model and mac with - between, in hexadecimal"},
      {"29bc1ea5d65e", "MD5 of the model and mac without separators, in upper case, in hexadecimal"},
      {"eec64a67c1d4", "HMAC-SHA-256 of the mac with the serial as the key, in hexadecimal"}};
  for (const auto& [value, words] : known) {
    auto values = unrelated_devices(3);
    std::mt19937 random{9};
    for (auto& one : values) {
      one.text = drawn(random, kHex, value.size());
    }
    values[0].identifiers[0].text = "EX-481516";
    values[0].identifiers[1].text = "02:4f:9b:31:01:09";
    values[0].text = value;
    const auto found = identifier_relations(values);
    INFO(words << ": " << words_of(found));
    CHECK(tells(found, "", words));
  }
}

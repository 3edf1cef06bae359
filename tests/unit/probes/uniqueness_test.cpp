#include <cmath>
#include <cstdio>
#include <functional>
#include <random>

#include <openssl/evp.h>

#include "probes/uniqueness/values.hpp"
#include "probes/wire/bytes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"
#include "tests/unit/probes/uniqueness_support.hpp"

namespace assay::probes::uniqueness {
extern const ProbeDescriptor kDescriptor;
}

namespace {

using namespace assay;
using namespace assay::probes::uniqueness;

constexpr std::string_view kAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kConsonants = "bcdfghjklmnpqrstvwxz";

std::string two(int number) {
  const std::string digits = std::to_string(number);
  return digits.size() < 2 ? "0" + digits : digits;
}

/// Devices of one batch: serial numbers and addresses count up with gaps, as those on sale do.
Values devices(std::size_t count) {
  Values out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = static_cast<int>(17 + 7 * i + i * i);
    const std::string mac = "02:4f:9b:31:a" + std::to_string(i % 10) + ":" + two(number % 100);
    out.push_back({"",
                   std::to_string(i + 1),
                   {{"serial", "EX26-00" + std::to_string(4100 + number)},
                    {"mac", mac},
                    {"ssid", "Hub-" + std::to_string(number) + "9b"},
                    {"model", "Hub 2"},
                    {"vendor", "Example"},
                    {"date", "2026-03-" + two(1 + static_cast<int>(i))}}});
  }
  return out;
}

std::string md5(std::string_view data) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  REQUIRE(EVP_Digest(data.data(), data.size(), out, &size, EVP_md5(), nullptr) == 1);
  return wire::hex({reinterpret_cast<const char*>(out), size});
}

std::string of(const Value& value, std::string_view kind) {
  for (const auto& one : value.identifiers) {
    if (one.kind == kind) {
      return one.text;
    }
  }
  return {};
}

std::vector<Relation> all_of(const Values& values, const std::vector<std::string>& list = {}) {
  std::vector<Relation> out;
  for (const auto& part : {equal_values(values), counters(values), recurrences(values), shared_parts(values),
                           identifier_relations(values), shifted_identifiers(values), common_values(values, list)}) {
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

std::string upper_case(std::string text) {
  for (auto& c : text) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return text;
}

}  // namespace

TEST_CASE("A counter is told, with a prefix, in hexadecimal and from two values on") {
  auto values = devices(10);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].text = "KEY" + std::to_string(20'481'000 + i * 3);
  }
  CHECK(tells(all_of(values), "counter", "close together"));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].text = "9f3a0" + std::string(1, kHex[i]) + "c" + std::string(1, kHex[15 - i]);
  }
  CHECK(tells(all_of(values), "counter", "same step"));
  Values two_values = devices(2);
  two_values[0].text = "48201177";
  two_values[1].text = "48201178";
  CHECK(tells(all_of(two_values), "counter"));
}

TEST_CASE("Values that follow the serial number are told by their difference and by their order") {
  auto values = devices(10);
  for (auto& value : values) {
    const auto digits = of(value, "serial").substr(7);
    value.text = std::to_string(73'000'000 + std::stoi(digits));
  }
  CHECK(tells(all_of(values), "counter", "the difference to the digits of the serial"));
  std::mt19937 random{4};
  std::int64_t number = 10'000'000;
  for (auto& value : values) {
    number += std::uniform_int_distribution<int>(2'000'000, 9'000'000)(random);
    value.text = std::to_string(number);
  }
  CHECK(tells(all_of(values), "ordered"));
}

TEST_CASE("A hash of the address cut to eight is told, from one value on") {
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{10}}) {
    auto values = devices(count);
    for (auto& value : values) {
      value.text = md5(upper_case(alphanumeric(of(value, "mac")))).substr(0, 8);
    }
    const auto found = all_of(values);
    INFO(count << ": " << words_of(found));
    CHECK(tells(found, "identifier",
                "MD5 of the mac without separators, in upper case, in hexadecimal, from character 1"));
  }
}

/// Devices whose addresses and serial numbers were drawn: nothing but the derivation relates the values.
Values scattered(std::size_t count) {
  std::mt19937 random{7};
  auto values = devices(count);
  for (auto& value : values) {
    value.identifiers[0].text = "EX-" + drawn(random, kDigits, 6);
    value.identifiers[1].text =
        "02:4f:9b:" + drawn(random, kHex, 2) + ":" + drawn(random, kHex, 2) + ":" + drawn(random, kHex, 2);
  }
  return values;
}

TEST_CASE("Checksums, other hashes, other numbers and partial identifiers are told") {
  // As zlib, OpenSSL, base64 and int(digest, 16) % 10**8 of Python give them for 02:4f:9b:31:01:09.
  const std::string mac = "02:4f:9b:31:01:09";
  const std::pair<std::string, std::string> known[] = {
      {"12eb3ae0", "CRC-32 of the mac as it is, in hexadecimal"},
      {"da8f242bfb99", "SHA-512 of the mac as it is, in hexadecimal"},
      {"2FUF4NM65A", "SHA-1 of the mac as it is, in base32"},
      {"7569649792", "MD5 of the mac without separators, in lower case, as a decimal number"},
      {"6440facb39", "MD5 of the mac with dashes, in lower case, in hexadecimal"},
      {"29e934b32a", "SHA-1 of the mac without the maker's part, as bytes, in hexadecimal"}};
  for (const auto& [value, words] : known) {
    auto values = devices(3);
    std::mt19937 random{9};
    for (auto& one : values) {
      one.text = drawn(random, kAlphanumeric, value.size());
    }
    values[0].identifiers[1].text = mac;
    values[0].text = value;
    const auto found = all_of(values);
    INFO(words_of(found));
    CHECK(tells(found, "identifier", words));
  }
}

TEST_CASE("An address or a number whose characters are moved by a constant is told from two values on") {
  for (const std::size_t count : {std::size_t{2}, std::size_t{10}}) {
    auto values = scattered(count);
    for (auto& value : values) {
      const auto tail = std::stoul(alphanumeric(of(value, "mac")).substr(6), nullptr, 16) ^ 0x5A3C96UL;
      char text[16];
      std::snprintf(text, sizeof text, "K7%06lx", tail);
      value.text = text;
    }
    auto found = all_of(values);
    INFO(count << ": " << words_of(found));
    CHECK(tells(found, "identifier", "exclusive or with the same place of the MAC address without"));
  }
  auto values = scattered(10);
  for (auto& value : values) {
    value.text.clear();
    for (const char c : of(value, "serial").substr(3)) {
      value.text += static_cast<char>('0' + (c - '0' + 3) % 10);
    }
  }
  CHECK(tells(all_of(values), "identifier", "difference to the same place of the digits of the serial"));
}

TEST_CASE("One value in several spellings is one") {
  std::mt19937 random{12};
  auto values = devices(10);
  for (auto& value : values) {
    value.text = drawn(random, kAlphanumeric, 9);
  }
  values[0].text = "Kd82-hQw0";
  values[1].text = "KD82-HQW0";
  values[2].text = "kd82hqw0";
  const auto found = equal_values(values);
  REQUIRE(found.size() == 1);
  CHECK(found[0].what.find("but for case") != std::string::npos);
  CHECK(found[0].values == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("What is put together of words has no more bits than the words") {
  std::mt19937 random{11};
  const auto word = [&] {
    std::string out;
    for (int i = 0; i < 3; ++i) {
      out += drawn(random, "bcdfglmnprst", 1) + drawn(random, "aeiou", 1);
    }
    return out;
  };
  std::vector<std::string> list;
  for (int i = 0; i < 2000; ++i) {
    list.push_back(word());
  }
  const auto one_of = [&] { return list[random() % list.size()]; };
  auto values = devices(10);
  for (auto& value : values) {
    value.text = one_of() + "-" + one_of() + "-" + drawn(random, kDigits, 2);
  }
  auto entropy = entropy_of(values);
  CHECK(entropy.words == 2);
  CHECK(entropy.low <= 28.6);
  CHECK(entropy.high >= 28.6);
  for (auto& value : values) {
    value.text = drawn(random, kAlphanumeric, 10);
  }
  entropy = entropy_of(values);
  CHECK(entropy.words == 0);
  CHECK(entropy.low > 40);
}

TEST_CASE("A part of the address behind chance is told with its place") {
  std::mt19937 random{5};
  auto values = devices(10);
  for (auto& value : values) {
    const auto mac = alphanumeric(of(value, "mac"));
    value.text = drawn(random, kAlphanumeric, 4) + mac.substr(8);
  }
  const auto found = identifier_relations(values);
  REQUIRE_FALSE(found.empty());
  CHECK(found.front().what.find("mac") != std::string::npos);
  // The first of the four characters is the same for all, and may be counted or not.
  CHECK(found.front().at >= 4);
  CHECK(found.front().at + found.front().length == 8);
  CHECK(found.front().values.size() == 10);
}

TEST_CASE("A reversed serial number is told as one") {
  auto values = devices(3);
  for (auto& value : values) {
    auto serial = alphanumeric(of(value, "serial"));
    value.text = std::string{serial.rbegin(), serial.rend()};
  }
  CHECK(tells(all_of(values), "identifier", "the serial reversed"));
}

TEST_CASE("An address in decimal is told") {
  auto values = devices(4);
  for (auto& value : values) {
    value.text = std::to_string(std::stoull(alphanumeric(of(value, "mac")), nullptr, 16));
  }
  CHECK(tells(all_of(values), "identifier", "in decimal"));
}

TEST_CASE("A shared beginning, end or middle is told with its length") {
  std::mt19937 random{6};
  auto values = devices(10);
  for (auto& value : values) {
    value.text = "Qz7kP" + drawn(random, kAlphanumeric, 6);
  }
  auto found = shared_parts(values);
  REQUIRE(found.size() == 1);
  CHECK(found[0].what.find("beginning") != std::string::npos);
  CHECK(found[0].length == 5);
  CHECK(found[0].values.size() == 10);
  for (auto& value : values) {
    value.text = drawn(random, kAlphanumeric, 5 + random() % 3) + "xy9";
  }
  found = shared_parts(values);
  REQUIRE_FALSE(found.empty());
  CHECK(found.back().what.find("end") != std::string::npos);
  CHECK(found.back().length == 3);
}

TEST_CASE("Separators and the kind of character at a place are a format and no shared part") {
  std::mt19937 random{7};
  auto values = devices(10);
  for (auto& value : values) {
    value.text = drawn(random, kConsonants, 4) + "-" + drawn(random, kDigits, 4) + "-" + drawn(random, kConsonants, 4);
  }
  const auto found = all_of(values);
  INFO(words_of(found));
  CHECK(found.empty());
}

TEST_CASE("Equal values are told always") {
  std::mt19937 random{8};
  auto values = devices(5);
  for (auto& value : values) {
    value.text = drawn(random, kAlphanumeric, 10);
  }
  values[3].text = values[1].text;
  const auto found = equal_values(values);
  REQUIRE(found.size() == 1);
  CHECK(found[0].values == std::vector<std::string>{"2", "4"});
}

TEST_CASE("Common passwords and runs of the keyboard are told") {
  auto values = devices(3);
  values[0].text = "Sunshine";
  values[1].text = "sunshine2026!";
  values[2].text = "qwertyuiop";
  const auto found = common_values(values, {"123456", "sunshine"});
  CHECK(tells(found, "common", "is on the list"));
  CHECK(tells(found, "common", "behind it"));
  CHECK(tells(found, "pattern"));
}

TEST_CASE("The form of values counts classes, twins and the login name") {
  auto values = devices(3);
  values[0].text = "aB3$aB3$";
  values[1].text = "aabbccdd1";
  values[2].text = "Admin";
  values[2].identifiers.push_back({"username", "admin"});
  const auto form = form_of(values);
  CHECK(form.shortest == 5);
  CHECK(form.longest == 9);
  CHECK(form.fewest_classes == 2);
  CHECK(form.classes == std::vector<std::string>{"upper case", "lower case", "digits", "others"});
  CHECK(form.equal_in_a_row == 1);
  CHECK(form.equal_to_login == 1);
}

TEST_CASE("The estimated entropy of even draws holds the true one within its bounds nearly always") {
  int outside = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random{seed};
    auto values = devices(10);
    for (auto& value : values) {
      value.text = drawn(random, kHex, 8);
    }
    const auto entropy = entropy_of(values);
    CHECK(std::abs(entropy.at_most - 32) < 1e-9);
    outside += entropy.low > 32 || entropy.high < 32 - 1e-9 ? 1 : 0;
  }
  CHECK(outside <= 20);
  auto values = devices(4);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].text = "HUB" + std::string(5, kDigits[i]);
  }
  CHECK(entropy_of(values).bits < 15);
}

TEST_CASE("Random values are never said to be related, whatever their alphabet and number") {
  const std::pair<std::string_view, std::size_t> kinds[] = {
      {kAlphanumeric, 12}, {kHex, 8}, {kDigits, 8}, {kConsonants, 10}, {kAlphanumeric.substr(0, 26), 8}};
  const std::vector<std::string> list{"123456", "password", "12345678", "sunshine", "11111111"};
  std::size_t told = 0;
  std::string words;
  for (unsigned seed = 0; seed < kRandomSets; ++seed) {
    std::mt19937 random{seed};
    const auto& [alphabet, length] = kinds[seed % std::size(kinds)];
    const std::size_t counts[] = {10, 2, 5, 1};
    auto values = devices(counts[(seed / std::size(kinds)) % std::size(counts)]);
    for (auto& value : values) {
      value.text = drawn(random, alphabet, length);
    }
    const auto found = all_of(values, list);
    told += found.empty() ? 0 : 1;
    words += found.empty() ? "" : "seed " + std::to_string(seed) + ": " + words_of(found);
  }
  INFO(words);
  CHECK(told == 0);
}

TEST_CASE("Random values whose first place has few characters, or that end at a power of two, are no counter") {
  std::mt19937 random{11};
  const auto number = [&](std::uint64_t least, std::uint64_t most, std::size_t digits) {
    const auto text = std::to_string(std::uniform_int_distribution<std::uint64_t>(least, most)(random));
    return std::string(digits - text.size(), '0') + text;
  };
  const std::function<std::string()> makers[] = {
      [&] { return drawn(random, "abcdefgh", 1) + drawn(random, "abcdefghijklmnopqrstuvwxyz234567", 9); },
      [&] { return number(0, 0x7fffffff, 10); },
      [&] { return number(0, 0xffffffff, 10); },
      [&] { return number(0, 0xffffff, 8); },
      [&] { return drawn(random, "abc", 1) + drawn(random, kHex, 8); },
      [&] { return drawn(random, "01234567", 1) + drawn(random, kHex, 7); },
      [&] { return number(10'000'000, 49'999'999, 8); },
      [&] { return number(10'000'000, 99'999'999, 8); },
  };
  for (std::size_t kind = 0; kind < std::size(makers); ++kind) {
    for (const std::size_t count : {10, 30, 150}) {
      auto values = devices(count);
      for (auto& value : values) {
        value.text = makers[kind]();
      }
      INFO(kind << ", " << count << ": " << words_of(counters(values)));
      CHECK(counters(values).empty());
    }
  }
}

TEST_CASE("The probe sends nothing, tells relations by place, and keeps no value") {
  fake::FakeNetwork network;
  Dut dut;
  dut.device.model = "Hub 2";
  for (const auto& value : devices(4)) {
    PasswordSample one;
    one.mechanism = "AM-1";
    one.secret = Secret{md5(of(value, "mac")).substr(0, 10), "env:PASSWORD"};
    one.mac = of(value, "mac");
    dut.password_samples.push_back(one);
  }
  const auto run = fake::observe(kDescriptor, network, "", {{"dictionary", ""}}, dut);
  REQUIRE(run.ended);
  CHECK(run.record.fault.empty());
  CHECK(network.connections.empty());
  CHECK(run.record.value("uniqueness.samples") == json::value(4));
  const auto relations = run.record.value("uniqueness.relations").as_array();
  REQUIRE_FALSE(relations.empty());
  CHECK(relations[0].at("kind") == json::value("identifier"));
  CHECK(relations[0].at("mechanism") == json::value("AM-1"));
  CHECK(relations[0].at("values").as_array().size() == 4);
  CHECK(run.record.value("uniqueness.entropy").at(0).at("independent") == json::value(false));
  for (const auto& one : dut.password_samples) {
    CHECK(json::serialize(run.record.value("uniqueness.relations")).find(one.secret.reveal()) == std::string::npos);
    CHECK(run.record.artifacts.back().bytes.find(one.secret.reveal()) == std::string::npos);
    CHECK(run.record.concealed.contains(one.secret.reveal()));
  }
}

TEST_CASE("Without factory values their number is told and the rest was not looked at") {
  fake::FakeNetwork network;
  const auto run = fake::observe(kDescriptor, network, "", {{"dictionary", ""}});
  CHECK(run.record.value("uniqueness.samples") == json::value(0));
  CHECK(run.record.is_unobserved("uniqueness.relations"));
}

TEST_CASE("Values that were left empty are no values, and not equal to each other") {
  fake::FakeNetwork network;
  Dut dut;
  for (const auto* text : {"", "kq7Zr2Lw", "", ""}) {
    PasswordSample one;
    one.secret = Secret{text, "env:PASSWORD"};
    dut.password_samples.push_back(one);
  }
  const auto run = fake::observe(kDescriptor, network, "", {{"dictionary", ""}}, dut);
  REQUIRE(run.ended);
  CHECK(run.record.value("uniqueness.samples") == json::value(1));
  CHECK(run.record.value("uniqueness.relations").as_array().empty());
  CHECK(run.record.value("uniqueness.forms").at(0).at("samples") == json::value(1));
}

#include <algorithm>

#include "probes/credentials/candidates.hpp"
#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;
using namespace assay::probes::credentials;

namespace {

Dut labelled() {
  Dut dut;
  dut.device.vendor = "Acme Networks";
  dut.device.model = "AC-100";
  Sample sample;
  sample.id = "A";
  sample.serial = "EX12345678";
  sample.mac = "02:00:5e:AB:cd:ef";
  dut.samples = {sample, Sample{"B", "EX99999999", "02:00:5e:00:00:01", {}, false}};
  return dut;
}

Dictionary common() {
  return pairs({{"admin", "admin"},
                {"admin", "password"},
                {"root", "root"},
                {"admin", "1234"},
                {"admin", ""},
                {"user", "user"},
                {"admin", "12345"}});
}

std::vector<Candidate> made(const Dut& dut, const Dictionary& dictionary, CandidateOptions options = {}) {
  fake::FakeLibrary library;
  library.dictionaries["iot-common"] = dictionary;
  options.sample = "A";
  const auto out = make_candidates(dut, library, options);
  REQUIRE(out);
  return *out;
}

std::vector<std::string> passwords_of(const std::vector<Candidate>& candidates, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& one : candidates) {
    if (one.username == name) {
      out.push_back(one.password.reveal());
    }
  }
  return out;
}

/// The source of a password, empty when it is not tried.
std::string source_of(const std::vector<Candidate>& candidates, std::string_view password) {
  const auto found = std::find_if(candidates.begin(), candidates.end(),
                                  [&](const auto& one) { return one.password.reveal() == password; });
  return found == candidates.end() ? std::string{} : found->source;
}

bool holds(const std::vector<Secret>& secrets, std::string_view text) {
  return std::any_of(secrets.begin(), secrets.end(), [&](const auto& one) { return one.reveal() == text; });
}

/// The characters of a transcript's dumps, without the rows that they are cut into.
std::string dumped(const std::string& transcript) {
  std::string out;
  for (auto at = transcript.find("  |"); at != std::string::npos; at = transcript.find("  |", at + 1)) {
    const auto end = transcript.find("|\n", at + 3);
    out += transcript.substr(at + 3, end - at - 3);
  }
  return out;
}

}  // namespace

TEST_CASE("Within the usual five of an account are its three likeliest passwords and the two best of its label") {
  const auto all = passwords_of(made(labelled(), common()), "admin");
  REQUIRE(all.size() > 7);
  CHECK(std::vector<std::string>(all.begin(), all.begin() + 7) ==
        std::vector<std::string>{"admin", "password", "1234", "EX12345678", "ABCDEF", "", "12345"});
}

TEST_CASE("A derived password says how it is made, is of this sample alone, and there are so many at most") {
  const auto all = made(labelled(), common());
  CHECK(source_of(all, "EX12345678") == "derived: the serial number as it is");
  CHECK(source_of(all, "ABCDEF") == "derived: last 6 characters of the MAC address, in upper case");
  CHECK(source_of(all, "02005eabcdef") == "derived: the MAC address, in lower case");
  CHECK(source_of(all, "12345678") == "derived: last 8 characters of the serial number");
  CHECK(source_of(all, "ABCDF0") == "derived: last 6 characters of the MAC address plus 1, in upper case");
  CHECK(source_of(all, "acme123") == "derived: the vendor and 123, in lower case");
  CHECK(source_of(all, "AC-100") == "derived: the model as it is");
  CHECK(source_of(all, "EX99999999").empty());
  const auto is_derived = [](const auto& one) { return one.origin == Origin::derived; };
  CHECK(std::count_if(all.begin(), all.end(), is_derived) == 40);
  CandidateOptions few;
  few.derived = 3;
  const auto short_list = made(labelled(), common(), few);
  CHECK(std::count_if(short_list.begin(), short_list.end(), is_derived) == 3);
  CHECK(passwords_of(short_list, "root") == std::vector<std::string>{"root", ""});
}

TEST_CASE("The date and the network of a sample are among its factory values") {
  auto dut = labelled();
  PasswordSample label;
  label.sample = "A";
  label.ssid = "Acme_7F3a";
  label.date = "2025-03-01";
  dut.password_samples.push_back(label);
  CandidateOptions many;
  many.derived = 200;
  const auto all = made(dut, common(), many);
  CHECK(source_of(all, "Acme_7F3a") == "derived: the SSID as it is");
  CHECK(source_of(all, "ac1002025") == "derived: the model and the year, in lower case");
  CHECK(source_of(all, "20250301") == "derived: the date of manufacture");
  dut.password_samples.front().sample = "B";
  CHECK(source_of(made(dut, common(), many), "Acme_7F3a").empty());
}

TEST_CASE("Default PINs of Wi-Fi Protected Setup are among what is derived, the likeliest within the usual number") {
  const auto usual = made(labelled(), common());
  CHECK(source_of(usual, "12593750") == "derived: the WPS PIN of the MAC address by its last 24 bits");
  CHECK(source_of(usual, "61403994").empty());
  CandidateOptions many;
  many.derived = 1000;
  const auto all = made(labelled(), common(), many);
  CHECK(source_of(all, "61403994") == "derived: the WPS PIN of the MAC address by its last 28 bits");
  CHECK(source_of(all, "83176791") == "derived: the WPS PIN of the MAC address by its last 32 bits");
  CHECK(source_of(all, "55575300") == "derived: the WPS PIN of the MAC address as D-Link makes it");
  CHECK(source_of(all, "12197019") == "derived: the WPS PIN of the MAC address plus 1 as D-Link makes it");
  CHECK(source_of(all, "12593743") == "derived: the WPS PIN of the MAC address less 1 by its last 24 bits");
  CHECK(passwords_of(all, "admin").size() <= 53 + 5);  // so many ways, and those of the dictionary
  auto dut = labelled();
  dut.samples[0].mac.clear();
  const auto none = made(dut, common(), many);
  CHECK(std::none_of(none.begin(), none.end(),
                     [](const auto& one) { return one.source.find("WPS") != std::string::npos; }));
}

TEST_CASE("An account that is there gets the two best derived passwords, and keeps the rest of its budget") {
  auto dut = labelled();
  dut.accounts = {{"owner", "holder", Secret{"not-tried", "accounts entry 1"}}};
  const auto all = made(dut, common());
  CHECK(passwords_of(all, "holder") == std::vector<std::string>{"EX12345678", "ABCDEF"});
  const auto is_derived = [](const auto& one) { return one.origin == Origin::derived; };
  CHECK(std::count_if(all.begin(), all.end(), is_derived) == 40);
}

TEST_CASE("Without a label there is nothing to derive from") {
  const auto all = made(Dut{}, common());
  CHECK(std::none_of(all.begin(), all.end(), [](const auto& one) { return one.origin == Origin::derived; }));
}

TEST_CASE("Pairs of a maker or a model come first on its devices, and nowhere else") {
  auto dictionary = pairs({{"admin", "admin"}, {"root", "vizxv"}, {"root", "acme1"}, {"root", "php"}});
  dictionary.credentials[1].likelier_for = {"dahua"};
  dictionary.credentials[2].likelier_for = {"acme", "other"};
  dictionary.credentials[3].likelier_for = {"net"};
  CandidateOptions plain;
  plain.derived = 0;
  plain.blank = false;
  const auto order = [&](const Dut& dut) {
    std::vector<std::string> out;
    for (const auto& one : made(dut, dictionary, plain)) {
      out.push_back(one.password.reveal());
    }
    return out;
  };
  CHECK(order({}) == std::vector<std::string>{"admin", "vizxv", "acme1", "php"});
  // "net" is a part of a word of this vendor, and none of its words.
  CHECK(order(labelled()) == std::vector<std::string>{"acme1", "admin", "vizxv", "php"});
  Dut camera;
  camera.device.model = "IPC by DAHUA";
  CHECK(order(camera) == std::vector<std::string>{"vizxv", "admin", "acme1", "php"});
  CHECK(source_of(made(labelled(), dictionary, plain), "acme1") == "dictionary iot-common entry 3");
}

TEST_CASE("A device whose password is its serial number is found within the usual budget") {
  FakeNetwork network;
  network.login_budget["admin"] = 5;
  network.tcp[kPort] = basic("admin", "EX12345678");
  const auto run = attack(network, common(), {}, labelled());
  const auto accepted = run.record.value("credentials.accepted").as_array();
  REQUIRE(accepted.size() == 1);
  CHECK(accepted[0].at("username") == json::value("admin"));
  CHECK(accepted[0].at("source") == json::value("derived: the serial number as it is"));
  CHECK(run.record.concealed_in_bytes.contains("EX12345678"));
  CHECK(network.permits["admin"] <= 5);
  CHECK(transcript(run).find("EX12345678") == std::string::npos);
}

TEST_CASE("Secrets of the DUT file are concealed in bytes even where they are words of ours or parts of a name") {
  Dut dut;
  dut.vendor_credentials = {
      {"service", Secret{"Desktop", "vendor entry 1"}}, {"acme-Zk9qPx-svc", Secret{"Zk9qPx", "vendor entry 2"}},
      {"maker", Secret{"telnet", "vendor entry 3"}},    {"operator", Secret{"maker", "vendor entry 4"}},
      {"guest", Secret{"9x", "vendor entry 5"}},        {"guest", Secret{"Zk9qPx-other", "vendor entry 6"}}};
  const auto secrets = concealable(made(dut, pairs({{"admin", "password"}, {"root", "dahua7"}})));
  CHECK(holds(secrets.as_they_are, "Desktop"));  // ours is "desktop", which the mask does not touch
  CHECK(holds(secrets.in_bytes, "Desktop"));
  CHECK(holds(secrets.as_they_are, "dahua7"));
  CHECK_FALSE(holds(secrets.in_bytes, "dahua7"));
  CHECK(holds(secrets.everywhere, "Zk9qPx-other"));
  CHECK(holds(secrets.in_bytes, "Zk9qPx"));
  CHECK(holds(secrets.in_bytes, "telnet"));
  for (const std::string shown : {"maker", "password"}) {
    INFO(shown);
    CHECK_FALSE(holds(secrets.everywhere, shown));
    CHECK_FALSE(holds(secrets.in_bytes, shown));
  }
}

TEST_CASE("A vendor's password that is a word of ours stands in no transcript, and our words stay readable") {
  FakeNetwork network;
  network.tcp[kPort] = web([](const std::string& authorization) {
    return authorization == wire::basic_authorization("maker", "realm7-basic") ? ok("your password is basic") : kBasic;
  });
  Dut dut;
  dut.vendor_credentials = {{"maker", Secret{"basic", "vendor entry 1"}},
                            {"maker", Secret{"realm7-basic", "vendor entry 2"}}};
  const auto run = attack(network, pairs({{"admin", "admin"}}), {}, dut);
  CHECK(run.record.text("credentials.dialect") == "http-basic");
  CHECK(run.record.concealed_in_bytes.contains("basic"));
  const auto text = dumped(transcript(run));
  CHECK(text.find("your password is {vendor entry 1}") != std::string::npos);
  CHECK(text.find("your password is basic") == std::string::npos);
}

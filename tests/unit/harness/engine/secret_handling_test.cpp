#include "harness/engine/secret_handling.hpp"

#include <cstdio>
#include <fstream>
#include <map>
#include <sys/stat.h>

#include "harness/engine/invocation_recorder.hpp"
#include "harness/model/never_kept.hpp"
#include "harness/probe/transcript.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"

namespace assay::secret_handling_tests {

namespace {

const Secret kPin{"hunter22", "accounts entry 1"};

evidence::LabKey known_key(const TempFolder& folder) {
  const auto file = folder.path() / "lab.key";
  std::ofstream{file} << "assay-lab-key/1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  return *evidence::LabKey::read(file);
}

ProbeInfo probe_with_facts() {
  ProbeInfo out;
  out.id = "credentials";
  out.facts = {{"credentials.accepted", ValueKind::list, ""}, {"credentials.open", ValueKind::boolean, ""}};
  return out;
}

/// What one invocation wrote, and into which part of the bundle.
struct Written {
  std::map<std::string, std::string> plain;  // title -> bytes
  std::map<std::string, std::string> open;
  Observation observation;

  std::string all() const {
    auto out = canonical(to_json(observation));
    for (const auto& [title, bytes] : plain) {
      out += bytes;
    }
    return out;
  }
};

/// A probe that logs in, keeps its transcript and what the device sent, and names what it found.
void log_in(Recorder& record) {
  record.conceal(kPin);
  Transcript transcript{"logins"};
  transcript.conceal(kPin.reveal(), kPin.name());
  transcript.sent(std::as_bytes(std::span{std::string_view{"PASS hunter22\r\n"}}));
  const std::string line = "USER x hunter22\r\n";
  transcript.sent_concealed(std::as_bytes(std::span{line}), "USER x {accounts entry 1}\r\n");
  record.transcript("logins", transcript);
  record.artifact("page", "text/html", "<p>your password is hunter22</p>");
  record.artifact("banner", "text/plain", "nothing to hide");
  json::object entry{{"username", "admin"}, {"proof", "it said hunter22"}};
  record.identify(kPin, entry);
  record.fact("credentials.accepted", json::array{std::move(entry)});
  record.unobserved("credentials.open", "the device repeats hunter22");
}

Written written_with(const SecretHandling& secrets, bool keeps_open) {
  Written out;
  const auto into = [](std::map<std::string, std::string>& files) -> KeepArtifact {
    return [&files](std::string_view title, std::string_view type, std::string_view bytes) -> Result<ArtifactRef> {
      files[std::string{title}] = bytes;
      return ArtifactRef{sha256_hex(bytes), std::string{type}, static_cast<std::int64_t>(bytes.size()),
                         std::string{title}, false};
    };
  };
  Keeping keep;
  keep.plain = into(out.plain);
  if (keeps_open) {
    keep.open = into(out.open);
  }
  keep.secrets = secrets;
  const auto probe = probe_with_facts();
  InvocationRecorder record(probe, out.observation, std::move(keep));
  log_in(record);
  record.finish({});
  CHECK(out.observation.completion == Completion::completed);
  return out;
}

std::string hex_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    char digits[4];
    std::snprintf(digits, sizeof digits, "%02x ", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += digits;
  }
  return out.substr(0, out.size() - 1);
}

}  // namespace

TEST_CASE("secrets: nothing that is written shows one, and its name is the HMAC") {
  const TempFolder folder;
  SecretHandling secrets;
  secrets.key = known_key(folder);
  const auto out = written_with(secrets, false);
  CHECK(out.all().find("hunter") == std::string::npos);
  CHECK(out.all().find(hex_of("hunt")) == std::string::npos);
  CHECK(out.plain.at("logins").find("USER x {accounts entry 1}") != std::string::npos);
  CHECK(out.plain.at("page") == "<p>your password is {accounts entry 1}</p>");
  const auto& entry = out.observation.facts.at("credentials.accepted").as_array().at(0);
  CHECK(entry.at("secret") == json::value(json::string(secrets.key->name_of("hunter22"))));
  CHECK_FALSE(entry.as_object().contains("clear"));
  CHECK(out.open.empty());
  CHECK(out.observation.artifacts.size() == 3);
}

TEST_CASE("secrets: for the laboratory what shows one is kept as it was, and only that") {
  const auto out = written_with({}, true);
  CHECK(out.all().find("hunter") == std::string::npos);
  REQUIRE(out.open.size() == 2);
  CHECK(out.open.at("page") == "<p>your password is hunter22</p>");
  CHECK(out.open.at("logins").find(hex_of("PASS hunter22")) != std::string::npos);
  CHECK(out.open.at("logins").find(hex_of("USER x hunte")) != std::string::npos);
  CHECK(out.observation.artifacts.size() == 5);
  const auto& entry = out.observation.facts.at("credentials.accepted").as_array().at(0).as_object();
  CHECK_FALSE(entry.contains("secret"));  // without a key a secret has no name
}

TEST_CASE("secrets: they are in clear where a person asked for that") {
  SecretHandling secrets;
  secrets.reveal = true;
  const auto out = written_with(secrets, false);
  CHECK(out.plain.at("page") == "<p>your password is hunter22</p>");
  CHECK(out.plain.at("logins").find(hex_of("USER x hunte")) != std::string::npos);
  const auto& entry = out.observation.facts.at("credentials.accepted").as_array().at(0);
  CHECK(entry.at("clear") == "hunter22");
  CHECK(entry.at("proof") == "it said hunter22");
}

TEST_CASE("secrets: memory of a device is kept in no form, whoever asks") {
  for (const bool reveal : {false, true}) {
    SecretHandling secrets;
    secrets.reveal = reveal;
    std::map<std::string, std::string> files;
    const KeepArtifact keep = [&](std::string_view title, std::string_view, std::string_view bytes) {
      files[std::string{title}] += bytes;
      return Result<ArtifactRef>{ArtifactRef{sha256_hex(bytes), "", 0, "", false}};
    };
    const auto probe = probe_with_facts();
    Observation observation;
    InvocationRecorder record(probe, observation, Keeping{keep, reveal ? KeepArtifact{} : keep, secrets});
    record.conceal("somebody's key", kDeviceMemory);
    record.conceal(kPin);
    record.artifact("answer", "text/plain", "hunter22 somebody's key");
    CHECK(files.at("answer").find("somebody") == std::string::npos);
    CHECK(files.at("answer").find("hunter22 {memory of the device}") != std::string::npos);
  }
}

TEST_CASE("secrets: one that is a word of ours is concealed in bytes alone") {
  for (const bool reveal : {false, true}) {
    SecretHandling secrets;
    secrets.reveal = reveal;
    std::map<std::string, std::string> files;
    const KeepArtifact keep = [&](std::string_view title, std::string_view, std::string_view bytes) {
      files[std::string{title}] += bytes;
      return Result<ArtifactRef>{ArtifactRef{sha256_hex(bytes), "", 0, "", false}};
    };
    const auto probe = probe_with_facts();
    Observation observation;
    InvocationRecorder record(probe, observation, Keeping{keep, reveal ? KeepArtifact{} : keep, secrets});
    record.conceal_in_bytes(Secret{"telnet", "vendor entry 1"});
    record.conceal_in_bytes("ssh2", "answer");
    auto shared = std::make_shared<Concealment>();
    shared->add(Secret{"hunter22", "dictionary entry 1"});
    shared->add_in_bytes(Secret{"maker", "vendor entry 2"});
    record.conceal_all(std::move(shared));
    record.artifact("page", "text/plain", "enter telnet");
    record.artifact("more", "text/plain", "maker: ssh2 SSH2 hunter22");
    record.coverage("seen", "maker: ssh2 hunter22");
    record.unobserved("credentials.open", "no telnet was heard");
    CHECK(observation.unobserved.at("credentials.open") == "no telnet was heard");
    CHECK(files.at("page").starts_with(reveal ? "enter telnet" : "enter {vendor entry 1}"));
    CHECK(files.at("more").starts_with(reveal ? "maker: ssh2 SSH2 hunter22"
                                              : "{vendor entry 2}: {answer} SSH2 {dictionary entry 1}"));
    CHECK(observation.coverage.at("seen") == (reveal ? "maker: ssh2 hunter22" : "maker: ssh2 {dictionary entry 1}"));
    for (const auto* text : {"telnet", "ssh2", "maker", "hunter22"}) {
      CHECK(record.concealed().contains(text) == !reveal);
    }
  }
}

TEST_CASE("secrets: the journal says which secrets of the DUT file are which, and why they have no names") {
  const TempFolder folder;
  Dut dut;
  dut.accounts = {{"owner", "owner", kPin}, {"guest", "guest", Secret{"", "env:EMPTY"}}};
  dut.vendor_credentials = {{"root", Secret{"1234", "DUT file vendor_credentials entry 1"}}};
  dut.password_samples.push_back({});
  dut.password_samples.back().secret = Secret{"hunter22", "password_samples entry 1"};
  SecretHandling secrets;
  secrets.key = known_key(folder);
  const auto named = secrets_record(secrets, dut);
  CHECK(named.at("key") == "52e48d36");
  CHECK(named.at("revealed") == false);
  REQUIRE(named.at("named").as_array().size() == 3);
  CHECK(named.at("named").as_array()[1] ==
        json::value{{"name", "DUT file vendor_credentials entry 1"}, {"secret", "hmac:52e48d36:2636877229aae774"}});
  CHECK(named.at("named").as_array()[0].at("secret") == named.at("named").as_array()[2].at("secret"));
  CHECK(canonical(named).find("hunter") == std::string::npos);
  SecretHandling without;
  without.no_key = "there is no folder for it";
  const auto nameless = secrets_record(without, dut);
  CHECK(nameless.at("key").is_null());
  CHECK(nameless.at("because") == "there is no folder for it");
  CHECK(nameless.at("named").as_array().empty());
}

}  // namespace assay::secret_handling_tests

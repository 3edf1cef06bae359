#include "tests/unit/probes/tls_attacks_support.hpp"

namespace assay::attacked {

TEST_CASE("A heartbeat that claims more than it has is answered with memory, and nothing of it is kept") {
  const auto seen = look(with_heartbeat(true));
  CHECK(seen.weakness("heartbleed").state == "shown");
  for (const auto& artifact : seen.run.record.artifacts) {
    CHECK(artifact.bytes.find("PRIVATE") == std::string::npos);
    CHECK(artifact.bytes.find(wire::hex("PRI")) == std::string::npos);
    CHECK(artifact.bytes.find("50 52 49") == std::string::npos);
  }
  CHECK(seen.run.record.artifacts.back().bytes.find("bytes received, left out") != std::string::npos);
}

TEST_CASE("A server that answers right heartbeats alone does not have Heartbleed") {
  const auto seen = look(with_heartbeat(false));
  CHECK(seen.weakness("heartbleed").state == "not_shown");
  CHECK(seen.weakness("heartbleed").why.find("the right one answered") != std::string::npos);
}

TEST_CASE("Heartbeats that nobody answers settle nothing, and no heartbeats are no Heartbleed") {
  auto mute = old_server();
  mute.answers.push_back(wire::extension::kHeartbeat);
  CHECK(look(mute).weakness("heartbleed").state == "unknown");
  CHECK(look(old_server()).weakness("heartbleed").state == "not_shown");
}

TEST_CASE("An early ChangeCipherSpec is told by the answer to it and to the next record") {
  CHECK(look(answering(kUnexpectedMessage, 0)).weakness("ccs_injection").state == "not_shown");
  CHECK(look(answering(0, kBadRecordMac)).weakness("ccs_injection").state == "shown");
  CHECK(look(answering(0, kUnexpectedMessage)).weakness("ccs_injection").state == "not_shown");
  CHECK(look(answering(0, 0)).weakness("ccs_injection").state == "unknown");
}

TEST_CASE("The same answer to every padding is no oracle, and the sample is stated") {
  const auto seen = look(decrypting([](std::string_view, bool finished) { return finished ? kBadRecordMac : 0; }));
  CHECK(seen.weakness("robot").state == "not_shown");
  CHECK(seen.weakness("robot").why.find("6 handshakes") != std::string::npos);
}

TEST_CASE("An alert of its own for wrong padding is an oracle, whole or with the key exchange alone") {
  const auto strong = look(decrypting([](std::string_view block, bool finished) -> std::uint8_t {
    return !begins_well(block) ? kDecryptError : finished ? kBadRecordMac : 0;
  }));
  CHECK(strong.weakness("robot").state == "shown");
  CHECK(strong.weakness("robot").why.starts_with("strong oracle"));
  const auto weak = look(decrypting([](std::string_view block, bool finished) -> std::uint8_t {
    return finished ? kBadRecordMac : is_right(block) ? 0 : kDecryptError;
  }));
  CHECK(weak.weakness("robot").state == "shown");
  CHECK(weak.weakness("robot").why.starts_with("weak oracle"));
}

TEST_CASE("Answers that differ by chance are no oracle") {
  auto server = old_server();
  const auto count = std::make_shared<int>(0);
  server.then = [count] {
    return [count](std::string_view written, Line& line) {
      if (written.size() > 139) {
        say_alert(line, ++*count == 3 ? kDecryptError : kBadRecordMac);
      }
    };
  };
  const auto seen = look(server);
  CHECK(seen.weakness("robot").state == "unknown");
}

TEST_CASE("Without RSA key transport, or below TLS 1.3, nothing is asked that needs it") {
  auto server = old_server();
  server.suites = {{wire::kTls12, {0xc02f}}};
  CHECK(look(server).weakness("robot").state == "not_shown");
  server.suites = {{wire::kTls13, {0x1301}}};
  const auto seen = look(server);
  for (const auto* name : {"heartbleed", "ccs_injection", "robot"}) {
    CHECK(seen.weakness(name).state == "not_shown");
  }
}

TEST_CASE("Padded secrets are wrong in the one way that their name says") {
  const auto key = RsaKey::of_certificate(identity().certificate);
  REQUIRE(key);
  REQUIRE(key->bytes() == 128);
  const auto made = [&](Padding padding) {
    const auto block = padded_secret(padding, 128, wire::kTls12);
    CHECK(block.size() == 128);
    const auto secret = key->encrypt(block);
    REQUIRE(secret);
    CHECK(identity().decrypt(*secret) == block);
    return block;
  };
  CHECK(is_right(made(Padding::right)));
  CHECK_FALSE(begins_well(made(Padding::wrong_start)));
  CHECK(made(Padding::zero_late).find('\0', 2) == 126);
  CHECK(made(Padding::no_zero).find('\0', 2) == std::string::npos);
  const auto version = made(Padding::wrong_version);
  CHECK(version.find('\0', 2) == 79);
  CHECK(version.substr(80, 2) == "\x02\x02");
  CHECK_FALSE(RsaKey::of_certificate("no certificate"));
  CHECK_FALSE(RsaKey::of_certificate(fake::test_certificate()));
}

TEST_CASE("An oracle is weak when all wrong paddings look alike") {
  CHECK(oracle_of({"a", "a", "a", "a", "a"}) == Oracle::none);
  CHECK(oracle_of({"a", "b", "b", "b", "a"}) == Oracle::weak);
  CHECK(oracle_of({"a", "b", "a", "b", "a"}) == Oracle::strong);
}

TEST_CASE("A server that refuses every wrong record alike has no padding oracle, in each version and suite") {
  const auto [version, suite] =
      GENERATE(std::pair{wire::kTls12, 0x002f}, std::pair{wire::kTls12, 0x003d}, std::pair{wire::kTls11, 0x0035},
               std::pair{wire::kTls10, 0x002f}, std::pair{wire::kTls10, 0x000a}, std::pair{wire::kTls12, 0x0041});
  const auto seen = look_at_records(&sound, version, static_cast<std::uint16_t>(suite));
  for (const auto* name : {"tls_poodle", "zombie_poodle", "goldendoodle"}) {
    INFO(name << " " << version << " " << suite << " " << seen.weakness(name).why);
    CHECK(seen.weakness(name).state == "not_shown");
    CHECK(seen.weakness(name).why.starts_with("5 sessions"));
  }
}

TEST_CASE("A server that takes wrong padding, or looks at a part of it, has POODLE over again") {
  const auto blind = look_at_records([](bool mac, std::size_t) { return mac ? std::uint8_t{0} : kBadRecordMac; });
  CHECK(blind.weakness("tls_poodle").state == "shown");
  CHECK(blind.weakness("tls_poodle").why.starts_with("15 sessions"));
  const auto partly =
      look_at_records([](bool mac, std::size_t wrong) { return mac && wrong < 2 ? std::uint8_t{0} : kBadRecordMac; });
  CHECK(partly.weakness("tls_poodle").state == "shown");
  CHECK(partly.weakness("tls_poodle").why.find("one wrong byte of padding") != std::string::npos);
  CHECK(partly.weakness("goldendoodle").state == "not_shown");
}

TEST_CASE("An answer of its own for wrong padding is an oracle, under a right MAC or under a wrong one") {
  const auto zombie = look_at_records(
      [](bool mac, std::size_t wrong) { return mac && wrong > 0 ? kDecryptionFailed : sound(mac, wrong); });
  CHECK(zombie.weakness("zombie_poodle").state == "shown");
  CHECK(zombie.weakness("goldendoodle").state == "not_shown");
  CHECK(zombie.weakness("tls_poodle").state == "not_shown");
  const auto golden =
      look_at_records([](bool mac, std::size_t wrong) { return wrong > 0 ? kDecryptionFailed : sound(mac, wrong); });
  CHECK(golden.weakness("goldendoodle").state == "shown");
  CHECK(golden.weakness("tls_poodle").state == "not_shown");
}

TEST_CASE("Answers to records that differ by chance, and the same answer to right ones, settle nothing") {
  const auto count = std::make_shared<int>(0);
  const auto chance = look_at_records([count](bool mac, std::size_t wrong) {
    return sound(mac, wrong) != 0 && ++*count == 2 ? kDecryptionFailed : sound(mac, wrong);
  });
  CHECK(chance.weakness("zombie_poodle").state == "unknown");
  const auto deaf = look_at_records([](bool, std::size_t) { return std::uint8_t{0}; });
  CHECK(deaf.weakness("tls_poodle").state == "unknown");
  const auto strict = look_at_records([](bool, std::size_t) { return kBadRecordMac; });
  CHECK(strict.weakness("tls_poodle").state == "unknown");
}

TEST_CASE("An oracle is shown of a server too that ends its connections long after its alert") {
  FakeNetwork network;
  const auto check = [](bool mac, std::size_t wrong) { return wrong > 0 ? kDecryptionFailed : sound(mac, wrong); };
  network.tcp[kPort] = keyed(wire::kTls12, 0x002f, check, milliseconds{400});
  const auto seen = look(network);
  CHECK(seen.weakness("goldendoodle").state == "shown");
  CHECK(seen.weakness("goldendoodle").why.starts_with("15 sessions"));
  CHECK(seen.weakness("goldendoodle").why.find("the end of the connection") != std::string::npos);
  CHECK(seen.weakness("tls_poodle").state == "not_shown");
}

TEST_CASE("Where no handshake with CBC finishes, nothing is said of records") {
  auto server = old_server();
  server.suites = {{wire::kTls12, {0x002f}}};
  CHECK(look(server).weakness("tls_poodle").state == "unknown");
  CHECK(look(old_server()).weakness("tls_poodle").state == "not_shown");
}

TEST_CASE("How malformed records are answered is told beside the weaknesses") {
  const auto seen = look_at_records(&sound);
  const auto alerts = seen.run.record.value("tls_attacks.alerts").as_object();
  CHECK(alerts.at("wrong_mac") == "alert bad_record_mac, the end of the connection");
  CHECK(alerts.at("wrong_padding") == alerts.at("wrong_mac"));
  CHECK(alerts.at("wrong_rsa_padding") == "alert bad_record_mac");
  CHECK(alerts.at("early_change_cipher_spec") == "silence");
  CHECK(alerts.at("garbage_record") == "no answer");
  CHECK_FALSE(alerts.contains("lying_heartbeat"));
}

TEST_CASE("A port that speaks no TLS and one that is closed are told from servers that withstand") {
  FakeNetwork network;
  network.tcp[kPort] = fake::answers("HTTP/1.1 400 Bad Request\r\n\r\n");
  auto seen = look(network);
  CHECK(seen.run.record.value("tls_attacks.spoken") == false);
  CHECK(seen.run.record.is_absent("tls_attacks.weaknesses"));
  network.tcp.clear();
  seen = look(network);
  CHECK(!seen.run.ended);
  CHECK(seen.run.record.is_unobserved("tls_attacks.weaknesses"));
}

TEST_CASE("A record is opened by nobody whose keys, order or bytes are others") {
  const auto suite = *cbc_suite(0x002f, wire::kTls12);
  auto keys = cbc_keys(suite, wire::kTls12, std::string(48, 'p'), std::string(32, 'c'), std::string(32, 's'));
  auto same = cbc_keys(suite, wire::kTls12, std::string(48, 'p'), std::string(32, 'c'), std::string(32, 's'));
  REQUIRE(keys);
  REQUIRE(same);
  const auto first = keys->client.seal(23, "first");
  const auto second = keys->client.seal(23, "second");
  CHECK(same->client.open(23, first.substr(5)) == "first");
  CHECK_FALSE(same->server.open(23, second.substr(5)));
  CHECK(same->client.open(23, second.substr(5)) == "second");
  CHECK_FALSE(same->client.open(23, second.substr(5)));  // it comes again
  CHECK_FALSE(same->client.open(23, "short"));
  CHECK_FALSE(cbc_suite(0x009c, wire::kTls12));
  CHECK_FALSE(cbc_suite(0x008c, wire::kTls12));  // its key is a shared one
}

}  // namespace assay::attacked

#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

using Lines = std::vector<std::string>;

const std::string kDevice =
    "assay: dut/1\n"
    "device: {vendor: Example}\n"
    "samples:\n"
    "  - {id: A, at: {lan: 10.20.0.5}}\n"
    "scope: [10.20.0.0/28]\n"
    "updates:\n";

const std::string kImage =
    "    image: {file: hub-2.5.0.swu, version: 2.5.0}\n"
    "    version_at: {banner: {port: tcp/22, after: SSH-2.0-hub_}}\n";

Loaded<Dut> device_with(const std::string& updates) {
  return load_dut({"dut.yaml", kDevice + updates});
}

bool told(const std::string& updates, const std::string& words) {
  const auto all = lines(device_with(updates).errors);
  return std::any_of(all.begin(), all.end(), [&](const auto& line) { return line.find(words) != std::string::npos; });
}

const std::string kAttack =
    "assay: attacks/1\n"
    "id: update\n"
    "title: Attacks\n"
    "source: tests\n"
    "attacks:\n"
    "  - id: older\n"
    "    title: An older version\n"
    "    against: image\n"
    "    serves: [\"EN303645@2.1.1:5.3-2\"]\n"
    "    harm: recoverable\n"
    "    source: tests\n"
    "    confidence: derived\n";

}  // namespace

TEST_CASE("updates: everything that can be written arrives in the model") {
  const auto loaded = device_with(R"(  - mechanism: UM-1
    transport: http_pull
    serve:
      port: 8443
      tls: true
      name: updates.example.org
      certificate: server.pem
      key: server.key
      misnamed: {certificate: other.pem, key: other.key}
      expired: {certificate: old.pem, key: old.key}
    manifest:
      path: /v1/update.json
      body: '{"version": "{version}", "url": "{url}"}'
      signature: {path: /v1/update.json.sig, file: update.sig}
      image_path: /hub.swu
    image: {file: hub-2.5.0.swu, version: 2.5.0}
    older: {file: hub-2.3.0.swu, version: 2.3.0}
    other_model: {file: plug-2.5.0.swu}
    other_component: {file: hub-radio-2.5.0.swu, version: 1.1}
    verify_key: maker.pem
    signers: {expired: {certificate: old.pem, key: old.key}, authority: {certificate: ca.pem, key: ca.key}}
    version_at: {http: {port: tcp/80, path: /api/status, pointer: /version, report: /last}}
    trigger: {exec: ./check.sh}
    restore: {exec: ./restore.sh, within: 2min}
    takes: 20s
)");
  REQUIRE(lines(loaded.errors) == Lines{});
  REQUIRE(loaded.value->updates.size() == 1);
  const auto& update = loaded.value->updates[0];
  CHECK(update.transport == UpdateTransport::http_pull);
  CHECK(update.serve->port == 8443);
  CHECK(update.serve->genuine->key == "server.key");
  CHECK(update.serve->misnamed->certificate == "other.pem");
  CHECK(update.serve->expired->certificate == "old.pem");
  CHECK(update.manifest->body == "{\"version\": \"{version}\", \"url\": \"{url}\"}");
  CHECK(update.manifest->signature_path == "/v1/update.json.sig");
  CHECK(update.manifest->image_path == "/hub.swu");
  CHECK(update.image == UpdateImage{"hub-2.5.0.swu", "2.5.0"});
  CHECK(update.older->version == "2.3.0");
  CHECK(update.other_model->file == "plug-2.5.0.swu");
  CHECK(update.component() == UpdateImage{"hub-radio-2.5.0.swu", "1.1"});
  CHECK(update.version_at.http == Endpoint{Transport::tcp, 80});
  CHECK(update.version_at.report == "/last");
  CHECK(update.signers->expired->certificate == "old.pem");
  CHECK(update.signers->authority->key == "ca.key");
  CHECK_FALSE(update.signers->revoked);
  CHECK(update.restore->within_ms == 120000);
  CHECK(update.takes_ms == 20000);
  Dut read;
  REQUIRE(from_json(to_json(*loaded.value), read));
  CHECK(read.updates == loaded.value->updates);
}

TEST_CASE("updates: announcements, clients of LwM2M and resources arrive in the model") {
  const std::string sound = R"(  - mechanism: UM-1
    transport: mqtt
    serve: {port: 8443}
    announce: {broker: tcp/1883, tls: true, login: admin, topic: updates/hub, message: '{url}'}
    image: {file: hub-2.5.0.swu, version: 2.5.0}
    version_at: {coap: {port: udp/5683, path: /version, pointer: /now, report: /last}}
  - mechanism: UM-2
    transport: lwm2m
    serve: {port: 5683}
    client: {endpoint: urn:dev:1, deliver: push}
    image: {file: hub-2.5.0.swu}
    version_at: {resource: /3/0/3}
)";
  const auto loaded = device_with(sound + R"(  - mechanism: UM-3
    transport: mqtt
    serve: {port: 8443}
    announce: {exec: ./announce.sh, topic: updates/hub, file: signed.json}
    image: {file: hub-2.5.0.swu}
    version_at: {resource: /3/0/3}
)");
  CHECK(lines(loaded.errors).size() == 1);  // a resource is of lwm2m
  const auto first = device_with(sound);
  REQUIRE(lines(first.errors) == Lines{});
  const auto& mqtt = first.value->updates[0];
  CHECK(mqtt.announce->broker == Endpoint{Transport::tcp, 1883});
  CHECK(mqtt.announce->tls);
  CHECK(mqtt.announce->login == "admin");
  CHECK(mqtt.announce->topic == "updates/hub");
  CHECK(mqtt.announce->message == "{url}");
  CHECK(mqtt.version_at.coap == Endpoint{Transport::udp, 5683});
  CHECK(mqtt.version_at.pointer == "/now");
  const auto& lwm2m = first.value->updates[1];
  CHECK(lwm2m.client->endpoint == "urn:dev:1");
  CHECK(lwm2m.client->deliver == UpdateDelivery::push);
  CHECK(lwm2m.version_at.resource == "/3/0/3");
  Dut read;
  REQUIRE(from_json(to_json(*first.value), read));
  CHECK(read.updates == first.value->updates);
}

TEST_CASE("updates: versions that are told by MQTT, SSH, SNMP or a person arrive in the model") {
  const std::string accounts = "accounts:\n  - {role: admin, username: admin, secret: hunter22}\n";
  const std::string device = kDevice.substr(0, kDevice.find("updates")) + accounts + "updates:\n";
  const auto with = [&](const std::string& source) {
    return load_dut({"dut.yaml", device +
                                     "  - mechanism: UM-1\n    transport: exec\n    offer: {exec: ./offer.sh}\n"
                                     "    image: {file: hub-2.5.0.swu}\n    version_at: " +
                                     source + "\n"});
  };
  const auto topic = with("{mqtt: {port: tcp/8883, tls: true, login: admin, topic: hub/version, pointer: /now}}");
  REQUIRE(lines(topic.errors) == Lines{});
  const auto& source = topic.value->updates[0].version_at;
  CHECK(source.mqtt == VersionTopic{Endpoint{Transport::tcp, 8883}, true, "admin", "hub/version"});
  CHECK(source.pointer == "/now");
  const auto command = with("{ssh: {port: tcp/22, login: admin, command: cat /etc/version}}");
  REQUIRE(lines(command.errors) == Lines{});
  CHECK(command.value->updates[0].version_at.ssh ==
        VersionCommand{Endpoint{Transport::tcp, 22}, "admin", "cat /etc/version"});
  const auto object =
      with("{snmp: {port: udp/161, login: admin, object: 1.3.6.1.2.1.1.1.0, digest: sha256, encrypted: true}}");
  REQUIRE(lines(object.errors) == Lines{});
  CHECK(object.value->updates[0].version_at.snmp ==
        VersionObject{Endpoint{Transport::udp, 161}, "admin", "1.3.6.1.2.1.1.1.0", "", SnmpDigest::sha256, true});
  const auto person = with("{prompt: Read it on the display}");
  REQUIRE(lines(person.errors) == Lines{});
  CHECK(person.value->updates[0].version_at.prompt->prompt == "Read it on the display");
  for (const auto* loaded : {&topic, &command, &object, &person}) {
    Dut read;
    REQUIRE(from_json(to_json(*loaded->value), read));
    CHECK(read.updates == loaded->value->updates);
  }
  const auto complains = [&](const std::string& written, const std::string& words) {
    const auto all = lines(with(written).errors);
    return all.size() == 1 && all[0].find(words) != std::string::npos;
  };
  CHECK(complains("{mqtt: {topic: hub/version}}", "without \"port\" the topic is of our broker"));
  CHECK(complains("{mqtt: {port: udp/1883, topic: hub/version}}", "a TCP endpoint such as tcp/1883"));
  CHECK(complains("{mqtt: {port: tcp/1883, topic: hub/#}}", "no wildcards"));
  CHECK(complains("{mqtt: {port: tcp/1883, login: guest, topic: hub}}", "has the role \"guest\""));
  CHECK(complains("{ssh: {port: udp/22, login: admin, command: v}}", "a TCP endpoint such as tcp/22"));
  CHECK(complains("{ssh: {port: tcp/22, login: root, command: v}}", "has the role \"root\""));
  CHECK(complains("{snmp: {port: tcp/161, login: admin, object: 1.3.6}}", "a UDP endpoint such as udp/161"));
  CHECK(complains("{snmp: {port: udp/161, login: admin, object: sysDescr.0}}", "object identifier"));
  for (const std::string number : {"1.40", "1.3.4294967296"}) {
    CHECK(complains("{snmp: {port: udp/161, login: admin, object: " + number + "}}", "object identifier"));
  }
  CHECK(complains("{snmp: {port: udp/161, login: root, object: 1.3.6}}", "has the role \"root\""));
  CHECK(complains("{exec: ./v.sh, prompt: Read it}", "exec"));
}

TEST_CASE("updates: what cannot be announced or served is told") {
  const std::string mqtt = "  - mechanism: UM-1\n    transport: mqtt\n" + kImage;
  CHECK(told(mqtt, "mqtt needs \"announce\""));
  CHECK(told(mqtt, "mqtt needs \"serve\""));
  const std::string served = mqtt + "    serve: {port: 8443}\n";
  CHECK(told(served + "    announce: {listen: 1883, topic: u}\n", "one of \"message\" and \"file\""));
  CHECK(told(served + "    announce: {listen: 1883, topic: u/#, message: m}\n", "has no wildcards"));
  CHECK(told(served + "    announce: {listen: 1883, tls: true, topic: u, message: m}\n", "a broker with TLS needs"));
  CHECK(told(served + "    announce: {listen: 1883, broker: tcp/1883, topic: u, message: m}\n", "broker"));
  const std::string coap = "  - mechanism: UM-1\n    transport: coap\n" + kImage;
  CHECK(told(coap, "coap needs \"manifest\""));
  const std::string pages = "    manifest: {path: /u, body: b}\n";
  CHECK(lines(device_with(coap + pages + "    serve: {port: 5684, tls: true, certificate: a.pem, key: a.key}\n")
                  .errors) == Lines{});
  CHECK(told(coap + pages + "    serve: {port: 5684, tls: true}\n", "needs \"certificate\" and \"key\""));
}

TEST_CASE("updates: a pre-shared key is a secret, and one that cannot be used is told without it") {
  const std::string coap = "  - mechanism: UM-1\n    transport: coap\n    manifest: {path: /u, body: b}\n" + kImage +
                           "    serve: {port: 5684, ";
  const auto loaded = device_with(coap + "psk: {identity: hub, key: hunter22}}\n");
  REQUIRE(lines(loaded.errors) == Lines{});
  const auto& psk = *loaded.value->updates[0].serve->psk;
  CHECK(psk.identity == "hub");
  CHECK(psk.key.reveal() == "hunter22");
  CHECK(loaded.value->updates[0].serve->secured());
  const auto text = json::serialize(to_json(*loaded.value));
  CHECK(text.find("hunter22") == std::string::npos);
  CHECK(text.find("updates entry 1 psk") != std::string::npos);
  CHECK(device_with(coap + "psk: {identity: hub, key: 00ff, hex: true}}\n").errors.empty());
  CHECK(told(coap + "psk: {identity: hub, key: 00f, hex: true}}\n", "even number of hexadecimal digits"));
  CHECK(told(coap + "psk: {identity: hub, key: \"\"}}\n", "1 to 256 bytes"));
  CHECK_FALSE(device_with(coap + "psk: {identity: \"\", key: hunter22}}\n").errors.empty());
  CHECK(told(coap + "tls: true, certificate: a, key: b, psk: {identity: hub, key: hunter22}}\n", "not by both"));
  const auto all = lines(device_with(coap + "psk: {identity: hub, key: hunter2x, hex: true}}\n").errors);
  CHECK(
      std::none_of(all.begin(), all.end(), [](const auto& line) { return line.find("hunter") != std::string::npos; }));
  CHECK(told("  - mechanism: UM-1\n    transport: http_pull\n    manifest: {path: /u, body: b}\n" + kImage +
                 "    serve: {port: 1, psk: {identity: hub, key: hunter22}}\n",
             "of coap and lwm2m alone"));
}

TEST_CASE("updates: recoveries, envelopes and what lies beside them arrive in the model") {
  const auto loaded = device_with(R"(  - mechanism: UM-1
    transport: tftp
    recovery: {file: hub.bin, deliver: push, port: udp/69}
    image: {file: hub-2.5.0.bin}
    version_at: {banner: {port: tcp/22, after: SSH-2.0-hub_}}
  - mechanism: UM-2
    transport: tftp
    serve: {port: 69}
    recovery: {file: hub.bin}
    image: {file: hub-2.5.0.bin}
    version_at: {banner: {port: tcp/22, after: SSH-2.0-hub_}}
  - mechanism: UM-3
    transport: coap
    serve: {port: 5683}
    manifest: {path: /update, envelope: true}
    image: {file: hub-2.5.0.suit, payload: hub-2.5.0.bin, version: 2.5.0}
    version_at: {banner: {port: tcp/22, after: SSH-2.0-hub_}}
  - mechanism: UM-4
    transport: mender
    serve: {port: 8443}
    image: {file: hub-2.5.0.mender}
    version_at: {banner: {port: tcp/22, after: SSH-2.0-hub_}}
)");
  REQUIRE(lines(loaded.errors) == Lines{});
  const auto& updates = loaded.value->updates;
  CHECK(updates[0].recovery->deliver == RecoveryDelivery::push);
  CHECK(updates[0].recovery->port == Endpoint{Transport::udp, 69});
  CHECK(updates[1].recovery->deliver == RecoveryDelivery::pull);
  CHECK(updates[2].manifest->envelope);
  CHECK(updates[2].image.payload == "hub-2.5.0.bin");
  CHECK(updates[3].transport == UpdateTransport::mender);
  Dut read;
  REQUIRE(from_json(to_json(*loaded.value), read));
  CHECK(read.updates == updates);
}

TEST_CASE("updates: what recoveries and envelopes cannot do without, or with") {
  const std::string tftp = "  - mechanism: UM-1\n    transport: tftp\n" + kImage;
  CHECK(told(tftp, "tftp needs \"recovery\""));
  CHECK(told(tftp + "    recovery: {file: a}\n", "tftp needs \"serve\""));
  CHECK(told(tftp + "    recovery: {file: a, deliver: push}\n", "\"port\" of recovery"));
  CHECK(told("  - mechanism: UM-1\n    transport: mender\n" + kImage, "mender needs \"serve\""));
  const std::string mqtt = "  - mechanism: UM-1\n    transport: mqtt\n    serve: {port: 8443}\n" + kImage +
                           "    announce: {listen: 1883, topic: u, message: m}\n";
  CHECK(told(mqtt + "    manifest: {path: /u, envelope: true}\n", "polled by http_pull and coap alone"));
  const std::string pull =
      "  - mechanism: UM-1\n    transport: http_pull\n    serve: {port: 8443}\n"
      "    version_at: {banner: {port: tcp/22, after: SSH-2.0-hub_}}\n";
  CHECK(told(pull + "    image: {file: a}\n    manifest: {path: /u, envelope: true, signature: {path: /s, file: s}}\n",
             "signed within"));
  CHECK(
      told(pull + "    image: {file: a, payload: b}\n    manifest: {path: /u, body: m}\n", "lies beside an envelope"));
}

TEST_CASE("updates: manifests that count no more stand beside the newest one and are signed as it is") {
  const std::string pull = "  - mechanism: UM-1\n    transport: http_pull\n    serve: {port: 8443}\n" + kImage;
  const std::string file = pull + "    manifest: {path: /u, file: m, signature: {path: /s, file: s}, ";
  CHECK(told(file + "expired: {file: a}}\n", "this one needs its own"));
  CHECK(told(file + "older: {file: a, signature: b, image_path: c}}\n", "a path begins with /"));
  CHECK(told(pull + "    manifest: {path: /u, body: m, older: {file: a}}\n", "beside \"file\""));
  CHECK_FALSE(told(file + "expired: {file: a, signature: b, held: 2026-01-01}}\n", "manifest"));
}

TEST_CASE("updates: a device without any is written as earlier versions wrote it") {
  const auto loaded = load_dut({"dut.yaml", kDevice.substr(0, kDevice.find("updates"))});
  REQUIRE(loaded.value);
  CHECK_FALSE(to_json(*loaded.value).as_object().contains("updates"));
}

TEST_CASE("updates: what a transport cannot do without is asked for") {
  const std::string pull = "  - mechanism: UM-1\n    transport: http_pull\n" + kImage;
  CHECK(told(pull, "http_pull needs \"serve\""));
  CHECK(told(pull, "http_pull needs \"manifest\""));
  CHECK(told("  - mechanism: UM-1\n    transport: upload\n" + kImage, "upload needs \"upload\""));
  CHECK(told("  - mechanism: UM-1\n    transport: exec\n" + kImage, "exec needs \"offer\""));
  CHECK(told("  - mechanism: UM-1\n    transport: hawkbit\n    serve: {port: 1, tls: true}\n" + kImage,
             "a server with TLS needs \"certificate\""));
  CHECK(told("  - mechanism: UM-1\n    transport: carrier pigeon\n" + kImage, "http_pull"));
}

TEST_CASE("updates: paths, recipes and names that cannot be used are told") {
  const std::string upload = "  - mechanism: UM-1\n    transport: upload\n    upload: {port: tcp/80, path: update}\n";
  CHECK(told(upload + kImage, "a path begins with /"));
  const std::string exec = "  - mechanism: UM-1\n    transport: exec\n    offer: {exec: ./offer.sh}\n" + kImage;
  CHECK(lines(device_with(exec).errors) == Lines{});
  CHECK(told(exec + "    restore: {tcp: 80}\n", "recipes of an update"));
  CHECK(told(exec + exec, "is there twice"));
  CHECK(
      told("  - mechanism: UM-1\n    transport: exec\n    offer: {exec: ./offer.sh}\n    image: {file: ../x}\n"
           "    version_at: {exec: ./v.sh}\n",
           "../x"));
}

TEST_CASE("attacks: each has an id of its own and changes something") {
  const auto good = load_attack_list({"a.yaml", kAttack + "    image: {kind: older}\n"});
  REQUIRE(lines(good.errors) == Lines{});
  CHECK(good.value->attacks.at(0).image == json::object{{"kind", "older"}});
  CHECK(good.value->attacks.at(0).harm == AttackHarm::recoverable);
  CHECK(lines(load_attack_list({"a.yaml", kAttack}).errors).at(0).find("changes nothing") != std::string::npos);
  const auto again = kAttack.substr(kAttack.find("  - id"));
  const auto twice =
      load_attack_list({"a.yaml", kAttack + "    image: {kind: older}\n" + again + "    server: {status: 503}\n"});
  REQUIRE(twice.errors.size() == 1);
  CHECK(twice.errors[0].what.find("twice") != std::string::npos);
  CHECK_FALSE(load_attack_list({"a.yaml", kAttack + "    image: {kind: rename}\n"}).errors.empty());
  CHECK_FALSE(load_attack_list({"a.yaml", kAttack + "    server: {certificate: rusty}\n"}).errors.empty());
}

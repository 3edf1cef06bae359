#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

std::string ace(const std::string& name, const std::string& matches, const std::string& forwarding = "accept") {
  return R"({"name": ")" + name + R"(", "matches": )" + matches + R"(, "actions": {"forwarding": ")" + forwarding +
         "\"}}";
}

std::string file(const std::string& from, const std::string& to) {
  return R"({"ietf-mud:mud": {"mud-version": 1, "mud-url": "https://example.org/hub.json",
    "from-device-policy": {"access-lists": {"access-list": [{"name": "fr"}]}},
    "to-device-policy": {"access-lists": {"access-list": [{"name": "to"}]}}},
    "ietf-access-control-list:acls": {"acl": [
      {"name": "fr", "type": "ipv4-acl-type", "aces": {"ace": [)" +
         from + R"(]}}, {"name": "to", "type": "ipv4-acl-type", "aces": {"ace": [)" + to + "]}}]}}";
}

Mud mud_of(const std::string& text) {
  const auto mud = load_mud({"m.json", text});
  CAPTURE(mud ? "" : mud.error().what);
  REQUIRE(mud);
  return *mud;
}

std::string error_of(const std::string& text) {
  const auto mud = load_mud({"m.json", text});
  REQUIRE(!mud);
  return describe(mud.error());
}

const std::string kCloud = ace("cloud", R"({"ipv4": {"protocol": 6, "ietf-acldns:dst-dnsname": "api.example.org"},
  "tcp": {"destination-port": {"operator": "eq", "port": 443}, "ietf-mud:direction-initiated": "from-device"}})");
const std::string kPage = ace("page", R"({"ietf-mud:mud": {"local-networks": [null]}, "ipv4": {"protocol": 6},
  "tcp": {"destination-port": {"operator": "eq", "port": 80}}})");

}  // namespace

TEST_CASE("mud: accepted flows are read by the side that offers the service") {
  const auto mud = mud_of(file(kCloud, kPage));
  CHECK(mud.url == "https://example.org/hub.json");
  REQUIRE(mud.flows.size() == 2);
  CHECK(mud.flows[0] == MudFlow{"fr/cloud", false, "tcp", 443, 443, "name api.example.org"});
  CHECK(mud.flows[1] == MudFlow{"to/page", true, "tcp", 80, 80, "local-networks"});
  CHECK(offers(mud, {Transport::tcp, 80}));
  CHECK_FALSE(offers(mud, {Transport::udp, 80}));
  CHECK_FALSE(offers(mud, {Transport::tcp, 443}));
}

TEST_CASE("mud: answers to the device's own connections and dropped flows offer nothing") {
  const auto answers = ace("answers", R"({"ipv4": {"protocol": 6}, "tcp": {"source-port": {"port": 443}}})");
  const auto dropped = ace("no", R"({"tcp": {"destination-port": {"port": 23}}})", "drop");
  const auto mud = mud_of(file("", answers + "," + dropped));
  REQUIRE(mud.flows.size() == 1);
  CHECK_FALSE(mud.flows[0].offered);
  CHECK(mud.flows[0].first_port == 443);
}

TEST_CASE("mud: what is wrong is one error with its place") {
  CHECK(error_of("{}") == "m.json: /ietf-mud:mud is missing: this is no MUD file");
  CHECK(error_of("[]") == "m.json: the file must be an object");
  CHECK(error_of("{").starts_with("m.json: not valid JSON"));
  CHECK(error_of(R"({"ietf-mud:mud": {}})") == "m.json: /ietf-mud:mud/mud-url must be a text");
  const auto wide = ace("x", R"({"tcp": {"destination-port": {"port": 70000}}})");
  CHECK(error_of(file(wide, "")).find("/tcp/destination-port/port must be a port, 0 to 65535") != std::string::npos);
  auto unknown = file("", "");
  unknown.replace(unknown.find("{\"name\": \"to\"}"), 14, "{\"name\": \"tp\"}");
  CHECK(error_of(unknown).find("is \"tp\", and no access list has that name") != std::string::npos);
  CHECK(error_of(std::string(300000, ' ')) == "m.json: the MUD file is larger than 256 KiB");
  CHECK(error_of(std::string(100, '[')).starts_with("m.json: not valid JSON"));
  std::string many = ace("x", "{}");
  for (int i = 0; i < 2001; ++i) {
    many += "," + ace("x", "{}");
  }
  CHECK(error_of(file(many, "")).find("one entry more than the 2000") != std::string::npos);
}

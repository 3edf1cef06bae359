#include <algorithm>

#include "probes/wire/bytes.hpp"
#include "probes/wire/dns.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

namespace assay::probes::discovery {
extern const ProbeDescriptor kDescriptor;
}

using namespace assay;
using namespace std::string_literals;

namespace {

/// The device of fake::observe.
constexpr const char* kDevice = "192.0.2.7";

fake::Run discover(fake::FakeNetwork& network, const json::object& parameters = {}) {
  auto done = fake::observe(probes::discovery::kDescriptor, network, "", parameters);
  CHECK(done.record.fault.empty());
  return done;
}

std::string label(std::string_view text) {
  return static_cast<char>(text.size()) + std::string{text};
}

std::string dns_name(std::string_view name) {
  std::string out;
  for (const auto& part : wire::dns_labels(name)) {
    out += label(part);
  }
  return out + '\0';
}

struct Record {
  std::string name;
  std::uint16_t type;
  std::string data;
};

std::string response(const std::vector<Record>& records) {
  std::string out = "\0\0\x84\0\0\0"s;
  wire::put_u16(out, static_cast<std::uint32_t>(records.size()));
  out += "\0\0\0\0"s;
  for (const auto& record : records) {
    out += dns_name(record.name);
    wire::put_u16(out, record.type);
    wire::put_u16(out, 1);
    wire::put_u32(out, 10);
    wire::put_u16(out, static_cast<std::uint32_t>(record.data.size()));
    out += record.data;
  }
  return out;
}

GroupAnswers::Answer answer(DiscoveryGroup group, const std::string& text, bool to_group = false) {
  GroupAnswers::Answer out;
  out.group = group;
  const auto view = wire::bytes_of(text);
  out.payload.assign(view.begin(), view.end());
  out.from = kDevice;
  out.to_group = to_group;
  return out;
}

GroupAnswers only(DiscoveryGroup group, const std::string& text) {
  GroupAnswers out;
  out.answers.push_back(answer(group, text));
  return out;
}

/// A device with mDNS: one type, one service, and texts only when asked for.
GroupAnswers speaks_mdns(const GroupQuestion& question) {
  const auto asked = wire::parse_dns(wire::text_of(question.payload));
  if (question.group != DiscoveryGroup::mdns || asked.state != wire::Parse::complete) {
    return {};
  }
  std::vector<Record> records;
  for (const auto& part : asked.message.questions) {
    if (part.name == "_services._dns-sd._udp.local") {
      records.push_back({part.name, wire::kDnsPtr, dns_name("_http._tcp.local")});
    } else if (part.name == "_http._tcp.local") {
      records.push_back({part.name, wire::kDnsPtr, dns_name("Hub._http._tcp.local")});
    } else if (part.type == wire::kDnsSrv) {
      records.push_back({part.name, wire::kDnsSrv, "\0\0\0\0\x1f\x90"s + dns_name("hub.local")});
    } else if (part.type == wire::kDnsTxt) {
      records.push_back({part.name, wire::kDnsTxt, label("version=\x1b[2J2.4")});
    } else if (part.type == wire::kDnsA) {
      records.push_back({part.name, wire::kDnsA, "\xc0\0\2\7"s});
    }
  }
  return records.empty() ? GroupAnswers{} : only(DiscoveryGroup::mdns, response(records));
}

void refuse_all(fake::FakeNetwork& network) {
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{5353, 1900, 3702, 5355}) {
    network.udp_refuses[port] = true;
  }
}

std::string ssdp_reply(const std::string& location) {
  return "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:1::upnp:rootdevice\r\nSERVER: Linux/6 UPnP/1.0 "
         "hub/2\r\nLOCATION: " +
         location + "\r\n\r\n";
}

constexpr const char* kDescription =
    "HTTP/1.1 200 OK\r\nContent-Length: 130\r\n\r\n<root><device><friendlyName>Hub</friendlyName><modelName>Hub "
    "2</modelName><serialNumber>EX-0001</serialNumber></device></root>          ";

}  // namespace

TEST_CASE("A Hello with the addresses and a match with the types of one endpoint are one") {
  const std::string hello =
      "<a:Hello><b:Address>urn:uuid:1</b:Address><a:XAddrs>http://192.0.2.7/</a:XAddrs></a:Hello>";
  const std::string match =
      "<a:ProbeMatches><a:ProbeMatch><b:Address>urn:uuid:1</b:Address><a:Types>x:Device</a:Types>"
      "</a:ProbeMatch></a:ProbeMatches>";
  const std::string other = "<a:Hello><b:Address>urn:uuid:2</b:Address></a:Hello>";
  for (const auto& order : {std::vector{hello, match, other}, std::vector{match, hello, other}}) {
    fake::FakeNetwork network;
    network.group = [&](const GroupQuestion& question) {
      GroupAnswers answers;
      if (question.group == DiscoveryGroup::wsd) {
        for (const auto& text : order) {
          answers.answers.push_back(answer(DiscoveryGroup::wsd, text, true));
        }
      }
      return answers;
    };
    const auto found = discover(network).record.value("discovery.wsd").as_array();
    REQUIRE(found.size() == 2);
    CHECK(found[0].at("types") == json::value("x:Device"));
    CHECK(found[0].at("xaddrs") == json::value("http://192.0.2.7/"));
    CHECK(found[1].at("address") == json::value("urn:uuid:2"));
  }
}

TEST_CASE("A device that stays silent and refuses the ports has no discovery protocol") {
  fake::FakeNetwork network;
  refuse_all(network);
  const auto done = discover(network);
  REQUIRE(done.ended);
  for (const char* key : {"discovery.mdns", "discovery.ssdp", "discovery.wsd", "discovery.llmnr", "discovery.told"}) {
    CHECK(done.record.is_absent(key));
  }
  CHECK(done.record.value("discovery.others").as_array().empty());
}

TEST_CASE("Silence of the groups and of the ports is not taken for absence") {
  fake::FakeNetwork network;
  const auto done = discover(network);
  REQUIRE(done.ended);
  for (const char* key : {"discovery.mdns", "discovery.ssdp", "discovery.wsd", "discovery.llmnr", "discovery.told"}) {
    CHECK(done.record.is_unobserved(key));
  }
  CHECK(done.record.reasons.at("discovery.mdns") ==
        "no answer to 2 questions to the group; the device's own port: silent");
}

TEST_CASE("mDNS is followed from types to services to their place, text and addresses") {
  fake::FakeNetwork network;
  refuse_all(network);
  network.group = speaks_mdns;
  const auto done = discover(network);
  REQUIRE(done.ended);
  const auto mdns = done.record.value("discovery.mdns").as_object();
  REQUIRE(mdns.at("services").as_array().size() == 1);
  const auto& service = mdns.at("services").as_array()[0].as_object();
  CHECK(service.at("name").as_string() == "Hub._http._tcp.local");
  CHECK(service.at("endpoint").as_string() == "tcp/8080");
  CHECK(service.at("txt").as_array()[0].as_string() == "version=\\x1b[2J2.4");
  REQUIRE(mdns.at("hosts").as_array().size() == 1);
  CHECK(mdns.at("hosts").as_array()[0].at("addresses").as_array()[0].as_string() == kDevice);
  CHECK(done.record.value("discovery.told").as_array().size() == 3);
  CHECK(done.record.is_absent("discovery.ssdp"));
  CHECK_FALSE(done.record.evidences.at("discovery.mdns").empty());
  CHECK(done.record.coverages.at("discovery").at("followed_to_end").as_bool());
}

TEST_CASE("The device's own questions to a group are not taken for answers") {
  fake::FakeNetwork network;
  refuse_all(network);
  network.group = [](const GroupQuestion& question) {
    GroupAnswers out;
    if (question.group == DiscoveryGroup::mdns) {
      out.answers.push_back(answer(question.group, wire::dns_query(0, {{"_ipp._tcp.local", wire::kDnsPtr, 1}}), true));
    } else if (question.group == DiscoveryGroup::ssdp) {
      out.answers.push_back(answer(question.group, "M-SEARCH * HTTP/1.1\r\n\r\n", true));
    }
    return out;
  };
  const auto done = discover(network);
  CHECK(done.record.is_absent("discovery.mdns"));
  CHECK(done.record.is_absent("discovery.ssdp"));
}

TEST_CASE("Bytes that are not the protocol's leave it open, even when the port is refused") {
  fake::FakeNetwork network;
  refuse_all(network);
  network.group = [](const GroupQuestion& question) { return only(question.group, "\xff\xff garbage"); };
  const auto done = discover(network);
  for (const char* key : {"discovery.mdns", "discovery.ssdp", "discovery.wsd", "discovery.llmnr"}) {
    CHECK(done.record.is_unobserved(key));
  }
}

TEST_CASE("A description is fetched at the device's own address, and no other location is contacted") {
  fake::FakeNetwork network;
  refuse_all(network);
  network.tcp[5000] = fake::answers(kDescription);
  network.tcp[5001] = fake::answers(kDescription);
  network.group = [](const GroupQuestion& question) {
    GroupAnswers out;
    if (question.group == DiscoveryGroup::ssdp) {
      for (const char* place : {"http://192.0.2.7:5000/d.xml", "http://192.0.2.8:5001/d.xml",
                                "http://hub.local:5001/d.xml", "file:///etc/passwd", "https://192.0.2.7:5001/d.xml"}) {
        out.answers.push_back(answer(question.group, ssdp_reply(place)));
      }
    }
    return out;
  };
  const auto done = discover(network);
  REQUIRE(done.ended);
  const auto ssdp = done.record.value("discovery.ssdp").as_object();
  CHECK(network.connections == std::map<std::uint16_t, int>{{5000, 1}});
  CHECK(ssdp.at("elsewhere").as_array().size() == 3);
  REQUIRE(ssdp.at("descriptions").as_array().size() == 2);
  const auto& device = ssdp.at("descriptions").as_array()[0].at("devices").as_array()[0].as_object();
  CHECK(device.at("modelName").as_string() == "Hub 2");
  CHECK(device.at("serialNumber").as_string() == "EX-0001");
  CHECK(done.record.is_absent("discovery.wsd"));
}

TEST_CASE("Descriptions can be left alone") {
  fake::FakeNetwork network;
  refuse_all(network);
  network.tcp[5000] = fake::answers(kDescription);
  network.group = [](const GroupQuestion& question) {
    return question.group == DiscoveryGroup::ssdp ? only(question.group, ssdp_reply("http://192.0.2.7:5000/d.xml"))
                                                  : GroupAnswers{};
  };
  const auto done = discover(network, {{"describe", false}});
  CHECK(network.connections.empty());
  CHECK(done.record.value("discovery.ssdp").at("announced").as_array().size() == 1);
}

TEST_CASE("Other hosts are listed with what they speak, and their words are nobody's facts") {
  fake::FakeNetwork network;
  refuse_all(network);
  network.group = [](const GroupQuestion& question) {
    GroupAnswers out;
    if (question.group != DiscoveryGroup::llmnr) {
      out.others.push_back({question.group, "192.0.2.99", 1, 2});
    }
    return out;
  };
  const auto done = discover(network, {{"rounds", 1}});
  const auto others = done.record.value("discovery.others").as_array();
  REQUIRE(others.size() == 1);
  CHECK(others[0].at("address").as_string() == "192.0.2.99");
  CHECK(others[0].at("protocols").as_array().size() == 3);
  CHECK(others[0].at("heard").as_int64() == 8);  // two questions of WS-Discovery
  CHECK(done.record.is_absent("discovery.mdns"));
}

TEST_CASE("The MAC is told with its first three bytes and whether it is locally administered") {
  for (const bool local : {true, false}) {
    fake::FakeNetwork network;
    refuse_all(network);
    network.link = LinkNeighbour{local ? "02:00:5e:10:00:02" : "00:00:5e:10:00:02", "eth0"};
    const auto neighbour = discover(network).record.value("discovery.neighbour").as_object();
    CHECK(neighbour.at("oui").as_string() == (local ? "02:00:5e" : "00:00:5e"));
    CHECK(neighbour.at("locally_administered").as_bool() == local);
  }
  fake::FakeNetwork network;
  CHECK(discover(network).record.is_unobserved("discovery.neighbour"));
}

TEST_CASE("A listening window asks nothing more") {
  fake::FakeNetwork network;
  refuse_all(network);
  network.group = [](const GroupQuestion& question) {
    GroupAnswers out;
    if (question.payload.empty() && question.group == DiscoveryGroup::ssdp) {
      out.answers.push_back(answer(
          question.group, "NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\r\nNTS: ssdp:alive\r\nUSN: uuid:2\r\n\r\n", true));
    }
    return out;
  };
  const auto done = discover(network, {{"listen_s", 30}, {"rounds", 1}});
  const auto& asked = network.group_questions;
  CHECK(std::count_if(asked.begin(), asked.end(), [](const auto& question) { return question.payload.empty(); }) == 4);
  CHECK(done.record.value("discovery.ssdp").at("announced").as_array()[0].at("usn").as_string() == "uuid:2");
}

TEST_CASE("A device that makes up names without end is followed for a bounded time") {
  fake::FakeNetwork network;
  refuse_all(network);
  int made = 0;
  network.group = [&made](const GroupQuestion& question) {
    std::vector<Record> records;
    for (int i = 0; i < 40 && question.group == DiscoveryGroup::mdns; ++i) {
      const auto name = "s" + std::to_string(++made) + "._http._tcp.local";
      records.push_back({"_http._tcp.local", wire::kDnsPtr, dns_name(name)});
    }
    return records.empty() ? GroupAnswers{} : only(DiscoveryGroup::mdns, response(records));
  };
  const auto done = discover(network);
  CHECK(done.record.value("discovery.mdns").at("services").as_array().size() == 128);
  CHECK(network.group_questions.size() < 40);
  CHECK_FALSE(done.record.coverages.at("discovery").at("followed_to_end").as_bool());
}

TEST_CASE("What a DHCP client was heard to say is a fact, the latest message that makes sense counts") {
  fake::FakeNetwork network;
  refuse_all(network);
  const std::string head = "\x01\x01\x06" + std::string(233, '\0') + "\x63\x82\x53\x63";
  const auto bytes = [](const std::string& text) {
    const auto span = wire::bytes_of(text);
    return Bytes{span.begin(), span.end()};
  };
  network.dhcp = std::vector<Bytes>{bytes(head + "\x35\x01\x01\xff"s),
                                    bytes(head + "\x35\x01\x03\x37\x03\x01\x03\x06\x3c\x02\x1b[\x0c\x03hub\xff"s),
                                    bytes("nonsense")};
  const auto dhcp = discover(network).record.value("discovery.dhcp").as_object();
  CHECK(dhcp.at("message").as_string() == "request");
  CHECK(dhcp.at("parameters") == json::array{1, 3, 6});
  CHECK(dhcp.at("options") == json::array{53, 55, 60, 12});
  CHECK(dhcp.at("vendor_class").as_string() == "\\x1b[");
  CHECK(dhcp.at("host_name").as_string() == "hub");
}

TEST_CASE("Without a capture, and without a message in it, DHCP is not observed") {
  fake::FakeNetwork network;
  refuse_all(network);
  CHECK(discover(network).record.reasons.at("discovery.dhcp") == "no packets are captured");
  network.dhcp = std::vector<Bytes>{};
  CHECK(discover(network).record.reasons.at("discovery.dhcp") ==
        "the device sent no DHCP message while packets were captured");
}

#include "probes/wire/dns.hpp"
#include "probes/wire/ssdp.hpp"
#include "probes/wire/wsd.hpp"
#include "probes/wire/xml.hpp"
#include "tests/support/catch.hpp"

using namespace assay::wire;
using namespace std::string_literals;

namespace {

std::string unhex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16));
  }
  return out;
}

/// avahi-daemon 0.8: the list of service types and the name behind 10.77.0.2, as a legacy unicast response.
constexpr std::string_view kAvahiTypes =
    "8dc184000002000300000000095f7365727669636573075f646e732d7364045f756470056c6f63616c00000c000101320130"
    "02373702313007696e2d61646472046172706100000c0001c02e000c00010000000a000603687562c023c00c000c00010000"
    "000a000c045f686170045f746370c023c00c000c00010000000a0008055f68747470c06d";

/// avahi-daemon 0.8: the services of two types with SRV, TXT, A and AAAA.
constexpr std::string_view kAvahiServices =
    "000084000002000800000000045f686170045f746370056c6f63616c00000c0001055f68747470c011000c0001c021000c00"
    "010000000a0008054875622032c021c039001000010000000a001d0d76657273696f6e3d322e342e310e73657269616c3d45"
    "582d30303031c039002100010000000a000c000000001f9003687562c016c07c001c00010000000a0010fd00007700000000"
    "0000000000000002c07c000100010000000a00040a4d0002c00c000c00010000000a0008054875622032c00cc0ba00100001"
    "0000000a000100c0ba002100010000000a0008000000001f91c07c";

const DnsRecord* record_of(const DnsMessage& message, std::uint16_t type) {
  for (const auto& record : message.records) {
    if (record.type == type) {
      return &record;
    }
  }
  return nullptr;
}

/// A response with one record of that name and data.
std::string response(const std::string& name, std::uint16_t type, const std::string& data) {
  std::string out = "\0\0\x84\0\0\0\0\1\0\0\0\0"s + name;
  put_u16(out, type);
  put_u16(out, 1);
  put_u32(out, 10);
  put_u16(out, static_cast<std::uint32_t>(data.size()));
  return out + data;
}

}  // namespace

TEST_CASE("The service types and the host name that avahi announces are read through compressed names") {
  const auto parse = parse_dns(unhex(kAvahiTypes));
  REQUIRE(parse.state == Parse::complete);
  CHECK(parse.message.is_response());
  REQUIRE(parse.message.questions.size() == 2);
  CHECK(parse.message.questions[1].name == "2.0.77.10.in-addr.arpa");
  REQUIRE(parse.message.records.size() == 3);
  CHECK(parse.message.records[0].target == "hub.local");
  CHECK(parse.message.records[1].name == "_services._dns-sd._udp.local");
  CHECK(parse.message.records[1].target == "_hap._tcp.local");
  CHECK(parse.message.records[2].target == "_http._tcp.local");
}

TEST_CASE("An avahi service is read with its place, texts and addresses") {
  const auto parse = parse_dns(unhex(kAvahiServices));
  REQUIRE(parse.state == Parse::complete);
  const auto* located = record_of(parse.message, kDnsSrv);
  REQUIRE(located != nullptr);
  CHECK(located->name == "Hub 2._http._tcp.local");
  CHECK(located->target == "hub.local");
  CHECK(located->port == 8080);
  CHECK(record_of(parse.message, kDnsTxt)->texts == std::vector<std::string>{"version=2.4.1", "serial=EX-0001"});
  CHECK(record_of(parse.message, kDnsA)->address == "10.77.0.2");
  CHECK(record_of(parse.message, kDnsAaaa)->address == "fd00:77::2");
}

TEST_CASE("A query has the bytes of the standard and leaves out names that no message can carry") {
  CHECK(dns_query(7, {{"a.local", kDnsPtr, 1}}) == "\0\7\0\0\0\1\0\0\0\0\0\0\1a\5local\0\0\14\0\1"s);
  CHECK(dns_query(7, {{std::string(64, 'x'), kDnsPtr, 1}}) == "\0\7\0\0\0\0\0\0\0\0\0\0"s);
  std::string long_name = "x";
  while (long_name.size() < 300) {
    long_name += ".x";
  }
  CHECK(dns_query(7, {{long_name, kDnsPtr, 1}}).size() == 12);
}

TEST_CASE("Dots and backslashes inside a label survive the way to text and back") {
  const auto parse = parse_dns(response("\5a.b\\c\5local\0"s, kDnsA, "\1\2\3\4"));
  REQUIRE(parse.state == Parse::complete);
  CHECK(parse.message.records[0].name == "a\\.b\\\\c.local");
  CHECK(dns_labels(parse.message.records[0].name) == std::vector<std::string>{"a.b\\c", "local"});
}

TEST_CASE("Compression pointers that loop, lead forward or lead into the header are malformed") {
  CHECK(parse_dns(response("\xc0\x0c"s, kDnsA, "\1\2\3\4")).state == Parse::malformed);
  CHECK(parse_dns(response("\xc0\x20"s, kDnsA, "\1\2\3\4")).state == Parse::malformed);
  CHECK(parse_dns(response("\xc0\x02"s, kDnsA, "\1\2\3\4")).state == Parse::malformed);
  CHECK(parse_dns(response("\1a\xc0\x0c"s, kDnsA, "\1\2\3\4")).state == Parse::malformed);
  CHECK(parse_dns(response("\1a\0"s, kDnsPtr, "\xc0\x0c"s)).state == Parse::complete);
}

TEST_CASE("Records whose data do not fit their type and messages cut anywhere are malformed") {
  CHECK(parse_dns(response("\0"s, kDnsA, "\1\2\3")).state == Parse::malformed);
  CHECK(parse_dns(response("\0"s, kDnsAaaa, "\1\2\3\4")).state == Parse::malformed);
  CHECK(parse_dns(response("\0"s, kDnsTxt, "\5ab")).state == Parse::malformed);
  CHECK(parse_dns(response("\0"s, kDnsSrv, "\0\0\0\0\0\x50"s)).state == Parse::malformed);
  CHECK(parse_dns(response("\0"s, kDnsPtr, "\1a\0z"s)).state == Parse::malformed);
  const auto whole = unhex(kAvahiServices);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(parse_dns(std::string_view{whole}.substr(0, size)).state == Parse::malformed);
  }
}

TEST_CASE("A message that claims thousands of records is not read") {
  CHECK(parse_dns("\0\0\x84\0\0\0\xff\xff\xff\xff\xff\xff"s).state == Parse::malformed);
  CHECK(parse_dns("\0\0\x84\0\xff\xff\0\0\0\0\0\0"s).state == Parse::malformed);
}

TEST_CASE("The reverse name of an address is the one of its family") {
  CHECK(dns_reverse_name("192.0.2.7") == "7.2.0.192.in-addr.arpa");
  CHECK(dns_reverse_name("fd00::7") == "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa");
  CHECK_FALSE(dns_reverse_name("hub.local"));
}

TEST_CASE("An SSDP search has the lines of the standard") {
  CHECK(ssdp_search("239.255.255.250:1900", 2) ==
        "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\nST: ssdp:all\r\n\r\n");
}

TEST_CASE("The reply of miniupnpd is read") {
  const auto parse = parse_ssdp(
      "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: urn:schemas-upnp-org:service:WANIPv6FirewallControl:1\r\n"
      "USN: "
      "uuid:73616d73-756e-6700-0000-000000000004::urn:schemas-upnp-org:service:WANIPv6FirewallControl:1\r\nEXT:\r\n"
      "SERVER: Debian/6.1.0 UPnP/1.1 MiniUPnPd/2.3.1\r\nLOCATION: http://10.77.0.2:5000/rootDesc.xml\r\n"
      "OPT: \"http://schemas.upnp.org/upnp/1/0/\"; ns=01\r\n01-NLS: 1795645739\r\n\r\n");
  REQUIRE(parse.state == Parse::complete);
  CHECK(parse.message.kind == SsdpMessage::Kind::reply);
  CHECK(parse.message.target == "urn:schemas-upnp-org:service:WANIPv6FirewallControl:1");
  CHECK(parse.message.location == "http://10.77.0.2:5000/rootDesc.xml");
  CHECK(parse.message.server == "Debian/6.1.0 UPnP/1.1 MiniUPnPd/2.3.1");
}

TEST_CASE("A notification is told from a search, and what is neither is malformed") {
  const auto notify =
      parse_ssdp("NOTIFY * HTTP/1.1\nnt: upnp:rootdevice\nNTS:ssdp:alive\nUsn: u\n\nST: behind the end\n");
  REQUIRE(notify.state == Parse::complete);
  CHECK(notify.message.kind == SsdpMessage::Kind::notify);
  CHECK(notify.message.target == "upnp:rootdevice");
  CHECK(notify.message.nts == "ssdp:alive");
  CHECK(parse_ssdp("M-SEARCH * HTTP/1.1\r\n\r\n").message.kind == SsdpMessage::Kind::search);
  for (const char* text : {"", "HTTP/1.1 404 Not Found\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "NOTIFY", "\x1b[2J"}) {
    CHECK(parse_ssdp(text).state == Parse::malformed);
  }
}

TEST_CASE("XML is read the way devices write it: prefixes, attributes, entities, CDATA, comments and bad nesting") {
  const auto events = xml_events(
      "<?xml version='1.0'?><!DOCTYPE x><a:root q='>'><b>1 &amp; 2 &#65;&#x42; &nope;</b><!-- <b>no</b> -->"
      "<c><![CDATA[<raw>&amp;]]></c><d/><e>open</root>");
  std::string seen;
  for (const auto& event : events) {
    seen += (event.open ? "+" : "-") + event.name + (event.text.empty() ? "" : "=" + event.text) + " ";
  }
  CHECK(seen == "+root +b -b=1 & 2 AB &nope; +c -c=<raw>&amp; +d -d +e -e=open -root ");
}

TEST_CASE("XML stays within its bounds") {
  std::string deep;
  for (int i = 0; i < 10'000; ++i) {
    deep += "<a>";
  }
  CHECK(xml_events(deep).size() == 64);
  std::string wide = "<r>";
  for (int i = 0; i < 10'000; ++i) {
    wide += "<a/>";
  }
  CHECK(xml_events(wide).size() <= 4200);
  const auto text = xml_events("<a>" + std::string(100'000, 'x') + "</a>");
  REQUIRE(text.size() == 2);
  CHECK(text[1].text.size() == 4096);
  CHECK(xml_events("<!DOCTYPE l [<!ENTITY a \"aaaa\">]><a>&a;</a>").back().text == "&a;");
}

TEST_CASE("A UPnP description gives its devices, the embedded ones beside their parent") {
  const auto devices = upnp_devices(
      "<root><device><friendlyName>Hub</friendlyName><modelName>Hub 2</modelName><serialNumber>EX-0001</serialNumber>"
      "<UDN>uuid:1</UDN><serviceList><service><serviceType>urn:a</serviceType></service></"
      "serviceList><deviceList><device>"
      "<friendlyName>Inner</friendlyName></device></deviceList><manufacturer>Example</manufacturer></device></root>");
  REQUIRE(devices.size() == 2);
  CHECK(devices[0].friendly_name == "Hub");
  CHECK(devices[0].model_name == "Hub 2");
  CHECK(devices[0].serial_number == "EX-0001");
  CHECK(devices[0].manufacturer == "Example");
  CHECK(devices[0].services == std::vector<std::string>{"urn:a"});
  CHECK(devices[1].friendly_name == "Inner");
  CHECK(upnp_devices("404 not found").empty());
}

TEST_CASE("A WS-Discovery probe asks for devices or for everything") {
  CHECK(wsd_probe("7", WsdTypes::any).find("<wsd:Probe/>") != std::string::npos);
  CHECK(wsd_probe("7", WsdTypes::device).find("<wsd:Types>wsdp:Device</wsd:Types>") != std::string::npos);
  CHECK(wsd_probe("7", WsdTypes::any).find("urn:uuid:7<") != std::string::npos);
}

TEST_CASE("The ProbeMatches of wsdd is read, and other messages are not taken for one") {
  const auto parse = parse_wsd(
      "<?xml version=\"1.0\"?><soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\"><soap:Header>"
      "<wsa:RelatesTo>urn:uuid:bc5a1b7f</wsa:RelatesTo></soap:Header><soap:Body><wsd:ProbeMatches><wsd:ProbeMatch>"
      "<wsa:EndpointReference><wsa:Address>urn:uuid:73616d73</wsa:Address></wsa:EndpointReference>"
      "<wsd:Types>wsdp:Device pub:Computer</wsd:Types><wsd:MetadataVersion>1</wsd:MetadataVersion></wsd:ProbeMatch>"
      "</wsd:ProbeMatches></soap:Body></soap:Envelope>");
  REQUIRE(parse.state == Parse::complete);
  CHECK(parse.relates_to == "urn:uuid:bc5a1b7f");
  REQUIRE(parse.matches.size() == 1);
  CHECK(parse.matches[0].address == "urn:uuid:73616d73");
  CHECK(parse.matches[0].types == "wsdp:Device pub:Computer");
  CHECK(parse_wsd(wsd_probe("7", WsdTypes::any)).state == Parse::malformed);
  CHECK(parse_wsd("<a:Hello><a:XAddrs>http://192.0.2.7/onvif</a:XAddrs></a:Hello>").matches[0].xaddrs ==
        "http://192.0.2.7/onvif");
}

#include "probes/wire/bytes.hpp"
#include "probes/wire/coap.hpp"
#include "probes/wire/mqtt.hpp"
#include "probes/wire/snmp.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

namespace assay::probes::services {
extern const ProbeDescriptor kDescriptor;
}

using namespace assay;
using namespace std::string_literals;
using fake::FakeNetwork;
using fake::kPort;
using fake::Line;
using fake::Peer;

namespace {

fake::Run identify(FakeNetwork& network, std::string_view endpoint = "tcp/4000") {
  auto run = fake::observe(probes::services::kDescriptor, network, endpoint);
  CHECK(run.record.fault.empty());
  return run;
}

/// A server that answers only requests that begin in a certain way.
fake::PeerMaker serves(std::string wanted, std::string reply) {
  return [=](int) {
    return [=](std::string_view written, Line& line) {
      if (written.starts_with(wanted)) {
        line.say(reply);
      }
    };
  };
}

fake::PeerMaker web(std::map<std::string, std::string> pages) {
  return [pages](int) {
    return [pages](std::string_view written, Line& line) {
      for (const auto& [path, response] : pages) {
        if (written.starts_with("GET " + path + " ")) {
          line.say(response);
          line.close();
        }
      }
    };
  };
}

std::string page(std::string_view head, std::string_view body = "") {
  return "HTTP/1.1 " + std::string{head} + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string{body};
}

json::array logins(const fake::Run& run) {
  return run.record.value("service.logins").as_array();
}

}  // namespace

TEST_CASE("A web server on any port is http, with its logins") {
  FakeNetwork network;
  network.tcp[kPort] =
      web({{"/", page("401 Unauthorized\r\nServer: GoAhead/2.5\r\nWWW-Authenticate: Digest realm=\"hub\", "
                      "nonce=\"n\", Basic realm=\"hub\"")}});
  const auto run = identify(network);
  REQUIRE(run.ended);
  CHECK(run.record.text("service.protocol") == "http");
  CHECK(run.record.text("service.product") == "GoAhead");
  CHECK(run.record.text("service.version") == "2.5");
  CHECK(run.record.value("service.tls") == json::value(false));
  CHECK(run.record.value("service.redirects_to_tls") == json::value(false));
  CHECK(canonical(run.record.value("service.logins")) ==
        R"([{"clear":true,"dialect":"http-digest","path":"/","realm":"hub"},)"
        R"({"clear":true,"dialect":"http-basic","path":"/","realm":"hub"}])");
  CHECK(network.connections[kPort] == 1);
  REQUIRE(run.record.artifacts.size() == 1);
  CHECK_FALSE(run.record.evidences.at("service.protocol").empty());
  CHECK_FALSE(run.record.evidences.at("service.logins").empty());
}

TEST_CASE("A login one link or frame away is known, and whether its form leads to HTTP") {
  FakeNetwork network;
  network.tcp[kPort] =
      web({{"/", page("200 OK", "<title>Hub</title><a href=/reset.cgi>Reset</a><a href=/in>Sign in</a>")},
           {"/in", page("200 OK", "<title>In</title><form><input type=password></form>")}});
  auto run = identify(network);
  CHECK(canonical(run.record.value("service.logins")) == R"([{"clear":true,"dialect":"http-form","path":"/in"}])");
  CHECK(run.record.value("service.details").at("title") == json::value("Hub"));
  network = FakeNetwork{};
  network.tcp[kPort] = web({{"/", page("200 OK", "<a href=/admin/>Settings</a>")},
                            {"/admin/", page("401 No\r\nWWW-Authenticate: Basic realm=\"hub\"")}});
  run = identify(network);
  CHECK(canonical(run.record.value("service.logins")) ==
        R"([{"clear":true,"dialect":"http-basic","path":"/admin/","realm":"hub"}])");
}

TEST_CASE("Where a script may make a login, none is named and none is ruled out") {
  FakeNetwork network;
  network.tcp[kPort] = web({{"/", page("200 OK", "<div id=app></div><script src=/app.js></script>")}});
  auto run = identify(network);
  CHECK(run.record.is_unobserved("service.logins"));
  CHECK(run.record.text("service.protocol") == "http");
  network.tcp[kPort] = web({{"/", page("200 OK", "<h1>Hub</h1>")}});
  run = identify(network);
  CHECK(run.record.value("service.logins") == json::value(json::array{}));
}

TEST_CASE("Redirects are followed on the endpoint and only recorded elsewhere") {
  FakeNetwork network;
  network.tcp[kPort] =
      web({{"/", page("302 Found\r\nLocation: /a")},
           {"/a", page("200 OK", "<meta http-equiv=refresh content='0;url=login.html'>")},
           {"/login.html", page("200 OK", "<title>Hub</title><form><input name=u><input type=password></form>")}});
  auto run = identify(network);
  CHECK(canonical(run.record.value("service.logins")) ==
        R"([{"clear":true,"dialect":"http-form","path":"/login.html"}])");
  CHECK(run.record.value("service.details").at("title") == json::value("Hub"));

  network = FakeNetwork{};
  network.tcp[kPort] = web({{"/", page("301 Moved\r\nLocation: https://192.0.2.7/")}});
  run = identify(network);
  CHECK(run.record.value("service.redirects_to_tls") == json::value(true));
  CHECK(network.connections[kPort] == 1);

  network = FakeNetwork{};
  network.tcp[kPort] = web({{"/", page("302 Found\r\nLocation: http://198.51.100.1/")}});
  run = identify(network);
  CHECK(run.record.value("service.redirects_to_tls") == json::value(false));
  CHECK(network.connections[kPort] == 1);

  network = FakeNetwork{};
  network.tcp[kPort] = [](int n) {
    return [n](std::string_view written, Line& line) {
      if (!written.empty()) {
        line.say(page("302 Found\r\nLocation: /loop" + std::to_string(n)));
      }
    };
  };
  run = identify(network);
  CHECK(run.record.text("service.protocol") == "http");
  CHECK(network.connections[kPort] == 4);
}

TEST_CASE("SSH is told by its identification and its key exchange") {
  std::string body = "\x04\x14"s + std::string(16, 'c');
  for (int i = 0; i < 10; ++i) {
    body += "\x00\x00\x00\x02xy"s;
  }
  body += std::string(9, '\0');
  std::string packet;
  wire::put_u32(packet, static_cast<std::uint32_t>(body.size()));
  FakeNetwork network;
  network.tcp[kPort] = fake::says("SSH-2.0-dropbear_2022.83\r\n" + packet + body);
  auto run = identify(network);
  CHECK(run.record.text("service.protocol") == "ssh");
  CHECK(run.record.text("service.product") == "dropbear");
  CHECK(run.record.text("service.version") == "2022.83");
  CHECK(canonical(run.record.value("service.logins")) == R"([{"clear":false,"dialect":"ssh-password"}])");
  CHECK(run.record.is_absent("service.redirects_to_tls"));

  network.tcp[kPort] = fake::says("SSH-2.0-fake\r\n");
  run = identify(network);
  CHECK(run.record.text("service.protocol") == "ssh");
  CHECK(logins(run).empty());
}

TEST_CASE("Telnet is told by its negotiation, and a login by its prompt") {
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      if (written.empty()) {
        line.say("\xff\xfd\x01\xff\xfb\x03"s);
        line.pause(milliseconds{900});
        line.say("\r\nhub login: ");
      }
    };
  };
  auto run = identify(network);
  CHECK(run.record.text("service.protocol") == "telnet");
  CHECK(canonical(run.record.value("service.logins")) == R"([{"clear":true,"dialect":"telnet"}])");
  CHECK(run.record.value("service.details").at("prompt") == json::value("hub login:"));

  network.tcp[kPort] = fake::says("\xff\xfb\x01# "s);
  run = identify(network);
  CHECK(run.record.text("service.protocol") == "telnet");
  CHECK(logins(run).empty());
}

TEST_CASE("A telnet banner that comes seconds late is still met") {
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      if (written.empty()) {
        line.pause(milliseconds{3500});
        line.say("\xff\xfd\x01late login: "s);
      }
    };
  };
  CHECK(identify(network).record.text("service.protocol") == "telnet");
}

TEST_CASE("FTP and SMTP are told apart by what they answer, not by their greeting") {
  const auto lines = [](std::map<std::string, std::string> replies, std::string otherwise) {
    return [=](int) -> Peer {
      return [=](std::string_view written, Line& line) {
        if (written.empty()) {
          return line.say("220 hub SMTP (thing 3.0.3)\r\n");
        }
        for (const auto& [word, reply] : replies) {
          if (written.starts_with(word)) {
            return line.say(reply);
          }
        }
        line.say(otherwise);
      };
    };
  };
  FakeNetwork network;
  network.tcp[kPort] =
      lines({{"FEAT", "211-Features\r\n AUTH TLS\r\n211 End\r\n"}, {"USER", "331 password\r\n"}}, "500 what?\r\n");
  auto run = identify(network);
  CHECK(run.record.text("service.protocol") == "ftp");
  CHECK(run.record.text("service.product") == "thing");
  CHECK(run.record.value("service.details").at("auth_tls") == json::value(true));
  CHECK(canonical(run.record.value("service.logins")) == R"([{"clear":true,"dialect":"ftp"}])");

  network.tcp[kPort] = lines({{"EHLO", "250-hub\r\n250-STARTTLS\r\n250 AUTH PLAIN CRAM-MD5\r\n"}}, "502 no\r\n");
  run = identify(network);
  CHECK(run.record.text("service.protocol") == "smtp");
  CHECK(canonical(run.record.value("service.logins")) ==
        R"([{"clear":true,"dialect":"smtp-plain"},{"clear":false,"dialect":"smtp-cram-md5"}])");

  network.tcp[kPort] = lines({}, "599 nothing\r\n");
  run = identify(network);
  CHECK(run.record.is_absent("service.protocol"));
  CHECK(run.record.is_absent("service.product"));
}

TEST_CASE("An MQTT broker shows whether it lets strangers in") {
  FakeNetwork network;
  network.tcp[1883] = serves("\x10", "\x20\x02\x00\x00"s);
  auto run = identify(network, "tcp/1883");
  CHECK(run.record.text("service.protocol") == "mqtt");
  CHECK(run.record.value("service.details").at("anonymous") == json::value(true));
  CHECK(logins(run).empty());

  network.tcp[kPort] = serves("\x10", "\x20\x02\x00\x05"s);
  run = identify(network);
  CHECK(run.record.text("service.protocol") == "mqtt");
  CHECK(run.record.value("service.details").at("anonymous") == json::value(false));
  CHECK(canonical(run.record.value("service.logins")) == R"([{"clear":true,"dialect":"mqtt"}])");
}

TEST_CASE("A broker of MQTT 5 alone is asked again in its version") {
  FakeNetwork network;
  network.tcp[1883] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      if (written.size() > 8 && written[0] == '\x10') {
        line.say(written[8] == '\x05' ? "\x20\x03\x00\x87\x00"s : "\x20\x02\x00\x84"s);
      }
    };
  };
  const auto run = identify(network, "tcp/1883");
  CHECK(run.record.value("service.details").at("mqtt_version") == json::value("5"));
  CHECK(logins(run).size() == 1);
}

TEST_CASE("RTSP is asked for a stream to show its login") {
  FakeNetwork network;
  network.tcp[554] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      if (written.starts_with("OPTIONS")) {
        line.say("RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: cam/1.2\r\nPublic: DESCRIBE\r\n\r\n");
      } else if (written.starts_with("DESCRIBE")) {
        line.say("RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nWWW-Authenticate: Digest realm=\"cam\", nonce=\"n\"\r\n\r\n");
      }
    };
  };
  const auto run = identify(network, "tcp/554");
  CHECK(run.record.text("service.protocol") == "rtsp");
  CHECK(run.record.text("service.product") == "cam");
  CHECK(canonical(run.record.value("service.logins")) ==
        R"([{"clear":true,"dialect":"rtsp-digest","path":"/","realm":"cam"}])");
}

TEST_CASE("CoAP over TCP is named only by an answer to our token") {
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      if (written.empty()) {
        return line.say("\x00\xe1"s);
      }
      const auto request = wire::parse_coap_tcp(written);
      if (request.state == wire::Parse::complete && request.message.code == wire::kCoapGet) {
        wire::CoapMessage reply;
        reply.code = 0x45;
        reply.token = request.message.token;
        reply.payload = "</x>";
        line.say(wire::encode_coap_tcp(reply));
      }
    };
  };
  auto run = identify(network);
  CHECK(run.record.text("service.protocol") == "coap");
  CHECK(run.record.value("service.details").at("resources") == json::value("</x>"));
  network.tcp[kPort] = fake::says("\x00\xe1"s);
  CHECK(identify(network).record.is_absent("service.protocol"));
}

TEST_CASE("A TLS port is entered, and the protocol inside is asked for") {
  FakeNetwork network;
  network.tcp[kPort] = serves("\x16", fake::server_hello());
  network.tls[kPort] = web({{"/", page("401 No\r\nWWW-Authenticate: Basic realm=\"r\"")}});
  auto run = identify(network);
  CHECK(run.record.value("service.tls") == json::value(true));
  CHECK(run.record.text("service.tls_version") == "TLSv1.3");
  CHECK(run.record.text("service.tls_cipher") == "TLS_AES_256_GCM_SHA384");
  CHECK(run.record.is_absent("service.certificate"));
  CHECK(run.record.text("service.protocol") == "http");
  CHECK(run.record.is_absent("service.redirects_to_tls"));
  CHECK(canonical(run.record.value("service.logins")) ==
        R"([{"clear":false,"dialect":"http-basic","path":"/","realm":"r"}])");
  CHECK(network.tls_offers == std::vector<std::string>{"http/1.1", "mqtt"});

  network.tls_session.chain_der = {"no certificate"};
  run = identify(network);
  CHECK(run.record.is_unobserved("service.certificate"));
}

TEST_CASE("A handshake that fails leaves TLS seen and the rest unobserved") {
  FakeNetwork network;
  network.tcp[443] = serves("\x16", "\x15\x03\x01\x00\x02\x02\x28"s);
  const auto run = identify(network, "tcp/443");
  REQUIRE(run.ended);
  CHECK(run.record.value("service.tls") == json::value(true));
  CHECK(run.record.is_unobserved("service.tls_version"));
  CHECK(run.record.is_unobserved("service.logins"));
  CHECK(run.record.is_absent("service.protocol"));
}

TEST_CASE("A clear-text 400 from a TLS port does not make it plain HTTP") {
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      if (written.starts_with("\x16")) {
        line.say(fake::server_hello());
      } else if (!written.empty()) {
        line.say(page("400 Bad Request", "plain HTTP was sent to a TLS port"));
        line.close();
      }
    };
  };
  network.tls[kPort] = web({{"/", page("200 OK", "x")}});
  const auto run = identify(network);
  CHECK(run.record.value("service.tls") == json::value(true));
  CHECK(run.record.text("service.protocol") == "http");
  CHECK(run.record.is_absent("service.redirects_to_tls"));
}

TEST_CASE("CoAP over UDP is told by an answer to our token") {
  FakeNetwork network;
  network.udp[5683] = [](std::string_view datagram) -> std::vector<std::string> {
    const auto request = wire::parse_coap(datagram);
    if (request.state != wire::Parse::complete) {
      return {};
    }
    wire::CoapMessage reply;
    reply.type = wire::CoapMessage::acknowledgement;
    reply.code = 0x45;
    reply.id = request.message.id;
    reply.token = request.message.token;
    reply.payload = "</sensors>;ct=40";
    return {wire::encode_coap(reply)};
  };
  auto run = identify(network, "udp/5683");
  CHECK(run.record.text("service.protocol") == "coap");
  CHECK(run.record.value("service.tls") == json::value(false));
  network.udp[5683] = [](std::string_view) {
    return std::vector<std::string>{
        "\x60\x45\x00\x01\xff"
        "lie"s};
  };
  run = identify(network, "udp/5683");
  CHECK(run.record.value("service.reachable") == json::value(true));
  CHECK(run.record.is_absent("service.protocol"));
}

TEST_CASE("A UDP port is asked in the protocols that the list of requests has for it") {
  fake::FakeLibrary library;
  PayloadList list{"udp-payloads", "T", "S", {}};
  list.payloads.push_back(
      {"ssdp-search", "ssdp", "S", {1900}, "M-SEARCH", {{"HTTP/1.1 200", std::string(12, '\xff')}}, {}, {}});
  list.payloads.push_back({"dtls-hello", "dtls", "S", {5684}, "HELLO", {{"\x16\xfe\xff", "\xff\xff\xff"}}, {}, {}});
  list.payloads.push_back({"dhcp", "dhcp", "S", {67}, "DHCP", {{"D", "\xff"}}, std::uint16_t{68}, {}});
  library.lists["udp-payloads"] = list;
  std::vector<std::string> asked;
  FakeNetwork network;
  network.udp[1900] = [&](std::string_view datagram) -> std::vector<std::string> {
    asked.emplace_back(datagram);
    return {"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nSERVER: Linux/3.4 UPnP/1.0 MiniUPnPd/1.9\r\n\r\n"};
  };
  auto run = fake::observe(probes::services::kDescriptor, network, "udp/1900", {}, {}, library);
  CHECK(asked == std::vector<std::string>{"M-SEARCH"});
  CHECK(run.record.text("service.protocol") == "ssdp");
  CHECK(run.record.value("service.tls") == json::value(false));
  CHECK(run.record.value("service.details").at("server") == json::value("Linux/3.4 UPnP/1.0 MiniUPnPd/1.9"));
  CHECK(run.record.fault.empty());

  network.udp[5684] = [](std::string_view datagram) {
    return datagram == "HELLO" ? std::vector<std::string>{"\x16\xfe\xff cookie"s} : std::vector<std::string>{};
  };
  network.udp[40000] = network.udp[5684];  // a port of no list entry is asked for DTLS too
  for (const auto* endpoint : {"udp/5684", "udp/40000"}) {
    run = fake::observe(probes::services::kDescriptor, network, endpoint, {}, {}, library);
    CHECK(run.record.text("service.protocol") == "dtls");
    CHECK(run.record.value("service.tls") == json::value(true));
    CHECK(run.record.is_unobserved("service.tls_version"));
    CHECK(run.record.fault.empty());
  }
}

TEST_CASE("A DTLS server that began a session is told that it ends") {
  FakeNetwork network;
  fake::FakeLibrary library;
  PayloadList list{"udp-payloads", "T", "S", {}};
  list.payloads.push_back({"dtls-hello", "dtls", "S", {5684}, "HELLO", {{"\x16\xfe\xfd", "\xff\xff\xff"}}, {}, {}});
  library.lists["udp-payloads"] = list;
  std::vector<std::string> asked;
  const auto head = "\x16\xfe\xfd"s + std::string(10, '\0');
  std::string answer;
  network.udp[5684] = [&](std::string_view datagram) {
    asked.emplace_back(datagram);
    return datagram == "HELLO" ? std::vector<std::string>{answer} : std::vector<std::string>{};
  };
  const auto farewell = "\x15\xfe\xfd\0\0\0\0\0\0\0\x01\0\x02\x02\x5a"s;  // fatal, user_canceled
  answer = head + "\x02 hello";
  auto run = fake::observe(probes::services::kDescriptor, network, "udp/5684", {}, {}, library);
  CHECK(run.record.text("service.protocol") == "dtls");
  CHECK(asked == std::vector<std::string>{"HELLO", farewell});
  asked.clear();
  answer = head + "\x03 cookie";  // nothing is open
  run = fake::observe(probes::services::kDescriptor, network, "udp/5684", {}, {}, library);
  CHECK(run.record.text("service.protocol") == "dtls");
  CHECK(asked == std::vector<std::string>{"HELLO"});
}

TEST_CASE("Silence on UDP is not a closed port") {
  FakeNetwork network;
  auto run = identify(network, "udp/161");
  REQUIRE(run.ended);
  CHECK(run.record.is_unobserved("service.reachable"));
  CHECK(run.record.is_unobserved("service.protocol"));
  network.udp_refuses[161] = true;
  run = identify(network, "udp/161");
  REQUIRE_FALSE(run.ended);
  CHECK(run.ended.error().kind == ErrorKind::refused);
  CHECK(run.record.value("service.reachable") == json::value(false));
}

TEST_CASE("A community string answers with the system description") {
  FakeNetwork network;
  network.udp[161] = [](std::string_view datagram) -> std::vector<std::string> {
    // The question with its PDU made a response, and NULL made a text.
    std::string answer{datagram};
    const auto pdu = answer.find('\xa0');
    if (pdu == std::string::npos) {
      return {};
    }
    answer[pdu] = '\xa2';
    return {answer};
  };
  const auto run = identify(network, "udp/161");
  CHECK(run.record.text("service.protocol") == "snmp");
  CHECK(run.record.value("service.details").at("community") == json::value("public"));
  CHECK(logins(run).size() == 1);
}

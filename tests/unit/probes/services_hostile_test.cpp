#include <random>

#include "probes/wire/bytes.hpp"
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

fake::Run look_at(FakeNetwork& network) {
  auto run = fake::observe(probes::services::kDescriptor, network, "tcp/4000");
  CHECK(run.record.fault.empty());
  return run;
}

}  // namespace

TEST_CASE("A refused connection is an answer, a silent one is none") {
  FakeNetwork network;
  const auto run = look_at(network);
  REQUIRE_FALSE(run.ended);
  CHECK(run.ended.error().kind == ErrorKind::refused);
  CHECK(run.record.value("service.reachable") == json::value(false));
  CHECK(run.record.is_absent("service.protocol"));
}

TEST_CASE("Hostile devices leave every fact settled and no false identification") {
  std::mt19937 random{99};
  std::string noise;
  while (noise.size() < 5000) {
    wire::put_u8(noise, static_cast<std::uint32_t>(random() & 0xffU));
  }
  noise[0] = '\x07';

  struct Row {
    const char* what;
    fake::PeerMaker peer;
  };

  const auto on_open = [](std::function<void(Line&)> act) -> fake::PeerMaker {
    return [act](int) -> Peer {
      return [act](std::string_view written, Line& line) {
        if (written.empty()) {
          act(line);
        }
      };
    };
  };
  const Row rows[] = {
      {"silent", fake::says("")},
      {"closes at once", on_open([](Line& line) { line.close(); })},
      {"resets at once", on_open([](Line& line) { line.reset(); })},
      {"drips bytes", on_open([](Line& line) { line.drip(std::string(3000, 'z')); })},
      {"random bytes", fake::says(noise)},
      {"random answers", fake::answers(noise)},
      {"endless banner", on_open([](Line& line) { line.repeat(std::string(4096, 'A')); })},
      {"endless lines", on_open([](Line& line) { line.repeat("hello\r\n"); })},
      {"endless reply lines", on_open([](Line& line) { line.repeat("220-x\r\n"); })},
      {"half a TLS record", fake::answers("\x16\x03\x03\x40\x00\x02")},
      {"giant CONNACK", fake::answers("\x20\xff\xff\xff\x7f")},
      {"SSH without end", fake::says("SSH-2.0-" + std::string(5000, 'x'))},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    FakeNetwork network;
    network.tcp[kPort] = row.peer;
    const auto run = look_at(network);
    CHECK(run.ended);
    CHECK(run.record.is_absent("service.protocol"));
    CHECK(run.record.is_unobserved("service.logins"));
    CHECK(network.connections[kPort] <= 21);
    CHECK(network.bytes_served < 2'000'000);
    CHECK(network.passed < milliseconds{60'000});
  }
}

TEST_CASE("Hostile HTTP is bounded and stays HTTP") {
  struct Row {
    const char* what;
    std::string head;
    std::string forever;
  };

  for (const auto& row : {Row{"endless body", "HTTP/1.1 200 OK\r\n\r\n", std::string(4096, 'b')},
                          Row{"endless chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"},
                          Row{"endless headers", "HTTP/1.1 200 OK\r\n", "X: y\r\n"}}) {
    CAPTURE(row.what);
    FakeNetwork network;
    network.tcp[kPort] = [&row](int) -> Peer {
      return [&row](std::string_view written, Line& line) {
        if (!written.empty()) {
          line.say(row.head);
          line.repeat(row.forever);
        }
      };
    };
    const auto run = look_at(network);
    CHECK(run.ended);
    CHECK(network.bytes_served < 5'000'000);
  }
}

TEST_CASE("A device that takes one connection only is not asked for ever") {
  FakeNetwork network;
  network.tcp[kPort] = fake::says("");
  network.refuse_after[kPort] = 1;
  const auto run = look_at(network);
  REQUIRE(run.ended);
  CHECK(run.record.value("service.reachable") == json::value(true));
  CHECK(network.connections[kPort] <= 21);
}

TEST_CASE("A text of the device cannot reach a report unescaped") {
  FakeNetwork network;
  network.tcp[kPort] = fake::answers(
      "HTTP/1.1 401 x\r\nServer: a\x1b[2J/1\xff\r\nWWW-Authenticate: Basic realm=\"\x07\"\r\nContent-Length: "
      "0\r\n\r\n");
  const auto run = look_at(network);
  CHECK(run.record.text("service.product") == "a\\x1b[2J");
  CHECK(run.record.value("service.logins").at(0).at("realm") == json::value("\\x07"));
}

TEST_CASE("Where only one connection may be open, none is kept while another is opened") {
  FakeNetwork network;
  network.spare = 0;
  int open = 0;
  int most = 0;
  network.tcp[kPort] = [&](int) -> Peer {
    const auto held = std::shared_ptr<int>(new int{0}, [&](const int* counted) {
      --open;
      delete counted;
    });
    most = std::max(most, ++open);
    return [held](std::string_view, Line&) {};
  };
  const auto run = look_at(network);
  REQUIRE(run.ended);
  CHECK(most == 1);
  CHECK(network.connections[kPort] > 5);
}

TEST_CASE("Nothing is said to the raw port of a printer, and its silence names nobody") {
  FakeNetwork network;
  std::string said;
  network.tcp[9100] = [&](int) -> Peer { return [&](std::string_view written, Line&) { said += written; }; };
  const auto run = fake::observe(probes::services::kDescriptor, network, "tcp/9100");
  CHECK(said.empty());
  CHECK(network.connections[9100] == 1);
  CHECK(run.record.is_absent("service.protocol"));
}

TEST_CASE("Six seconds are enough for a port that never says anything") {
  FakeNetwork network;
  network.tcp[kPort] = fake::says("");
  CHECK(look_at(network).ended);
  CHECK(network.passed < milliseconds{6000});
}

TEST_CASE("Two questions that come back byte for byte are an echo service, and asking ends") {
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view written, Line& line) {
      if (!written.empty()) {
        line.say(std::string{written});
      }
    };
  };
  const auto run = look_at(network);
  CHECK(run.record.text("service.protocol") == "echo");
  CHECK(network.connections[kPort] == 2);
}

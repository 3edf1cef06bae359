#include "tests/unit/harness/net/loopback.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <netinet/in.h>
#include <thread>

#include "harness/net/raw_socket.hpp"
#include "tests/support/own_network.hpp"

/// The unit tests with sockets: loopback only, ports the kernel chooses.

using namespace assay;
using assay::loopback::Bench;
using assay::loopback::Peer;
using namespace std::chrono_literals;

namespace {

constexpr auto kWithin = 2000ms;

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    (void)entry;
    ++count;
  }
  return count;
}

/// A port nobody listens on: bound once and given back.
std::uint16_t closed_port(const char* address = "127.0.0.1") {
  return Peer{address, SOCK_STREAM, -1}.port;
}

Endpoint tcp(std::uint16_t port) {
  return {Transport::tcp, port};
}

asio::awaitable<void> connect_to(Network& network, std::uint16_t port, std::unique_ptr<Stream>& stream,
                                 std::optional<ErrorKind>& kind) {
  const auto to = tcp(port);
  auto connected = co_await network.connect_tcp(to, kWithin);
  if (connected) {
    stream = std::move(*connected);
  } else {
    kind = connected.error().kind;
  }
}

std::optional<ErrorKind> connect_error(Bench& bench, std::uint16_t port) {
  std::unique_ptr<Stream> stream;
  std::optional<ErrorKind> kind;
  bench.run(connect_to(*bench.network, port, stream, kind));
  return kind;
}

std::unique_ptr<Stream> connected(Bench& bench, std::uint16_t port) {
  std::unique_ptr<Stream> stream;
  std::optional<ErrorKind> kind;
  bench.run(connect_to(*bench.network, port, stream, kind));
  REQUIRE(stream);
  return stream;
}

/// Text read, or the kind of the error in words.
asio::awaitable<void> read_text(Stream& stream, milliseconds within, std::string& text) {
  std::array<std::byte, 64> buffer{};
  const std::span<std::byte> into{buffer};
  const auto size = co_await stream.read_some(into, within);
  text =
      size ? std::string{reinterpret_cast<const char*>(buffer.data()), *size} : std::string{name_of(size.error().kind)};
}

std::string read_from(Bench& bench, Stream& stream, milliseconds within) {
  std::string text;
  bench.run(read_text(stream, within, text));
  return text;
}

asio::awaitable<void> sweep(Network& network, std::vector<PortRange> ranges, SweepMethod method,
                            std::optional<SweepReport>& report) {
  const Progress silent;
  auto swept = co_await network.sweep_tcp(ranges, method, silent);
  if (swept) {
    report = std::move(*swept);
  }
}

SweepReport swept(Bench& bench, const std::vector<PortRange>& ranges, SweepMethod method = SweepMethod::connect) {
  std::optional<SweepReport> report;
  bench.run(sweep(*bench.network, ranges, method, report));
  REQUIRE(report);
  return *report;
}

std::vector<std::pair<const char*, SweepMethod>> both(const std::vector<SweepMethod>& methods) {
  std::vector<std::pair<const char*, SweepMethod>> out;
  for (const auto* address : {"127.0.0.1", "::1"}) {
    for (const auto method : methods) {
      out.emplace_back(address, method);
    }
  }
  return out;
}

asio::awaitable<void> exchange(Network& network, std::uint16_t port, std::string payload, milliseconds within,
                               std::string& outcome, std::uint16_t& from) {
  const Endpoint to{Transport::udp, port};
  const auto socket = co_await network.open_udp(to);
  if (!socket) {
    outcome = name_of(socket.error().kind);
    co_return;
  }
  const auto bytes = std::as_bytes(std::span{payload});
  const auto sent = co_await (*socket)->send(bytes);
  if (!sent) {
    outcome = name_of(sent.error().kind);
    co_return;
  }
  const auto answer = co_await (*socket)->receive(within);
  if (!answer) {
    outcome = name_of(answer.error().kind);
    co_return;
  }
  outcome.assign(reinterpret_cast<const char*>(answer->payload.data()), answer->payload.size());
  from = answer->from_port;
}

std::string exchange_with(Bench& bench, std::uint16_t port, milliseconds within = 100ms) {
  std::string outcome;
  std::uint16_t from = 0;
  bench.run(exchange(*bench.network, port, "ask", within, outcome, from));
  return outcome;
}

}  // namespace

TEST_CASE("A closed port refuses and an open one connects, on IPv4 and IPv6") {
  for (const auto* address : {"127.0.0.1", "::1"}) {
    Bench bench{address};
    CHECK(connect_error(bench, closed_port(address)) == ErrorKind::refused);
    const Peer peer{address, SOCK_STREAM, 1};
    CHECK_FALSE(connect_error(bench, peer.port));
    CHECK(bench.governor.round_trip().known());
    CHECK(bench.governor.numbers().connects == 2);
    CHECK(bench.governor.numbers().sockets_in_flight == 0);
  }
}

TEST_CASE("Bytes go both ways, an orderly end is closed and a cut is reset") {
  Bench bench;
  const Peer peer{"127.0.0.1", SOCK_STREAM, 1};
  const auto stream = connected(bench, peer.port);
  auto accepted = peer.accept();
  REQUIRE(::send(accepted.get(), "hello", 5, MSG_NOSIGNAL) == 5);
  CHECK(read_from(bench, *stream, kWithin) == "hello");
  ::shutdown(accepted.get(), SHUT_WR);
  CHECK(read_from(bench, *stream, kWithin) == "closed");
  const linger at_once{1, 0};
  REQUIRE(::setsockopt(accepted.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
  accepted.reset();
  const auto second = connected(bench, peer.port);
  auto cut = peer.accept();
  REQUIRE(::setsockopt(cut.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
  cut.reset();
  CHECK(read_from(bench, *second, kWithin) == "reset");
}

TEST_CASE("Silence ends at the time given, and the stream can be read on") {
  Bench bench;
  const Peer peer{"127.0.0.1", SOCK_STREAM, 1};
  const auto stream = connected(bench, peer.port);
  const auto accepted = peer.accept();
  CHECK(read_from(bench, *stream, 30ms) == "timed_out");
  REQUIRE(::send(accepted.get(), "late", 4, MSG_NOSIGNAL) == 4);
  CHECK(read_from(bench, *stream, kWithin) == "late");
}

TEST_CASE("The deadline of the step ends what a probe would wait for longer") {
  Bench bench{"127.0.0.1", 100ms};
  const Peer peer{"127.0.0.1", SOCK_STREAM, 1};
  const auto stream = connected(bench, peer.port);
  CHECK(read_from(bench, *stream, 1h) == "timed_out");
  CHECK(connect_error(bench, peer.port) == ErrorKind::timed_out);
}

TEST_CASE("A port that drops packets is a timeout, and lowers the governor's limit") {
  Bench bench;
  // A full backlog makes the kernel drop further SYNs: the one silence loopback offers.
  const Peer peer{"127.0.0.1", SOCK_STREAM, 0};
  std::vector<std::unique_ptr<Stream>> held;
  std::optional<ErrorKind> kind;
  for (int attempt = 0; attempt < 5 && !kind; ++attempt) {
    std::unique_ptr<Stream> stream;
    bench.run(connect_to(*bench.network, peer.port, stream, kind));
    held.push_back(std::move(stream));
  }
  CHECK(kind == ErrorKind::timed_out);
  CHECK(bench.governor.numbers().connect_timeouts == 1);
  CHECK(bench.governor.numbers().socket_limit < 4096);
}

TEST_CASE("Cancellation ends a read, and everything after it, with cancelled") {
  Bench bench;
  const Peer peer{"127.0.0.1", SOCK_STREAM, 1};
  const auto stream = connected(bench, peer.port);
  std::vector<std::string> log(2);
  const auto task = [&]() -> asio::awaitable<void> {
    co_await read_text(*stream, 1h, log[0]);
    co_await read_text(*stream, 1h, log[1]);
  };
  bench.cancel_in(20ms);
  bench.run(task());
  CHECK(log == std::vector<std::string>{"cancelled", "cancelled"});
}

TEST_CASE("Cancellation ends a connect that waits for an answer") {
  Bench bench;
  const Peer peer{"127.0.0.1", SOCK_STREAM, 0};
  std::vector<std::unique_ptr<Stream>> held(4);
  std::optional<ErrorKind> kind;
  const auto task = [&]() -> asio::awaitable<void> {
    for (auto& stream : held) {
      co_await connect_to(*bench.network, peer.port, stream, kind);
    }
  };
  bench.cancel_in(50ms);
  bench.run(task());
  CHECK(kind == ErrorKind::cancelled);
}

TEST_CASE("What lies outside the scope is denied and never contacted") {
  const Peer peer{"127.0.0.1", SOCK_STREAM, 1};
  Bench bench{"127.0.0.1", 20s, {"10.20.0.0/28"}};
  CHECK(connect_error(bench, peer.port) == ErrorKind::denied);
  std::optional<SweepReport> report;
  bench.run(sweep(*bench.network, {{peer.port, peer.port}}, SweepMethod::best, report));
  CHECK_FALSE(report);
  CHECK(exchange_with(bench, peer.port) == "denied");
  CHECK(bench.governor.numbers().connects == 0);
}

bool ended_now(const UniqueFd& socket) {
  char byte = 0;
  return ::recv(socket.get(), &byte, 1, MSG_DONTWAIT) == 0;
}

/// The ways of asking that this process is allowed.
std::vector<SweepMethod> methods() {
  std::vector<SweepMethod> out = {SweepMethod::connect};
  if (open_raw_tcp(*IpAddress::parse("127.0.0.1"))) {
    out.push_back(SweepMethod::syn);
  }
  return out;
}

TEST_CASE("In a network of its own a process may send SYN segments") {
  CHECK((methods().size() == 2 || !in_network_of_our_own()));
}

TEST_CASE("A sweep finds exactly the open ports, on IPv4 and IPv6, by connects and by SYN segments") {
  for (const auto& [address, method] : both(methods())) {
    CAPTURE(address, enum_name(method));
    Bench bench{address};
    const Peer one{address, SOCK_STREAM, 8};
    const Peer two{address, SOCK_STREAM, 8};
    const auto low = static_cast<std::uint16_t>(std::max(1, std::min(one.port, two.port) - 300));
    const auto high = static_cast<std::uint16_t>(std::min(65535, std::max(one.port, two.port) + 300));
    const auto before = open_descriptors();
    const auto report = swept(bench, {{low, high}}, method);
    CHECK(report.method == (method == SweepMethod::syn ? "tcp-syn" : "tcp-connect"));
    CHECK(open_descriptors() == before);
    const auto state = [&](std::uint16_t port) {
      const auto found = std::find_if(report.results.begin(), report.results.end(),
                                      [&](const auto& result) { return result.port == port; });
      return found == report.results.end() ? PortState::closed : found->state;
    };
    CHECK(state(one.port) == PortState::open);
    CHECK(state(two.port) == PortState::open);
    CHECK(report.ports == high - low + 1);
    CHECK(report.ports == report.open + report.closed + report.filtered + report.unreliable);
    // On the host's own loopback a neighbour may be silent.
    CHECK((report.filtered + report.unreliable == 0 || !in_network_of_our_own()));
    CHECK(report.rtt_ns > 0);
    CHECK(bench.governor.numbers().sockets_in_flight == 0);
  }
}

TEST_CASE("A sweep never mistakes its own ephemeral port for a listener") {
  // The usual ephemeral range: without the check one or two of these connects meet themselves, in most runs.
  Bench bench;
  if (in_network_of_our_own()) {
    for (const auto method : methods()) {
      CAPTURE(enum_name(method));
      const auto report = swept(bench, {{32768, 60999}}, method);
      CHECK(report.closed == report.ports);
      CHECK(report.results.empty());
    }
    return;
  }
  const auto report = swept(bench, {{32768, 60999}});
  // On the host's own loopback others come and go; whoever listens still does at a second look.
  for (const auto& result : report.results) {
    if (result.state == PortState::open) {
      CHECK_FALSE(connect_error(bench, result.port));
    }
  }
}

TEST_CASE("A silent port beside ports that answer is filtered, after at least two connects") {
  Bench bench;
  const Peer full{"127.0.0.1", SOCK_STREAM, 0};
  std::vector<std::unique_ptr<Stream>> held;
  std::optional<ErrorKind> kind;
  for (int attempt = 0; attempt < 5 && !kind; ++attempt) {
    std::unique_ptr<Stream> stream;
    bench.run(connect_to(*bench.network, full.port, stream, kind));
    held.push_back(std::move(stream));
  }
  REQUIRE(kind == ErrorKind::timed_out);
  const auto other = closed_port();
  for (const auto method : methods()) {
    CAPTURE(enum_name(method));
    const auto report = swept(bench, {{full.port, full.port}, {other, other}}, method);
    REQUIRE(report.results.size() == 1);
    CHECK(report.results[0].port == full.port);
    CHECK(report.results[0].state == PortState::filtered);
    CHECK(report.lost >= 2);
    CHECK(report.closed == 1);
  }
}

TEST_CASE("Connections end in order: those of a sweep, and those that leave bytes unread") {
  Bench bench;
  const Peer peer{"127.0.0.1", SOCK_STREAM, 8};
  const auto ended_in_order = [](const UniqueFd& accepted) {
    char byte = 0;
    return ::recv(accepted.get(), &byte, 1, 0) == 0;
  };
  (void)swept(bench, {{peer.port, peer.port}});
  CHECK(ended_in_order(peer.accept()));
  auto stream = connected(bench, peer.port);
  std::vector<UniqueFd> accepted;
  while (accepted.empty() || ended_now(accepted.back())) {  // the sweep's come first
    accepted.push_back(peer.accept());
  }
  REQUIRE(::send(accepted.back().get(), "220 banner", 10, MSG_NOSIGNAL) == 10);
  stream.reset();
  CHECK(ended_in_order(accepted.back()));
}

TEST_CASE("A cancelled sweep returns what it has and gives back its sockets") {
  Bench bench;
  auto pace = *pace_profile("gentle");
  Governor slow{pace};
  Target target;
  target.address = "127.0.0.1";
  const auto scope = make_scope({"127.0.0.1"}, false);
  REQUIRE(scope);
  bench.network = make_network(bench.io.get_executor(), slow, *scope, target, std::chrono::steady_clock::now() + 60s);
  const auto before = open_descriptors();
  bench.cancel_in(200ms);
  const auto report = swept(bench, {{1, 65535}});
  CHECK(report.unreliable > 60000);
  CHECK(report.ports == 65535);
  CHECK(report.attempts > 0);
  CHECK(report.attempts < 200);
  CHECK(slow.numbers().sockets_in_flight == 0);
  CHECK(open_descriptors() == before);
}

TEST_CASE("A sweep over no ports is an input error") {
  Bench bench;
  std::optional<SweepReport> report;
  bench.run(sweep(*bench.network, {}, SweepMethod::best, report));
  CHECK_FALSE(report);
}

TEST_CASE("Other coroutines run while a sweep is under way") {
  Bench bench;
  const Peer peer{"127.0.0.1", SOCK_STREAM, 1};
  std::optional<SweepReport> report;
  std::unique_ptr<Stream> stream;
  std::optional<ErrorKind> kind;
  bool sweep_ran_on = false;
  asio::co_spawn(bench.io, sweep(*bench.network, {{1, 20000}}, SweepMethod::connect, report),
                 [](std::exception_ptr) {});
  const auto task = [&]() -> asio::awaitable<void> {
    co_await connect_to(*bench.network, peer.port, stream, kind);
    sweep_ran_on = !report;
  };
  bench.run(task());
  CHECK(stream);
  CHECK(sweep_ran_on);
  CHECK(report);
}

TEST_CASE("A closed UDP port is refused by ICMP, an open one that says nothing is silent, on IPv4 and IPv6") {
  for (const auto* address : {"127.0.0.1", "::1"}) {
    Bench bench{address};
    const Peer silent{address, SOCK_DGRAM, -1};
    const auto nobody = Peer{address, SOCK_DGRAM, -1}.port;
    CHECK(exchange_with(bench, nobody) == "refused");
    CHECK(exchange_with(bench, silent.port) == "timed_out");
  }
}

TEST_CASE("An answer from another port of the device is seen with its port") {
  Bench bench;
  const Peer asked{"127.0.0.1", SOCK_DGRAM, -1};
  const Peer answering{"127.0.0.1", SOCK_DGRAM, -1};
  std::thread device{[&] {
    std::array<char, 16> request{};
    SocketAddress from;
    from.size = sizeof from.storage;
    const auto size = ::recvfrom(asked.socket.get(), request.data(), request.size(), 0, from.get(), &from.size);
    (void)::sendto(answering.socket.get(), "answer", size == 3 ? 6 : 0, 0, from.get(), from.size);
  }};
  std::string outcome;
  std::uint16_t from = 0;
  bench.run(exchange(*bench.network, asked.port, "ask", kWithin, outcome, from));
  device.join();
  CHECK(outcome == "answer");
  CHECK(from == answering.port);
}

TEST_CASE("No operation leaves a descriptor behind") {
  const auto before = open_descriptors();
  {
    Bench bench;
    const Peer peer{"127.0.0.1", SOCK_STREAM, 4};
    const auto stream = connected(bench, peer.port);
    (void)connect_error(bench, closed_port());
    (void)read_from(bench, *stream, 10ms);
    (void)exchange_with(bench, closed_port(), 10ms);
    (void)swept(bench, {{1, 200}});
  }
  CHECK(open_descriptors() == before);
}

#include <array>

#include "harness/net/tls_stream.hpp"
#include "tests/unit/harness/net/loopback.hpp"

/// Our own listening side, with sockets on loopback.
namespace assay::loopback {
namespace {

using namespace std::chrono_literals;

constexpr auto kSoon = 5000ms;

/// A socket that connects from an address of loopback, as the device or as somebody else would.
UniqueFd caller(const char* from, std::uint16_t port) {
  UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  REQUIRE(socket);
  const SocketAddress own{*IpAddress::parse(from), 0};
  REQUIRE(::bind(socket.get(), own.get(), own.size) == 0);
  const SocketAddress to{*IpAddress::parse("127.0.0.1"), port};
  REQUIRE(::connect(socket.get(), to.get(), to.size) == 0);
  return socket;
}

asio::awaitable<void> take_one(Listener& listener, milliseconds within, std::unique_ptr<Stream>& stream,
                               std::optional<ErrorKind>& kind) {
  auto taken = co_await listener.accept(within);
  if (taken) {
    stream = std::move(*taken);
  } else {
    kind = taken.error().kind;
  }
}

asio::awaitable<void> hear(Stream& stream, std::string& text) {
  std::array<std::byte, 64> buffer{};
  const std::span<std::byte> into{buffer};
  const auto size = co_await stream.read_some(into, kSoon);
  text = size ? std::string{reinterpret_cast<const char*>(buffer.data()), *size} : size.error().what;
}

TEST_CASE("listener: the device is let in, anybody else is cut and counted") {
  Bench bench("127.0.0.2", std::chrono::seconds{20}, {"127.0.0.2"});
  const auto listener = bench.network->listen(0);
  REQUIRE(listener);
  CHECK((*listener)->address() == "127.0.0.1");
  REQUIRE((*listener)->port() != 0);
  const auto stranger = caller("127.0.0.3", (*listener)->port());
  const auto device = caller("127.0.0.2", (*listener)->port());
  REQUIRE(::send(device.get(), "hello", 5, 0) == 5);
  std::unique_ptr<Stream> stream;
  std::optional<ErrorKind> kind;
  bench.run(take_one(**listener, kSoon, stream, kind));
  REQUIRE(stream);
  CHECK((*listener)->strangers() == 1);
  std::string text;
  bench.run(hear(*stream, text));
  CHECK(text == "hello");
  std::array<char, 8> end{};
  CHECK(::recv(stranger.get(), end.data(), end.size(), 0) <= 0);
}

TEST_CASE("listener: nobody who comes is a time out, and a port that is taken is told") {
  Bench bench("127.0.0.2", std::chrono::seconds{20}, {"127.0.0.2"});
  const auto listener = bench.network->listen(0);
  REQUIRE(listener);
  std::unique_ptr<Stream> stream;
  std::optional<ErrorKind> kind;
  bench.run(take_one(**listener, 50ms, stream, kind));
  CHECK(kind == ErrorKind::timed_out);
  const auto again = bench.network->listen((*listener)->port());
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::io);
}

TEST_CASE("listener: nothing listens for a device outside of the scope") {
  Bench bench("127.0.0.2", std::chrono::seconds{20}, {"127.0.0.9"});
  const auto listener = bench.network->listen(0);
  REQUIRE_FALSE(listener);
  CHECK(listener.error().kind == ErrorKind::denied);
}

asio::awaitable<void> serve(Network& network, std::unique_ptr<Stream> over, TlsIdentity identity, TlsVisit& visit,
                            Result<>& ended) {
  auto served = co_await network.serve_tls(std::move(over), identity, visit, kSoon);
  ended = served ? Result<>{} : served.error();
}

TEST_CASE("listener: a client that speaks no TLS, and an identity that cannot be used, are told apart") {
  Bench bench("127.0.0.2", std::chrono::seconds{20}, {"127.0.0.2"});
  const auto listener = bench.network->listen(0);
  REQUIRE(listener);
  const auto device = caller("127.0.0.2", (*listener)->port());
  std::unique_ptr<Stream> stream;
  std::optional<ErrorKind> kind;
  bench.run(take_one(**listener, kSoon, stream, kind));
  REQUIRE(stream);
  TlsVisit visit;
  Result<> ended;
  bench.run(serve(*bench.network, std::move(stream), TlsIdentity{"no certificate", "no key"}, visit, ended));
  REQUIRE_FALSE(ended);
  CHECK(ended.error().kind == ErrorKind::bad_input);
  CHECK_FALSE(visit.finished);
}

/// A socket that sends from an address of loopback, as the device or as somebody else would.
UniqueFd sender(const char* from, std::uint16_t port, std::string_view text) {
  UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  REQUIRE(socket);
  const SocketAddress own{*IpAddress::parse(from), 0};
  REQUIRE(::bind(socket.get(), own.get(), own.size) == 0);
  const SocketAddress to{*IpAddress::parse("127.0.0.1"), port};
  REQUIRE(::connect(socket.get(), to.get(), to.size) == 0);
  REQUIRE(::send(socket.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  return socket;
}

asio::awaitable<void> take_datagram(DatagramListener& listener, milliseconds within, Datagrams::Received& received,
                                    std::optional<ErrorKind>& kind) {
  auto taken = co_await listener.receive(within);
  if (taken) {
    received = std::move(*taken);
  } else {
    kind = taken.error().kind;
  }
}

asio::awaitable<void> send_datagram(DatagramListener& listener, std::uint16_t to, std::optional<ErrorKind>& kind) {
  const std::array<std::byte, 2> bytes{std::byte{'h'}, std::byte{'i'}};
  const std::span<const std::byte> payload{bytes};
  const auto sent = co_await listener.send(to, payload);
  if (!sent) {
    kind = sent.error().kind;
  }
}

TEST_CASE("datagram listener: the device is heard and answered, anybody else is dropped and counted") {
  Bench bench("127.0.0.2", std::chrono::seconds{20}, {"127.0.0.2"});
  const auto listener = bench.network->listen_udp(0);
  REQUIRE(listener);
  CHECK((*listener)->address() == "127.0.0.1");
  const auto stranger = sender("127.0.0.3", (*listener)->port(), "psst");
  const auto device = sender("127.0.0.2", (*listener)->port(), "hello");
  Datagrams::Received received;
  std::optional<ErrorKind> kind;
  bench.run(take_datagram(**listener, kSoon, received, kind));
  REQUIRE_FALSE(kind);
  CHECK(std::string{reinterpret_cast<const char*>(received.payload.data()), received.payload.size()} == "hello");
  CHECK((*listener)->strangers() == 1);
  bench.run(send_datagram(**listener, received.from_port, kind));
  const std::array<std::byte, 3> bytes{std::byte{'y'}, std::byte{'o'}, std::byte{'u'}};
  REQUIRE((*listener)->answer(received.from_port, bytes));
  std::array<char, 8> text{};
  CHECK(::recv(device.get(), text.data(), text.size(), 0) == 2);
  CHECK(::recv(device.get(), text.data(), text.size(), 0) == 3);
  CHECK(std::string{text.data(), 3} == "you");
  CHECK(::recv(stranger.get(), text.data(), text.size(), MSG_DONTWAIT) < 0);
}

TEST_CASE("datagram listener: silence is a time out, a port that is taken is told, and nothing is heard of outside") {
  Bench bench("127.0.0.2", std::chrono::seconds{20}, {"127.0.0.2"});
  const auto listener = bench.network->listen_udp(0);
  REQUIRE(listener);
  Datagrams::Received received;
  std::optional<ErrorKind> kind;
  bench.run(take_datagram(**listener, 50ms, received, kind));
  CHECK(kind == ErrorKind::timed_out);
  const auto again = bench.network->listen_udp((*listener)->port());
  REQUIRE_FALSE(again);
  CHECK(again.error().kind == ErrorKind::io);
  Bench outside("127.0.0.2", std::chrono::seconds{20}, {"127.0.0.9"});
  const auto refused = outside.network->listen_udp(0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::denied);
}

}  // namespace
}  // namespace assay::loopback

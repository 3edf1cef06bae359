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

}  // namespace
}  // namespace assay::loopback

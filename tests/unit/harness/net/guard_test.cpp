#include <cerrno>
#include <netinet/in.h>
#include <sys/un.h>

#include <boost/asio/error.hpp>

#include "harness/net/backstop.hpp"
#include "harness/net/errors.hpp"
#include "tests/support/catch.hpp"

using namespace assay;

namespace {

bool reaches(const Scope& scope, const char* address) {
  const SocketAddress to{*IpAddress::parse(address), 80};
  return may_reach(scope, to.get(), to.size);
}

}  // namespace

TEST_CASE("The backstop lets only granted Internet addresses through") {
  const auto scope = make_scope({"10.20.0.0/28", "fd00::/64"}, false);
  REQUIRE(scope);
  CHECK(reaches(*scope, "10.20.0.3"));
  CHECK_FALSE(reaches(*scope, "10.20.0.99"));
  CHECK_FALSE(reaches(*scope, "127.0.0.1"));
  CHECK(reaches(*scope, "fd00::7"));
  CHECK_FALSE(reaches(*scope, "2001:4860::1"));
}

TEST_CASE("The backstop sees through IPv4-mapped addresses") {
  const auto scope = make_scope({"10.20.0.0/28"}, false);
  REQUIRE(scope);
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  for (const std::uint8_t last : {std::uint8_t{3}, std::uint8_t{99}}) {
    const std::uint8_t bytes[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 20, 0, last};
    std::copy(std::begin(bytes), std::end(bytes), mapped.sin6_addr.s6_addr);
    CHECK(may_reach(*scope, reinterpret_cast<const sockaddr*>(&mapped), sizeof mapped) == (last == 3));
  }
}

TEST_CASE("The backstop leaves other families and connected sockets alone") {
  const Scope nothing;
  CHECK(may_reach(nothing, nullptr, 0));
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  CHECK(may_reach(nothing, reinterpret_cast<const sockaddr*>(&local), sizeof local));
  sockaddr disconnect{};
  disconnect.sa_family = AF_UNSPEC;
  CHECK(may_reach(nothing, &disconnect, sizeof disconnect));
}

TEST_CASE("A truncated Internet address does not slip through") {
  const auto scope = make_scope({"10.20.0.0/28"}, false);
  REQUIRE(scope);
  const SocketAddress to{*IpAddress::parse("10.20.0.3"), 80};
  CHECK_FALSE(may_reach(*scope, to.get(), 4));
}

TEST_CASE("How a connection ended keeps its meaning") {
  const auto kind = [](int number) { return error_from_errno(number, "connect to tcp/80").kind; };
  CHECK(kind(ECONNREFUSED) == ErrorKind::refused);
  CHECK(kind(EHOSTUNREACH) == ErrorKind::unreachable);
  CHECK(kind(ENETUNREACH) == ErrorKind::unreachable);
  CHECK(kind(ECONNRESET) == ErrorKind::reset);
  CHECK(kind(EPIPE) == ErrorKind::reset);
  CHECK(kind(ETIMEDOUT) == ErrorKind::timed_out);
  CHECK(kind(EACCES) == ErrorKind::denied);
  CHECK(kind(EPERM) == ErrorKind::denied);
  CHECK(kind(EMFILE) == ErrorKind::io);
  CHECK(kind(ECANCELED) == ErrorKind::cancelled);
  CHECK(error_from_errno(ECONNREFUSED, "connect to tcp/80").what == "connect to tcp/80: Connection refused");
}

TEST_CASE("End of stream is an orderly close and an aborted wait is a cancellation") {
  CHECK(error_from_code(boost::asio::error::eof, "read").kind == ErrorKind::closed);
  CHECK(error_from_code(boost::asio::error::operation_aborted, "read").kind == ErrorKind::cancelled);
  CHECK(error_from_code(boost::asio::error::connection_reset, "read").kind == ErrorKind::reset);
}

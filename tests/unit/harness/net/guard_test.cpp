#include <cerrno>
#include <netinet/in.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/error.hpp>

#include "harness/net/backstop.hpp"
#include "harness/net/errors.hpp"
#include "harness/net/unique_fd.hpp"
#include "tests/support/catch.hpp"

using namespace assay;

namespace {

bool reaches(const Scope& scope, const char* address) {
  const SocketAddress to{*IpAddress::parse(address), 80};
  return may_reach(scope, to.get(), to.size);
}

/// errno of a connect to a discard port, 0 for success.
int connect_error(const char* address) {
  const SocketAddress to{*IpAddress::parse(address), 9};
  const UniqueFd socket{::socket(to.family(), SOCK_STREAM, 0)};
  return ::connect(socket.get(), to.get(), to.size) == 0 ? 0 : errno;
}

int send_error(const char* address, bool as_message) {
  SocketAddress to{*IpAddress::parse(address), 9};
  const UniqueFd socket{::socket(to.family(), SOCK_DGRAM, 0)};
  iovec part{};
  mmsghdr messages{};
  messages.msg_hdr.msg_name = to.get();
  messages.msg_hdr.msg_namelen = to.size;
  messages.msg_hdr.msg_iov = &part;
  messages.msg_hdr.msg_iovlen = 1;
  if (as_message) {
    return ::sendmsg(socket.get(), &messages.msg_hdr, 0) < 0 || ::sendmmsg(socket.get(), &messages, 1, 0) < 0 ? errno
                                                                                                              : 0;
  }
  return ::sendto(socket.get(), nullptr, 0, 0, to.get(), to.size) < 0 ? errno : 0;
}

int backstop_expectations() {
  const auto refused = [](const char* address) {
    return connect_error(address) == EPERM && send_error(address, false) == EPERM && send_error(address, true) == EPERM;
  };
  const auto reached = [](const char* address) {
    return connect_error(address) != EPERM && send_error(address, false) != EPERM && send_error(address, true) != EPERM;
  };
  if (!reached("127.0.0.2")) {
    return 1;
  }
  install_backstop(*make_scope({"127.0.0.1"}, false));
  if (!refused("127.0.0.2") || !refused("::1")) {
    return 2;
  }
  if (!reached("127.0.0.1")) {
    return 3;
  }
  install_backstop(*make_scope({"127.0.0.3"}, false));
  return reached("127.0.0.1") && reached("127.0.0.3") && refused("127.0.0.2") ? 0 : 4;
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

TEST_CASE("The groups of link discovery pass on their own ports, and no other group or port does") {
  const Scope nothing;
  const auto passes = [&](const char* address, std::uint16_t port) {
    const SocketAddress to{*IpAddress::parse(address), port};
    return may_reach(nothing, to.get(), to.size);
  };

  struct Row {
    const char* address;
    std::uint16_t port;
  };

  const Row granted[] = {{"224.0.0.251", 5353}, {"239.255.255.250", 1900}, {"239.255.255.250", 3702},
                         {"224.0.0.252", 5355}, {"ff02::fb", 5353},        {"ff02::c", 1900},
                         {"ff02::c", 3702},     {"ff02::1:3", 5355}};
  for (const auto& row : granted) {
    CAPTURE(row.address, row.port);
    CHECK(passes(row.address, row.port));
    for (const std::uint16_t port : std::initializer_list<std::uint16_t>{0, 53, 80, 5354}) {
      CHECK_FALSE(passes(row.address, port));
    }
  }
  CHECK_FALSE(passes("224.0.0.251", 5355));
  CHECK_FALSE(passes("239.255.255.250", 5353));
  for (const char* address : {"224.0.0.1", "224.0.0.250", "239.255.255.251", "255.255.255.255", "ff02::1", "ff02::2",
                              "ff05::c", "ff02::fa", "ff01::fb", "10.0.0.1"}) {
    for (const auto& row : granted) {
      CHECK_FALSE(passes(address, row.port));
    }
  }
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

TEST_CASE("Once installed the backstop holds for every caller in the process, and grants add up") {
  // In a child, because it cannot be taken back. Exit code: the number of the first expectation that did not hold.
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::_exit(backstop_expectations());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
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

#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "harness/net/guarded_network.hpp"
#include "harness/net/unique_fd.hpp"
#include "tests/support/catch.hpp"

/// A peer and a network on loopback, for the unit tests that need real sockets.
namespace assay::loopback {

/// A bound socket; listening for TCP when `backlog` is not negative.
struct Peer {
  Peer(const char* address, int type, int backlog) {
    const auto ip = *IpAddress::parse(address);
    SocketAddress bound{ip, 0};
    socket = UniqueFd{::socket(bound.family(), type | SOCK_CLOEXEC, 0)};
    REQUIRE(socket);
    REQUIRE(::bind(socket.get(), bound.get(), bound.size) == 0);
    if (backlog >= 0) {
      REQUIRE(::listen(socket.get(), backlog) == 0);
    }
    REQUIRE(::getsockname(socket.get(), bound.get(), &bound.size) == 0);
    port = bound.port();
  }

  UniqueFd accept() const { return UniqueFd{::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC)}; }

  UniqueFd socket;
  std::uint16_t port = 0;
};

/// One network on loopback and a loop to run one coroutine to its end.
struct Bench {
  explicit Bench(const char* address = "127.0.0.1", std::chrono::milliseconds deadline = std::chrono::seconds{20},
                 const std::vector<std::string>& ranges = {"127.0.0.1", "::1"})
      : governor(*pace_profile("fast")) {
    Target target;
    target.address = address;
    const auto scope = make_scope(ranges, false);
    REQUIRE(scope);
    network = make_network(io.get_executor(), governor, *scope, target, std::chrono::steady_clock::now() + deadline);
  }

  void run(asio::awaitable<void> task) {
    auto on_end = [this](std::exception_ptr failed) {
      CHECK_FALSE(failed);
      ended = true;
    };
    asio::co_spawn(io, std::move(task), asio::bind_cancellation_slot(signal.slot(), std::move(on_end)));
    io.restart();
    io.run();
    CHECK(ended);
  }

  /// Cancels the running task after a moment.
  void cancel_in(std::chrono::milliseconds moment) {
    timer.expires_after(moment);
    timer.async_wait([this](const boost::system::error_code& stopped) {
      if (!stopped) {
        signal.emit(asio::cancellation_type::terminal);
      }
    });
  }

  asio::io_context io{1};
  asio::cancellation_signal signal;
  asio::steady_timer timer{io};
  Governor governor;
  std::unique_ptr<Network> network;
  bool ended = false;
};

}  // namespace assay::loopback

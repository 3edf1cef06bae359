#include "harness/net/governor.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/support/catch.hpp"

using namespace assay;
using namespace std::chrono_literals;

namespace {

const TimePoint kLater = std::chrono::steady_clock::now() + 1h;

Pace pace_of(std::uint32_t connections) {
  auto pace = *pace_profile("fast");
  pace.max_connections = connections;
  return pace;
}

/// What one task got, in the order of getting.
struct Log {
  std::vector<std::string> events;
  std::vector<Governor::Slot> held;
};

asio::awaitable<void> take(Governor& governor, Log& log, std::string name) {
  auto slot = co_await governor.acquire_connection(kLater);
  if (!slot) {
    log.events.push_back(name + " " + std::string{name_of(slot.error().kind)});
    co_return;
  }
  log.events.push_back(name);
  log.held.push_back(std::move(*slot));
}

void spawn(asio::io_context& io, asio::awaitable<void> task) {
  asio::co_spawn(io, std::move(task), [](std::exception_ptr failed) { CHECK_FALSE(failed); });
}

/// Runs what is ready, also after the loop has run dry before.
void settle(asio::io_context& io) {
  io.restart();
  io.poll();
}

asio::awaitable<void> login(Governor& governor, std::string account, std::vector<std::string>& log) {
  const Endpoint endpoint{Transport::tcp, 23};
  const auto permitted = co_await governor.permit_login(endpoint, account, kLater);
  log.push_back(permitted ? account : std::string{name_of(permitted.error().kind)});
}

}  // namespace

TEST_CASE("Whoever waits for a socket is served in the order of asking") {
  asio::io_context io;
  Governor governor{pace_of(1)};
  Log log;
  for (const auto* name : {"first", "second", "third"}) {
    spawn(io, take(governor, log, name));
  }
  settle(io);
  CHECK(log.events == std::vector<std::string>{"first"});
  CHECK(governor.numbers().sockets_in_flight == 1);
  log.held.clear();
  settle(io);
  CHECK(log.events == std::vector<std::string>{"first", "second"});
  log.held.clear();
  settle(io);
  log.held.clear();
  settle(io);
  CHECK(log.events == std::vector<std::string>{"first", "second", "third"});
  CHECK(governor.numbers().sockets_in_flight == 0);
}

TEST_CASE("A sweep steps back while a probe waits") {
  asio::io_context io;
  Governor governor{pace_of(1)};
  Log log;
  REQUIRE(governor.try_take_socket());
  spawn(io, take(governor, log, "probe"));
  settle(io);
  CHECK(log.events.empty());
  governor.give_back_socket();
  CHECK_FALSE(governor.try_take_socket());
  settle(io);
  CHECK(log.events == std::vector<std::string>{"probe"});
}

TEST_CASE("A cancelled wait leaves the queue and takes nothing") {
  asio::io_context io;
  Governor governor{pace_of(1)};
  Log log;
  REQUIRE(governor.try_take_socket());
  asio::cancellation_signal signal;
  auto first = take(governor, log, "first");
  auto on_end = asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr failed) { CHECK_FALSE(failed); });
  asio::co_spawn(io, std::move(first), std::move(on_end));
  spawn(io, take(governor, log, "second"));
  settle(io);
  signal.emit(asio::cancellation_type::terminal);
  settle(io);
  CHECK(log.events == std::vector<std::string>{"first cancelled"});
  governor.give_back_socket();
  settle(io);
  CHECK(log.events == std::vector<std::string>{"first cancelled", "second"});
  log.held.clear();
  CHECK(governor.numbers().sockets_in_flight == 0);
}

TEST_CASE("A wait ends when the step's time is over") {
  asio::io_context io;
  Governor governor{pace_of(1)};
  std::optional<ErrorKind> ended;
  const auto past = std::chrono::steady_clock::now() - 1s;
  REQUIRE(governor.try_take_socket());
  const auto task = [&]() -> asio::awaitable<void> {
    const auto slot = co_await governor.acquire_connection(past);
    ended = slot ? std::nullopt : std::optional{slot.error().kind};
  };
  spawn(io, task());
  io.run();
  CHECK(ended == ErrorKind::timed_out);
}

TEST_CASE("A slot given back after its governor is gone does no harm") {
  asio::io_context io;
  Log log;
  {
    Governor governor{pace_of(1)};
    spawn(io, take(governor, log, "first"));
    settle(io);
  }
  REQUIRE(log.held.size() == 1);
  log.held.clear();
}

TEST_CASE("Loss lowers the number of sockets, answers raise it again") {
  Governor governor{pace_of(8)};
  governor.connect_timed_out(kLater);
  CHECK(governor.numbers().socket_limit == 4);
  for (int socket = 0; socket < 4; ++socket) {
    CHECK(governor.try_take_socket());
  }
  CHECK_FALSE(governor.try_take_socket());
  governor.connect_answered();
  CHECK(governor.try_take_socket());
  CHECK(governor.numbers().connect_timeouts == 1);
  CHECK(governor.numbers().decreases == 1);
}

TEST_CASE("Late answers halve what everybody may do") {
  const auto pace = *pace_profile("normal");
  Governor governor{pace};
  auto now = kLater;
  const auto work = [&](std::chrono::milliseconds took) {
    for (int answer = 0; answer < 200; ++answer) {
      now += 10ms;
      (void)governor.try_take_packet(now);
      governor.noticed(took, now);
    }
  };
  work(1ms);
  CHECK_FALSE(governor.throttle().limited());
  CHECK(governor.numbers().socket_limit == pace.max_connections);
  work(100ms);
  CHECK(governor.numbers().slow_downs > 0);
  CHECK(governor.numbers().socket_limit < pace.max_connections);
  (void)governor.try_take_packet(now + 1s);
  CHECK(governor.next_packet() > now + 1s + 15ms);  // no burst, and fewer than 60 a second
}

TEST_CASE("A connect takes its share of the packets") {
  asio::io_context io;
  Governor governor{Pace{}};
  Log log;
  const auto before = std::chrono::steady_clock::now();
  spawn(io, take(governor, log, "probe"));
  settle(io);
  CHECK(log.held.size() == 1);
  CHECK(governor.next_packet() > before + 20ms);  // 40 a second
}

TEST_CASE("A login permit is journalled before it is given, and withheld when that fails") {
  asio::io_context io;
  auto pace = pace_of(4);
  pace.login_attempts_per_account = 2;
  pace.login_interval_ms = 0;
  Governor governor{pace};
  std::vector<std::string> journal;
  bool disk_full = false;
  governor.on_login([&](const Endpoint& endpoint, const std::string& account, std::uint32_t used) -> Result<> {
    if (disk_full) {
      return Error{ErrorKind::io, "no space left", {}};
    }
    journal.push_back(endpoint.text() + " " + account + " " + std::to_string(used));
    return {};
  });
  std::vector<std::string> log;
  spawn(io, login(governor, "admin", log));
  io.restart();  // it stops whenever it runs out of work
  io.restart();
  io.restart();
  settle(io);
  disk_full = true;
  spawn(io, login(governor, "admin", log));
  io.restart();
  io.restart();
  settle(io);
  disk_full = false;
  spawn(io, login(governor, "admin", log));
  io.restart();
  settle(io);
  spawn(io, login(governor, "admin", log));
  io.restart();
  settle(io);
  CHECK(log == std::vector<std::string>{"admin", "io", "admin", "denied"});
  CHECK(journal == std::vector<std::string>{"tcp/23 admin 1", "tcp/23 admin 2"});
  CHECK(governor.numbers().logins == 2);
}

TEST_CASE("Login counters survive an interruption") {
  asio::io_context io;
  auto pace = pace_of(4);
  pace.login_attempts_per_account = 3;
  const auto before = std::make_shared<LoginBudget>(pace);
  before->restore({{"tcp/23 admin", 3}});
  Governor governor{pace, before};
  std::vector<std::string> log;
  spawn(io, login(governor, "admin", log));
  spawn(io, login(governor, "root", log));
  settle(io);
  CHECK(log == std::vector<std::string>{"denied", "root"});
  CHECK(governor.logins().at("tcp/23 root") == 1);
}

TEST_CASE("Guesses have a budget of their own on each endpoint, journalled before they are made") {
  auto pace = pace_of(4);
  pace.guesses_per_login = {2};
  Governor governor{pace};
  std::vector<std::string> journal;
  bool disk_full = true;
  governor.on_login([&](const Endpoint& endpoint, const std::string& account, std::uint32_t used) -> Result<> {
    if (disk_full) {
      return Error{ErrorKind::io, "no space left", {}};
    }
    journal.push_back(endpoint.text() + " " + account + " " + std::to_string(used));
    return {};
  });
  const Endpoint telnet{Transport::tcp, 23};
  CHECK(governor.permit_guess(telnet).error().kind == ErrorKind::io);
  disk_full = false;
  CHECK(governor.permit_guess(telnet));
  CHECK(governor.permit_guess(telnet));
  CHECK(governor.permit_guess(telnet).error().kind == ErrorKind::denied);
  CHECK(governor.permit_guess({Transport::tcp, 80}));
  CHECK(journal == std::vector<std::string>{"tcp/23 (guessing) 1", "tcp/23 (guessing) 2", "tcp/80 (guessing) 1"});
  const auto before = std::make_shared<LoginBudget>(pace);
  before->restore(governor.logins());
  Governor later{pace, before};
  CHECK(later.permit_guess(telnet).error().kind == ErrorKind::denied);
  pace.guesses_per_login = {0};
  Governor none{pace};
  CHECK(none.permit_guess(telnet).error().kind == ErrorKind::denied);
}

TEST_CASE("Governors of two addresses of a device spend one budget of logins") {
  asio::io_context io;
  auto pace = pace_of(1);
  pace.login_attempts_per_account = 3;
  pace.login_interval_ms = 0;
  const auto shared = std::make_shared<LoginBudget>(pace);
  Governor first{pace, shared};
  Governor second{pace, shared};
  Governor other{pace};
  std::vector<std::string> log;
  for (int i = 0; i < 2; ++i) {
    spawn(io, login(first, "admin", log));
    spawn(io, login(second, "admin", log));
    spawn(io, login(other, "admin", log));
  }
  settle(io);
  CHECK(std::count(log.begin(), log.end(), "admin") == 5);
  CHECK(log.size() == 6);
  CHECK(first.logins().at("tcp/23 admin") == 3);
  CHECK(second.logins() == first.logins());
  CHECK(other.logins().at("tcp/23 admin") == 2);
}

#include "probes/sessions/together.hpp"

#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tests/support/catch.hpp"

namespace assay::sessions {

namespace {

/// Ends when so many others had their turn.
asio::awaitable<void> turns(int count) {
  const auto executor = co_await asio::this_coro::executor;
  for (int turn = 0; turn < count; ++turn) {
    co_await asio::post(executor, asio::use_awaitable);
  }
}

/// Notes its name in capitals at the beginning, and as it is at the end.
asio::awaitable<void> note(std::string& log, char name, int count) {
  log += static_cast<char>(name - 'a' + 'A');
  co_await turns(count);
  log += name;
}

bool run(Jobs& jobs) {
  asio::io_context loop;
  bool failed = false;
  asio::co_spawn(loop, jobs.run(), [&](std::exception_ptr error) { failed = error != nullptr; });
  loop.run();
  return !failed;
}

}  // namespace

TEST_CASE("A job that is added late is taken up by a row that had nothing to do") {
  std::string log;
  Jobs jobs;
  jobs.set_width(3);
  jobs.add([&] { return note(log, 'a', 20); });
  jobs.add([&]() -> asio::awaitable<void> {
    jobs.add([&] { return note(log, 'b', 2); });
    jobs.add([&] { return note(log, 'c', 2); });
    return note(log, 'd', 8);
  });
  CHECK(run(jobs));
  CHECK(log == "ADBbCcda");
}

TEST_CASE("A job that is to be next begins before those that wait, and never beside more than the width") {
  std::string log;
  Jobs jobs;
  jobs.add([&]() -> asio::awaitable<void> {
    jobs.add_next([&] { return note(log, 'b', 1); });
    return note(log, 'a', 1);
  });
  jobs.add([&] { return note(log, 'c', 1); });
  CHECK(run(jobs));
  CHECK(log == "AaBbCc");
}

TEST_CASE("A job that throws ends its row alone, and rows that waited end with the last job") {
  std::string log;
  Jobs jobs;
  jobs.set_width(3);
  jobs.add([]() -> asio::awaitable<void> { throw std::runtime_error{"a job"}; });
  jobs.add([&] { return note(log, 'a', 3); });
  CHECK_FALSE(run(jobs));
  CHECK(log == "Aa");
}

}  // namespace assay::sessions

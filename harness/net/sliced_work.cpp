#include "harness/net/sliced_work.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include "harness/net/waiting.hpp"

namespace assay {

asio::awaitable<void> run_sliced(SlicedWork& work, UniqueFd waitable, TimePoint deadline) {
  const auto executor = co_await asio::this_coro::executor;
  asio::posix::stream_descriptor descriptor{executor, waitable.release()};
  while (!work.finished()) {
    const bool busy = work.slice();
    work.tell(std::chrono::steady_clock::now());
    if (work.finished()) {
      break;
    }
    if (busy) {
      co_await asio::post(executor, kNoThrow);
    } else {
      work.prepare_wait(std::chrono::steady_clock::now());
      co_await descriptor.async_wait(asio::posix::stream_descriptor::wait_read, kNoThrow);
    }
    if (co_await begin_operation()) {
      work.interrupt("interrupted");
      break;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      work.interrupt("the time of the step was over");
      break;
    }
  }
}

}  // namespace assay

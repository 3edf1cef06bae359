#include "probes/update/servers/reception.hpp"

namespace assay::probes::update {

namespace {

constexpr milliseconds kLong{3600000};

}  // namespace

asio::awaitable<Result<>> Reception::open(std::uint16_t port) {
  auto listener = context_.network.listen(port);
  if (!listener) {
    co_return listener.error();
  }
  listener_ = std::move(*listener);
  co_await accepting_.begin();
  co_await visits_.begin();
  accepting_.start(accept());
  co_return Result<>{};
}

asio::awaitable<void> Reception::end_visits() {
  co_await visits_.end();
}

asio::awaitable<void> Reception::close() {
  co_await accepting_.end();
  co_await visits_.end();
  listener_.reset();
}

asio::awaitable<void> Reception::accept() {
  while (true) {
    auto stream = co_await listener_->accept(kLong);
    if (!stream) {
      if (stream.error().kind == ErrorKind::timed_out) {
        continue;
      }
      co_return;
    }
    if (visits_.running() < most_) {  // else it is closed again
      visits_.start(attend_(std::move(*stream)));
    }
  }
}

}  // namespace assay::probes::update

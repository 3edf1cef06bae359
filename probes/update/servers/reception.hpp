#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "probes/sessions/tasks.hpp"
#include "probes/update/transport.hpp"

/// Where the device comes to us.
namespace assay::probes::update {

/// A port of ours and the visits there, side by side. Whoever owns it awaits `close` before it dies.
class Reception {
 public:
  using Attend = std::function<asio::awaitable<void>(std::unique_ptr<Stream>)>;

  /// A visit beyond `most` at the same time is closed again.
  Reception(ProbeContext& context, std::size_t most, Attend attend)
      : context_(context), most_(most), attend_(std::move(attend)) {}

  asio::awaitable<Result<>> open(std::uint16_t port);

  /// Cuts the visits that there are now.
  asio::awaitable<void> end_visits();

  asio::awaitable<void> close();

  /// Null while it is closed.
  const Listener* listener() const { return listener_.get(); }

 private:
  asio::awaitable<void> accept();

  ProbeContext& context_;
  std::size_t most_;
  Attend attend_;
  sessions::Tasks accepting_;
  sessions::Tasks visits_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace assay::probes::update

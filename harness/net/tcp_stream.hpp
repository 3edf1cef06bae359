#pragma once

#include <memory>
#include <optional>

#include <boost/asio/ip/tcp.hpp>

#include "harness/net/address.hpp"
#include "harness/net/flow_book.hpp"
#include "harness/net/governor.hpp"
#include "harness/net/waiting.hpp"
#include "harness/probe/network.hpp"

namespace assay {

/// How connections go out to one address.
struct Way {
  std::optional<IpAddress> from{};  // the address of ours to come from; none: as the routes say
  std::optional<bool> own_host{};   // this host has the address itself; the first connection tells
};

/// A connected TCP socket that holds its share of the governor's budget as long as it lives.
class TcpStream final : public Stream {
 public:
  TcpStream(asio::ip::tcp::socket socket, Governor::Slot slot, TimePoint deadline)
      : socket_(std::move(socket)), slot_(std::move(slot)), deadline_(deadline) {}

  /// In order, not by reset.
  ~TcpStream() override;

  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into, milliseconds within) override;
  asio::awaitable<Result<>> write_all(std::span<const std::byte> from, milliseconds within) override;
  void shutdown_send() override;

 private:
  void hold_nothing_back(std::size_t size);

  asio::ip::tcp::socket socket_;
  Governor::Slot slot_;
  TimePoint deadline_;
  bool wrote_ = false;
  bool no_delay_ = false;
};

/// Connects under the governor's budget and feeds its round-trip estimate. `flows`, when not empty, is told the socket,
/// also when the connect fails. `way` outlives the coroutine.
asio::awaitable<Result<std::unique_ptr<Stream>>> open_tcp(Governor& governor, IpAddress address, std::uint16_t port,
                                                          milliseconds within, TimePoint deadline, const FlowLog& flows,
                                                          Way& way);

}  // namespace assay

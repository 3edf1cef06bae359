#include "harness/net/datagram_listener.hpp"

#include <cerrno>
#include <cstring>
#include <optional>
#include <sys/socket.h>

#include <boost/asio/ip/udp.hpp>

#include "harness/net/errors.hpp"
#include "harness/net/listener.hpp"
#include "harness/net/waiting.hpp"

namespace assay {

using asio::ip::udp;

namespace {

constexpr std::size_t kLargestDatagram = 65535;
constexpr int kMostLooked = 64;  // datagrams of others in a row …
constexpr int kMostInARow = 32;  // … and of the device, before somebody else has a turn

class UdpListener final : public DatagramListener {
 public:
  UdpListener(udp::socket socket, Governor& governor, const IpAddress& device, TimePoint deadline)
      : socket_(std::move(socket)), governor_(governor), device_(device), deadline_(deadline) {
    boost::system::error_code ignored;
    own_ = socket_.local_endpoint(ignored);
  }

  std::string address() const override { return own_.address().to_string(); }

  std::uint16_t port() const override { return own_.port(); }

  std::int64_t strangers() const override { return strangers_; }

  asio::awaitable<Result<Datagrams::Received>> receive(milliseconds within) override {
    if (co_await begin_operation()) {
      co_return cancelled_error();
    }
    const auto until = time_limit(within, deadline_);
    const Alarm alarm{socket_.get_executor(), until, [this] {
                        boost::system::error_code ignored;
                        socket_.cancel(ignored);
                      }};
    while (true) {
      auto received = ++in_a_row_ <= kMostInARow ? take_datagram() : std::nullopt;
      if (received) {
        co_return std::move(*received);
      }
      if (std::chrono::steady_clock::now() >= until) {
        co_return timed_out_error("wait for a datagram");
      }
      in_a_row_ = 0;
      const auto outcome = co_await socket_.async_wait(udp::socket::wait_read, kNoThrow);
      const auto code = std::get<0>(outcome);
      if (code) {
        co_return alarm.rang() ? timed_out_error("wait for a datagram") : error_from_code(code, "wait for a datagram");
      }
    }
  }

  asio::awaitable<Result<>> send(std::uint16_t to_port, std::span<const std::byte> payload) override {
    const auto permitted = co_await governor_.acquire_packet(deadline_);
    if (!permitted) {
      co_return permitted;
    }
    co_return answer(to_port, payload);
  }

  Result<> answer(std::uint16_t to_port, std::span<const std::byte> payload) override {
    const SocketAddress to{device_, to_port};
    while (::sendto(socket_.native_handle(), payload.data(), payload.size(), MSG_NOSIGNAL, to.get(), to.size) < 0) {
      if (errno != EINTR) {
        return error_from_errno(errno, "send to udp/" + std::to_string(to_port));
      }
    }
    return {};
  }

 private:
  std::optional<Datagrams::Received> take_datagram() {
    for (int looked = 0; looked < kMostLooked; ++looked) {
      Datagrams::Received received;
      received.payload.resize(kLargestDatagram);
      SocketAddress from;
      from.size = sizeof from.storage;
      const auto size = ::recvfrom(socket_.native_handle(), received.payload.data(), received.payload.size(),
                                   MSG_DONTWAIT, from.get(), &from.size);
      if (size < 0) {
        return std::nullopt;  // nothing is there, or an interruption after which one is waited for again
      }
      if (IpAddress::from(from.get(), from.size) == device_) {
        received.payload.resize(static_cast<std::size_t>(size));
        received.from_port = from.port();
        return received;
      }
      ++strangers_;
    }
    return std::nullopt;
  }

  udp::socket socket_;
  udp::endpoint own_;
  Governor& governor_;
  IpAddress device_;
  TimePoint deadline_;
  std::int64_t strangers_ = 0;
  int in_a_row_ = 0;
};

}  // namespace

Result<std::unique_ptr<DatagramListener>> listen_for_datagrams(const asio::any_io_executor& executor,
                                                               Governor& governor, const IpAddress& device,
                                                               std::uint16_t port, TimePoint deadline,
                                                               const FlowLog& flows) {
  const auto own = address_towards(device);
  if (!own) {
    return own.error();
  }
  const SocketAddress native{*own, port};
  udp::endpoint endpoint;
  std::memcpy(endpoint.data(), native.get(), native.size);
  endpoint.resize(native.size);
  const auto from_ns = packet_clock();
  udp::socket socket{executor};
  boost::system::error_code failed;
  socket.open(endpoint.protocol(), failed);
  if (!failed) {
    socket.non_blocking(true, failed);
  }
  if (!failed) {
    socket.bind(endpoint, failed);
  }
  if (failed) {
    return Error{
        ErrorKind::io, "listen on udp/" + std::to_string(port) + " of " + own->text() + ": " + failed.message(), {}};
  }
  std::unique_ptr<DatagramListener> listener =
      std::make_unique<UdpListener>(std::move(socket), governor, device, deadline);
  if (flows) {  // whatever port the device sends from
    flows({Transport::udp, listener->port(), device, 0, from_ns});
  }
  return listener;
}

}  // namespace assay

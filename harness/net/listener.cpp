#include "harness/net/listener.hpp"

#include <cstring>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>

#include "harness/net/errors.hpp"
#include "harness/net/tcp_stream.hpp"
#include "harness/net/unique_fd.hpp"
#include "harness/net/waiting.hpp"

namespace assay {

using asio::ip::tcp;

namespace {

constexpr int kBacklog = 16;
constexpr std::uint16_t kAnyPort = 9;  // of a socket that never sends

tcp::endpoint endpoint_of(const SocketAddress& native) {
  tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), native.get(), native.size);
  endpoint.resize(native.size);
  return endpoint;
}

class TcpListener final : public Listener {
 public:
  TcpListener(tcp::acceptor acceptor, IpAddress device, TimePoint deadline)
      : acceptor_(std::move(acceptor)), device_(device), deadline_(deadline) {
    boost::system::error_code ignored;
    own_ = acceptor_.local_endpoint(ignored);
  }

  std::string address() const override { return own_.address().to_string(); }

  std::uint16_t port() const override { return own_.port(); }

  std::int64_t strangers() const override { return strangers_; }

  asio::awaitable<Result<std::unique_ptr<Stream>>> accept(milliseconds within) override {
    if (co_await begin_operation()) {
      co_return cancelled_error();
    }
    const auto until = time_limit(within, deadline_);
    while (true) {
      tcp::socket socket{acceptor_.get_executor()};
      const Alarm alarm{acceptor_.get_executor(), until, [this] {
                          boost::system::error_code ignored;
                          acceptor_.cancel(ignored);
                        }};
      const auto outcome = co_await acceptor_.async_accept(socket, kNoThrow);
      const auto code = std::get<0>(outcome);
      if (code) {
        if (code == asio::error::operation_aborted && alarm.rang()) {
          co_return timed_out_error("accept");
        }
        co_return error_from_code(code, "accept");
      }
      if (!is_device(socket)) {
        ++strangers_;
        continue;  // and the socket closes
      }
      std::unique_ptr<Stream> stream = std::make_unique<TcpStream>(std::move(socket), Governor::Slot{}, deadline_);
      co_return stream;
    }
  }

 private:
  bool is_device(tcp::socket& socket) const {
    boost::system::error_code failed;
    const auto peer = socket.remote_endpoint(failed);
    if (failed) {
      return false;
    }
    const auto address = IpAddress::from(peer.data(), static_cast<socklen_t>(peer.size()));
    if (!address || !(*address == device_)) {
      return false;
    }
    socket.set_option(tcp::no_delay{true}, failed);
    return true;
  }

  tcp::acceptor acceptor_;
  tcp::endpoint own_;
  IpAddress device_;
  TimePoint deadline_;
  std::int64_t strangers_ = 0;
};

}  // namespace

/// A datagram socket that is connected and never used shows it.
Result<IpAddress> address_towards(const IpAddress& device) {
  const SocketAddress to{device, kAnyPort};
  const UniqueFd socket{::socket(device.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (socket.get() < 0 || ::connect(socket.get(), to.get(), to.size) != 0) {
    return error_from_errno(errno, "find the address that leads to the device");
  }
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* raw = reinterpret_cast<sockaddr*>(&storage);
  const bool told = ::getsockname(socket.get(), raw, &size) == 0;
  const auto address = told ? IpAddress::from(raw, size) : std::nullopt;
  if (!address) {
    return error_from_errno(told ? EAFNOSUPPORT : errno, "find the address that leads to the device");
  }
  return *address;
}

Result<std::unique_ptr<Listener>> listen_for(const asio::any_io_executor& executor, const IpAddress& device,
                                             std::uint16_t port, TimePoint deadline, const FlowLog& flows) {
  const auto own = address_towards(device);
  if (!own) {
    return own.error();
  }
  const auto doing = "listen on port " + std::to_string(port);
  const auto endpoint = endpoint_of(SocketAddress{*own, port});
  const auto from_ns = packet_clock();
  tcp::acceptor acceptor{executor};
  boost::system::error_code failed;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) {
    acceptor.set_option(tcp::acceptor::reuse_address{true}, failed);
  }
  if (!failed) {
    acceptor.bind(endpoint, failed);
  }
  if (!failed) {
    acceptor.listen(kBacklog, failed);
  }
  if (failed) {
    return Error{ErrorKind::io, doing + " of " + own->text() + ": " + failed.message(), {}};
  }
  std::unique_ptr<Listener> listener = std::make_unique<TcpListener>(std::move(acceptor), device, deadline);
  if (flows) {  // whatever port the device comes from
    flows({Transport::tcp, listener->port(), device, 0, from_ns});
  }
  return listener;
}

}  // namespace assay

#include "harness/net/udp_socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <optional>

#include <boost/asio/ip/udp.hpp>

#include "harness/net/waiting.hpp"

namespace assay {

using asio::ip::udp;

namespace {

constexpr std::size_t kLargestDatagram = 65535;
constexpr int kMostQueuedErrors = 64;

class UdpSocket final : public Datagrams {
 public:
  UdpSocket(udp::socket socket, Governor& governor, const IpAddress& address, std::uint16_t port, TimePoint deadline)
      : socket_(std::move(socket)), governor_(governor), address_(address), to_(address, port), deadline_(deadline) {}

  asio::awaitable<Result<>> send(std::span<const std::byte> payload) override;
  asio::awaitable<Result<Received>> receive(milliseconds within) override;

 private:
  std::optional<Received> take_datagram();
  void take_errors();

  std::string doing(std::string_view what) const { return std::string{what} + " udp/" + std::to_string(to_.port()); }

  udp::socket socket_;
  Governor& governor_;
  IpAddress address_;
  SocketAddress to_;
  TimePoint deadline_;
  int icmp_error_ = 0;  // errno of an ICMP error that receive() has not reported yet
};

asio::awaitable<Result<>> UdpSocket::send(std::span<const std::byte> payload) {
  const auto permitted = co_await governor_.acquire_packet(deadline_);
  if (!permitted) {
    co_return permitted;
  }
  // The first call may report the ICMP error of an earlier datagram instead of sending: that belongs to receive().
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto sent =
        ::sendto(socket_.native_handle(), payload.data(), payload.size(), MSG_NOSIGNAL, to_.get(), to_.size);
    if (sent >= 0) {
      co_return Result<>{};
    }
    const int failed = errno;
    const auto before = icmp_error_;
    icmp_error_ = 0;
    take_errors();
    const bool from_icmp = icmp_error_ != 0;
    icmp_error_ = from_icmp ? icmp_error_ : before;
    if (!from_icmp && failed != EINTR) {
      co_return error_from_errno(failed, doing("send to"));
    }
  }
  co_return Result<>{};
}

/// One datagram of the device, if one is there; those of strangers are thrown away.
std::optional<Datagrams::Received> UdpSocket::take_datagram() {
  for (int looked = 0; looked < kMostQueuedErrors; ++looked) {
    Received received;
    received.payload.resize(kLargestDatagram);
    SocketAddress from;
    from.size = sizeof from.storage;
    const auto size = ::recvfrom(socket_.native_handle(), received.payload.data(), received.payload.size(),
                                 MSG_DONTWAIT, from.get(), &from.size);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return std::nullopt;
    }
    if (size < 0) {
      take_errors();  // the pending error is gone now, what it says is in the queue
      continue;
    }
    if (IpAddress::from(from.get(), from.size) == address_) {
      received.payload.resize(static_cast<std::size_t>(size));
      received.from_port = from.port();
      return received;
    }
  }
  return std::nullopt;
}

void UdpSocket::take_errors() {
  for (int looked = 0; looked < kMostQueuedErrors; ++looked) {
    alignas(cmsghdr) std::array<char, 512> control{};
    std::array<char, 64> payload{};
    iovec part{payload.data(), payload.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(socket_.native_handle(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
      return;
    }
    for (auto* part_of = CMSG_FIRSTHDR(&message); part_of != nullptr; part_of = CMSG_NXTHDR(&message, part_of)) {
      const bool is_error = (part_of->cmsg_level == IPPROTO_IP && part_of->cmsg_type == IP_RECVERR) ||
                            (part_of->cmsg_level == IPPROTO_IPV6 && part_of->cmsg_type == IPV6_RECVERR);
      if (!is_error) {
        continue;
      }
      sock_extended_err error{};
      std::memcpy(&error, CMSG_DATA(part_of), sizeof error);
      if (error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6) {
        icmp_error_ = static_cast<int>(error.ee_errno);
      }
    }
  }
}

asio::awaitable<Result<Datagrams::Received>> UdpSocket::receive(milliseconds within) {
  if (co_await begin_operation()) {
    co_return cancelled_error();
  }
  const auto until = time_limit(within, deadline_);
  const Alarm alarm{socket_.get_executor(), until, [this] {
                      boost::system::error_code ignored;
                      socket_.cancel(ignored);
                    }};
  while (true) {
    auto received = take_datagram();
    if (received) {
      co_return std::move(*received);
    }
    take_errors();
    if (icmp_error_ != 0) {
      const int number = icmp_error_;
      icmp_error_ = 0;
      co_return error_from_errno(number, doing("wait for an answer of"));
    }
    if (std::chrono::steady_clock::now() >= until) {
      co_return timed_out_error(doing("wait for an answer of"));
    }
    const auto outcome = co_await socket_.async_wait(udp::socket::wait_read, kNoThrow);
    if (std::get<0>(outcome)) {
      co_return alarm.rang() ? timed_out_error(doing("wait for an answer of"))
                             : error_from_code(std::get<0>(outcome), doing("wait for an answer of"));
    }
  }
}

/// Our port is chosen now instead of with the first datagram, so that this one finds its owner too.
void tell(const FlowLog& flows, udp::socket& socket, const IpAddress& address) {
  boost::system::error_code failed;
  socket.bind({address.v6 ? udp::v6() : udp::v4(), 0}, failed);
  const auto local = socket.local_endpoint(failed);
  if (!failed) {
    flows({Transport::udp, local.port(), address, 0, packet_clock()});
  }
}

}  // namespace

asio::awaitable<Result<std::unique_ptr<Datagrams>>> open_datagrams(Governor& governor, IpAddress address,
                                                                   std::uint16_t port, TimePoint deadline,
                                                                   const FlowLog& flows) {
  if (co_await begin_operation()) {
    co_return cancelled_error();
  }
  udp::socket socket{co_await asio::this_coro::executor};
  boost::system::error_code failed;
  socket.open(address.v6 ? udp::v6() : udp::v4(), failed);
  if (!failed) {
    socket.non_blocking(true, failed);
  }
  const int on = 1;
  const int level = address.v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const int option = address.v6 ? IPV6_RECVERR : IP_RECVERR;
  if (failed || ::setsockopt(socket.native_handle(), level, option, &on, sizeof on) != 0) {
    co_return error_from_errno(failed ? failed.value() : errno, "open a UDP socket");
  }
  if (flows) {
    tell(flows, socket, address);
  }
  std::unique_ptr<Datagrams> opened = std::make_unique<UdpSocket>(std::move(socket), governor, address, port, deadline);
  co_return opened;
}

}  // namespace assay

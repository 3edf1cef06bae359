#include "harness/net/udp_asker.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/errqueue.h>
#include <netinet/in.h>

#include "harness/net/errors.hpp"

namespace assay {

namespace {

constexpr std::size_t kLargestReceived = 65535;
constexpr std::size_t kKept = 4096;
constexpr int kMostAtOnce = 64;  // of one socket: a device that floods must not hold the loop
constexpr int kReceiveBuffer = 1 << 20;
constexpr int kSendTries = 8;  // each may report one ICMP error of an earlier datagram instead
constexpr std::uint16_t kDiscard = 9;
constexpr unsigned kUnreachable = 3, kPortUnreachable = 3;    // RFC 792
constexpr unsigned kUnreachable6 = 1, kPortUnreachable6 = 4;  // RFC 4443, 3.1

std::string own_ipv4(const IpAddress& address) {
  UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  const SocketAddress to{address, kDiscard};
  SocketAddress own;
  own.size = sizeof own.storage;
  if (!socket || ::connect(socket.get(), to.get(), to.size) != 0 ||
      ::getsockname(socket.get(), own.get(), &own.size) != 0) {
    return {};
  }
  const auto found = IpAddress::from(own.get(), own.size);
  return found ? std::string{reinterpret_cast<const char*>(found->bytes.data()), 4} : std::string{};
}

int turn_on(int socket, int level, int option) {
  const int on = 1;
  return ::setsockopt(socket, level, option, &on, sizeof on);
}

struct IcmpError {
  unsigned type = 0;
  unsigned code = 0;
  bool from_device = false;
  std::string sender;
};

std::optional<IcmpError> icmp_of(msghdr& message, const IpAddress& device) {
  for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    const bool is_error = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                          (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
    if (!is_error || part->cmsg_len < CMSG_LEN(sizeof(sock_extended_err) + sizeof(sockaddr_in))) {
      continue;
    }
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(part), sizeof error);
    if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) {
      continue;
    }
    const auto size = part->cmsg_len - CMSG_LEN(sizeof error);
    SocketAddress offender;
    std::memcpy(&offender.storage, CMSG_DATA(part) + sizeof error, std::min(size, sizeof offender.storage));
    const auto from = IpAddress::from(offender.get(), static_cast<socklen_t>(size));
    return IcmpError{error.ee_type, error.ee_code, from == device, from ? from->text() : "an unknown host"};
  }
  return std::nullopt;
}

}  // namespace

std::string icmp_in_words(bool v6, unsigned type, unsigned code) {
  struct Row {
    bool v6;
    unsigned type, code;
    const char* words;
  };

  static constexpr Row kRows[] = {
      {false, 3, 0, "net unreachable"},
      {false, 3, 1, "host unreachable"},
      {false, 3, 2, "protocol unreachable"},
      {false, 3, 3, "port unreachable"},
      {false, 3, 9, "net prohibited"},
      {false, 3, 10, "host prohibited"},
      {false, 3, 13, "communication prohibited"},
      {true, 1, 0, "no route"},
      {true, 1, 1, "communication prohibited"},
      {true, 1, 3, "address unreachable"},
      {true, 1, 4, "port unreachable"},
      {true, 1, 5, "source address failed policy"},
      {true, 1, 6, "route rejected"},
  };
  for (const auto& row : kRows) {
    if (row.v6 == v6 && row.type == type && row.code == code) {
      return std::string{"icmp "} + row.words;
    }
  }
  return "icmp type " + std::to_string(type) + " code " + std::to_string(code);
}

Result<UdpAsker> UdpAsker::open(const IpAddress& address) {
  UdpAsker out;
  auto poll = PollSet::open();
  if (!poll) {
    return poll.error();
  }
  out.poll_ = std::move(*poll);
  out.address_ = address;
  out.own_address_ = address.v6 ? std::string{} : own_ipv4(address);
  out.buffer_.resize(kLargestReceived);
  return out;
}

Result<std::size_t> UdpAsker::add_socket(std::optional<std::uint16_t> from_port,
                                         const std::optional<IpAddress>& source) {
  UniqueFd socket{::socket(address_.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const int level = address_.v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  if (!socket || turn_on(socket.get(), level, address_.v6 ? IPV6_RECVERR : IP_RECVERR) != 0) {
    return error_from_errno(errno, "open a UDP socket");
  }
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  if (from_port || source) {
    IpAddress any;
    any.v6 = address_.v6;
    const SocketAddress own{source.value_or(any), from_port.value_or(0)};
    if (::bind(socket.get(), own.get(), own.size) != 0) {
      return error_from_errno(errno, "bind udp/" + std::to_string(own.port()));
    }
  }
  if (const int failed = poll_.add(socket.get(), EPOLLIN | EPOLLERR, sockets_.size()); failed != 0) {
    return error_from_errno(failed, "watch a UDP socket");
  }
  sockets_.push_back(std::move(socket));
  return sockets_.size() - 1;
}

int UdpAsker::send(std::size_t socket, std::uint16_t port, std::string_view request) {
  const SocketAddress to{address_, port};
  int failed = 0;
  for (int attempt = 0; attempt < kSendTries; ++attempt) {
    if (::sendto(sockets_[socket].get(), request.data(), request.size(), MSG_NOSIGNAL, to.get(), to.size) >= 0) {
      return 0;
    }
    failed = errno;
    const auto before = early_.size();
    take_errors(socket, early_);
    if (early_.size() == before && failed != EINTR) {
      break;
    }
  }
  return failed;
}

bool UdpAsker::take_datagrams(std::size_t socket, std::vector<UdpEvent>& into) {
  for (int looked = 0; looked < kMostAtOnce; ++looked) {
    SocketAddress from;
    from.size = sizeof from.storage;
    const auto size =
        ::recvfrom(sockets_[socket].get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT, from.get(), &from.size);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return true;
    }
    if (size < 0) {
      continue;  // an ICMP error was reported here: what it says is in the error queue
    }
    if (IpAddress::from(from.get(), from.size) == address_) {
      const auto kept = std::min(static_cast<std::size_t>(size), kKept);
      into.push_back({socket, UdpEvent::Kind::reply, from.port(), buffer_.substr(0, kept)});
    }
  }
  return false;
}

bool UdpAsker::take_errors(std::size_t socket, std::vector<UdpEvent>& into) {
  for (int looked = 0; looked < kMostAtOnce; ++looked) {
    alignas(cmsghdr) std::array<char, 512> control{};
    SocketAddress asked;
    std::array<char, 64> payload{};
    iovec part{payload.data(), payload.size()};
    msghdr message{};
    message.msg_name = asked.get();
    message.msg_namelen = sizeof asked.storage;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(sockets_[socket].get(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
      return true;
    }
    const auto error = icmp_of(message, address_);
    asked.size = message.msg_namelen;
    if (!error || IpAddress::from(asked.get(), asked.size) != address_) {
      continue;
    }
    const bool refused =
        error->from_device && (address_.v6 ? error->type == kUnreachable6 && error->code == kPortUnreachable6
                                           : error->type == kUnreachable && error->code == kPortUnreachable);
    auto words = icmp_in_words(address_.v6, error->type, error->code);
    words += error->from_device ? "" : " from " + error->sender;
    into.push_back(
        {socket, refused ? UdpEvent::Kind::refused : UdpEvent::Kind::rejected, asked.port(), std::move(words)});
  }
  return false;
}

bool UdpAsker::collect(std::vector<UdpEvent>& into) {
  into.insert(into.end(), std::make_move_iterator(early_.begin()), std::make_move_iterator(early_.end()));
  early_.clear();
  bool all = true;
  const bool no_more = poll_.collect([&](std::uint64_t tag) {
    const auto socket = static_cast<std::size_t>(tag);
    all = take_errors(socket, into) && all;
    all = take_datagrams(socket, into) && all;
  });
  return no_more && all;
}

}  // namespace assay

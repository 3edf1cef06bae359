#include "harness/net/raw_socket.hpp"

#include <array>
#include <cerrno>
#include <linux/filter.h>
#include <linux/in6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "harness/net/errors.hpp"

namespace assay {

namespace {

constexpr std::string_view kDoing = "open a raw socket";
constexpr int kReceiveBytes = 8 << 20;  // answers that come while the sweep sends

template <std::size_t Size>
bool attach(int socket, const std::array<sock_filter, Size>& program) {
  sock_fprog filter{static_cast<unsigned short>(program.size()), const_cast<sock_filter*>(program.data())};
  const int locked = 1;
  return ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0 &&
         ::setsockopt(socket, SOL_SOCKET, SO_LOCK_FILTER, &locked, sizeof locked) == 0;
}

/// Only segments to `port`. A raw IPv4 socket shows its filter the IP header, a raw IPv6 socket does not.
bool attach_filter(int socket, bool v6, std::uint16_t port) {
  constexpr std::uint32_t kAll = 0xffff;
  if (v6) {
    return attach(socket, std::array<sock_filter, 4>{{{BPF_LD | BPF_H | BPF_ABS, 0, 0, 2},
                                                      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, port},
                                                      {BPF_RET | BPF_K, 0, 0, kAll},
                                                      {BPF_RET | BPF_K, 0, 0, 0}}});
  }
  return attach(socket, std::array<sock_filter, 5>{{{BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0},
                                                    {BPF_LD | BPF_H | BPF_IND, 0, 0, 2},
                                                    {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, port},
                                                    {BPF_RET | BPF_K, 0, 0, kAll},
                                                    {BPF_RET | BPF_K, 0, 0, 0}}});
}

/// Without CAP_NET_ADMIN the kernel keeps to its own limit; then answers may be lost, which the sweep notices.
void widen_receive_buffer(int socket) {
  if (::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes, sizeof kReceiveBytes) != 0) {
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes);
  }
}

/// Where packets to the target come from.
std::optional<IpAddress> local_address(int socket) {
  SocketAddress local;
  local.size = sizeof local.storage;
  return ::getsockname(socket, local.get(), &local.size) == 0 ? IpAddress::from(local.get(), local.size)
                                                              : std::nullopt;
}

/// 0 or an errno.
int hold_port(RawTcp& out) {
  SocketAddress any{out.source, 0};
  out.holder = UniqueFd{::socket(any.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!out.holder || ::bind(out.holder.get(), any.get(), any.size) != 0 ||
      ::getsockname(out.holder.get(), any.get(), &any.size) != 0) {
    return errno;
  }
  out.port = any.port();
  return 0;
}

}  // namespace

Result<RawTcp> open_raw_tcp(const IpAddress& target) {
  SocketAddress to{target, 0};
  RawTcp out;
  out.socket = UniqueFd{::socket(to.family(), SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP)};
  if (!out.socket || ::connect(out.socket.get(), to.get(), to.size) != 0) {
    return error_from_errno(errno, kDoing);
  }
  const auto source = local_address(out.socket.get());
  if (!source || source->v6 != target.v6) {
    return Error{ErrorKind::unreachable, "there is no local address towards " + target.text(), {}};
  }
  out.source = *source;
  if (const int error = hold_port(out); error != 0) {
    return error_from_errno(error, kDoing);
  }
  const int yes = 1;
  const bool told = target.v6 ? ::setsockopt(out.socket.get(), IPPROTO_IPV6, IPV6_RECVERR, &yes, sizeof yes) == 0
                              : ::setsockopt(out.socket.get(), IPPROTO_IP, IP_RECVERR, &yes, sizeof yes) == 0;
  if (!told || !attach_filter(out.socket.get(), target.v6, out.port)) {
    return error_from_errno(errno, kDoing);
  }
  widen_receive_buffer(out.socket.get());
  return out;
}

}  // namespace assay

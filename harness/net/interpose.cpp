#include <algorithm>
#include <atomic>
#include <cerrno>
#include <deque>
#include <dlfcn.h>
#include <mutex>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/net/backstop.hpp"
#include "harness/net/discovery_groups.hpp"
#include "harness/net/vantage.hpp"

namespace assay {

namespace {

/// Readers take no lock: a connect of a port sweep comes every few microseconds. Old lists are kept, not freed, because
/// another thread may still read them; there are as many as scopes in a process, which is one or two.
std::atomic<const Scope*> granted_now{nullptr};

bool passes(const sockaddr* to, socklen_t size) {
  const auto* granted = granted_now.load(std::memory_order_acquire);
  return granted == nullptr || may_reach(*granted, to, size);
}

/// The function of the same name behind ours: libc's, or a sanitizer's.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int refuse() {
  errno = EPERM;
  return -1;
}

}  // namespace

void install_backstop(const Scope& scope) {
  static std::mutex changing;
  static std::deque<Scope>* const lists = new std::deque<Scope>;  // outlives every thread
  const std::lock_guard lock{changing};
  const auto* before = granted_now.load(std::memory_order_acquire);
  lists->push_back(before == nullptr ? Scope{} : *before);
  auto& granted = lists->back().ranges;
  for (const auto& range : scope.ranges) {
    if (std::find(granted.begin(), granted.end(), range) == granted.end()) {
      granted.push_back(range);
    }
  }
  granted_now.store(&lists->back(), std::memory_order_release);
}

bool may_reach(const Scope& granted, const sockaddr* to, socklen_t size) {
  if (to == nullptr || size < sizeof(sa_family_t) || (to->sa_family != AF_INET && to->sa_family != AF_INET6)) {
    return true;
  }
  const auto address = IpAddress::from(to, size);
  if (!address) {
    return false;
  }
  if (granted.contains(*address)) {  // the usual case, and a port sweep comes here for every connect
    return true;
  }
  return is_discovery_group(*address, port_of(to));
}

}  // namespace assay

extern "C" {

/// Beside the guard: sockets of libraries too are made at the vantage of the work that asks for them.
int socket(int family, int type, int protocol) {
  static auto* const real = assay::next<decltype(socket)>("socket");
  const int made = real(family, type, protocol);
  if (made < 0 || assay::place_socket(made, family)) {
    return made;
  }
  const int why = errno;
  ::close(made);
  errno = why;
  return -1;
}

int connect(int socket, const sockaddr* to, socklen_t size) {
  static auto* const real = assay::next<decltype(connect)>("connect");
  return assay::passes(to, size) ? real(socket, to, size) : assay::refuse();
}

ssize_t sendto(int socket, const void* bytes, size_t count, int flags, const sockaddr* to, socklen_t size) {
  static auto* const real = assay::next<decltype(sendto)>("sendto");
  return assay::passes(to, size) ? real(socket, bytes, count, flags, to, size) : assay::refuse();
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  static auto* const real = assay::next<decltype(sendmsg)>("sendmsg");
  const bool passes =
      message == nullptr || assay::passes(static_cast<const sockaddr*>(message->msg_name), message->msg_namelen);
  return passes ? real(socket, message, flags) : assay::refuse();
}

int sendmmsg(int socket, mmsghdr* messages, unsigned count, int flags) {
  static auto* const real = assay::next<decltype(sendmmsg)>("sendmmsg");
  unsigned allowed = 0;
  while (allowed < count) {
    const auto& header = messages[allowed].msg_hdr;
    if (!assay::passes(static_cast<const sockaddr*>(header.msg_name), header.msg_namelen)) {
      break;
    }
    ++allowed;
  }
  return allowed > 0 || count == 0 ? real(socket, messages, allowed, flags) : assay::refuse();
}
}

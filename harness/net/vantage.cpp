#include "harness/net/vantage.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>

namespace assay {

namespace {

constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

/// Of the calling thread.
struct Standing {
  const Vantage* at = nullptr;  // null: where the thread began
  int depth = 0;                // AtVantage objects alive
  bool away = false;            // in another namespace than it began in
  bool nowhere = false;         // a namespace could not be entered
};

thread_local Standing standing;

Error cannot(const std::string& name, const std::string& what) {
  return {ErrorKind::bad_input, "vantage " + name + ": " + what + ": " + std::strerror(errno), {}};
}

}  // namespace

std::string namespace_path(const VantagePoint& point) {
  return point.netns.empty() || point.netns.starts_with('/') ? point.netns : "/run/netns/" + point.netns;
}

Result<Vantage> Vantage::here() {
  Vantage out;
  out.netns_ = UniqueFd{::open(kOwnNamespace, O_RDONLY | O_CLOEXEC)};
  if (!out.netns_) {
    return Error{ErrorKind::io, std::string{"cannot open the own network namespace: "} + std::strerror(errno), {}};
  }
  return out;
}

Result<Vantage> Vantage::open(const std::string& name, const VantagePoint& point) {
  auto home = here();
  if (!home) {
    return home.error();
  }
  Vantage out;
  out.interface_ = point.interface;
  out.home_ = point.netns.empty();
  const auto path = namespace_path(point);
  out.netns_ = point.netns.empty() ? std::move(home->netns_) : UniqueFd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!out.netns_) {
    return cannot(name, "cannot open the network namespace " + path);
  }
  if (!point.netns.empty() && ::setns(out.netns_.get(), CLONE_NEWNET) != 0) {
    return errno == EPERM ? Error{ErrorKind::denied, "vantage " + name + ": this user may not enter " + path, {}}
                          : cannot(name, path + " is not a network namespace");
  }
  const bool missing = !out.interface_.empty() && ::if_nametoindex(out.interface_.c_str()) == 0;
  if (!point.netns.empty() && ::setns(home->netns_.get(), CLONE_NEWNET) != 0) {
    return Error{ErrorKind::denied, "vantage " + name + ": there is no way back from " + path, {}};
  }
  if (missing) {
    return Error{ErrorKind::bad_input,
                 "vantage " + name + ": there is no interface " + out.interface_ +
                     (point.netns.empty() ? " on this machine" : " in " + path),
                 {}};
  }
  return out;
}

Vantage::~Vantage() {
  if (standing.at == this) {
    standing.at = nullptr;  // another one may come to lie at this place in memory
  }
}

void Vantage::enter() const {
  if (standing.at == this && !standing.nowhere) {
    return;
  }
  standing.at = this;
  if (home_ && !standing.away) {
    standing.nowhere = false;
    return;
  }
  standing.nowhere = ::setns(netns_.get(), CLONE_NEWNET) != 0;
  standing.away = !home_;
}

AtVantage::AtVantage(const Vantage& vantage) : before_(standing.at) {
  ++standing.depth;
  vantage.enter();
}

AtVantage::~AtVantage() {
  if (--standing.depth > 0 && before_ != nullptr) {
    before_->enter();
  }
}

const std::string& bound_interface() {
  static const std::string none;
  return standing.at == nullptr ? none : standing.at->interface();
}

bool place_socket(int socket, int family) {
  if (family != AF_INET && family != AF_INET6) {
    return true;
  }
  if (standing.nowhere) {
    errno = ENETDOWN;
    return false;
  }
  const auto& interface = bound_interface();
  return interface.empty() || ::setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                                           static_cast<socklen_t>(interface.size())) == 0;
}

}  // namespace assay

// Linked into the test programs that sweep and listen: tests that run beside each other on the host's loopback would
// meet each other's listeners, full backlogs and ephemeral ports.
#define CATCH_CONFIG_EXTERNAL_INTERFACES  // Catch2 2 shows its listeners only then
#include "tests/support/own_network.hpp"

#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/net/unique_fd.hpp"
#include "tests/support/catch.hpp"

namespace assay {

namespace {

bool alone = false;

bool put(const char* file, std::string_view text) {
  const UniqueFd opened{::open(file, O_WRONLY | O_CLOEXEC)};
  return opened && ::write(opened.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// An ordinary user needs a user namespace for it, and stays who they are in there.
bool unshare_network() {
  if (::unshare(CLONE_NEWNET) == 0) {
    return true;
  }
  const auto user = std::to_string(::getuid());
  const auto group = std::to_string(::getgid());
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && put("/proc/self/setgroups", "deny") &&
         put("/proc/self/uid_map", user + " " + user + " 1") && put("/proc/self/gid_map", group + " " + group + " 1");
}

bool raise_loopback() {
  const UniqueFd any{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP;
  return ::ioctl(any.get(), SIOCSIFFLAGS, &loopback) == 0;
}

#if __has_include(<catch2/catch_all.hpp>)
using ListenerBase = Catch::EventListenerBase;
#else
using ListenerBase = Catch::TestEventListenerBase;
#endif

class OwnNetwork : public ListenerBase {
 public:
  using ListenerBase::ListenerBase;

  void testRunStarting(const Catch::TestRunInfo& info) override {
    ListenerBase::testRunStarting(info);
    alone = unshare_network() && raise_loopback();
  }
};

CATCH_REGISTER_LISTENER(OwnNetwork)

}  // namespace

bool in_network_of_our_own() {
  return alone;
}

}  // namespace assay

#pragma once

#include <sys/socket.h>

#include "harness/net/scope.hpp"

/// The last guard before the kernel: the executable defines connect, sendto, sendmsg and sendmmsg itself, so that
/// libraries too can only reach what the scope grants. Not a sandbox (a raw system call passes), but no library does
/// that by accident. Inactive until a scope is installed; then anything of AF_INET and AF_INET6 outside it is EPERM, but
/// for the eight pairs of group and port of link discovery (discovery_groups.hpp), which reach no further than the link.
namespace assay {

/// Grants the scope's addresses for the rest of the process, in addition to earlier grants. Thread-safe.
void install_backstop(const Scope& scope);

/// The destinations a datagram or connection may have. Other families (AF_UNIX, netlink, AF_UNSPEC to disconnect) are
/// not the guard's matter. Pure, for the backstop and its tests.
bool may_reach(const Scope& granted, const sockaddr* to, socklen_t size);

}  // namespace assay

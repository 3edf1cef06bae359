#pragma once

#include <cstdint>

#include "harness/model/result.hpp"
#include "harness/net/address.hpp"
#include "harness/net/unique_fd.hpp"

namespace assay {

/// A raw TCP socket to one address. Its filter lets through only segments to `port` and is locked, so that whoever
/// holds the descriptor cannot listen to anything else. `port` is held by a socket that never listens: no other program
/// gets it, and the kernel answers a SYN-ACK to it with a reset, which frees the half-open connection on the device.
struct RawTcp {
  UniqueFd socket;
  UniqueFd holder;
  IpAddress source;
  std::uint16_t port = 0;
};

/// `denied` without CAP_NET_RAW or outside of the scope, `unreachable` without a route.
Result<RawTcp> open_raw_tcp(const IpAddress& target);

}  // namespace assay

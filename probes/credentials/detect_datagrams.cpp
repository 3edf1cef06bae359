#include <array>
#include <utility>

#include "probes/credentials/dialects.hpp"

/// Which login stands behind a port of UDP: who is asked in the wrong protocol stays silent, so the port decides whom
/// to ask first.
namespace assay::probes::credentials {

namespace {

constexpr std::uint16_t kSnmpPort = 161;
constexpr std::uint16_t kIpmiPort = 623;
constexpr std::uint16_t kCoapsPort = 5684;

using AskByDatagram = asio::awaitable<Result<Detection>> (*)(Door& door);

}  // namespace

asio::awaitable<Result<Detection>> detect_datagrams(Door& door) {
  if (door.endpoint.port == 69) {
    auto found = co_await detect_tftp(door);
    co_return found;
  }
  if (door.endpoint.port == kSnmpPort) {
    auto found = co_await detect_snmp(door);
    co_return found;
  }
  // The usual protocol first; an agent of SNMP that nobody hears is the last guess.
  std::array<AskByDatagram, 2> asks{&detect_coaps, &detect_ipmi};
  if (door.endpoint.port == kIpmiPort) {
    std::swap(asks[0], asks[1]);
  }
  const bool usual = door.endpoint.port == kIpmiPort || door.endpoint.port == kCoapsPort;
  Result<Detection> agent{Detection{}};
  if (!usual) {
    agent = co_await detect_snmp(door);
    if (!agent || agent->answered) {
      co_return agent;
    }
  }
  for (const auto ask : asks) {
    auto found = co_await ask(door);
    if (!found || is_known(*found)) {
      co_return found;
    }
  }
  agent->silent = usual;
  co_return agent;
}

}  // namespace assay::probes::credentials

#include "harness/net/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>

namespace assay {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

IpAddress unmapped(const std::array<std::uint8_t, 16>& bytes) {
  IpAddress address;
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin())) {
    std::copy(bytes.begin() + 12, bytes.end(), address.bytes.begin());
    return address;
  }
  address.v6 = true;
  address.bytes = bytes;
  return address;
}

}  // namespace

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), buffer.data(), buffer.size());
  return buffer.data();
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated{text};
  if (terminated.size() != std::strlen(terminated.c_str())) {
    return std::nullopt;
  }
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) {
    return address;
  }
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) {
    return unmapped(bytes);
  }
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::from(const sockaddr* address, socklen_t size) {
  if (address == nullptr || size < sizeof(sa_family_t)) {
    return std::nullopt;
  }
  // Copied, because the caller's bytes need not be aligned for either structure.
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    IpAddress result;
    std::memcpy(result.bytes.data(), &v4.sin_addr, sizeof v4.sin_addr);
    return result;
  }
  if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return unmapped(bytes);
  }
  return std::nullopt;
}

SocketAddress::SocketAddress(const IpAddress& address, std::uint16_t port) {
  if (address.v6) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.bytes.data(), address.bytes.size());
    std::memcpy(&storage, &v6, sizeof v6);
    size = sizeof v6;
    return;
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  std::memcpy(&v4.sin_addr, address.bytes.data(), sizeof v4.sin_addr);
  std::memcpy(&storage, &v4, sizeof v4);
  size = sizeof v4;
}

void SocketAddress::set_port(std::uint16_t port) {
  // sin_port and sin6_port stand at the same place.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  const std::uint16_t wire = htons(port);
  std::memcpy(reinterpret_cast<char*>(&storage) + offsetof(sockaddr_in, sin_port), &wire, sizeof wire);
}

std::uint16_t SocketAddress::port() const {
  return port_of(get());
}

std::uint16_t port_of(const sockaddr* address) {
  std::uint16_t wire = 0;
  std::memcpy(&wire, reinterpret_cast<const char*>(address) + offsetof(sockaddr_in, sin_port), sizeof wire);
  return ntohs(wire);
}

}  // namespace assay

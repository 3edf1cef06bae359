#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace assay {

/// A numeric IPv4 or IPv6 address. IPv4-mapped IPv6 addresses (RFC 4291, 2.5.5.2) become the IPv4 address they
/// carry, so that one device has one address here.
struct IpAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 uses the first four

  auto operator<=>(const IpAddress&) const = default;

  std::size_t bits() const { return v6 ? 128 : 32; }

  std::string text() const;

  /// No zone, no port, no leading or trailing space.
  static std::optional<IpAddress> parse(std::string_view text);

  /// None for any other family, or when `size` is too short.
  static std::optional<IpAddress> from(const sockaddr* address, socklen_t size);
};

/// An address with a port as the kernel wants it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  SocketAddress() = default;
  SocketAddress(const IpAddress& address, std::uint16_t port);

  void set_port(std::uint16_t port);
  std::uint16_t port() const;

  int family() const { return storage.ss_family; }

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

/// The port of an IPv4 or IPv6 socket address of the right size, wherever it lies.
std::uint16_t port_of(const sockaddr* address);

}  // namespace assay

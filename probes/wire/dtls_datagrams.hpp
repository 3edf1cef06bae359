#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Datagrams of DTLS as the side sees them that is not the one of the hellos (RFC 6347, 4.1 and 4.2): a server.
namespace assay::wire {

/// Of a datagram that begins with a hello of a client in clear, or with its first fragment: its random, 32 bytes. Two
/// hellos of one random are one.
std::optional<std::string> dtls_hello_random(std::string_view datagram);

/// Records one behind the other, as datagrams of at most `longest` bytes that end with a record; a record that is
/// longer has one of its own. What is no whole record at the end is left out.
std::vector<std::string> dtls_datagrams(std::string_view records, std::size_t longest);

}  // namespace assay::wire

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/model/result.hpp"
#include "harness/net/address.hpp"

namespace assay {

/// A single address or a CIDR range.
struct AddressRange {
  IpAddress first;         // host bits are zero
  std::size_t prefix = 0;  // leading bits that are fixed

  bool contains(const IpAddress& address) const;
  bool contains(const AddressRange& other) const;
  std::string text() const;

  /// "10.0.0.5", "10.0.0.0/28", "fd00::/64". Host bits that are set are an error, for they are mostly a slip.
  static Result<AddressRange> parse(std::string_view text);

  bool operator==(const AddressRange&) const = default;
};

/// The addresses that may be contacted. Nothing outside is ever sent a packet.
struct Scope {
  std::vector<AddressRange> ranges;

  bool contains(const IpAddress& address) const;
  /// False for anything that is not a numeric address.
  bool contains(std::string_view address) const;
};

/// True when the address is routed on the public Internet: not private, loopback, link-local, unique local,
/// shared (RFC 6598), documentation, benchmarking, multicast or reserved space (IANA special-purpose registries).
bool is_public(const IpAddress& address);
/// The same of a range: true when any part of it is public.
bool is_public(const AddressRange& range);

/// `bad_input` for what is no address or range, `denied` for public ones without `allow_public`, for ranges wider
/// than harness/model/scope_limits.hpp allows, and for groups (multicast, broadcast, the unspecified address).
Result<Scope> make_scope(const std::vector<std::string>& ranges, bool allow_public);

}  // namespace assay

#include "harness/net/scope.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "harness/model/scope_limits.hpp"

namespace assay {

namespace {

bool same_prefix(const IpAddress& one, const IpAddress& other, std::size_t prefix) {
  const std::size_t whole = prefix / 8;
  if (!std::equal(one.bytes.begin(), one.bytes.begin() + static_cast<std::ptrdiff_t>(whole), other.bytes.begin())) {
    return false;
  }
  const std::size_t rest = prefix % 8;
  return rest == 0 || ((one.bytes[whole] ^ other.bytes[whole]) >> (8 - rest)) == 0;
}

IpAddress without_host_bits(IpAddress address, std::size_t prefix) {
  for (std::size_t bit = prefix; bit < address.bits(); ++bit) {
    address.bytes[bit / 8] = static_cast<std::uint8_t>(address.bytes[bit / 8] & ~(0x80U >> (bit % 8)));
  }
  return address;
}

std::vector<AddressRange> parse_table(std::initializer_list<std::string_view> texts) {
  std::vector<AddressRange> table;
  for (const auto text : texts) {
    table.push_back(*AddressRange::parse(text));
  }
  return table;
}

/// Not reachable from the Internet: IANA special-purpose address registries, RFC 6890 and later additions.
const std::vector<AddressRange>& special_ranges() {
  static const auto table =
      parse_table({"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                   "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
                   "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "2001:db8::/32", "3fff::/20"});
  return table;
}

/// Global unicast (RFC 4291, 2.4) and the translation prefix that leads to public IPv4 (RFC 6052).
const std::vector<AddressRange>& global_v6() {
  static const auto table = parse_table({"2000::/3", "64:ff9b::/96"});
  return table;
}

const std::vector<AddressRange>& group_ranges() {
  static const auto table = parse_table({"224.0.0.0/4", "255.255.255.255/32", "0.0.0.0/32", "ff00::/8", "::/128"});
  return table;
}

bool within(const std::vector<AddressRange>& table, const AddressRange& range) {
  return std::any_of(table.begin(), table.end(), [&](const auto& entry) { return entry.contains(range); });
}

bool overlaps(const AddressRange& one, const AddressRange& other) {
  return one.contains(other) || other.contains(one);
}

Error denied(std::string what) {
  return {ErrorKind::denied, std::move(what), {}};
}

std::optional<Error> objection_to(const AddressRange& range, bool allow_public) {
  const auto& groups = group_ranges();
  if (std::any_of(groups.begin(), groups.end(), [&](const auto& group) { return overlaps(group, range); })) {
    return denied("scope " + range.text() + " covers a group or no address at all; name the device's own address");
  }
  const std::size_t widest = range.first.v6 ? kWidestPrefixV6 : kWidestPrefixV4;
  if (range.prefix < widest) {
    return denied("scope " + range.text() + " is too wide: /" + std::to_string(widest) +
                  " is the widest; name the device's addresses");
  }
  if (!allow_public && is_public(range)) {
    return denied("scope " + range.text() +
                  " is on the public Internet: allow it explicitly when you have the written consent of its owner");
  }
  return std::nullopt;
}

}  // namespace

bool AddressRange::contains(const IpAddress& address) const {
  return address.v6 == first.v6 && same_prefix(first, address, prefix);
}

bool AddressRange::contains(const AddressRange& other) const {
  return prefix <= other.prefix && contains(other.first);
}

std::string AddressRange::text() const {
  return prefix == first.bits() ? first.text() : first.text() + "/" + std::to_string(prefix);
}

Result<AddressRange> AddressRange::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  const std::string quoted = "\"" + std::string{text.substr(0, 64)} + "\"";
  if (!address) {
    return Error{
        ErrorKind::bad_input, quoted + " is not a numeric address or range such as 10.0.0.5 or 10.0.0.0/28", {}};
  }
  AddressRange range{*address, address->bits()};
  if (slash == std::string_view::npos) {
    return range;
  }
  const auto digits = text.substr(slash + 1);
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), range.prefix);
  const bool mapped = !address->v6 && text.find(':') != std::string_view::npos;
  if (failed != std::errc{} || end != digits.data() + digits.size() || range.prefix > range.first.bits() || mapped) {
    return Error{
        ErrorKind::bad_input, quoted + " needs a prefix length from 0 to " + std::to_string(address->bits()), {}};
  }
  range.first = without_host_bits(*address, range.prefix);
  if (range.first != *address) {
    return Error{
        ErrorKind::bad_input, quoted + " has host bits set: write " + range.text() + " for the whole range", {}};
  }
  return range;
}

bool Scope::contains(const IpAddress& address) const {
  return std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) { return range.contains(address); });
}

bool Scope::contains(std::string_view address) const {
  const auto parsed = IpAddress::parse(address);
  return parsed && contains(*parsed);
}

bool is_public(const IpAddress& address) {
  return is_public(AddressRange{address, address.bits()});
}

bool is_public(const AddressRange& range) {
  if (within(special_ranges(), range)) {
    return false;
  }
  const auto& global = global_v6();
  return !range.first.v6 ||
         std::any_of(global.begin(), global.end(), [&](const auto& entry) { return overlaps(entry, range); });
}

Result<Scope> make_scope(const std::vector<std::string>& ranges, bool allow_public) {
  if (ranges.size() > kMaxScopeRanges) {
    return Error{ErrorKind::bad_input, "the scope has more than " + std::to_string(kMaxScopeRanges) + " ranges", {}};
  }
  Scope scope;
  for (const auto& text : ranges) {
    auto range = AddressRange::parse(text);
    if (!range) {
      return range.error();
    }
    if (const auto objection = objection_to(*range, allow_public)) {
      return *objection;
    }
    scope.ranges.push_back(*range);
  }
  return scope;
}

}  // namespace assay

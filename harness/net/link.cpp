#include "harness/net/link.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <ifaddrs.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "harness/net/errors.hpp"
#include "harness/net/unique_fd.hpp"
#include "harness/net/vantage.hpp"

namespace assay {

namespace {

constexpr std::size_t kBuffer = 32U << 10U;
constexpr int kMostReplies = 4096;  // receive calls of one dump
constexpr timeval kPatience{1, 0};  // the kernel answers at once; this only keeps us from hanging

template <class Value>
Value at(std::string_view bytes, std::size_t place) {
  Value value{};
  if (place + sizeof value <= bytes.size()) {
    std::memcpy(&value, bytes.data() + place, sizeof value);
  }
  return value;
}

/// Calls `take` for each attribute behind the fixed part.
void each_attribute(std::string_view attributes, const std::function<void(int type, std::string_view value)>& take) {
  while (attributes.size() >= sizeof(rtattr)) {
    const auto head = at<rtattr>(attributes, 0);
    if (head.rta_len < sizeof head || head.rta_len > attributes.size()) {
      return;
    }
    take(head.rta_type, attributes.substr(sizeof head, head.rta_len - sizeof head));
    attributes.remove_prefix(std::min<std::size_t>(RTA_ALIGN(head.rta_len), attributes.size()));
  }
}

bool read_address(std::string_view bytes, bool v6, IpAddress& into) {
  if (bytes.size() != (v6 ? 16U : 4U)) {
    return false;
  }
  into = IpAddress{};
  into.v6 = v6;
  std::memcpy(into.bytes.data(), bytes.data(), bytes.size());
  return true;
}

template <class Fixed>
struct Request {
  nlmsghdr header{};
  Fixed fixed{};
  alignas(rtattr) std::array<char, 32> attributes{};
};

template <class Fixed>
void finish(Request<Fixed>& request, std::uint16_t type, std::uint16_t flags, std::size_t attributes) {
  request.header.nlmsg_len = static_cast<std::uint32_t>(sizeof request.header + sizeof request.fixed + attributes);
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  request.header.nlmsg_seq = 1;
}

/// Sends a request and gives each message of the answer to `take` until the kernel is done. 0 or an errno.
int ask_kernel(const nlmsghdr& request, const std::function<void(std::string_view message)>& take) {
  const UniqueFd socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (!socket || ::send(socket.get(), &request, request.nlmsg_len, 0) < 0) {
    return errno;
  }
  const bool dump = (request.nlmsg_flags & NLM_F_DUMP) != 0;
  std::string buffer(kBuffer, '\0');
  for (int replies = 0; replies < kMostReplies; ++replies) {
    const auto size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size < 0) {
      return errno;
    }
    std::string_view rest{buffer.data(), static_cast<std::size_t>(size)};
    while (rest.size() >= sizeof(nlmsghdr)) {
      const auto head = at<nlmsghdr>(rest, 0);
      if (head.nlmsg_len < sizeof head || head.nlmsg_len > rest.size()) {
        return EPROTO;
      }
      if (head.nlmsg_type == NLMSG_ERROR) {
        return -at<nlmsgerr>(rest, sizeof head).error;
      }
      if (head.nlmsg_type == NLMSG_DONE) {
        return 0;
      }
      take(rest.substr(0, head.nlmsg_len));
      rest.remove_prefix(std::min<std::size_t>(NLMSG_ALIGN(head.nlmsg_len), rest.size()));
    }
    if (!dump) {
      return 0;
    }
  }
  return EMSGSIZE;
}

}  // namespace

std::optional<LinkRoute> parse_route(std::string_view message, bool v6) {
  constexpr std::size_t kFixed = sizeof(nlmsghdr) + sizeof(rtmsg);
  if (message.size() < kFixed || at<nlmsghdr>(message, 0).nlmsg_type != RTM_NEWROUTE) {
    return std::nullopt;
  }
  LinkRoute route;
  each_attribute(message.substr(kFixed), [&](int type, std::string_view value) {
    if (type == RTA_OIF && value.size() == sizeof(int)) {
      route.interface = at<int>(value, 0);
    } else if (type == RTA_PREFSRC) {
      route.has_source = read_address(value, v6, route.source);
    } else if (type == RTA_GATEWAY || type == RTA_VIA) {
      route.by_router = true;
    }
  });
  return route.interface > 0 ? std::optional{route} : std::nullopt;
}

std::optional<NeighbourEntry> parse_neighbour(std::string_view message) {
  constexpr std::size_t kFixed = sizeof(nlmsghdr) + sizeof(ndmsg);
  if (message.size() < kFixed || at<nlmsghdr>(message, 0).nlmsg_type != RTM_NEWNEIGH) {
    return std::nullopt;
  }
  const auto fixed = at<ndmsg>(message, sizeof(nlmsghdr));
  NeighbourEntry entry;
  entry.interface = fixed.ndm_ifindex;
  entry.state = fixed.ndm_state;
  bool addressed = false;
  each_attribute(message.substr(kFixed), [&](int type, std::string_view value) {
    if (type == NDA_DST) {
      addressed = read_address(value, fixed.ndm_family == AF_INET6, entry.address);
    } else if (type == NDA_LLADDR) {
      entry.link_address = std::string{value};
    }
  });
  return addressed ? std::optional{entry} : std::nullopt;
}

namespace {

/// The route of a socket that is bound to an interface is another one. Says how many bytes the attribute took.
std::size_t add_interface(std::array<char, 32>& attributes, std::size_t at) {
  if (bound_interface().empty()) {
    return 0;
  }
  const std::uint32_t index = ::if_nametoindex(bound_interface().c_str());
  rtattr attribute{};
  attribute.rta_type = RTA_OIF;
  attribute.rta_len = static_cast<unsigned short>(sizeof attribute + sizeof index);
  std::memcpy(attributes.data() + at, &attribute, sizeof attribute);
  std::memcpy(attributes.data() + at + sizeof attribute, &index, sizeof index);
  return attribute.rta_len;
}

}  // namespace

Result<LinkRoute> route_to(const IpAddress& address) {
  Request<rtmsg> request;
  request.fixed.rtm_family = address.v6 ? AF_INET6 : AF_INET;
  request.fixed.rtm_dst_len = static_cast<unsigned char>(address.bits());
  const std::size_t size = address.bits() / 8;
  rtattr attribute{};
  attribute.rta_type = RTA_DST;
  attribute.rta_len = static_cast<unsigned short>(sizeof attribute + size);
  std::memcpy(request.attributes.data(), &attribute, sizeof attribute);
  std::memcpy(request.attributes.data() + sizeof attribute, address.bytes.data(), size);
  const auto length = attribute.rta_len + add_interface(request.attributes, attribute.rta_len);
  finish(request, RTM_GETROUTE, 0, length);
  std::optional<LinkRoute> route;
  const int failed = ask_kernel(request.header, [&](std::string_view message) {
    if (!route) {
      route = parse_route(message, address.v6);
    }
  });
  if (failed != 0 || !route) {
    return error_from_errno(failed != 0 ? failed : ENETUNREACH, "find the way to " + address.text());
  }
  std::array<char, IF_NAMESIZE> name{};
  route->name = ::if_indextoname(static_cast<unsigned>(route->interface), name.data()) != nullptr ? name.data() : "";
  return *route;
}

Result<MacAddress> neighbour_of(const IpAddress& address, int interface) {
  Request<ndmsg> request;
  request.fixed.ndm_family = address.v6 ? AF_INET6 : AF_INET;
  finish(request, RTM_GETNEIGH, NLM_F_DUMP, 0);
  std::optional<NeighbourEntry> found;
  constexpr std::uint16_t kResolved = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT;
  const int failed = ask_kernel(request.header, [&](std::string_view message) {
    const auto entry = parse_neighbour(message);
    if (entry && entry->interface == interface && entry->address == address && (entry->state & kResolved) != 0) {
      found = entry;
    }
  });
  if (failed != 0) {
    return error_from_errno(failed, "read the neighbour table");
  }
  if (!found) {
    return Error{ErrorKind::unreachable, "the neighbour table has no resolved entry of " + address.text(), {}};
  }
  MacAddress mac{};
  if (found->link_address.size() != mac.size()) {
    return Error{ErrorKind::unsupported, "the link's addresses are not MAC addresses", {}};
  }
  std::memcpy(mac.data(), found->link_address.data(), mac.size());
  return mac;
}

namespace {

/// Of one interface, or of all for an empty name.
std::set<IpAddress> addresses_of_this_host(std::string_view interface) {
  std::set<IpAddress> found;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) {
    return found;
  }
  for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (!interface.empty() && interface != entry->ifa_name) {
      continue;
    }
    const bool v6 = entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET6;
    if (const auto address = IpAddress::from(entry->ifa_addr, v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in))) {
      found.insert(*address);
    }
  }
  ::freeifaddrs(list);
  return found;
}

}  // namespace

std::set<IpAddress> own_addresses() {
  return addresses_of_this_host({});
}

std::set<IpAddress> addresses_on(const std::string& interface) {
  return interface.empty() ? std::set<IpAddress>{} : addresses_of_this_host(interface);
}

IpAddress link_local_of(const MacAddress& mac) {
  IpAddress address;
  address.v6 = true;
  constexpr std::uint8_t kUniversalBit = 0x02;
  address.bytes = {
      0xfe,   0x80,   0,    0,    0,      0,      0,     0, static_cast<std::uint8_t>(mac[0] ^ kUniversalBit),
      mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};
  return address;
}

bool is_link_local_v6(const IpAddress& address) {
  return address.v6 && address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0U) == 0x80;
}

std::string mac_text(const MacAddress& mac) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const auto byte : mac) {
    text += text.empty() ? "" : ":";
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

}  // namespace assay

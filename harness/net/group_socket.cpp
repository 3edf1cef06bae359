#include "harness/net/group_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <netinet/in.h>
#include <optional>
#include <set>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "harness/net/discovery_groups.hpp"
#include "harness/net/errors.hpp"
#include "harness/net/link.hpp"
#include "harness/net/poll_set.hpp"
#include "harness/net/waiting.hpp"

namespace assay {

namespace {

constexpr std::size_t kLargestDatagram = 65535;
constexpr std::size_t kMostBytes = 2U << 20U;  // of all answers together
constexpr std::size_t kMostSenders = 256;      // link-local senders that are looked up
constexpr int kTakenAtOnce = 64;               // datagrams of one socket before the others have their turn
/// 224.0.0.0/24 and ff02::/16 never leave the link whatever the hop limit says, and mDNS wants 255 (RFC 6762, 11);
/// 239.255.255.250 stays on the link because the hop limit is 1.
constexpr int kHopsLinkLocal = 255;
constexpr int kHopsElsewhere = 1;

template <class Value>
bool set(int socket, int level, int option, const Value& value) {
  return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

struct GroupSocket {
  UniqueFd socket;
  DiscoveryGroup group = DiscoveryGroup::mdns;
  bool hears_group = false;
};

/// The place with the interface in it, which IPv6 link-local groups need.
SocketAddress place_on(const GroupAddress& group, int interface) {
  SocketAddress place{group.address, group.port};
  if (group.address.v6) {
    sockaddr_in6 scoped{};
    std::memcpy(&scoped, &place.storage, sizeof scoped);
    scoped.sin6_scope_id = static_cast<std::uint32_t>(interface);
    std::memcpy(&place.storage, &scoped, sizeof scoped);
  }
  return place;
}

/// A socket to ask from: our own address on the interface, a port of the kernel's choice.
Result<UniqueFd> open_asker(const LinkRoute& route, const GroupAddress& group) {
  const bool v6 = group.address.v6;
  UniqueFd socket{::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const int off = 0;
  const int on = 1;
  bool ready = static_cast<bool>(socket);
  if (v6) {
    ready = ready && set(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, on) &&
            set(socket.get(), IPPROTO_IPV6, IPV6_MULTICAST_IF, route.interface) &&
            set(socket.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, kHopsLinkLocal) &&
            set(socket.get(), IPPROTO_IPV6, IPV6_MULTICAST_LOOP, off);
  } else {
    ip_mreqn by{};
    by.imr_ifindex = route.interface;
    const int hops = group.address.bytes[0] == 224 ? kHopsLinkLocal : kHopsElsewhere;
    ready = ready && set(socket.get(), IPPROTO_IP, IP_MULTICAST_IF, by) &&
            set(socket.get(), IPPROTO_IP, IP_MULTICAST_TTL, hops) &&
            set(socket.get(), IPPROTO_IP, IP_MULTICAST_LOOP, off);
  }
  if (ready && route.has_source) {
    const SocketAddress own{route.source, 0};
    ready = ::bind(socket.get(), own.get(), own.size) == 0;
  }
  if (!ready) {
    return error_from_errno(errno, "open a socket for " + group.address.text());
  }
  return socket;
}

/// A socket that hears the group. Bound to the group's own address, so that it takes nothing that is meant for another
/// program of this machine.
Result<UniqueFd> open_listener(const LinkRoute& route, const GroupAddress& group) {
  const bool v6 = group.address.v6;
  UniqueFd socket{::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const int off = 0;
  const int on = 1;
  bool ready =
      socket && set(socket.get(), SOL_SOCKET, SO_REUSEADDR, on) && set(socket.get(), SOL_SOCKET, SO_REUSEPORT, on);
  if (v6) {
    ipv6_mreq join{};
    std::memcpy(&join.ipv6mr_multiaddr, group.address.bytes.data(), sizeof join.ipv6mr_multiaddr);
    join.ipv6mr_interface = static_cast<unsigned>(route.interface);
    ready = ready && set(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, on) &&
            set(socket.get(), IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, join);
  } else {
    ip_mreqn join{};
    std::memcpy(&join.imr_multiaddr, group.address.bytes.data(), sizeof join.imr_multiaddr);
    join.imr_ifindex = route.interface;
    ready = ready && set(socket.get(), IPPROTO_IP, IP_MULTICAST_ALL, off) &&
            set(socket.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, join);
  }
  const auto place = place_on(group, route.interface);
  if (!ready || ::bind(socket.get(), place.get(), place.size) != 0) {
    return error_from_errno(errno, "listen to " + group.address.text() + " port " + std::to_string(group.port));
  }
  return socket;
}

/// Who sent a datagram.
class Senders {
 public:
  Senders(const IpAddress& device, const LinkRoute& route) : device_(device), route_(route), ours_(own_addresses()) {}

  bool is_device(const IpAddress& from) {
    if (from == device_) {
      return true;
    }
    if (!is_link_local_v6(from) || !device_.v6) {
      return false;
    }
    const auto known = link_local_.find(from);
    if (known != link_local_.end() || link_local_.size() >= kMostSenders) {
      return known != link_local_.end() && known->second;
    }
    const bool same = has_mac_of_device(from);
    link_local_.emplace(from, same);
    return same;
  }

  /// A datagram of this machine that came back to it.
  bool is_ours(const IpAddress& from) const { return from != device_ && ours_.contains(from); }

 private:
  bool has_mac_of_device(const IpAddress& from) const {
    const auto device = neighbour_of(device_, route_.interface);
    if (!device) {
      return false;
    }
    const auto sender = neighbour_of(from, route_.interface);
    return sender ? *sender == *device : link_local_of(*device) == from;
  }

  IpAddress device_;
  const LinkRoute& route_;
  std::set<IpAddress> ours_;
  std::map<IpAddress, bool> link_local_;  // asked of the kernel once each, so that a flood costs no more
};

class Collector {
 public:
  Collector(const IpAddress& device, const LinkRoute& route, GroupAnswers& into)
      : senders_(device, route), into_(into) {}

  /// Takes what waits on a socket, up to kTakenAtOnce.
  void take(const GroupSocket& from) {
    for (int count = 0; count < kTakenAtOnce; ++count) {
      SocketAddress sender;
      sender.size = sizeof sender.storage;
      const auto size =
          ::recvfrom(from.socket.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT, sender.get(), &sender.size);
      if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return;
      }
      const auto address = size < 0 ? std::nullopt : IpAddress::from(sender.get(), sender.size);
      if (address && !senders_.is_ours(*address)) {
        keep(from, *address, sender.port(), static_cast<std::size_t>(size));
      }
    }
  }

 private:
  void keep(const GroupSocket& from, const IpAddress& address, std::uint16_t port, std::size_t size) {
    if (!senders_.is_device(address)) {
      count_other(from, address.text());
      return;
    }
    if (into_.answers.size() >= GroupAnswers::kMost || bytes_ + size > kMostBytes) {
      ++into_.left_out;
      return;
    }
    bytes_ += size;
    GroupAnswers::Answer answer;
    answer.group = from.group;
    answer.payload.assign(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
    answer.from = address.text();
    answer.from_port = port;
    answer.to_group = from.hears_group;
    into_.answers.push_back(std::move(answer));
  }

  void count_other(const GroupSocket& from, const std::string& address) {
    auto found = std::find_if(into_.others.begin(), into_.others.end(),
                              [&](const auto& other) { return other.group == from.group && other.address == address; });
    if (found == into_.others.end()) {
      if (into_.others.size() >= GroupAnswers::kMost) {
        ++into_.left_out;
        return;
      }
      into_.others.push_back({from.group, address, 0, 0});
      found = into_.others.end() - 1;
    }
    ++(from.hears_group ? found->heard : found->replies);
  }

  Senders senders_;
  GroupAnswers& into_;
  std::size_t bytes_ = 0;
  Bytes buffer_ = Bytes(kLargestDatagram);
};

int send_to(const GroupSocket& from, const Bytes& payload, const SocketAddress& place) {
  const auto sent = ::sendto(from.socket.get(), payload.data(), payload.size(), MSG_NOSIGNAL, place.get(), place.size);
  return sent < 0 ? errno : 0;
}

}  // namespace

class GroupConversation {
 public:
  Result<> open(const LinkRoute& route, const std::vector<GroupQuestion>& questions, bool v6, GroupAnswers& answers,
                const FlowLog& flows) {
    if (!polled_) {
      auto set = PollSet::open();
      if (!set) {
        return set.error();
      }
      polled_ = std::move(*set);
    }
    for (const auto& question : questions) {
      const auto group = group_address(question.group, v6);
      if (!find(question.group, true) && !deaf_.contains(question.group)) {
        auto listener = open_listener(route, group);
        if (listener) {
          add(std::move(*listener), question.group, true);
        } else {
          deaf_.insert(question.group);
          answers.deaf.push_back(enum_name(question.group) + std::string{": "} + listener.error().what);
        }
      }
      if (!question.payload.empty() && !find(question.group, false)) {
        auto asker = open_asker(route, group);
        if (!asker) {
          return asker.error();
        }
        tell(flows, *asker);
        add(std::move(*asker), question.group, false);
      }
    }
    return {};
  }

  const GroupSocket* find(DiscoveryGroup group, bool hears_group) const {
    const auto found = std::find_if(sockets_.begin(), sockets_.end(), [&](const auto& entry) {
      return entry.group == group && entry.hears_group == hears_group;
    });
    return found == sockets_.end() ? nullptr : &*found;
  }

  void collect(Collector& collector) {
    polled_->collect([&](std::uint64_t place) { collector.take(sockets_[place]); });
  }

  PollSet& polled() { return *polled_; }

 private:
  static void tell(const FlowLog& flows, const UniqueFd& asker) {
    SocketAddress own;
    own.size = sizeof own.storage;
    if (flows && ::getsockname(asker.get(), own.get(), &own.size) == 0 && own.port() != 0) {
      flows({Transport::udp, own.port(), {}, 0, packet_clock()});
    }
  }

  void add(UniqueFd socket, DiscoveryGroup group, bool hears_group) {
    polled_->add(socket.get(), EPOLLIN, sockets_.size());
    sockets_.push_back({std::move(socket), group, hears_group});
  }

  std::optional<PollSet> polled_;
  std::vector<GroupSocket> sockets_;
  std::set<DiscoveryGroup> deaf_;
};

asio::awaitable<Result<GroupAnswers>> ask_discovery_groups(Governor& governor, IpAddress address,
                                                           std::shared_ptr<GroupConversation>& conversation,
                                                           const std::vector<GroupQuestion>& questions,
                                                           milliseconds within, TimePoint deadline,
                                                           const FlowLog& flows) {
  if (co_await begin_operation()) {
    co_return cancelled_error();
  }
  const auto route = route_to(address);
  if (!route) {
    co_return route.error();
  }
  if (route->by_router) {
    co_return Error{ErrorKind::unreachable, "the device is behind a router, and multicast ends at the link", {}};
  }
  GroupAnswers answers;
  answers.interface = route->name;
  if (!conversation) {
    conversation = std::make_shared<GroupConversation>();
  }
  if (const auto opened = conversation->open(*route, questions, address.v6, answers, flows); !opened) {
    co_return opened.error();
  }
  Collector collector{address, *route, answers};
  for (const auto& question : questions) {
    if (question.payload.empty()) {
      continue;
    }
    const auto permitted = co_await governor.acquire_packet(deadline);
    if (!permitted) {
      co_return permitted.error();
    }
    const auto place = place_on(group_address(question.group, address.v6), route->interface);
    if (const int failed = send_to(*conversation->find(question.group, false), question.payload, place); failed != 0) {
      co_return error_from_errno(failed, "ask the group of " + std::string{enum_name(question.group)});
    }
    ++answers.sent;
  }
  const auto until = time_limit(within, deadline);
  conversation->polled().wake_at(until);
  auto copy = conversation->polled().waitable();
  if (!copy) {
    co_return copy.error();
  }
  asio::posix::stream_descriptor ready{co_await asio::this_coro::executor, copy->release()};
  // What more waits makes the next wait end at once: a flood gets no more than its share of the loop.
  while (std::chrono::steady_clock::now() < until) {
    conversation->collect(collector);
    const auto outcome = co_await ready.async_wait(asio::posix::stream_descriptor::wait_read, kNoThrow);
    if (std::get<0>(outcome)) {
      co_return error_from_code(std::get<0>(outcome), "wait for answers of the groups");
    }
  }
  conversation->collect(collector);
  co_return answers;
}

}  // namespace assay

#include <algorithm>
#include <cstring>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <thread>

#include "harness/net/discovery_groups.hpp"
#include "harness/net/link.hpp"
#include "tests/support/own_network.hpp"
#include "tests/unit/harness/net/loopback.hpp"

using namespace assay;
using assay::loopback::Bench;
using namespace std::chrono_literals;

namespace {

template <class Value>
void put(std::string& out, const Value& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_attribute(std::string& out, unsigned short type, std::string_view value) {
  rtattr head{};
  head.rta_type = type;
  head.rta_len = static_cast<unsigned short>(sizeof head + value.size());
  put(out, head);
  out += value;
  out.append(RTA_ALIGN(value.size()) - value.size(), '\0');
}

std::string neighbour_message(std::string_view address, std::string_view mac, std::uint16_t state) {
  nlmsghdr head{};
  head.nlmsg_type = RTM_NEWNEIGH;
  ndmsg fixed{};
  fixed.ndm_family = address.size() == 16 ? AF_INET6 : AF_INET;
  fixed.ndm_ifindex = 7;
  fixed.ndm_state = state;
  std::string out;
  put(out, head);
  put(out, fixed);
  put_attribute(out, NDA_DST, address);
  put_attribute(out, NDA_LLADDR, mac);
  return out;
}

/// A member of a group on the loopback, and what it answers from.
struct Member {
  Member(const GroupAddress& group, const char* answers_from) {
    listening = UniqueFd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const int on = 1;
    REQUIRE(::setsockopt(listening.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    REQUIRE(::setsockopt(listening.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0);
    const SocketAddress place{group.address, group.port};
    REQUIRE(::bind(listening.get(), place.get(), place.size) == 0);
    ip_mreqn join{};
    std::memcpy(&join.imr_multiaddr, group.address.bytes.data(), sizeof join.imr_multiaddr);
    join.imr_ifindex = 1;
    REQUIRE(::setsockopt(listening.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join) == 0);
    const timeval patience{10, 0};
    REQUIRE(::setsockopt(listening.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
    answering = UniqueFd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const SocketAddress own{*IpAddress::parse(answers_from), 0};
    REQUIRE(::bind(answering.get(), own.get(), own.size) == 0);
  }

  /// Answers one question with the same bytes, twice.
  void answer_once() const {
    std::array<char, 512> bytes{};
    SocketAddress from;
    from.size = sizeof from.storage;
    const auto size = ::recvfrom(listening.get(), bytes.data(), bytes.size(), 0, from.get(), &from.size);
    for (int i = 0; i < 2 && size > 0; ++i) {
      (void)!::sendto(answering.get(), bytes.data(), static_cast<std::size_t>(size), 0, from.get(), from.size);
    }
  }

  UniqueFd listening;
  UniqueFd answering;
};

asio::awaitable<void> ask(Network& network, const std::vector<GroupQuestion>& questions, milliseconds within,
                          std::optional<Result<GroupAnswers>>& into) {
  into = co_await network.ask_groups(questions, within);
}

const std::vector<GroupQuestion> kOneQuestion{{DiscoveryGroup::ssdp, Bytes{std::byte{'h'}, std::byte{'i'}}}};

}  // namespace

TEST_CASE("A neighbour entry is read from the kernel's message, and a torn one is not") {
  const std::string address{'\x0a', '\x4d', '\0', '\x02'};
  const auto short_address = neighbour_message("\x0a\x4d", {"\x02\x00\x5e\x10\x00\x02", 6}, NUD_STALE);
  const auto whole = neighbour_message(address, {"\x02\x00\x5e\x10\x00\x02", 6}, NUD_STALE);
  const auto entry = parse_neighbour(whole);
  REQUIRE(entry);
  CHECK(entry->address.text() == "10.77.0.2");
  CHECK(entry->interface == 7);
  CHECK(entry->state == NUD_STALE);
  CHECK(entry->link_address.size() == 6);
  CHECK_FALSE(parse_neighbour(short_address));
  for (std::size_t size = 0; size < sizeof(nlmsghdr) + sizeof(ndmsg) + 8; ++size) {
    CHECK_FALSE(parse_neighbour(std::string_view{whole}.substr(0, size)));
  }
  CHECK_FALSE(parse_route(whole, false));
}

TEST_CASE("A MAC has its text and its link-local address") {
  const MacAddress mac{0x02, 0x00, 0x5e, 0x10, 0x00, 0x02};
  CHECK(mac_text(mac) == "02:00:5e:10:00:02");
  CHECK(link_local_of(mac).text() == "fe80::5eff:fe10:2");
  CHECK(is_link_local_v6(link_local_of(mac)));
  CHECK_FALSE(is_link_local_v6(*IpAddress::parse("fd00::1")));
  CHECK_FALSE(is_link_local_v6(*IpAddress::parse("169.254.0.1")));
}

TEST_CASE("The kernel knows the way to the loopback and of no neighbour there") {
  const auto route = route_to(*IpAddress::parse("127.0.0.1"));
  REQUIRE(route);
  CHECK(route->name == "lo");
  CHECK_FALSE(route->by_router);
  CHECK(route->source.text() == "127.0.0.1");
  const auto neighbour = neighbour_of(*IpAddress::parse("127.0.0.9"), route->interface);
  REQUIRE_FALSE(neighbour);
  CHECK(neighbour.error().kind == ErrorKind::unreachable);
}

TEST_CASE("Groups are asked on the way to the device; its answers are kept, those of others counted") {
  if (!in_network_of_our_own()) {
    return;
  }
  Bench bench;
  const Member device{group_address(DiscoveryGroup::ssdp, false), "127.0.0.1"};
  const Member other{group_address(DiscoveryGroup::ssdp, false), "127.0.0.5"};
  std::thread one{[&] { device.answer_once(); }};
  std::thread two{[&] { other.answer_once(); }};
  std::optional<Result<GroupAnswers>> said;
  bench.run(ask(*bench.network, kOneQuestion, 700ms, said));
  one.join();
  two.join();
  REQUIRE(said);
  REQUIRE(*said);
  const auto& answers = **said;
  CHECK(answers.sent == 1);
  CHECK(answers.interface == "lo");
  CHECK(answers.deaf.empty());
  const auto replies = std::count_if(answers.answers.begin(), answers.answers.end(),
                                     [](const auto& answer) { return !answer.to_group; });
  CHECK(replies == 2);
  // 127.0.0.5 is this machine's own as well, but not an address that an interface has.
  REQUIRE(answers.others.size() == 1);
  CHECK(answers.others[0].address == "127.0.0.5");
  CHECK(answers.others[0].replies == 2);
}

TEST_CASE("An answer that comes after one asking is heard by the next") {
  if (!in_network_of_our_own()) {
    return;
  }
  Bench bench;
  const Member device{group_address(DiscoveryGroup::ssdp, false), "127.0.0.1"};
  std::optional<Result<GroupAnswers>> said;
  bench.run(ask(*bench.network, kOneQuestion, 1ms, said));
  const auto before = (*said)->answers.size();
  device.answer_once();  // the question waits for it
  const std::vector<GroupQuestion> only_listen{{DiscoveryGroup::ssdp, {}}};
  bench.run(ask(*bench.network, only_listen, 100ms, said));
  REQUIRE(*said);
  CHECK((*said)->sent == 0);
  const auto& answers = (*said)->answers;
  const auto replies =
      std::count_if(answers.begin(), answers.end(), [](const auto& answer) { return !answer.to_group; });
  CHECK(before <= 1);  // its own question, heard on the loopback
  CHECK(replies == 2);
}

TEST_CASE("Questions to a group end with a cancellation and with the deadline") {
  if (!in_network_of_our_own()) {
    return;
  }
  Bench cancelled;
  std::optional<Result<GroupAnswers>> said;
  cancelled.cancel_in(50ms);
  cancelled.run(ask(*cancelled.network, kOneQuestion, 10s, said));
  REQUIRE(said);
  REQUIRE_FALSE(*said);
  CHECK(said->error().kind == ErrorKind::cancelled);
  Bench late{"127.0.0.1", 100ms};
  const auto start = std::chrono::steady_clock::now();
  late.run(ask(*late.network, kOneQuestion, 10s, said));
  CHECK(std::chrono::steady_clock::now() - start < 5s);
  CHECK(*said);
}

TEST_CASE("A target outside the scope has no groups and no neighbour") {
  Bench bench{"192.0.2.1"};
  std::optional<Result<GroupAnswers>> said;
  bench.run(ask(*bench.network, kOneQuestion, 100ms, said));
  REQUIRE(said);
  REQUIRE_FALSE(*said);
  CHECK(said->error().kind == ErrorKind::denied);
  CHECK(bench.network->neighbour().error().kind == ErrorKind::denied);
}

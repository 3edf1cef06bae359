#include "harness/net/capture.hpp"

#include <algorithm>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "harness/net/errors.hpp"
#include "harness/net/link.hpp"
#include "harness/net/waiting.hpp"

namespace assay {

namespace {

constexpr int kFramesAtOnce = 512;          // before others of the loop have their turn
constexpr int kMostRounds = 256;            // of these when an invocation has ended
constexpr milliseconds kSettle{30};         // the kernel holds a block back for twice kBlockMilliseconds at most
constexpr std::size_t kFrameOverhead = 96;  // of a frame in memory, over its bytes
constexpr std::string_view kLoopback = "lo";
constexpr std::uint16_t kDhcpServer = 67, kDhcpClient = 68;  // RFC 2131, 4.1

/// Frames of a target, and what anybody says to everybody: which of that is a target's is told once its link-layer
/// address is known. Multicast of a machine that captures on its loopback would be its own.
std::string filter_for(const std::vector<IpAddress>& targets, bool on_link) {
  std::string filter;
  for (const auto& target : targets) {
    filter += (filter.empty() ? "host " : " or host ") + target.text();
  }
  return on_link ? filter + " or ether multicast or (udp and (port 67 or port 68))" : filter;
}

/// Of the network namespace that the thread is in.
ino_t namespace_number() {
  struct stat about {};

  return ::stat("/proc/thread-self/ns/net", &about) == 0 ? about.st_ino : 0;
}

/// The calling thread is at the vantage, if there is one, while this lives.
using Stay = std::optional<AtVantage>;

}  // namespace

/// Waits on one tap as long as the capture goes on.
struct Capture::Reader {
  Reader(const asio::any_io_executor& executor, int descriptor)
      : ready(executor, ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)) {}

  asio::posix::stream_descriptor ready;
};

Capture::~Capture() = default;

/// An interface of one namespace, and whom it leads to.
struct Capture::Way {
  const Vantage* vantage = nullptr;
  ino_t netns = 0;
  std::string interface;
  std::vector<IpAddress> reached;
  bool on_link = false;  // one of them, without a router
};

Result<std::vector<Capture::Way>> Capture::ways_to(const std::vector<CaptureTarget>& targets) {
  std::vector<Way> out;
  for (const auto& target : targets) {
    Stay stay;
    if (target.vantage != nullptr) {
      stay.emplace(*target.vantage);
    }
    const auto route = route_to(target.address);
    if (!route) {
      return route.error();
    }
    const auto netns = namespace_number();
    auto way = std::find_if(out.begin(), out.end(),
                            [&](const auto& known) { return known.netns == netns && known.interface == route->name; });
    if (way == out.end()) {
      way = out.insert(out.end(), Way{target.vantage, netns, route->name, {}, false});
    }
    if (std::find(way->reached.begin(), way->reached.end(), target.address) == way->reached.end()) {
      way->reached.push_back(target.address);
    }
    if (!route->by_router && !own_addresses().contains(target.address)) {
      way->on_link = true;
      on_link_.insert(target.address);
    }
    targets_.push_back(target.address);
  }
  return out;
}

Result<std::unique_ptr<Capture>> Capture::open(const asio::any_io_executor& executor,
                                               const std::vector<CaptureTarget>& targets) {
  std::unique_ptr<Capture> out{new Capture};
  auto ways = out->ways_to(targets);
  if (!ways) {
    return ways.error();
  }
  for (const auto& way : *ways) {
    Stay stay;
    if (way.vantage != nullptr) {
      stay.emplace(*way.vantage);
    }
    auto tap = PacketTap::open(way.interface, filter_for(way.reached, way.on_link));
    if (!tap) {
      return tap.error();
    }
    out->interfaces_.push_back((*tap)->interface());
    out->taps_.push_back(std::move(*tap));
  }
  for (std::size_t i = 0; i < out->taps_.size(); ++i) {
    out->readers_.push_back(std::make_unique<Reader>(executor, out->taps_[i]->descriptor()));
    out->start(i);
  }
  return out;
}

void Capture::start(std::size_t interface) {
  readers_[interface]->ready.async_wait(asio::posix::stream_descriptor::wait_read,
                                        [this, interface](const boost::system::error_code& stopped) {
                                          if (!stopped) {
                                            read(interface);
                                            start(interface);
                                          }
                                        });
}

void Capture::stop() {
  for (auto& reader : readers_) {
    boost::system::error_code ignored;
    reader->ready.close(ignored);
  }
}

void Capture::read(std::size_t interface) {
  taps_[interface]->read(kFramesAtOnce, [this, interface](const TappedFrame& frame) {
    keep(static_cast<std::uint32_t>(interface), frame);
  });
}

void Capture::read_all() {
  for (std::size_t i = 0; i < taps_.size(); ++i) {
    const auto take = [this, i](const TappedFrame& frame) { keep(static_cast<std::uint32_t>(i), frame); };
    for (int round = 0; round < kMostRounds && taps_[i]->read(kFramesAtOnce, take) > 0; ++round) {
    }
  }
}

void Capture::keep(std::uint32_t interface, const TappedFrame& tapped) {
  CapturedFrame frame;
  frame.time_ns = tapped.time_ns;
  frame.interface = interface;
  frame.original_size = tapped.original_size;
  if (held_ + tapped.bytes.size() + kFrameOverhead > kMostHeld) {
    ++not_kept_;
    return;
  }
  frame.bytes.assign(tapped.bytes.begin(), tapped.bytes.end());
  const auto key = packet_key(frame.bytes, interfaces_[interface].link);
  if (key) {
    learn_sender(*key, frame);
    note_dhcp(*key, frame);
  }
  // What other hosts say to everybody waits only until the targets are known by their link-layer addresses.
  if (!on_link_.empty() && senders_.size() >= on_link_.size() && !concerns_target(key, frame)) {
    return;
  }
  held_ += frame.bytes.size() + kFrameOverhead;
  frames_.push_back(std::move(frame));
}

/// The link-layer address of a target on the link: what it says without its address, or to everybody, is known by it.
void Capture::learn_sender(const PacketKey& key, const CapturedFrame& frame) {
  if (key.quoted || !on_link_.contains(key.source) || senders_.size() >= on_link_.size()) {
    return;
  }
  if (const auto sender = frame_sender(frame.bytes, interfaces_[frame.interface].link)) {
    senders_.insert(*sender);
  }
}

void Capture::note_dhcp(const PacketKey& key, const CapturedFrame& frame) {
  const bool to_server = key.kind == PacketKey::Kind::udp && !key.quoted && key.destination_port == kDhcpServer &&
                         key.source_port == kDhcpClient;
  if (!to_server || (!senders_.empty() && !is_of_target(frame))) {
    return;
  }
  dhcp_.push_back(frame);
  if (dhcp_.size() > Network::kMostOverheard) {
    dhcp_.pop_front();
  }
}

std::vector<TapCounters> Capture::counters() const {
  std::vector<TapCounters> out;
  for (const auto& tap : taps_) {
    out.push_back(tap->counters());
  }
  return out;
}

FlowLog Capture::log_for(const std::string& owner) {
  return [this, owner](const Flow& flow) { flows_.add(owner, flow); };
}

asio::awaitable<void> Capture::settle() {
  const auto when = time_limit(kSettle, TimePoint::max());
  std::ignore = co_await wait_until(when, TimePoint::max());
  read_all();
}

asio::awaitable<std::vector<CapturedFrame>> Capture::take(std::string owner) {
  flows_.end(owner, packet_clock());
  co_await settle();
  std::vector<CapturedFrame> out;
  std::deque<CapturedFrame> others;
  for (auto& frame : frames_) {
    const auto key = packet_key(frame.bytes, interfaces_[frame.interface].link);
    const auto match = key ? flows_.find(*key, frame.time_ns) : std::nullopt;
    if (!match || *match->owner != owner) {
      others.push_back(std::move(frame));
      continue;
    }
    held_ -= frame.bytes.size() + kFrameOverhead;
    frame.direction = match->outbound ? CapturedFrame::Direction::outbound : CapturedFrame::Direction::inbound;
    frame.own_port = match->own_port;
    frame.device_port = match->device_port;
    out.push_back(std::move(frame));
  }
  frames_ = std::move(others);
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.time_ns < b.time_ns; });
  co_return out;
}

bool Capture::is_target(const IpAddress& address) const {
  return std::find(targets_.begin(), targets_.end(), address) != targets_.end();
}

/// By its link-layer address.
bool Capture::is_of_target(const CapturedFrame& frame) const {
  const auto sender = frame_sender(frame.bytes, interfaces_[frame.interface].link);
  return sender && senders_.contains(*sender);
}

bool Capture::concerns_target(const std::optional<PacketKey>& key, const CapturedFrame& frame) const {
  const bool own_machine = interfaces_[frame.interface].name == kLoopback;
  if (!own_machine && ((key && (is_target(key->source) || is_target(key->destination))) || is_of_target(frame))) {
    return true;
  }
  return key && flows_.find(*key, frame.time_ns);
}

asio::awaitable<std::vector<CapturedFrame>> Capture::take_rest() {
  co_await settle();
  std::vector<CapturedFrame> out;
  for (auto& frame : frames_) {
    if (concerns_target(packet_key(frame.bytes, interfaces_[frame.interface].link), frame)) {
      out.push_back(std::move(frame));
    }
  }
  frames_.clear();
  held_ = 0;
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.time_ns < b.time_ns; });
  co_return out;
}

std::vector<std::vector<std::byte>> Capture::dhcp_messages() {
  read_all();
  std::vector<std::vector<std::byte>> out;
  for (const auto& frame : dhcp_) {
    const auto key = packet_key(frame.bytes, interfaces_[frame.interface].link);
    if (key && is_of_target(frame)) {
      const auto begin = frame.bytes.begin() + static_cast<std::ptrdiff_t>(key->payload_at);
      out.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(key->payload_size));
    }
  }
  return out;
}

}  // namespace assay

#include "harness/net/syn_pool.hpp"

#include <cerrno>
#include <limits>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <random>
#include <sys/socket.h>

namespace assay {

namespace {

constexpr std::size_t kMostSlots = std::numeric_limits<std::uint16_t>::max();
constexpr std::size_t kMessagesAtOnce = 64;
constexpr std::size_t kPacketBytes = 128;  // headers with every option; the rest does not matter
constexpr std::size_t kQueueLimit = 64;
constexpr int kToldInRow = 8;  // errors of other segments that one may be told before it is its own

Answer answer_of_icmp(const sock_extended_err& error) {
  if (error.ee_origin == SO_EE_ORIGIN_ICMP && error.ee_type == ICMP_DEST_UNREACH) {
    switch (error.ee_code) {
      case ICMP_NET_UNREACH:
      case ICMP_NET_UNKNOWN:
        return Answer::net_unreachable;
      case ICMP_PORT_UNREACH:
        return Answer::port_unreachable;
      case ICMP_PROT_UNREACH:
        return Answer::protocol_unreachable;
      case ICMP_NET_ANO:
      case ICMP_HOST_ANO:
      case ICMP_PKT_FILTERED:
        return Answer::prohibited;
      default:
        return Answer::host_unreachable;
    }
  }
  if (error.ee_origin == SO_EE_ORIGIN_ICMP6 && error.ee_type == ICMP6_DST_UNREACH) {
    switch (error.ee_code) {
      case ICMP6_DST_UNREACH_NOROUTE:
        return Answer::net_unreachable;
      case ICMP6_DST_UNREACH_NOPORT:
        return Answer::port_unreachable;
      case ICMP6_DST_UNREACH_ADMIN:
      case 5:  // source address failed a policy (RFC 4443, 3.1)
      case 6:  // reject route to the destination
        return Answer::prohibited;
      default:
        return Answer::host_unreachable;
    }
  }
  return Answer::silence;  // any other ICMP says nothing about the port
}

const sock_extended_err* extended_error(msghdr& message) {
  for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    const bool v4 = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR;
    const bool v6 = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR;
    if (v4 || v6) {
      return reinterpret_cast<const sock_extended_err*>(CMSG_DATA(part));
    }
  }
  return nullptr;
}

bool says_nothing(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

SynPool::SynPool(const IpAddress& target, RawTcp raw, PollSet poll)
    : target_(target), raw_(std::move(raw)), poll_(std::move(poll)), key_(std::random_device{}()) {}

Result<std::unique_ptr<PortAsker>> SynPool::open(const IpAddress& address) {
  auto raw = open_raw_tcp(address);
  if (!raw) {
    return raw.error();
  }
  auto poll = PollSet::open();
  if (!poll) {
    return poll.error();
  }
  std::unique_ptr<SynPool> pool{new SynPool{address, std::move(*raw), std::move(*poll)}};
  pool->poll_.add(pool->raw_.socket.get(), EPOLLIN, 0);
  return std::unique_ptr<PortAsker>{std::move(pool)};
}

std::optional<std::uint16_t> SynPool::free_slot() {
  if (!idle_.empty()) {
    const auto slot = idle_.back();
    idle_.pop_back();
    return slot;
  }
  if (slots_.size() >= kMostSlots) {
    return std::nullopt;
  }
  slots_.emplace_back();
  return static_cast<std::uint16_t>(slots_.size() - 1);
}

std::uint32_t SynPool::sequence_of(std::uint16_t slot) const {
  return key_ ^ ((std::uint32_t{slots_[slot].generation} << 16U) | slot);
}

PortAsker::Started SynPool::start(const Attempt& attempt, TimePoint now) {
  const auto slot = free_slot();
  if (!slot) {
    return {Start::no_descriptors, ENOBUFS, {}};
  }
  auto& one = slots_[*slot];
  one.attempt = attempt;
  one.started = now;
  one.busy = true;
  ++one.generation;
  ++in_flight_;
  order_.push_back({*slot, one.generation});
  queue_.push_back({syn_segment(raw_.source, raw_.port, target_, attempt.port, sequence_of(*slot)), *slot});
  return {};
}

void SynPool::flush(std::vector<Ended>& into) {
  std::size_t sent = 0;
  int told = 0;  // errors in a row of the segment that is next
  while (sent < queue_.size()) {
    std::array<iovec, kQueueLimit> parts;
    std::array<mmsghdr, kQueueLimit> messages{};
    const auto count = std::min(queue_.size() - sent, kQueueLimit);
    for (std::size_t i = 0; i < count; ++i) {
      parts[i] = {queue_[sent + i].segment.data(), kSynSize};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int done = ::sendmmsg(raw_.socket.get(), messages.data(), static_cast<unsigned>(count), 0);
    const int error = errno;
    const auto now = std::chrono::steady_clock::now();
    if (done > 0) {
      for (std::size_t i = 0; i < static_cast<std::size_t>(done); ++i) {
        slots_[queue_[sent + i].slot].started = now;
      }
      sent += static_cast<std::size_t>(done);
      told = 0;
    } else if (says_nothing(error) || error == ENOBUFS) {
      break;  // the rest goes with the next flush
    } else if (++told > kToldInRow || error == EPERM || error == EACCES || error == EMSGSIZE || error == EINVAL ||
               error == ENETDOWN) {
      finish(queue_[sent].slot, Answer::local_failure, now, into);
      ++sent;
      told = 0;
    } else {  // an ICMP error of an earlier segment, told here; where there is no route any more, the same for ever
      read_errors(now, into);
    }
  }
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(sent));
}

void SynPool::read_segments(TimePoint now, std::vector<Ended>& into) {
  std::array<std::array<std::byte, kPacketBytes>, kMessagesAtOnce> buffers;
  while (true) {
    std::array<iovec, kMessagesAtOnce> parts;
    std::array<mmsghdr, kMessagesAtOnce> messages{};
    for (std::size_t i = 0; i < kMessagesAtOnce; ++i) {
      parts[i] = {buffers[i].data(), kPacketBytes};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int count = ::recvmmsg(raw_.socket.get(), messages.data(), kMessagesAtOnce, MSG_DONTWAIT, nullptr);
    if (count < 0) {
      if (says_nothing(errno)) {
        return;
      }
      read_errors(now, into);
      continue;
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const std::span bytes{buffers[i].data(), std::min<std::size_t>(messages[i].msg_len, kPacketBytes)};
      const auto reply = target_.v6 ? parse_segment(bytes) : parse_ipv4_packet(bytes);
      if (reply && reply->ack && (reply->reset || reply->syn)) {
        answered(reply->acknowledges - 1, reply->from_port, reply->reset ? Answer::refused : Answer::accepted, now,
                 into);
      }
    }
    if (static_cast<std::size_t>(count) < kMessagesAtOnce) {
      return;
    }
  }
}

void SynPool::read_errors(TimePoint now, std::vector<Ended>& into) {
  while (true) {
    std::array<std::byte, kPacketBytes> quoted;
    alignas(cmsghdr) std::array<char, 512> control;
    iovec part{quoted.data(), quoted.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto size = ::recvmsg(raw_.socket.get(), &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (size < 0) {
      return;
    }
    const auto* error = extended_error(message);
    const auto segment = parse_quoted(std::span{quoted}.first(std::min<std::size_t>(
        static_cast<std::size_t>(size), quoted.size())));
    if (error == nullptr || !segment || segment->from_port != raw_.port) {
      continue;
    }
    if (const auto answer = answer_of_icmp(*error); answer != Answer::silence) {
      answered(segment->sequence, segment->to_port, answer, now, into);
    }
  }
}

void SynPool::answered(std::uint32_t sequence, std::uint16_t port, Answer answer, TimePoint now,
                       std::vector<Ended>& into) {
  const auto name = sequence ^ key_;
  const auto slot = static_cast<std::uint16_t>(name & 0xffffU);
  const auto generation = static_cast<std::uint16_t>(name >> 16U);
  if (slot < slots_.size() && is_pending({slot, generation}) && slots_[slot].attempt.port == port) {
    finish(slot, answer, now, into);
  }
}

void SynPool::finish(std::uint16_t slot, Answer answer, TimePoint now, std::vector<Ended>& into) {
  auto& one = slots_[slot];
  into.push_back({one.attempt, answer, now - one.started});
  one.busy = false;
  --in_flight_;
  idle_.push_back(slot);
}

bool SynPool::is_pending(const Ticket& ticket) const {
  const auto& one = slots_[ticket.slot];
  return one.busy && one.generation == ticket.generation;
}

bool SynPool::collect(std::vector<Ended>& into) {
  const auto now = std::chrono::steady_clock::now();
  read_segments(now, into);
  return poll_.collect([](std::uint64_t) {});
}

std::optional<TimePoint> SynPool::oldest() {
  while (!order_.empty() && !is_pending(order_.front())) {
    order_.pop_front();
  }
  return order_.empty() ? std::nullopt : std::optional{slots_[order_.front().slot].started};
}

void SynPool::expire(TimePoint limit, TimePoint now, std::vector<Ended>& into) {
  for (auto first = oldest(); first && *first < limit; first = oldest()) {
    finish(order_.front().slot, Answer::silence, now, into);
  }
}

}  // namespace assay

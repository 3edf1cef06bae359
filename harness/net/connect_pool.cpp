#include "harness/net/connect_pool.hpp"

#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "harness/net/clean_close.hpp"
#include "harness/net/errors.hpp"

namespace assay {

namespace {

constexpr std::size_t kMostClosing = 64;
constexpr std::chrono::milliseconds kCloseWithin{1000};

std::uint64_t tag_of(std::uint32_t index, std::uint32_t generation) {
  return (std::uint64_t{index} << 32) | generation;
}

/// Gives up a pending connect and makes its socket usable again: a third of the price of a new socket.
bool disconnect(int socket) {
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  return ::connect(socket, &nowhere, sizeof nowhere) == 0;
}

bool connected_to_itself(int socket) {
  SocketAddress local;
  SocketAddress remote;
  local.size = sizeof local.storage;
  remote.size = sizeof remote.storage;
  return ::getsockname(socket, local.get(), &local.size) == 0 &&
         ::getpeername(socket, remote.get(), &remote.size) == 0 && local.port() == remote.port() &&
         IpAddress::from(local.get(), local.size) == IpAddress::from(remote.get(), remote.size);
}

Answer answer_of(int error) {
  switch (error) {
    case ECONNREFUSED:
      return Answer::refused;
    case ECONNRESET:  // a reset in the handshake is ECONNREFUSED, so a SYN-ACK came before this one
    case EPIPE:
      return Answer::accepted_then_cut;
    case EHOSTUNREACH:
    case EHOSTDOWN:
      return Answer::host_unreachable;
    case ENETUNREACH:
      return Answer::net_unreachable;
    case ENOPROTOOPT:
      return Answer::protocol_unreachable;
    case ETIMEDOUT:
      return Answer::silence;
    default:
      return Answer::local_failure;
  }
}

ConnectPool::Start local_cause(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
      return ConnectPool::Start::no_descriptors;
    case EPERM:
    case EACCES:
      return ConnectPool::Start::not_allowed;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EINVAL:  // a source that cannot reach this destination, such as loopback to elsewhere
      return ConnectPool::Start::no_route;
    default:
      return ConnectPool::Start::out_of_local;
  }
}

}  // namespace

Result<std::unique_ptr<PortAsker>> ConnectPool::open(const IpAddress& address) {
  auto poll = PollSet::open();
  if (!poll) {
    return poll.error();
  }
  return std::unique_ptr<PortAsker>{new ConnectPool{address, std::move(*poll)}};
}

std::uint32_t ConnectPool::free_slot() {
  if (idle_.empty()) {
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const auto index = idle_.back();
  idle_.pop_back();
  return index;
}

/// Returns 0 or an errno.
int ConnectPool::make_socket(Slot& slot) {
  slot.socket = UniqueFd{::socket(to_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  slot.watched = false;
  ++slot.generation;
  return slot.socket ? 0 : errno;
}

int ConnectPool::watch(std::uint32_t index) {
  auto& slot = slots_[index];
  if (slot.watched) {
    return 0;
  }
  const int error = poll_.add(slot.socket.get(), EPOLLOUT | EPOLLET, tag_of(index, slot.generation));
  slot.watched = error == 0;
  return error;
}

ConnectPool::Started ConnectPool::start(const Attempt& attempt, TimePoint now) {
  const auto index = free_slot();
  auto& slot = slots_[index];
  to_.set_port(attempt.port);
  int error = 0;
  // A used socket may be in a state that does not connect: then a fresh one decides.
  for (int tries = 0; tries < 2; ++tries) {
    const bool fresh = !slot.socket;
    error = fresh ? make_socket(slot) : 0;
    if (error != 0) {
      break;
    }
    error = ::connect(slot.socket.get(), to_.get(), to_.size) == 0 ? 0 : errno;
    if (error == 0 || error == EINPROGRESS || error == ECONNREFUSED || fresh) {
      break;
    }
    slot.socket.reset();
  }
  if (error == 0 || error == EINPROGRESS || error == ECONNREFUSED) {
    slot.attempt = attempt;
    slot.started = now;
    link(index);
    const int unwatched = watch(index);
    if (unwatched == 0 && error == EINPROGRESS) {
      return {};
    }
    Started started;
    std::vector<Ended> ended;
    const auto answer = error == 0 ? accepted_or_self(slot) : Answer::refused;
    finish(index, unwatched == 0 ? answer : Answer::local_failure, now, ended);
    started.how = Start::ended;
    started.ended = ended.front();
    return started;
  }
  slot.socket.reset();
  idle_.push_back(index);
  return {local_cause(error), error, {}};
}

/// On the own host a socket can meet itself, when its ephemeral port equals the port asked for: nobody listens there.
Answer ConnectPool::accepted_or_self(Slot& slot) {
  if (!connected_to_itself(slot.socket.get())) {
    return Answer::accepted;
  }
  slot.socket.reset();
  return Answer::refused;
}

/// Fetches how a pending connect ended by calling connect() again; nothing while it has not.
std::optional<Answer> ConnectPool::outcome(Slot& slot) {
  to_.set_port(slot.attempt.port);
  if (::connect(slot.socket.get(), to_.get(), to_.size) == 0 || errno == EISCONN) {
    return accepted_or_self(slot);
  }
  if (errno == EALREADY || errno == EINPROGRESS || errno == EINTR) {
    return std::nullopt;
  }
  return answer_of(errno);
}

bool ConnectPool::collect(std::vector<Ended>& into) {
  const auto now = std::chrono::steady_clock::now();
  return poll_.collect([&](std::uint64_t tag) {
    const auto index = static_cast<std::uint32_t>(tag >> 32);
    auto& slot = slots_[index];
    if (closing_.contains(tag)) {
      go_on_closing(tag);
      return;
    }
    // An event may be of a socket that was replaced, or of an idle one that was just returned to its first state.
    if (slot.generation != static_cast<std::uint32_t>(tag) || !slot.busy) {
      return;
    }
    if (const auto answer = outcome(slot)) {
      finish(index, *answer, now, into);
    }
  });
}

void ConnectPool::finish(std::uint32_t index, Answer answer, TimePoint now, std::vector<Ended>& into) {
  auto& slot = slots_[index];
  const bool closing = answer == Answer::accepted && begin_closing(index, now);
  into.push_back({slot.attempt, answer, now - slot.started, closing});
  unlink(index);
  if (answer == Answer::accepted) {
    slot.socket.reset();
  } else if (answer == Answer::silence ? !disconnect(slot.socket.get()) : answer != Answer::refused) {
    slot.socket.reset();
  }
  idle_.push_back(index);
}

/// False when the device has ended its half already: nothing is left to wait for.
bool ConnectPool::begin_closing(std::uint32_t index, TimePoint now) {
  auto& slot = slots_[index];
  if (end_in_order(slot.socket.get())) {
    return false;
  }
  if (closing_.size() >= kMostClosing) {
    end_oldest_closing();
  }
  const auto tag = tag_of(index, slot.generation);
  closing_.emplace(tag, Closing{std::move(slot.socket), now});
  closing_order_.push_back(tag);
  return true;
}

void ConnectPool::go_on_closing(std::uint64_t tag) {
  const auto found = closing_.find(tag);
  if (end_in_order(found->second.socket.get())) {
    closing_.erase(found);
    ++closed_;
  }
}

void ConnectPool::end_oldest_closing() {
  while (!closing_order_.empty()) {
    const auto found = closing_.find(closing_order_.front());
    closing_order_.pop_front();
    if (found != closing_.end()) {
      end_in_order(found->second.socket.get());
      closing_.erase(found);
      ++closed_;
      return;
    }
  }
}

void ConnectPool::expire(TimePoint limit, TimePoint now, std::vector<Ended>& into) {
  while (!closing_order_.empty()) {
    const auto found = closing_.find(closing_order_.front());
    if (found == closing_.end()) {
      closing_order_.pop_front();
    } else if (now - found->second.since >= kCloseWithin) {
      end_oldest_closing();
    } else {
      break;
    }
  }
  while (oldest_ != kNone && slots_[oldest_].started < limit) {
    finish(oldest_, Answer::silence, now, into);
  }
}

std::optional<TimePoint> ConnectPool::oldest() {
  return oldest_ == kNone ? std::nullopt : std::optional{slots_[oldest_].started};
}

void ConnectPool::link(std::uint32_t index) {
  auto& slot = slots_[index];
  slot.busy = true;
  slot.before = newest_;
  slot.after = kNone;
  (newest_ == kNone ? oldest_ : slots_[newest_].after) = index;
  newest_ = index;
  ++in_flight_;
}

void ConnectPool::unlink(std::uint32_t index) {
  auto& slot = slots_[index];
  slot.busy = false;
  (slot.before == kNone ? oldest_ : slots_[slot.before].after) = slot.after;
  (slot.after == kNone ? newest_ : slots_[slot.after].before) = slot.before;
  --in_flight_;
}

}  // namespace assay

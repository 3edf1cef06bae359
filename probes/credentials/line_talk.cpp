#include "probes/credentials/line_talk.hpp"

#include <algorithm>

namespace assay::probes::credentials {

namespace {

constexpr std::size_t kLargestReply = 64U << 10U;
constexpr int kMostTalkReads = 512;
constexpr milliseconds kLeastPatience{20000};

}  // namespace

milliseconds login_patience(const Door& door) {
  return std::max(kLeastPatience, door.timers.reply);
}

asio::awaitable<Result<std::string>> LineTalk::take(std::size_t count) {
  const auto before = channel_->spent();
  for (int reads = 0; reads < kMostTalkReads && partial_.size() < count; ++reads) {
    const auto spent = channel_->spent() - before;
    if (spent >= patience_) {
      break;
    }
    auto part = co_await channel_->receive(patience_ - spent);
    if (!part) {
      co_return part.error();
    }
    partial_ += *part;
  }
  if (partial_.size() < count || partial_.size() > kLargestReply) {
    co_return Error{ErrorKind::timed_out, "no whole reply came", {}};
  }
  auto taken = partial_.substr(0, count);
  partial_.erase(0, count);
  co_return taken;
}

asio::awaitable<Result<>> LineTalk::say(std::string bytes) {
  auto sent = co_await channel_->send(std::move(bytes));
  co_return sent;
}

asio::awaitable<Result<>> LineTalk::say_concealed(std::string bytes, std::string shown) {
  auto sent = co_await channel_->send_concealed(std::move(bytes), std::move(shown));
  co_return sent;
}

asio::awaitable<Result<std::string>> LineTalk::hear(WholeReply whole) {
  partial_.clear();
  const auto before = channel_->spent();
  for (int reads = 0; reads < kMostTalkReads && partial_.size() < kLargestReply; ++reads) {
    const auto state = whole(partial_);
    if (state == wire::Parse::complete) {
      auto reply = std::move(partial_);
      partial_.clear();
      co_return reply;
    }
    if (state == wire::Parse::malformed && !partial_.empty()) {
      co_return Error{ErrorKind::protocol, "the reply is not of this protocol", {}};
    }
    const auto spent = channel_->spent() - before;
    if (spent >= patience_) {
      break;
    }
    auto part = co_await channel_->receive(patience_ - spent);
    if (!part) {
      co_return part.error();
    }
    partial_ += *part;
  }
  co_return Error{ErrorKind::timed_out, "no whole reply came", {}};
}

asio::awaitable<Result<std::string>> LineTalk::ask(std::string line, WholeReply whole) {
  auto sent = co_await channel_->send(std::move(line));
  if (!sent) {
    co_return sent.error();
  }
  auto reply = co_await hear(whole);
  co_return reply;
}

asio::awaitable<Result<std::string>> LineTalk::ask_concealed(std::string line, std::string shown, WholeReply whole) {
  auto sent = co_await channel_->send_concealed(std::move(line), std::move(shown));
  if (!sent) {
    co_return sent.error();
  }
  auto reply = co_await hear(whole);
  co_return reply;
}

asio::awaitable<void> LineTalk::say_goodbye(std::string line) {
  co_await channel_->say_goodbye(std::move(line));
}

asio::awaitable<Result<>> LineTalk::start_tls(Door& door) {
  TlsSession session;
  auto upgraded = co_await sessions::upgrade_channel(door.network, std::move(channel_), door.transcript, session);
  if (!upgraded) {
    co_return upgraded.error();
  }
  channel_ = std::move(*upgraded);
  co_return Result<>{};
}

}  // namespace assay::probes::credentials

#include "probes/ssh/conversation.hpp"

#include <algorithm>

#include "probes/wire/bytes.hpp"

namespace assay::probes::ssh {

namespace {

constexpr std::size_t kMaximumKept = 128U << 10U;
constexpr int kMaximumUnimportant = 64;  // packets that mean nothing, in one conversation
constexpr milliseconds kPause{2000};

bool means_nothing(std::string_view payload) {
  const auto message = static_cast<wire::SshMessage>(static_cast<std::uint8_t>(payload.front()));
  return message == wire::SshMessage::ignore || message == wire::SshMessage::debug ||
         message == wire::SshMessage::unimplemented || message == wire::SshMessage::ext_info;
}

Error malformed(std::string what) {
  return Error{ErrorKind::protocol, std::move(what), {}};
}

}  // namespace

milliseconds patience_of(const Network& network) {
  return 2 * network.reply_timeout() + milliseconds{5000};  // servers look the client's name up before they speak
}

bool turned_away(const Error& error) {
  return error.kind == ErrorKind::closed || error.kind == ErrorKind::reset;
}

asio::awaitable<Result<>> pause_before(Door& door, int attempt) {
  if (attempt == 0) {
    co_return Result<>{};
  }
  const auto pause = attempt * kPause;
  auto waited = co_await door.network.wait(pause);
  co_return waited;
}

Conversation::Conversation(Door& door, std::unique_ptr<sessions::Channel> channel)
    : door_(door), channel_(std::move(channel)) {}

asio::awaitable<Result<std::unique_ptr<Conversation>>> Conversation::open(Door& door) {
  Error last{ErrorKind::internal, "no attempt was made", {}};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto paused = co_await pause_before(door, attempt);
    if (!paused) {
      co_return paused.error();
    }
    auto channel = co_await sessions::open_channel(door.network, door.endpoint, door.transcript);
    if (!channel) {
      co_return channel.error();
    }
    ++door.effort.connections;
    auto conversation = std::make_unique<Conversation>(door, std::move(*channel));
    auto met = co_await conversation->read_ident();
    if (met) {
      co_return conversation;
    }
    last = met.error();
    if (!turned_away(last)) {
      break;
    }
    ++door.effort.dropped;
  }
  co_return last;
}

asio::awaitable<Result<>> Conversation::more() {
  const auto patience = patience_of(door_.network);
  if (channel_->spent() > patience) {
    co_return Error{
        ErrorKind::timed_out, "the server took longer than " + std::to_string(patience.count()) + " ms", {}};
  }
  if (buffer_.size() > kMaximumKept) {
    co_return malformed("the server sent more than anything before the keys can be");
  }
  const auto left = patience - std::min(patience, channel_->spent()) + milliseconds{1};
  auto part = co_await channel_->receive(left);
  if (!part) {
    co_return part.error();
  }
  buffer_ += *part;
  co_return Result<>{};
}

asio::awaitable<Result<>> Conversation::read_ident() {
  for (;;) {
    const auto parse = wire::parse_ssh_ident(buffer_);
    if (parse.state == wire::Parse::complete) {
      ident_ = parse.ident;
      const auto before = parse.used < 2 ? std::string::npos : buffer_.rfind('\n', parse.used - 2);
      if (before != std::string::npos) {
        preamble_ = wire::printable(std::string_view{buffer_}.substr(0, before), 2048);
      }
      buffer_.erase(0, parse.used);
      co_return Result<>{};
    }
    if (parse.state == wire::Parse::malformed) {
      co_return malformed("the server does not introduce itself as SSH");
    }
    auto came = co_await more();
    if (!came) {
      co_return came.error();
    }
  }
}

asio::awaitable<Result<>> Conversation::send(std::string bytes) {
  ++door_.effort.writes;
  auto sent = co_await channel_->send(std::move(bytes));
  co_return sent;
}

asio::awaitable<Result<std::string>> Conversation::packet() {
  for (int unimportant = 0; unimportant < kMaximumUnimportant;) {
    const auto parse = wire::take_ssh_packet(buffer_);
    if (parse.state == wire::Parse::malformed) {
      co_return malformed("what the server sent is no packet: " + wire::hex(std::string_view{buffer_}.substr(0, 8)));
    }
    if (parse.state == wire::Parse::need_more) {
      auto came = co_await more();
      if (!came) {
        co_return came.error();
      }
      continue;
    }
    std::string payload{parse.payload};
    buffer_.erase(0, parse.used);
    const auto goodbye = wire::parse_ssh_disconnect(payload);
    if (goodbye.state == wire::Parse::complete) {
      co_return Error{ErrorKind::closed,
                      "the server disconnected, reason " + std::to_string(goodbye.reason) + ": " + goodbye.text,
                      {}};
    }
    if (!means_nothing(payload)) {
      co_return payload;
    }
    ++unimportant;
  }
  co_return malformed("the server sends packets without meaning and nothing else");
}

asio::awaitable<Result<wire::SshKexInit>> Conversation::offer() {
  std::string greeting{kOurIdent};
  auto sent = co_await send(std::move(greeting));
  if (!sent) {
    co_return sent.error();
  }
  auto payload = co_await packet();
  if (!payload) {
    co_return payload.error();
  }
  auto parse = wire::parse_ssh_kexinit_payload(*payload);
  if (parse.state != wire::Parse::complete) {
    co_return malformed("the server's first packet is not its lists of algorithms");
  }
  co_return std::move(parse.offer);
}

asio::awaitable<Result<wire::Ssh1Keys>> Conversation::protocol1_keys() {
  std::string greeting{"SSH-1.5-Assay\n"};
  auto sent = co_await send(std::move(greeting));
  if (!sent) {
    co_return sent.error();
  }
  for (;;) {
    auto keys = wire::parse_ssh1_keys(buffer_);
    if (keys.state == wire::Parse::complete) {
      co_return keys;
    }
    if (keys.state == wire::Parse::malformed) {
      co_return malformed("the server's first packet does not hold the keys of protocol 1");
    }
    auto came = co_await more();
    if (!came) {
      co_return came.error();
    }
  }
}

}  // namespace assay::probes::ssh

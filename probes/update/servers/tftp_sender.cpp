#include "probes/update/servers/tftp_sender.hpp"

#include <algorithm>

namespace assay::probes::update {

namespace {

constexpr int kMostTries = 5;

}  // namespace

/// An error of the device ends everything; what belongs to another transfer is told so and is no answer (RFC 1350, 4).
Result<wire::TftpPacket> TftpSender::packet_of(const Datagrams::Received& received) {
  if (received.from_port != to_) {
    const auto words = wire::tftp_error(wire::kTftpUnknownPort, "another transfer");
    std::ignore = port_.answer(received.from_port, wire::bytes_of(words));
    return wire::TftpPacket{};
  }
  auto packet = wire::parse_tftp_packet(wire::text_of(received.payload));
  packet.data = {};
  if (packet.state == wire::Parse::complete && packet.kind == wire::TftpPacket::Kind::error) {
    code_ = packet.number;
    return Error{ErrorKind::refused, "error " + std::to_string(packet.number) + ": " + packet.message, {}};
  }
  return packet;
}

/// The next packet of the other end until then, which is whoever answers where `anybody` may; nothing when none came.
asio::awaitable<Result<std::optional<wire::TftpPacket>>> TftpSender::hear(milliseconds until, bool anybody) {
  std::optional<wire::TftpPacket> none;
  const auto left = until - clock_.elapsed();
  if (left <= milliseconds{0}) {
    co_return none;
  }
  const auto received = co_await port_.receive(left);
  if (!received && received.error().kind == ErrorKind::timed_out) {
    co_return none;
  }
  if (!received) {
    co_return received.error();
  }
  to_ = anybody ? received->from_port : to_;
  auto packet = packet_of(*received);
  if (!packet) {
    co_return packet.error();
  }
  std::optional<wire::TftpPacket> heard{std::move(*packet)};
  co_return heard;
}

asio::awaitable<Result<>> TftpSender::put(std::string_view bytes) {
  const auto span = wire::bytes_of(bytes);
  if (asked_) {
    co_return port_.answer(to_, span);
  }
  auto sent = co_await port_.send(to_, span);
  co_return sent;
}

asio::awaitable<Result<std::vector<wire::TftpOption>>> TftpSender::begin(std::string request) {
  using Kind = wire::TftpPacket::Kind;
  const auto server = to_;
  for (int tries = 0; tries < kMostTries; ++tries) {
    to_ = server;
    const auto put_out = co_await put(request);
    if (!put_out) {
      co_return put_out.error();
    }
    const auto until = clock_.elapsed() + patience;
    while (true) {
      auto heard = co_await hear(until, true);
      if (!heard) {
        co_return heard.error();
      }
      if (!*heard) {
        break;
      }
      auto& packet = **heard;
      const bool right = packet.state == wire::Parse::complete &&
                         (packet.kind == Kind::options || (packet.kind == Kind::acknowledgement && packet.number == 0));
      if (right) {
        co_return std::move(packet.options);
      }
    }
  }
  co_return Error{ErrorKind::timed_out, "nobody answered the request", {}};
}

asio::awaitable<Result<>> TftpSender::agree(std::vector<wire::TftpOption> options) {
  auto bytes = wire::tftp_agreement(options);
  auto delivered = co_await deliver(std::move(bytes), 0);
  co_return delivered;
}

/// Acknowledgements of earlier blocks are not answered: who does sends everything twice from then on.
asio::awaitable<Result<>> TftpSender::deliver(std::string bytes, std::uint16_t number) {
  for (int tries = 0; tries < kMostTries; ++tries) {
    const auto put_out = co_await put(bytes);
    if (!put_out) {
      co_return put_out;
    }
    const auto until = clock_.elapsed() + patience;
    while (true) {
      const auto heard = co_await hear(until, false);
      if (!heard) {
        co_return heard.error();
      }
      if (!*heard) {
        break;
      }
      const auto& packet = **heard;
      if (packet.state == wire::Parse::complete && packet.kind == wire::TftpPacket::Kind::acknowledgement &&
          packet.number == number) {
        co_return Result<>{};
      }
    }
  }
  co_return Error{ErrorKind::timed_out, "block " + std::to_string(number) + " was not acknowledged", {}};
}

asio::awaitable<Result<>> TftpSender::send(Course course) {
  const auto size = course.image->size();
  const auto all = size + course.behind;
  while (offset_ < course.until || course.until >= all) {
    if (course.pause > milliseconds{0}) {
      const auto waited = co_await wait(course.pause);
      if (!waited) {
        co_return waited;
      }
    }
    auto content = images::read_text(*course.image, std::min(offset_, size), course.block);
    if (!content) {
      co_return content.error();
    }
    content->resize(static_cast<std::size_t>(std::min<std::uint64_t>(course.block, all - offset_)), '\0');
    // Behind 65535 comes 0: what goes on after 32 MiB of small blocks is in no standard, and this is what most do.
    const auto number = static_cast<std::uint16_t>(number_ + 1U);
    auto bytes = wire::tftp_data(number, *content);
    const auto delivered = co_await deliver(std::move(bytes), number);
    if (!delivered) {
      co_return delivered;
    }
    number_ = number;
    offset_ += content->size();
    if (course.goes_on && !course.goes_on(offset_)) {
      co_return Error{ErrorKind::closed, "ended as planned", {}};
    }
    if (content->size() < course.block) {
      co_return Result<>{};
    }
  }
  co_return Result<>{};
}

asio::awaitable<Result<>> TftpSender::wait(milliseconds time) {
  const auto until = clock_.elapsed() + time;
  while (clock_.elapsed() < until) {
    const auto heard = co_await hear(until, false);
    if (!heard) {
      co_return heard.error();
    }
  }
  co_return Result<>{};
}

std::uint64_t TftpSender::cut_of(std::uint64_t size, int percent, std::size_t block) {
  const auto wanted = (size * static_cast<std::uint64_t>(percent) / 100 + block - 1) / block;
  const auto most = size > 0 ? (size - 1) / block : 0;
  return std::min(wanted, most) * block;
}

void TftpSender::stop(std::string_view words) {
  const auto bytes = wire::tftp_error(0, words);
  std::ignore = port_.answer(to_, wire::bytes_of(bytes));
}

}  // namespace assay::probes::update

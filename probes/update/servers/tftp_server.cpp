#include "probes/update/servers/tftp_server.hpp"

#include <algorithm>

#include "probes/update/transports/transports.hpp"

namespace assay::probes::update {

namespace {

constexpr milliseconds kListens{3600000};
constexpr std::size_t kMostTransfers = 4;
constexpr std::size_t kMostPorts = 64;
constexpr std::size_t kMostWords = 200;
constexpr std::size_t kLargestBlock = 1428;  // that is agreed to: with its headers one frame of Ethernet (RFC 2348)
constexpr std::uint64_t kMostPatience = 10;  // seconds of the option "timeout" that are agreed to
constexpr milliseconds kLeastPause{250};     // between two blocks of a slow download
constexpr milliseconds kMostPause{900};      // a device that gets no block for a second or more begins to ask again

std::string_view without_slash(std::string_view name) {
  while (name.starts_with('/')) {
    name.remove_prefix(1);
  }
  return name;
}

std::string options_text(const std::vector<wire::TftpOption>& options) {
  std::string out;
  for (const auto& option : options) {
    if (out.size() < kMostWords) {
      out += (out.empty() ? "" : " ") + wire::printable(option.name + "=" + option.value, 80);
    }
  }
  return out;
}

}  // namespace

asio::awaitable<Result<>> TftpServer::open(std::uint16_t port) {
  auto listener = context_.network.listen_udp(port);
  if (!listener) {
    co_return listener.error();
  }
  listener_ = std::move(*listener);
  co_await listening_.begin();
  co_await transfers_.begin();
  listening_.start(listen());
  co_return Result<>{};
}

void TftpServer::serve(Offered offered) {
  offered_ = std::make_shared<const Offered>(std::move(offered));
  fetched_ = {};
  words_.clear();
  ports_.clear();
  served_.clear();
  lost_ = false;
  journal_.begin();
}

asio::awaitable<void> TftpServer::withdraw() {
  offered_.reset();
  co_await transfers_.end();
}

asio::awaitable<void> TftpServer::close() {
  offered_.reset();
  co_await listening_.end();
  co_await transfers_.end();
  listener_.reset();
}

asio::awaitable<void> TftpServer::listen() {
  while (true) {
    const auto received = co_await listener_->receive(kListens);
    if (received) {
      take(*received);
    } else if (received.error().kind != ErrorKind::timed_out || context_.network.elapsed() >= kListens) {
      co_return;
    }
  }
}

bool TftpServer::is_offered(const wire::TftpPacket& request) const {
  return offered_ && without_slash(request.file) == without_slash(offered_->file);
}

/// Why a request is not served, as the error that says so; empty: it is.
std::string TftpServer::refusal(const wire::TftpPacket& request) const {
  if (!is_offered(request)) {
    return wire::tftp_error(wire::kTftpNoFile, "no such file");
  }
  if (request.kind != wire::TftpPacket::Kind::read) {
    return wire::tftp_error(2, "files are only read here");
  }
  if (request.mode != "octet") {
    return wire::tftp_error(0, "files are given in mode octet alone");
  }
  const bool over = fetched_.released && offered_->offer.behaviour.holds();  // it was kept for as long as planned
  return offered_->offer.behaviour.status != 0 || over || transfers_.running() >= kMostTransfers
             ? wire::tftp_error(0, "out of order")
             : std::string{};
}

void TftpServer::take(const Datagrams::Received& received) {
  auto request = wire::parse_tftp_packet(wire::text_of(received.payload));
  const bool asks = request.state == wire::Parse::complete &&
                    (request.kind == wire::TftpPacket::Kind::read || request.kind == wire::TftpPacket::Kind::write);
  const auto from = received.from_port;
  if (!asks || served_.contains(from)) {
    return;  // a request that comes again is answered by the block that is sent again
  }
  if (fetched_.holding && is_offered(request)) {
    gave_up();  // it begins anew; another file may well be read beside it
    transfers_.cut();
  }
  const auto error = refusal(request);
  if (offered_) {
    fetched_.ask(context_.network.elapsed());
    fetched_.over = "tftp";
    if (ports_.size() < kMostPorts) {
      ports_.insert(from);
    }
    fetched_.connections = static_cast<std::int64_t>(ports_.size());
    fetched_.agent = options_text(request.options);
    journal_.note("tftp request of " + wire::printable(request.file, 100) + " from udp/" + std::to_string(from) +
                  (fetched_.agent.empty() ? "" : " with " + fetched_.agent) + (error.empty() ? "" : ", refused"));
  }
  if (!error.empty()) {
    std::ignore = listener_->answer(from, wire::bytes_of(error));
    return;
  }
  served_.insert(from);
  request.data = {};
  transfers_.start(attend(std::move(request), from));
}

asio::awaitable<void> TftpServer::attend(wire::TftpPacket request, std::uint16_t from) {
  const auto offered = offered_;
  auto port = context_.network.listen_udp(0);
  if (!port) {
    fetched_.trouble = "there was no port for a transfer: " + port.error().what;
    journal_.note(fetched_.trouble);
    served_.erase(from);
    co_return;
  }
  ++fetched_.downloads;
  const auto& offer = offered->offer;
  auto body = offer.behaviour.second && fetched_.downloads == 1 ? offer.genuine : offer.image;
  TftpSender sender(context_.network, **port, from, true);
  const auto given = co_await give(*offered, sender, request, std::move(body));
  served_.erase(from);
  if (offered == offered_) {
    note_end(given, sender.sent());
  } else {
    sender.stop("out of order");  // the offer that it belongs to is over, and the device need not wait for it
  }
}

/// How a transfer ended. What neither the device nor the plan ended is our own failure.
void TftpServer::note_end(const Result<>& given, std::uint64_t sent) {
  if (given) {
    fetched_.whole = true;
    journal_.note("all " + std::to_string(sent) + " bytes were taken");
    return;
  }
  const auto& error = given.error();
  if (error.kind == ErrorKind::refused || error.kind == ErrorKind::timed_out) {
    words_ = error.kind == ErrorKind::refused ? error.what : words_;
    journal_.note("the device ended the transfer after " + std::to_string(sent) +
                  " bytes: " + wire::printable(error.what, 200));
    if (fetched_.holding) {
      gave_up();
    }
  } else if (error.kind != ErrorKind::closed && error.kind != ErrorKind::cancelled) {
    fetched_.trouble = "the transfer failed at our side: " + error.what;
    journal_.note(fetched_.trouble);
  }
}

/// Says yes to what was asked for and is known, and sets what follows from it.
asio::awaitable<Result<>> TftpServer::agree(const Offered& offered, TftpSender& sender, const wire::TftpPacket& request,
                                            std::uint64_t size, std::size_t& block) {
  const auto& behaviour = offered.offer.behaviour;
  std::vector<wire::TftpOption> agreed;
  if (const auto asked = wire::tftp_number(request.options, "blksize"); asked && *asked >= wire::kLeastTftpBlock) {
    block = behaviour.drip ? wire::kLeastTftpBlock
                           : static_cast<std::size_t>(std::min<std::uint64_t>(*asked, kLargestBlock));
    agreed.push_back({"blksize", std::to_string(block)});
  }
  if (wire::tftp_number(request.options, "tsize")) {
    agreed.push_back({"tsize", std::to_string(size * static_cast<std::uint64_t>(behaviour.length))});
  } else if (behaviour.length > 1) {
    journal_.note("it did not ask for the size (option tsize), so that no wrong one could be said");
  }
  const auto seconds = wire::tftp_number(request.options, "timeout").value_or(0);
  if (seconds >= 1 && seconds <= kMostPatience) {
    sender.patience = std::chrono::seconds{seconds};
    agreed.push_back({"timeout", std::to_string(seconds)});
  }
  if (agreed.empty()) {
    co_return Result<>{};
  }
  auto done = co_await sender.agree(std::move(agreed));
  co_return done;
}

/// From `sent` bytes on.
TftpSender::Course TftpServer::course_of(const Offered& offered, images::Source body, std::size_t block,
                                         std::uint64_t sent) {
  const auto& behaviour = offered.offer.behaviour;
  const auto size = body->size();
  TftpSender::Course out;
  out.image = std::move(body);
  out.block = block;
  out.behind = behaviour.endless ? flood_behind(size) + block : 0;
  const auto percent = behaviour.cut_at              ? behaviour.cut_at
                       : behaviour.stall_at          ? behaviour.stall_at
                       : behaviour.loss_at && !lost_ ? behaviour.loss_at
                                                     : std::nullopt;
  out.until = percent ? TftpSender::cut_of(size, *percent, block) : size + out.behind;
  if (behaviour.drip) {
    const auto blocks = static_cast<std::int64_t>(size / block) + 1;
    out.pause = std::clamp(offered.hold / blocks, kLeastPause, kMostPause);
    begin_holding();
  }
  out.goes_on = [this, size, hold = offered.hold, most = size + out.behind - (behaviour.endless ? block : 0),
                 endless = behaviour.endless, before = sent](std::uint64_t now_sent) mutable {
    fetched_.bytes += now_sent - before;
    before = now_sent;
    fetched_.come(context_.network.elapsed());
    if (endless && now_sent > size) {
      begin_holding();
    }
    const bool kept = fetched_.holding && context_.network.elapsed() - holding_since_ >= hold;
    return !kept && (!endless || now_sent < most);
  };
  return out;
}

asio::awaitable<Result<>> TftpServer::give(const Offered& offered, TftpSender& sender, const wire::TftpPacket& request,
                                           images::Source body) {
  const auto& behaviour = offered.offer.behaviour;
  std::size_t block = wire::kTftpBlock;
  const auto size = body->size();
  const auto agreed = co_await agree(offered, sender, request, size, block);
  if (!agreed) {
    co_return agreed;
  }
  auto course = course_of(offered, std::move(body), block);
  auto rest = course;
  const auto sent = co_await sender.send(std::move(course));
  if (!sent && sent.error().kind == ErrorKind::closed) {
    sender.stop("out of order");
    journal_.note("after " + std::to_string(sender.sent()) + " bytes the device was still asking for more");
    fetched_.release(context_.network.elapsed(), true);
  }
  if (sent && fetched_.holding) {
    // All of it was taken, however slowly it came: patience without end shows only where there was time for it.
    const auto now = context_.network.elapsed();
    fetched_.release(now, now - holding_since_ >= offered.hold);
  }
  if (!sent || rest.until >= size || behaviour.endless) {
    co_return sent;
  }
  auto stopped = co_await stop_short(offered, sender, std::move(rest));
  co_return stopped;
}

/// In the middle of the image: what was planned.
asio::awaitable<Result<>> TftpServer::stop_short(const Offered& offered, TftpSender& sender, TftpSender::Course rest) {
  const auto& behaviour = offered.offer.behaviour;
  const Error planned{ErrorKind::closed, "ended as planned", {}};
  const auto after = "after " + std::to_string(sender.sent()) + " bytes ";
  if (behaviour.loss_at) {
    lost_ = true;
    journal_.note(after + "the " + enum_name(behaviour.loss) + " is cut");
    co_await cut_in_the_middle(on_loss, behaviour.loss, fetched_);
    if (!fetched_.lost) {
      journal_.note(fetched_.trouble);
    }
    if (behaviour.loss == Loss::link) {
      auto course = course_of(offered, rest.image, rest.block, sender.sent());
      auto sent = co_await sender.send(std::move(course));
      co_return sent;
    }
    co_return planned;
  }
  if (!behaviour.stall_at) {
    journal_.note(after + "the transfer is ended with an error");
    sender.stop("out of order");
    co_return planned;
  }
  begin_holding();
  journal_.note(after + "nothing more is sent");
  const auto hold = offered.hold;
  const auto waited = co_await sender.wait(hold);
  if (!waited) {
    co_return waited;
  }
  // Silence does not show whether the device still waits: the next block does.
  rest.until = sender.sent() + 1;
  rest.goes_on = [](std::uint64_t) { return false; };
  const auto next = co_await sender.send(std::move(rest));
  const bool waits = next || next.error().kind == ErrorKind::closed;
  journal_.note(waits ? "the device was still waiting after " + std::to_string(hold.count()) + " ms"
                      : "the device did not wait for the next block any more");
  sender.stop("out of order");
  fetched_.release(context_.network.elapsed(), waits);
  co_return planned;
}

void TftpServer::begin_holding() {
  if (!fetched_.holding && !fetched_.released) {
    fetched_.hold();
    holding_since_ = context_.network.elapsed();
  }
}

void TftpServer::gave_up() {
  const auto now = context_.network.elapsed();
  fetched_.gave_up_after = now - holding_since_;
  fetched_.release(now, false);
  journal_.note("the device gave up after " + std::to_string(fetched_.gave_up_after->count()) + " ms");
}

}  // namespace assay::probes::update

#include "probes/update/servers/coap_port.hpp"

#include <algorithm>

#include "probes/sessions/channel.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::update {

namespace {

constexpr milliseconds kLong{3600000};
constexpr milliseconds kFirstWait{2000};   // ACK_TIMEOUT of RFC 7252, 4.8
constexpr std::size_t kMostAnswered = 64;  // messages that are known again
// … and for how long: the first repetition comes within it. What comes later is answered anew, which does no harm,
// while a device that restarts may begin with the same numbers at once.
constexpr milliseconds kKnownFor{3500};
constexpr std::size_t kMostLate = 32;  // answers that wait for their time; what is asked beyond them is lost
constexpr std::size_t kTokenBytes = 4;

/// In a vector while it lives.
template <class T>
class Listed {
 public:
  Listed(std::vector<T*>& list, T& item) : list_(list), item_(&item) { list_.push_back(item_); }

  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

  ~Listed() { std::erase(list_, item_); }

 private:
  std::vector<T*>& list_;
  T* item_;
};

}  // namespace

asio::awaitable<Result<>> CoapPort::open(std::uint16_t port, Between between) {
  auto listener = context_.network.listen_udp(port);
  if (!listener) {
    co_return listener.error();
  }
  listener_ = between ? between(std::move(*listener)) : std::move(*listener);
  const auto first = sessions::random_bytes(2);
  last_id_ = static_cast<std::uint16_t>(*wire::coap_number_of(first));
  co_await tasks_.begin();
  tasks_.start(listen());
  co_return Result<>{};
}

asio::awaitable<void> CoapPort::close() {
  co_await tasks_.end();
  listener_.reset();
}

asio::awaitable<void> CoapPort::listen() {
  while (true) {
    const auto received = co_await listener_->receive(kLong);
    if (!received) {
      if (received.error().kind == ErrorKind::timed_out && context_.network.elapsed() < kLong) {
        continue;
      }
      co_return;
    }
    const auto parse = wire::parse_coap(wire::text_of(received->payload));
    if (parse.state == wire::Parse::complete) {  // else it is ignored (RFC 7252, 4.2 and 4.3)
      take(parse.message, received->from_port);
    }
  }
}

void CoapPort::take(const wire::CoapMessage& message, std::uint16_t from) {
  using Type = wire::CoapMessage::Type;
  const bool empty = message.code == 0;
  if (!empty && message.code < 0x20) {
    take_request(message, from);
    return;
  }
  if (empty && message.type == Type::confirmable) {
    send_empty(Type::reset, message.id, from);  // a ping (RFC 7252, 4.3)
    return;
  }
  take_answer(message, from);
}

void CoapPort::take_answer(const wire::CoapMessage& message, std::uint16_t from) {
  using Type = wire::CoapMessage::Type;
  bool wanted = false;
  for (auto* pending : pending_) {
    const bool by_id = (message.type == Type::acknowledgement || message.type == Type::reset) &&
                       pending->id == message.id && pending->to == from;
    if (by_id && message.code == 0) {
      pending->acknowledged = pending->acknowledged || message.type == Type::acknowledgement;
      pending->reset = pending->reset || message.type == Type::reset;
      pending->bell.ring();
    } else if (message.code != 0 && pending->to == from && pending->token == message.token &&
               (by_id || message.type != Type::acknowledgement)) {
      wanted = true;
      pending->answer = message;
      pending->bell.ring();
    }
  }
  if (message.type == Type::confirmable) {
    send_empty(wanted ? Type::acknowledgement : Type::reset, message.id, from);
  }
}

void CoapPort::take_request(const wire::CoapMessage& message, std::uint16_t from) {
  using Type = wire::CoapMessage::Type;
  const auto now = context_.network.elapsed();
  while (!answered_.empty() && (answered_.size() >= kMostAnswered || now - answered_.front().at > kKnownFor)) {
    answered_.pop_front();
  }
  const auto known = std::find_if(answered_.begin(), answered_.end(),
                                  [&](const auto& one) { return one.from == from && one.id == message.id; });
  if (known != answered_.end()) {
    if (!known->bytes.empty()) {
      std::ignore = listener_->answer(from, wire::bytes_of(known->bytes));
    }
    return;
  }
  answered_.push_back({from, message.id, now, {}});
  auto made = handler_(message, from);
  const bool confirmable = message.type == Type::confirmable;
  auto& out = made.message;
  out.type = confirmable ? Type::acknowledgement : Type::non_confirmable;
  out.id = confirmable ? message.id : ++last_id_;
  out.token = message.token;
  if (made.way == CoapReply::Way::promise) {
    if (confirmable) {
      send_empty(Type::acknowledgement, message.id, from);
    }
  } else if (made.way == CoapReply::Way::answer && made.after > milliseconds{0}) {
    if (tasks_.running() < kMostLate) {
      tasks_.start(reply_later(made.after, std::move(out), from));
    }
  } else if (made.way == CoapReply::Way::answer) {
    answered_.back().bytes = wire::encode_coap(out);
    reply(out, from);
  }
}

asio::awaitable<void> CoapPort::reply_later(milliseconds after, wire::CoapMessage message, std::uint16_t to) {
  const auto waited = co_await context_.network.wait(after);
  if (waited) {
    reply(message, to);
  }
}

/// What cannot be sent is as if it had been lost on the way.
void CoapPort::reply(const wire::CoapMessage& message, std::uint16_t to) {
  const auto bytes = wire::encode_coap(message);
  std::ignore = listener_->answer(to, wire::bytes_of(bytes));
}

void CoapPort::send_empty(wire::CoapMessage::Type type, std::uint16_t id, std::uint16_t to) {
  wire::CoapMessage empty;
  empty.type = type;
  empty.id = id;
  reply(empty, to);
}

asio::awaitable<Result<>> CoapPort::send_until(Pending& pending, std::string bytes, bool needs_answer,
                                               milliseconds within) {
  const auto until = context_.network.elapsed() + within;
  const auto span = wire::bytes_of(bytes);
  auto pause = kFirstWait;
  while (true) {
    if (!pending.acknowledged) {
      const auto sent = co_await listener_->send(pending.to, span);
      if (!sent) {
        co_return sent;
      }
    }
    const auto now = context_.network.elapsed();
    const auto next = pending.acknowledged ? until : std::min(until, now + pause);
    pause *= 2;
    const auto settled = [&] {
      return pending.reset || pending.answer.has_value() || (!needs_answer && pending.acknowledged);
    };
    const bool had_word = pending.acknowledged;
    while (!settled() && had_word == pending.acknowledged && context_.network.elapsed() < next) {
      const auto left = next - context_.network.elapsed();
      const auto waited = co_await pending.bell.wait(left);
      if (!waited) {
        co_return waited;
      }
    }
    if (pending.reset) {
      co_return Error{ErrorKind::reset, "the device answered with Reset", {}};
    }
    if (settled()) {
      co_return Result<>{};
    }
    if (context_.network.elapsed() >= until) {
      co_return Error{ErrorKind::timed_out, "no answer of CoAP came", {}};
    }
  }
}

asio::awaitable<Result<wire::CoapMessage>> CoapPort::ask(std::uint16_t to, wire::CoapMessage request,
                                                         milliseconds within) {
  Pending pending;
  pending.to = to;
  pending.id = request.id = ++last_id_;
  pending.token = request.token = sessions::random_bytes(kTokenBytes);
  request.type = wire::CoapMessage::confirmable;
  const Listed listed{pending_, pending};
  auto bytes = wire::encode_coap(request);
  const auto done = co_await send_until(pending, std::move(bytes), true, within);
  if (!done) {
    co_return done.error();
  }
  co_return std::move(*pending.answer);
}

asio::awaitable<Result<>> CoapPort::keep_promise(std::uint16_t to, std::string token, wire::CoapMessage answer,
                                                 milliseconds within) {
  Pending pending;
  pending.to = to;
  pending.id = answer.id = ++last_id_;
  answer.token = std::move(token);
  answer.type = wire::CoapMessage::confirmable;
  const Listed listed{pending_, pending};
  auto bytes = wire::encode_coap(answer);
  auto done = co_await send_until(pending, std::move(bytes), false, within);
  co_return done;
}

}  // namespace assay::probes::update

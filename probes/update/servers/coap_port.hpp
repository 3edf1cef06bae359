#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/probe/probe.hpp"
#include "probes/sessions/bell.hpp"
#include "probes/sessions/tasks.hpp"
#include "probes/wire/coap.hpp"

/// CoAP over UDP with one device, both ways on one port of ours (RFC 7252, 4 and 5). libcoap makes its sockets itself,
/// past scope, pace and record; here messages are those of probes/wire and datagrams those of the guarded network.
namespace assay::probes::update {

/// How a request of the device is answered.
struct CoapReply {
  enum class Way : std::uint8_t {
    answer,   // in the acknowledgement
    promise,  // an empty acknowledgement: the answer comes apart, some day
    silence,  // as if the request had been lost
  };

  Way way = Way::answer;
  wire::CoapMessage message{};  // code, options and payload of it
  milliseconds after{0};        // it comes no sooner
};

/// An answer of nothing but its code.
inline CoapReply of_code(std::uint8_t code) {
  CoapReply out;
  out.message.code = code;
  return out;
}

class CoapPort {
 public:
  using Handler = std::function<CoapReply(const wire::CoapMessage& request, std::uint16_t from)>;

  CoapPort(ProbeContext& context, Handler handler) : context_(context), handler_(std::move(handler)) {}

  /// What stands between the messages and the datagrams: DTLS.
  using Between = std::function<std::unique_ptr<DatagramListener>(std::unique_ptr<DatagramListener> under)>;

  asio::awaitable<Result<>> open(std::uint16_t port, Between between = {});
  asio::awaitable<void> close();

  /// Our request to a port of the device, sent again as long as nothing comes (RFC 7252, 4.2). `timed_out` when no
  /// answer came within the time, `reset` when it was refused as a message.
  asio::awaitable<Result<wire::CoapMessage>> ask(std::uint16_t to, wire::CoapMessage request, milliseconds within);

  /// An answer that was promised, sent again until it is acknowledged. `reset` when nobody waits for it any more,
  /// `timed_out` when that does not show.
  asio::awaitable<Result<>> keep_promise(std::uint16_t to, std::string token, wire::CoapMessage answer,
                                         milliseconds within);

  /// Work beside the port's own; it ends with the port.
  void start(asio::awaitable<void> work) { tasks_.start(std::move(work)); }

  std::string address() const { return listener_ ? listener_->address() : std::string{}; }

  std::uint16_t port() const { return listener_ ? listener_->port() : std::uint16_t{0}; }

  std::int64_t strangers() const { return listener_ ? listener_->strangers() : 0; }

 private:
  /// A message of ours that something is to come back for.
  struct Pending {
    sessions::Bell bell;
    std::uint16_t id = 0;
    std::uint16_t to = 0;
    std::string token;
    bool acknowledged = false;
    bool reset = false;
    std::optional<wire::CoapMessage> answer;
  };

  /// What was answered to a message, for when it comes again.
  struct Answered {
    std::uint16_t from = 0;
    std::uint16_t id = 0;
    milliseconds at{0};
    std::string bytes;  // empty: nothing yet
  };

  asio::awaitable<void> listen();
  void take(const wire::CoapMessage& message, std::uint16_t from);
  void take_request(const wire::CoapMessage& message, std::uint16_t from);
  void take_answer(const wire::CoapMessage& message, std::uint16_t from);
  asio::awaitable<void> reply_later(milliseconds after, wire::CoapMessage message, std::uint16_t to);
  void reply(const wire::CoapMessage& message, std::uint16_t to);
  void send_empty(wire::CoapMessage::Type type, std::uint16_t id, std::uint16_t to);
  asio::awaitable<Result<>> send_until(Pending& pending, std::string bytes, bool needs_answer, milliseconds within);

  ProbeContext& context_;
  Handler handler_;
  sessions::Tasks tasks_;
  std::unique_ptr<DatagramListener> listener_;
  std::deque<Answered> answered_;
  std::vector<Pending*> pending_;
  std::uint16_t last_id_ = 0;
};

}  // namespace assay::probes::update

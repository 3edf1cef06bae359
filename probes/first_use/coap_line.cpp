#include <algorithm>

#include "probes/first_use/message_line.hpp"
#include "probes/sessions/psk_session.hpp"
#include "probes/wire/coap_body.hpp"

/// Requests of CoAP (RFC 7252), each with a socket, or a session of DTLS, of its own.
namespace assay::probes::first_use {

namespace coap {

namespace {

constexpr int kMostTries = 3;
constexpr int kMostDatagrams = 16;
constexpr milliseconds kPatience{2000};  // ACK_TIMEOUT (RFC 7252, 4.8)
constexpr milliseconds kPause{1000};
constexpr int kClass = 100;
static_assert(wire::CoapBody::kMostBlocks < sessions::kMostPskQuestions, "the block beyond the limit is asked for too");

using wire::CoapMessage;

std::uint8_t method_code(std::string_view method) {
  return method == "GET"    ? wire::kCoapGet
         : method == "PUT"  ? wire::kCoapPut
         : method == "POST" ? wire::kCoapPost
                            : wire::kCoapDelete;
}

/// Each part of a path is filled in by itself, so that nothing that is filled in can end one.
void add_path(CoapMessage& message, std::string_view path, const Filling& filling, bool reveal) {
  const auto query = path.find('?');
  auto rest = path.substr(0, query);
  rest.remove_prefix(rest.starts_with('/') ? 1 : 0);
  const auto add = [&](std::string_view parts, char between, std::uint32_t option) {
    while (!parts.empty()) {
      const auto end = std::min(parts.find(between), parts.size());
      const std::string part{parts.substr(0, end)};
      wire::add_option(message, option, credentials::filled_in(part, filling, reveal));
      parts.remove_prefix(std::min(end + 1, parts.size()));
    }
  };
  add(rest, '/', wire::kCoapUriPath);
  if (query != std::string_view::npos) {
    add(path.substr(query + 1), '&', wire::kCoapUriQuery);
  }
}

CoapMessage request_of(std::string_view method, std::string_view path, const std::string& body, const Filling& filling,
                       bool reveal) {
  CoapMessage message;
  message.code = method_code(method);
  add_path(message, path, filling, reveal);
  message.payload = credentials::filled_in(body, filling, reveal);
  constexpr std::uint32_t kJson = 50;
  if (body.starts_with('{') && message.payload.starts_with('{')) {
    wire::add_option(message, wire::kCoapContentFormat, wire::coap_number(kJson));
  }
  return message;
}

Heard heard_of(const CoapMessage& answer, const std::string& expect) {
  Heard out;
  out.status = (answer.code >> 5U) * kClass + (answer.code & 31U);
  out.yes = coap_code_fits(wire::coap_code(answer.code), expect);
  out.payload = answer.payload;
  return out;
}

bool is_answer(std::string_view datagram, const std::string& token) {
  const auto parse = wire::parse_coap(datagram);
  return parse.state == wire::Parse::complete && parse.message.code != 0 && parse.message.token == token;
}

/// One request, and those for the further blocks of its answer (RFC 7959, 2.4): of GET alone, since others may change
/// something twice.
class Reading {
 public:
  Reading(CoapMessage request, CoapMessage shown) : request_(std::move(request)), shown_(std::move(shown)) { number(); }

  const CoapMessage& request() const { return request_; }

  /// The same without its secrets.
  const CoapMessage& shown() const { return shown_; }

  /// An answer has come.
  bool begun() const { return begun_; }

  /// What came in blocks, whether they fit or not.
  const std::string& pieces() const { return pieces_; }

  /// True: there is another request for the rest.
  bool take(CoapMessage answer) {
    begun_ = true;
    pieces_ += wire::find_option(answer, wire::kCoapBlock2) != nullptr ? answer.payload : std::string{};
    const bool reads = request_.code == wire::kCoapGet;
    state_ = reads ? body_.take(answer) : wire::CoapBody::State::whole;
    answer_ = std::move(answer);
    if (state_ != wire::CoapBody::State::more) {
      return false;
    }
    request_ = body_.ask_next(std::move(request_));
    shown_ = body_.ask_next(std::move(shown_));
    number();
    return true;
  }

  Result<std::optional<CoapMessage>> whole() const {
    using State = wire::CoapBody::State;
    if (state_ != State::whole) {
      const auto* what = state_ == State::too_long ? "an answer of CoAP has too many blocks"
                         : state_ == State::broken ? "the blocks of an answer of CoAP do not fit together"
                                                   : "the device did not answer a request of CoAP for a further block";
      return Error{ErrorKind::protocol, what, {}};
    }
    auto out = answer_;
    if (request_.code == wire::kCoapGet) {
      out.payload = body_.text();
    }
    return std::optional{std::move(out)};
  }

 private:
  void number() {
    const auto id = sessions::random_bytes(2);
    request_.token = shown_.token = sessions::random_bytes(4);
    request_.id = shown_.id =
        static_cast<std::uint16_t>(static_cast<unsigned char>(id[0]) << 8U | static_cast<unsigned char>(id[1]));
  }

  CoapMessage request_;
  CoapMessage shown_;
  CoapMessage answer_;
  bool begun_ = false;
  std::string pieces_;
  wire::CoapBody body_;
  wire::CoapBody::State state_ = wire::CoapBody::State::more;
};

class CoapLine final : public MessageLine {
 public:
  CoapLine(Door& door, bool psk) : door_(door), psk_(psk) {}

  asio::awaitable<Result<Heard>> send(Sender sender, const MessageRecipe& recipe, Filling filling) override {
    auto request = request_of(recipe.method, recipe.path, recipe.body, filling, true);
    const auto shown = request_of(recipe.method, recipe.path, recipe.body, filling, false);
    auto answer = co_await exchange(std::move(sender), std::move(request), shown);
    if (!answer) {
      co_return answer.error();
    }
    co_return *answer ? heard_of(**answer, recipe.expect) : Heard{};
  }

  asio::awaitable<Result<std::optional<std::string>>> read(Sender sender, std::string place, Filling filling,
                                                           std::string /*wanted*/) override {
    const std::string nothing;
    auto request = request_of("GET", place, nothing, filling, true);
    const auto shown = request_of("GET", place, nothing, filling, false);
    auto answer = co_await exchange(std::move(sender), std::move(request), shown);
    if (!answer) {
      co_return answer.error();
    }
    std::optional<std::string> out;
    if (*answer && heard_of(**answer, {}).yes) {
      out = (*answer)->payload;
    }
    co_return out;
  }

 private:
  using Answer = Result<std::optional<CoapMessage>>;

  /// Nothing: the sender is not let in. A port that is shut for a moment, or breaks off before it asks for a key, as
  /// while a service begins anew with another one, is asked again; what was answered, and be it in blocks that do not
  /// fit, is not: each time the login goes along.
  asio::awaitable<Answer> exchange(Sender sender, CoapMessage request, CoapMessage shown) {
    for (int tries = 1;; ++tries) {
      Reading reading{request, shown};
      auto answer = co_await once(sender, reading);
      const bool passing = !answer && !reading.begun() &&
                           (answer.error().kind == ErrorKind::refused || answer.error().kind == ErrorKind::protocol);
      if (!passing || tries >= kMostTries) {
        co_return answer;
      }
      auto waited = co_await door_.network.wait(kPause);
      if (!waited) {
        co_return waited.error();
      }
    }
  }

  asio::awaitable<Answer> once(Sender sender, Reading& reading) {
    auto socket = co_await door_.network.open_udp(door_.endpoint);
    if (!socket) {
      co_return socket.error();
    }
    if (psk_) {
      auto inside = co_await ask_inside(**socket, std::move(sender), reading);
      co_return inside;
    }
    auto plain = co_await read_plain(**socket, reading);
    if (!reading.pieces().empty()) {
      door_.transcript.note("the blocks that came, put together:");
      door_.transcript.received(wire::bytes_of(reading.pieces()));
    }
    co_return plain;
  }

  asio::awaitable<Answer> read_plain(Datagrams& line, Reading& reading) {
    for (bool more = true; more;) {
      auto plain = co_await ask_plain(line, reading.request(), reading.shown());
      if (!plain || !*plain) {
        co_return plain;
      }
      more = reading.take(std::move(**plain));
    }
    co_return reading.whole();
  }

  /// Sends again while nothing comes, and hears an answer that comes apart from its acknowledgement (RFC 7252, 5.2.2).
  asio::awaitable<Answer> ask_plain(Datagrams& line, const CoapMessage& request, const CoapMessage& shown) {
    const auto bytes = wire::encode_coap(request);
    const auto visible = wire::encode_coap(shown);
    bool acknowledged = false;
    int tries = 0;
    for (int datagrams = 0; datagrams < kMostDatagrams && tries < kMostTries; ++datagrams) {
      if (!acknowledged) {
        door_.transcript.sent(wire::bytes_of(visible));
        auto sent = co_await line.send(wire::bytes_of(bytes));
        if (!sent) {
          co_return sent.error();
        }
      }
      auto received = co_await line.receive(kPatience);
      if (!received) {
        if (received.error().kind != ErrorKind::timed_out) {
          co_return received.error();
        }
        ++tries;
        continue;
      }
      const auto parse = wire::parse_coap(wire::text_of(received->payload));
      write_down(received->payload, parse);
      if (parse.state != wire::Parse::complete) {
        continue;
      }
      const auto& message = parse.message;
      acknowledged = acknowledged || (message.type == CoapMessage::acknowledgement && message.id == request.id);
      if (message.code != 0 && message.token == request.token) {
        co_await acknowledge(line, message);
        co_return std::optional{message};
      }
      if (message.type == CoapMessage::reset && message.id == request.id) {
        co_return std::optional<CoapMessage>{};
      }
    }
    co_return Error{ErrorKind::timed_out, "the device did not answer a request of CoAP", {}};
  }

  /// A secret may begin in one block and end in another, and would stand there in halves: of blocks only the head is
  /// written here.
  void write_down(std::span<const std::byte> datagram, const wire::CoapParse& parse) {
    const bool block =
        parse.state == wire::Parse::complete && wire::find_option(parse.message, wire::kCoapBlock2) != nullptr;
    if (!block) {
      door_.transcript.received(datagram);
      return;
    }
    auto head = parse.message;
    head.payload.clear();
    const auto bytes = wire::encode_coap(head);
    door_.transcript.received(wire::bytes_of(bytes));
    door_.transcript.note("without its block, " + std::to_string(parse.message.payload.size()) + " bytes");
  }

  asio::awaitable<void> acknowledge(Datagrams& line, const CoapMessage& message) {
    if (message.type != CoapMessage::confirmable) {
      co_return;
    }
    CoapMessage done;
    done.type = CoapMessage::acknowledgement;
    done.id = message.id;
    const auto bytes = wire::encode_coap(done);
    const auto view = wire::bytes_of(bytes);
    door_.transcript.sent(view);
    auto sent = co_await line.send(view);
    if (!sent) {
      door_.transcript.note("an acknowledgement was not sent: " + sent.error().what);
    }
  }

  asio::awaitable<Answer> ask_inside(Datagrams& line, Sender sender, Reading& reading) {
    using Told = sessions::PskLogin::Answer;
    sessions::PskOffer offer;
    // A visitor has a key that nobody has.
    offer.identity = sender.visitor ? "assay" + sessions::random_word(8) : sender.username;
    offer.key = sender.visitor ? sessions::random_bytes(16) : sender.password.reveal();
    offer.question = wire::encode_coap(reading.request());
    offer.conceal = [this](std::string_view random) { door_.record.conceal(random, "random of the client"); };
    offer.settles = [&reading](std::string_view said) { return is_answer(said, reading.request().token); };
    offer.next = [&reading](std::string_view said) {
      const bool answered = is_answer(said, reading.request().token);
      const bool more = answered && reading.take(wire::parse_coap(said).message);
      return more ? wire::encode_coap(reading.request()) : std::string{};
    };
    if (offer.key.empty()) {
      co_return std::optional<CoapMessage>{};
    }
    const auto& shown = reading.shown();
    door_.transcript.note("inside DTLS: " + wire::coap_code(shown.code) + " " + wire::coap_path(shown) + " " +
                          shown.payload);
    sessions::PskOverDatagrams carrier{line, door_.transcript};
    auto told = co_await sessions::log_in_psk(carrier, door_.transcript, std::move(offer), kPatience);
    if (!told) {
      co_return told.error();
    }
    if (told->answer == Told::unheard || told->answer == Told::no_key) {
      co_return Error{ErrorKind::protocol, "no pre-shared key is asked for here", {}};
    }
    if (told->answer != Told::accepted) {
      co_return std::optional<CoapMessage>{};
    }
    if (told->reply.empty()) {
      co_return Error{ErrorKind::timed_out, "the device did not answer a request of CoAP inside DTLS", {}};
    }
    co_return reading.whole();
  }

  Door& door_;
  bool psk_;
};

}  // namespace

}  // namespace coap

bool coap_code_fits(std::string_view code, std::string_view expected) {
  const bool exact = !expected.empty() && !expected.ends_with("xx");
  return exact ? code == expected : code.substr(0, 1) == (expected.empty() ? "2" : expected.substr(0, 1));
}

std::unique_ptr<MessageLine> make_coap_line(Door& door, bool psk) {
  return std::make_unique<coap::CoapLine>(door, psk);
}

}  // namespace assay::probes::first_use

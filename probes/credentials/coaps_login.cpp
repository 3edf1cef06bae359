#include <algorithm>
#include <chrono>

#include "probes/credentials/dialects.hpp"
#include "probes/sessions/psk_session.hpp"
#include "probes/wire/coap.hpp"

/// CoAP inside DTLS with pre-shared keys (RFC 7252, 9.1.3.1). libcoap opens its sockets itself, past scope, pace and
/// transcript; OpenSSL over memory makes the session and probes/wire/coap the question inside.
///
/// A server knows a wrong key by a record that it cannot read, and may throw that away without a word. Such silence
/// comes in the middle of a handshake that the server answered until then; that wrong keys end so is learnt from
/// identities and keys that nobody has.
namespace assay::probes::credentials {

namespace coaps {

namespace {

using Clock = std::chrono::steady_clock;
using Answer = sessions::PskLogin::Answer;

constexpr milliseconds kPatience{1200};  // OpenSSL and others send a flight again after a second
constexpr int kSilentControls = 2;
// Where silence is known to be how a wrong key ends, it is waited for as long as a device needs that is this many times
// slower than it was in the handshakes before. Each silence is heard three times, so that a lost datagram is none.
constexpr int kTimesSlower = 8;
constexpr milliseconds kLeastPatience{250};

milliseconds patience(const Door& door) {
  return std::max(kPatience, 2 * door.timers.quiet);
}

asio::awaitable<Result<sessions::PskLogin>> shake_hands(Door& door, std::string identity, std::string key,
                                                        milliseconds within) {
  auto socket = co_await door.network.open_udp(door.endpoint);
  if (!socket) {
    co_return socket.error();
  }
  const auto token = sessions::random_word(4);
  sessions::PskOffer offer;
  offer.identity = std::move(identity);
  offer.key = std::move(key);
  offer.conceal = [&door](std::string_view random) { door.record.conceal(random, "random of the client"); };
  offer.question = wire::encode_coap(wire::coap_get(".well-known/core", 0x6173, token));
  sessions::PskOverDatagrams carrier{**socket, door.transcript};
  auto told = co_await sessions::log_in_psk(carrier, door.transcript, std::move(offer), within);
  if (told && told->answer == Answer::accepted) {
    const auto parse = wire::parse_coap(told->reply);
    const bool ours = parse.state == wire::Parse::complete && parse.message.token == token;
    told->reply = ours ? wire::coap_code(parse.message.code) : std::string{};
  }
  co_return told;
}

class CoapsLogin final : public Dialect {
 public:
  explicit CoapsLogin(Door& door) : door_(door) {}

  std::string_view name() const override { return "coaps-psk"; }

  bool clear() const override { return false; }

  void start_afresh() override {}

  asio::awaitable<Attempt> attempt_control(std::string username, Secret password) override {
    auto attempted = co_await log_in(std::move(username), std::move(password), true);
    co_return attempted;
  }

  asio::awaitable<Attempt> attempt(std::string username, Secret password) override {
    auto attempted = co_await log_in(std::move(username), std::move(password), false);
    co_return attempted;
  }

 private:
  asio::awaitable<Attempt> log_in(std::string identity, Secret key, bool control) {
    Attempt attempted;
    if (key.empty()) {
      attempted.outcome = Outcome::rejected;
      attempted.says = "there is no empty key";
      attempted.sent = 0;
      co_return attempted;
    }
    const auto start = Clock::now();
    auto bytes = key.reveal();
    auto told = co_await shake_hands(door_, std::move(identity), std::move(bytes), patience_now(control));
    attempted.took = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
    if (!told) {
      attempted.outcome = told.error().kind == ErrorKind::refused ? Outcome::lost : Outcome::unclear;
      attempted.says = told.error().what;
      if (sessions::ends_probe(told.error().kind)) {
        attempted.ended = told.error();
      }
      co_return attempted;
    }
    slowest_ = std::max(slowest_, told->slowest);
    if (control) {
      silent_ = told->answer == Answer::silent ? silent_ + 1 : 0;
    }
    read(*told, attempted);
    co_return attempted;
  }

  milliseconds patience_now(bool control) const {
    const auto whole = patience(door_);
    return control || silent_ < kSilentControls ? whole : std::clamp(kTimesSlower * slowest_, kLeastPatience, whole);
  }

  void read(const sessions::PskLogin& told, Attempt& attempted) const {
    if (told.answer == Answer::accepted) {
      attempted.outcome = Outcome::accepted;
      attempted.proof = "DTLS finished with " + told.suite +
                        (told.reply.empty() ? std::string{", both sides having shown the key"}
                                            : ", and GET .well-known/core was answered inside with " + told.reply);
    } else if (told.answer == Answer::refused) {
      attempted.outcome = Outcome::rejected;
      attempted.says = "alert " + told.alert;
    } else if (told.answer == Answer::silent) {
      attempted.outcome = silent_ >= kSilentControls ? Outcome::rejected : Outcome::unclear;
      attempted.says = "silence after the key was used";
    } else {
      attempted.says = told.answer == Answer::unheard ? "silence" : "no key was asked for";
    }
  }

  Door& door_;
  int silent_ = 0;  // controls in a row that got no answer to their last flight
  milliseconds slowest_{0};
};

asio::awaitable<Result<Detection>> find(Door& door) {
  Detection found;
  const auto identity = "assay" + sessions::random_word(8);
  const std::string no_key;
  auto told = co_await shake_hands(door, identity, no_key, patience(door));
  if (!told) {
    if (sessions::ends_probe(told.error().kind)) {
      co_return told.error();
    }
    co_return found;
  }
  found.silent = told->answer == Answer::unheard;
  found.answered = !found.silent;
  if (told->answer == Answer::silent || told->answer == Answer::refused) {
    found.dialect = std::make_unique<CoapsLogin>(door);
  } else if (found.answered) {
    found.other_login = "a login of DTLS without a pre-shared key";
  }
  co_return found;
}

}  // namespace

}  // namespace coaps

asio::awaitable<Result<Detection>> detect_coaps(Door& door) {
  auto found = co_await coaps::find(door);
  co_return found;
}

}  // namespace assay::probes::credentials

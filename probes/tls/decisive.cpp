#include "probes/tls/decisive.hpp"

#include <algorithm>

#include "probes/sessions/channel.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::tls {

namespace {

namespace message = wire::record;

constexpr std::uint16_t kClaimed = 24;         // payload of the heartbeat that lies: it has 1 byte
constexpr std::uint16_t kRightPayload = 1;     // of the heartbeat that does not
constexpr std::size_t kHeartbeatHead = 3;      // type and length of payload
constexpr std::size_t kHeartbeatPadding = 16;  // least (RFC 6520, 4)
constexpr std::size_t kMostDecryptions = 12;   // of all that the probe asks at once
constexpr std::size_t kLikeFinished = 64;      // bytes of a record that nobody can decrypt
constexpr std::uint8_t kUnexpectedMessage = 10;
constexpr std::uint8_t kBadRecordMac = 20;
constexpr std::uint8_t kDecryptionFailed = 21;

/// More was repeated than was sent.
bool lying_one_answered(const wire::TlsRecordLog& log) {
  return std::any_of(log.records().begin(), log.records().end(), [](const auto& one) {
    return one.type == message::kHeartbeat && one.length >= kHeartbeatHead + kClaimed + kHeartbeatPadding;
  });
}

/// The right one was sent last: when it is answered, the other one has been, or never will be.
bool right_one_answered(const wire::TlsRecordLog& log) {
  return std::any_of(log.records().begin(), log.records().end(), [](const auto& one) {
    return one.type == message::kHeartbeat && one.length < kHeartbeatHead + kClaimed + kHeartbeatPadding;
  });
}

constexpr char kWhole[] = "ClientKeyExchange, ChangeCipherSpec, a Finished that is none";
constexpr char kRest[] = "ChangeCipherSpec, a Finished that is none";

/// What follows the key exchange, of somebody who has no keys.
std::string rest_of_handshake(const Exchange& line) {
  const auto version = line.flight().hello()->version;
  return wire::change_cipher_spec_record(version) +
         wire::tls_record(message::kHandshake, version, sessions::random_bytes(kLikeFinished));
}

bool is_cut(const Heard& heard) {
  return heard.end == Heard::End::closed || heard.end == Heard::End::reset;
}

}  // namespace

Decisive::Decisive(NewExchange exchange, const Footing& footing) : exchange_(std::move(exchange)), footing_(footing) {
  for (const auto* name : {"heartbleed", "ccs_injection", "robot"}) {
    results_.push_back({name, WeaknessState::unknown, "not asked"});
  }
}

void Decisive::decide(std::string_view name, WeaknessState state, std::string why) {
  for (auto& one : results_) {
    if (one.name == name) {
      one.state = state;
      one.why = std::move(why);
    }
  }
}

void Decisive::take_end(const Exchange& exchange) {
  if (exchange.over()) {
    over_ = exchange.over();
  }
}

void Decisive::plan(sessions::Jobs& jobs) {
  const auto absent = footing_.settled ? WeaknessState::not_shown : WeaknessState::unknown;
  if (!footing_.any) {
    for (const auto* name : {"heartbleed", "ccs_injection", "robot"}) {
      decide(name, absent, "no version from TLS 1.0 to TLS 1.2 was seen to be taken");
    }
    return;
  }
  plan_robot(jobs);
  jobs.add([this, wish = *footing_.any] { return inject_ccs(wish); });
  if (!footing_.heartbeat) {
    decide("heartbleed", WeaknessState::unknown, "whether heartbeats are taken could not be told");
  } else if (!*footing_.heartbeat) {
    decide("heartbleed", WeaknessState::not_shown, "heartbeats are not taken: the extension is not answered");
  } else {
    jobs.add([this, wish = *footing_.any] { return heartbleed(wish); });
  }
}

void Decisive::plan_robot(sessions::Jobs& jobs) {
  if (!footing_.rsa.wish) {
    const bool settled = footing_.rsa.settled;
    decide("robot", settled ? WeaknessState::not_shown : WeaknessState::unknown,
           settled ? "no suite with RSA key transport is taken" : "not every version could be asked to the end");
    return;
  }
  if (!robot_trouble_.empty()) {
    decide("robot", WeaknessState::unknown, robot_trouble_);
    return;
  }
  const bool heard = slowest_decryption_.count() > 0;
  begin_round(jobs, !heard, heard && waited_for_ && jobs.width() > 1);
}

asio::awaitable<std::chrono::nanoseconds> Decisive::first_decryption() {
  if (!footing_.rsa.wish) {
    co_return std::chrono::nanoseconds{0};
  }
  auto line = exchange_();
  auto bytes = co_await begin_exchange(line, Padding::right);
  if (!bytes.empty()) {
    waited_for_ = line.is_waited_for();
    bytes += rest_of_handshake(line);
    co_await line.say(std::move(bytes), kWhole);
    const auto within = line.longest();
    const auto heard = co_await line.hear(within, &never_enough);
    take_end(line);
    if (heard.end != Heard::End::silence) {
      slowest_decryption_ = heard.took;
    }
  }
  co_return slowest_decryption_;
}

/// One cut may be a lost connection, and two in a row are the answer.
asio::awaitable<void> Decisive::heartbleed(HelloWish wish) {
  const bool settled = co_await try_heartbleed(wish, false);
  if (!settled) {
    co_await try_heartbleed(wish, true);
  }
}

/// False when it is worth asking again, which is not when it was the last time.
asio::awaitable<bool> Decisive::try_heartbleed(HelloWish wish, bool last) {
  auto hello = make_hello(wish);
  hello.extensions.push_back({wire::extension::kHeartbeat, std::string(1, '\x01')});
  auto line = exchange_();
  const bool begun = co_await line.begin("heartbeat that claims more than it has", hello);
  if (!begun) {
    take_end(line);
    decide("heartbleed", WeaknessState::unknown, line.why());
    co_return true;
  }
  line.keep_sizes_only();
  const auto version = line.flight().hello()->version;
  const auto lying = wire::heartbeat_record(version, kClaimed, "a", 0);
  const auto right = wire::heartbeat_record(version, kRightPayload, "b", kHeartbeatPadding);
  auto both = lying + right;
  co_await line.say(std::move(both), "a heartbeat with 1 byte that claims 24, and a right one");
  const auto patience = line.patience();
  const auto heard = co_await line.hear(patience, &right_one_answered);
  take_end(line);
  alerts_["lying_heartbeat"] = heard.text();
  if (lying_one_answered(heard.log)) {
    decide("heartbleed", WeaknessState::shown,
           "a heartbeat with 1 byte was answered with 24 (what they were is not kept)");
  } else if (right_one_answered(heard.log)) {
    decide("heartbleed", WeaknessState::not_shown, "the heartbeat that lies was passed over, the right one answered");
  } else if (is_cut(heard) && !last && !over_) {
    co_return false;
  } else if (is_cut(heard) || heard.end == Heard::End::alert) {
    decide("heartbleed", WeaknessState::not_shown, "the heartbeat that lies ended the connection: " + heard.text());
  } else {
    decide("heartbleed", WeaknessState::unknown, "neither the heartbeat that lies nor a right one was answered");
  }
  co_return true;
}

asio::awaitable<void> Decisive::inject_ccs(HelloWish wish) {
  const bool settled = co_await try_ccs(wish, false);
  if (!settled) {
    co_await try_ccs(wish, true);
  }
}

/// A server that takes a ChangeCipherSpec too early has keys from then on that everybody knows, so that a record in
/// clear is one that it fails to decrypt. One that does not take it says so, or passes it over and reads on in clear.
/// False when it is worth asking again.
asio::awaitable<bool> Decisive::try_ccs(HelloWish wish, bool last) {
  const auto hello = make_hello(wish);
  auto line = exchange_();
  const bool begun = co_await line.begin("ChangeCipherSpec before the key exchange", hello);
  if (!begun) {
    take_end(line);
    decide("ccs_injection", WeaknessState::unknown, line.why());
    co_return true;
  }
  const auto version = line.flight().hello()->version;
  auto early = wire::change_cipher_spec_record(version);
  co_await line.say(std::move(early), "ChangeCipherSpec");
  const auto moment = line.moment();
  const auto first = co_await line.hear(moment, &never_enough);
  alerts_["early_change_cipher_spec"] = first.text();
  if (first.end != Heard::End::silence) {
    take_end(line);
    if (is_cut(first) && !last && !over_) {
      co_return false;
    }
    const bool refused = first.end != Heard::End::not_tls;
    decide("ccs_injection", refused ? WeaknessState::not_shown : WeaknessState::unknown,
           "an early ChangeCipherSpec was answered with " + first.text());
    co_return true;
  }
  auto garbage = wire::tls_record(message::kHandshake, version, sessions::random_bytes(kLikeFinished));
  co_await line.say(std::move(garbage), "a record that nobody can decrypt");
  const auto patience = line.patience();
  const auto second = co_await line.hear(patience, &never_enough);
  take_end(line);
  const auto alert = second.log.alert() ? second.log.alert()->alert : std::uint8_t{0};
  const bool decrypted = second.end == Heard::End::alert && (alert == kBadRecordMac || alert == kDecryptionFailed);
  const bool unmoved = second.end == Heard::End::alert && alert == kUnexpectedMessage;
  decide("ccs_injection",
         decrypted ? WeaknessState::shown
         : unmoved ? WeaknessState::not_shown
                   : WeaknessState::unknown,
         "an early ChangeCipherSpec was taken in silence, the next record answered with " + second.text());
  co_return true;
}

void Decisive::begin_round(sessions::Jobs& jobs, bool whole, bool ends) {
  auto& round = rounds_.emplace_back();
  round.whole = whole;
  round.ends = ends;
  round.at_once = waited_for_ ? 1 : std::min(jobs.width(), kMostDecryptions);
  for (std::size_t index = 0; index < kPaddings; ++index) {
    const auto padding = static_cast<Padding>(index);
    jobs.add([this, &jobs, &round, padding] { return ask_padding(jobs, round, padding); });
  }
}

/// What is said to be shown rests on no haste, and on no queue of decryptions either: in turn, and nothing beside it.
void Decisive::begin_confirming(sessions::Jobs& jobs, bool whole) {
  auto& round = rounds_.emplace_back();
  round.whole = whole;
  round.hurried = false;
  jobs.set_width(1);
  jobs.add([this, &jobs, &round] { return ask_in_turn(jobs, round); });
}

asio::awaitable<void> Decisive::ask_in_turn(sessions::Jobs& jobs, Round& round) {
  for (std::size_t index = 0; index < kPaddings; ++index) {
    co_await ask_padding(jobs, round, static_cast<Padding>(index));
  }
}

asio::awaitable<void> Decisive::ask_padding(sessions::Jobs& jobs, Round& round, Padding padding) {
  if (!round.failed && !round.dropped && !over_) {
    co_await exchange_key(round, padding);
  }
  if (--round.left == 0) {
    end_round(jobs, round);
  }
}

/// A server that answers wrong padding does so after the decryption that comes before its answer to a whole handshake
/// too, so that this one says how long silence to a key exchange alone has to be. How long hellos take says nothing of
/// decryptions. All that is asked at once may wait for one another there.
milliseconds Decisive::silence_of(const Exchange& line, const Round& round) const {
  constexpr milliseconds kSlack{20};
  if (!round.hurried) {
    return line.longest();
  }
  const auto work = std::max(slowest_decryption_ - line.fastest(), std::chrono::nanoseconds{0});
  const auto queue = static_cast<std::int64_t>(round.at_once - 1) * work;
  return std::min(line.longest(), std::chrono::ceil<milliseconds>(2 * slowest_decryption_ + queue) + kSlack);
}

/// The server's flight, and the record with the key exchange that follows it; "" when there is none: `robot_trouble_`.
asio::awaitable<std::string> Decisive::begin_exchange(Exchange& line, Padding padding) {
  const auto hello = make_hello(*footing_.rsa.wish);
  auto title = "RSA key exchange, " + std::string{padding_name(padding)};
  const bool begun = co_await line.begin(std::move(title), hello);
  take_end(line);
  if (!begun) {
    robot_trouble_ = line.why();
    co_return std::string{};
  }
  const auto& certificates = line.flight().certificates();
  const auto key = certificates.empty() ? std::nullopt : RsaKey::of_certificate(certificates.front());
  const auto block = key ? padded_secret(padding, key->bytes(), hello.version) : std::string{};
  const auto secret = key ? key->encrypt(block) : std::nullopt;
  if (!secret) {
    robot_trouble_ = "the certificate has no RSA key that can be used";
    co_return std::string{};
  }
  ++handshakes_;
  const auto messages = no_certificate(line.flight()) + wire::rsa_key_exchange_message(*secret);
  co_return wire::tls_record(message::kHandshake, line.flight().hello()->version, messages);
}

asio::awaitable<void> Decisive::exchange_key(Round& round, Padding padding) {
  auto line = exchange_();
  auto bytes = co_await begin_exchange(line, padding);
  if (bytes.empty()) {
    round.failed = true;
    co_return;
  }
  auto rest = rest_of_handshake(line);
  if (round.whole) {
    bytes += rest;
    co_await line.say(std::move(bytes), kWhole);
    const auto longest = line.longest();
    const auto heard = co_await line.hear(longest, &never_enough);
    take_answer(round, padding, heard, "the whole");
    take_end(line);
    co_return;
  }
  co_await line.say(std::move(bytes), "ClientKeyExchange alone");
  const auto silence = silence_of(line, round);
  auto heard = co_await line.hear(silence, &never_enough);
  const bool alone = heard.end != Heard::End::silence;
  if (!alone && round.ends) {
    co_await line.say_last(std::move(rest), kRest);
  } else if (!alone) {
    co_await line.say(std::move(rest), kRest);
  }
  if (!alone) {
    const auto longest = line.longest();
    heard = co_await line.hear(longest, &never_enough);
  }
  take_answer(round, padding, heard, alone ? "the key exchange alone" : "the rest after it");
  take_end(line);
}

void Decisive::take_answer(Round& round, Padding padding, const Heard& heard, std::string_view to) {
  if (heard.end != Heard::End::silence) {
    slowest_decryption_ = std::max(slowest_decryption_, heard.took);
    ++round.heard;
  }
  round.dropped = round.dropped || (round.ends && heard.end != Heard::End::alert);
  round.answers[static_cast<std::size_t>(padding)] = heard.text() + " to " + std::string{to};
  if (padding == Padding::wrong_start) {
    alerts_["wrong_rsa_padding"] = heard.text();
  }
}

/// The last one that was asked in the same way.
const Decisive::Round* Decisive::round_before(const Round& round) const {
  const auto found = std::find_if(rounds_.rbegin(), rounds_.rend(), [&](const Round& one) {
    return &one != &round && one.whole == round.whole && !one.dropped;
  });
  return found == rounds_.rend() ? nullptr : &*found;
}

void Decisive::end_round(sessions::Jobs& jobs, Round& round) {
  if (round.failed || over_) {
    decide("robot", WeaknessState::unknown, robot_trouble_);
    return;
  }
  const auto& answers = round.answers;
  const bool alike = oracle_of(answers) == Oracle::none;
  const auto* before = round_before(round);
  if (round.dropped) {
    begin_round(jobs, false, false);
  } else if (round.heard == 0) {
    decide("robot", WeaknessState::unknown, "no handshake was answered, whatever its padding: " + answers.front());
  } else if (before == nullptr && !alike) {
    begin_confirming(jobs, round.whole);
  } else if (before == nullptr && round.whole) {
    begin_round(jobs, false, false);
  } else if (before == nullptr || before->answers == answers) {
    judge_robot(round);
  } else if (before->hurried && !alike) {
    begin_confirming(jobs, round.whole);  // the haste may be all that is other
  } else {
    decide("robot", WeaknessState::unknown, "answers to right and wrong padding differ, but not twice in the same way");
  }
}

void Decisive::judge_robot(const Round& round) {
  const auto& answers = round.answers;
  const auto oracle = oracle_of(answers);
  if (oracle == Oracle::none) {
    decide("robot", WeaknessState::not_shown,
           "5 paddings, " + std::to_string(handshakes_) + " handshakes, the same answer to all: " + answers.front());
    return;
  }
  const auto wrong =
      std::find_if(answers.begin(), answers.end(), [&](const auto& one) { return one != answers.front(); });
  decide("robot", WeaknessState::shown,
         std::string{oracle == Oracle::strong ? "strong oracle" : "weak oracle"} +
             ", 5 paddings twice: " + answers.front() + " for the right one, " + *wrong + " for " +
             std::string{padding_name(static_cast<Padding>(wrong - answers.begin()))});
}

}  // namespace assay::probes::tls

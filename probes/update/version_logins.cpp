#include "probes/sessions/mqtt_line.hpp"
#include "probes/sessions/snmp_user_session.hpp"
#include "probes/sessions/ssh_session.hpp"
#include "probes/update/version.hpp"
#include "probes/update/version_text.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/mqtt.hpp"

/// The version where an account of the DUT file asks for it.
namespace assay::probes::update {

namespace {

constexpr milliseconds kSshPatience{10000};  // a key exchange takes a small device seconds
constexpr milliseconds kMessageWithin{3000};
constexpr milliseconds kAgentWithin{1000};
constexpr std::size_t kAesKey = 16;
constexpr int kMostAnswers = 4;  // to earlier questions
constexpr int kRounds = 3;       // of a datagram, which may be lost

sessions::Hash hash_of(SnmpDigest digest) {
  switch (digest) {
    case SnmpDigest::md5:
      return sessions::Hash::md5;
    case SnmpDigest::sha224:
      return sessions::Hash::sha224;
    case SnmpDigest::sha256:
      return sessions::Hash::sha256;
    case SnmpDigest::sha384:
      return sessions::Hash::sha384;
    case SnmpDigest::sha512:
      return sessions::Hash::sha512;
    default:
      return sessions::Hash::sha1;
  }
}

}  // namespace

/// The account of a role, whose secret appears nowhere from now on; null: nobody logs in.
const Account* VersionReader::account_for(const std::string& login) {
  const auto* account = account_of(context_, login);
  if (account != nullptr && !account->secret.empty()) {
    context_.record.conceal(account->secret);
    transcript_.conceal(account->secret);
  }
  return account;
}

/// The account is known, so its login is no wrong one; until the device took it that is not certain, and each costs
/// what a wrong one does. One that was taken used no permit up: the next one has it, and uses it up if it is refused.
asio::awaitable<Result<>> VersionReader::permit(Endpoint endpoint, std::string account) {
  Result<> permitted;
  if (!in_hand_) {
    permitted = co_await context_.network.permit_kept_login(endpoint, account);
  }
  co_return permitted;
}

/// Neither: a server that is not ready yet, or silence, which says nothing of the account.
void VersionReader::answered(bool taken, bool refused) {
  in_hand_ = taken || (in_hand_ && !refused);
}

asio::awaitable<Result<Told>> VersionReader::ask_topic() {
  const auto& way = *source_.mqtt;
  sessions::MqttDoor door{*way.port, way.tls, std::nullopt, kMessageWithin};
  if (const auto* account = account_for(way.login)) {
    door.login = sessions::MqttLogin{account->username, account->secret};
    door.permit = [this, name = account->username] { return permit(*source_.mqtt->port, name); };
  }
  const auto entry = co_await sessions::enter_mqtt(context_.network, std::move(door), transcript_);
  if (!entry) {
    co_return entry.error();
  }
  answered(entry->line != nullptr, entry->not_let_in());
  if (!entry->line) {
    co_return no_version("the broker answers CONNECT with code " + std::to_string(entry->code));
  }
  const auto granted = co_await entry->line->subscribe(way.topic);
  if (!granted) {
    co_return granted.error();
  }
  if (!*granted) {
    co_return no_version("the broker refuses the topic " + way.topic);
  }
  std::string anything;
  const auto note = co_await entry->line->await_note(way.topic, std::move(anything));
  auto goodbye = wire::mqtt_disconnect();
  co_await entry->line->channel().say_goodbye(std::move(goodbye));
  if (!note) {
    co_return note.error();
  }
  if (!*note) {
    co_return Error{ErrorKind::timed_out, "no message came under the topic " + way.topic, {}};
  }
  co_return told_in((*note)->payload, source_);
}

/// The bytes are encrypted: what was run and said is noted instead.
asio::awaitable<Result<Told>> VersionReader::ask_by_ssh() {
  const auto& way = *source_.ssh;
  const auto* account = account_for(way.login);
  if (account == nullptr) {
    co_return no_version("the DUT file has no account of the role " + way.login);
  }
  Transcript unread("version by SSH", 0);
  auto channel = co_await sessions::open_channel(context_.network, way.port, unread);
  if (!channel) {
    co_return channel.error();
  }
  const auto permitted = co_await permit(way.port, account->username);
  if (!permitted) {
    co_return permitted.error();
  }
  auto password = account->secret.reveal();
  sessions::SshSession session{std::move(*channel)};
  const auto ran = co_await session.run(account->username, std::move(password), way.command, kSshPatience);
  if (!ran) {
    co_return ran.error();
  }
  co_await session.say_goodbye();
  using Answer = sessions::SshLogin::Answer;
  const bool let_in = ran->answer == Answer::accepted;
  answered(let_in, ran->answer == Answer::refused || ran->answer == Answer::cut);
  transcript_.note(way.port.text() + ": " + account->username +
                   (let_in ? " ran " + way.command + ", which said: " + ran->output : " was not let in"));
  if (!let_in) {
    co_return no_version("the SSH server does not let the account of the role " + way.login + " in");
  }
  if (!ran->ended) {
    co_return Error{ErrorKind::timed_out, "the command did not end in time: " + way.command, {}};
  }
  co_return told_at_end(ran->output);
}

asio::awaitable<Result<Told>> VersionReader::ask_object() {
  const auto& way = *source_.snmp;
  const auto* account = account_for(way.login);
  if (account == nullptr) {
    co_return no_version("the DUT file has no account of the role " + way.login);
  }
  auto object = wire::snmp_object(way.object);
  Result<Told> told = no_version("nobody was asked");
  if (account->username.empty()) {
    told = co_await ask_with_community(*account, std::move(object));
  } else {
    told = co_await ask_as_user(*account, std::move(object));
  }
  co_return told;
}

/// By version 2c, and by 1 where nothing comes: agents are silent to a wrong community and to a version that they do
/// not know.
asio::awaitable<Result<Told>> VersionReader::ask_with_community(const Account& account, std::string object) {
  const auto& way = *source_.snmp;
  const auto socket = co_await context_.network.open_udp(way.port);
  if (!socket) {
    co_return socket.error();
  }
  const auto versions = spoken_ ? std::vector{*spoken_} : std::vector{wire::SnmpVersion::v2c, wire::SnmpVersion::v1};
  bool gone = false;
  for (std::size_t asked = 0; asked < versions.size() * kRounds && !gone; ++asked) {
    const auto version = versions[asked % versions.size()];
    const auto answer = co_await exchange(**socket, version, account, object);
    if (!answer) {
      co_return answer.error();
    }
    if (!*answer) {
      const auto heard = co_await hear_silence();
      if (!heard) {
        co_return heard.error();
      }
      gone = away_;
      continue;
    }
    const auto known = co_await learn_agent(version);
    if (!known) {
      co_return known.error();
    }
    if (!(*answer)->has_text) {
      co_return no_version("the agent has no text for " + way.object + " (error status " +
                           std::to_string((*answer)->error_status) + ")");
    }
    co_return told_behind((*answer)->text, way.after, "the value of " + way.object);
  }
  co_return Error{ErrorKind::timed_out, "the SNMP agent did not answer", {}};
}

/// An agent of version 3 tells its engine to everybody (RFC 3414, 4): whether one is there that refuses a community.
asio::awaitable<Result<bool>> VersionReader::tells_engine() {
  auto socket = co_await context_.network.open_udp(source_.snmp->port);
  if (!socket) {
    co_return socket.error();
  }
  sessions::SnmpUserSession talk(std::move(*socket), transcript_, context_.record, kAgentWithin, {});
  const auto ready = co_await talk.synchronise();
  if (!ready && sessions::ends_probe(ready.error().kind)) {
    co_return ready.error();
  }
  co_return ready.has_value();
}

/// At its first answer, and that the community was taken.
asio::awaitable<Result<>> VersionReader::learn_agent(wire::SnmpVersion version) {
  answered(true, false);
  away_ = false;
  silent_since_.reset();
  if (!spoken_) {
    spoken_ = version;
    const auto tells = co_await tells_engine();
    if (!tells) {
      co_return tells.error();
    }
    tells_engine_ = *tells;
  }
  co_return Result<>{};
}

/// After an answer, silence is no refusal while the agent is not there either. One that was away may have come back
/// after the question. An agent without version 3 is silent to a wrong community as if it were away: what lasts longer
/// than an update with its start is a refusal.
asio::awaitable<Result<>> VersionReader::hear_silence() {
  if (!spoken_) {
    co_return Result<>{};
  }
  if (!tells_engine_) {
    const auto now = context_.network.elapsed();
    silent_since_ = silent_since_ ? silent_since_ : now;
    answered(false, now - *silent_since_ > takes_);
    co_return Result<>{};
  }
  const auto there = co_await tells_engine();
  if (!there) {
    co_return there.error();
  }
  answered(false, *there && !away_);
  away_ = !*there;
  co_return Result<>{};
}

/// Nothing: silence.
asio::awaitable<Result<std::optional<wire::SnmpResponse>>> VersionReader::exchange(Datagrams& socket,
                                                                                   wire::SnmpVersion version,
                                                                                   const Account& account,
                                                                                   const std::string& object) {
  std::optional<wire::SnmpResponse> out;
  const std::string nobody;  // communities have no name
  const auto permitted = co_await permit(source_.snmp->port, nobody);
  if (!permitted) {
    co_return permitted.error();
  }
  const auto id = wire::Reader{sessions::random_bytes(4)}.u32() & 0x7fffffffU;
  const auto question = wire::snmp_get(version, account.secret.reveal(), id, object);
  const auto view = wire::bytes_of(question);
  transcript_.sent(view);
  const auto sent = co_await socket.send(view);
  if (!sent) {
    co_return sent.error();
  }
  for (int answers = 0; !out && answers < kMostAnswers; ++answers) {
    const auto received = co_await socket.receive(kAgentWithin);
    if (!received && received.error().kind != ErrorKind::timed_out) {
      co_return received.error();
    }
    if (!received) {
      break;
    }
    transcript_.received(received->payload);
    auto parse = wire::parse_snmp_response(wire::text_of(received->payload), object);
    if (parse.state == wire::Parse::complete && parse.response.request_id == id) {
      out = std::move(parse.response);
    }
  }
  co_return out;
}

asio::awaitable<Result<Told>> VersionReader::ask_as_user(const Account& account, std::string object) {
  const auto& way = *source_.snmp;
  auto socket = co_await context_.network.open_udp(way.port);
  if (!socket) {
    co_return socket.error();
  }
  sessions::SnmpUserSession talk(std::move(*socket), transcript_, context_.record, kAgentWithin,
                                 [this](std::string user) { return permit(source_.snmp->port, std::move(user)); });
  const auto ready = co_await talk.synchronise();
  if (!ready) {
    co_return ready.error();
  }
  sessions::SnmpKeys keys;
  keys.hash = hash_of(way.digest);
  keys.key = sessions::localised_key(keys.hash, account.secret.reveal(), talk.engine());
  keys.privacy = way.encrypted ? keys.key.substr(0, kAesKey) : std::string{};
  const auto heard = co_await talk.ask(account.username, std::move(object), std::move(keys));
  if (!heard) {
    co_return heard.error();
  }
  if (!heard->any) {
    co_return Error{ErrorKind::timed_out, "the SNMP agent did not answer", {}};
  }
  const bool of_clock = heard->is_report(wire::kUsmNotInTime) || heard->is_report(wire::kUsmUnknownEngine);
  answered(heard->proved, !of_clock);
  if (!heard->proved || !heard->is_response()) {
    co_return no_version("the agent does not take the user " + account.username + " (usmStats counter " +
                         std::to_string(heard->says.counter) + ")");
  }
  if (!heard->says.has_text) {
    co_return no_version("the agent has no text for " + way.object + " (error status " +
                         std::to_string(heard->says.error_status) + ")");
  }
  co_return told_behind(heard->says.text, way.after, "the value of " + way.object);
}

}  // namespace assay::probes::update

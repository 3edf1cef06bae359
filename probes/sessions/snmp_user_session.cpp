#include "probes/sessions/snmp_user_session.hpp"

#include <algorithm>
#include <utility>

#include "probes/wire/bytes.hpp"

namespace assay::sessions {

namespace {

constexpr int kSnmpRounds = 3;
constexpr int kMostSnmpDatagrams = 8;
constexpr std::size_t kShortestScoped = 16;  // bytes of a scoped PDU with an empty context and nothing in it
constexpr const char* kSnmpCipher = "AES-128-CFB";

std::uint32_t fresh_snmp_id() {
  return wire::Reader{random_bytes(4)}.u32() & 0x7fffffffU;
}

/// RFC 3826, 3.1.2.1.
std::string privacy_iv(const wire::SnmpEngine& engine, const std::string& salt) {
  std::string iv;
  wire::put_u32(iv, engine.boots);
  wire::put_u32(iv, engine.time);
  return iv + salt;
}

std::string wrapped(const wire::SnmpUserQuestion& question, const SnmpKeys& keys) {
  auto scoped = wire::snmp_scoped_get(question);
  if (!question.salt.empty()) {
    scoped = encrypt(kSnmpCipher, keys.privacy, privacy_iv(question.engine, question.salt), scoped);
  }
  auto message = wire::snmp_user_message(question, scoped);
  if (question.digest > 0) {
    message.bytes.replace(message.digest_at, question.digest,
                          hmac(keys.hash, keys.key, message.bytes).substr(0, question.digest));
  }
  return message.bytes;
}

}  // namespace

std::size_t snmp_digest_size(Hash hash) {
  switch (hash) {
    case Hash::sha224:
      return 16;
    case Hash::sha256:
      return 24;
    case Hash::sha384:
      return 32;
    case Hash::sha512:
      return 48;
    default:
      return 12;
  }
}

bool SnmpHeard::is_report(std::uint32_t counter) const {
  return any && says.kind == wire::SnmpScoped::Kind::report && says.counter == counter;
}

SnmpUserSession::SnmpUserSession(std::unique_ptr<Datagrams> socket, Transcript& transcript, Recorder& record,
                                 milliseconds patience, Permit permit)
    : socket_(std::move(socket)),
      transcript_(transcript),
      record_(record),
      patience_(patience),
      permit_(std::move(permit)) {}

/// Boots and time as the agent counts them now.
wire::SnmpEngine SnmpUserSession::engine_now() const {
  auto engine = engine_;
  const auto passed = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - synchronised_at_);
  engine.time += static_cast<std::uint32_t>(std::max<std::int64_t>(passed.count(), 0));
  return engine;
}

void SnmpUserSession::take_over(const wire::SnmpEngine& engine) {
  engine_ = engine;
  synchronised_at_ = Clock::now();
  synchronised_ = true;
}

asio::awaitable<Result<>> SnmpUserSession::synchronise() {
  if (synchronised_) {
    co_return Result<>{};
  }
  for (int round = 0; round < kSnmpRounds; ++round) {
    const auto id = fresh_snmp_id();
    auto question = wire::snmp_v3_discovery(id);
    auto answer = co_await exchange(std::move(question), id);
    if (!answer && answer.error().kind != ErrorKind::timed_out) {
      co_return answer.error();
    }
    if (answer && !answer->engine.id.empty()) {
      take_over(answer->engine);
      co_return Result<>{};
    }
  }
  co_return Error{ErrorKind::timed_out, "the agent does not say which engine it is", {}};
}

asio::awaitable<Result<SnmpHeard>> SnmpUserSession::ask(std::string user, std::string object, SnmpKeys keys) {
  wire::SnmpUserQuestion question;
  question.user = std::move(user);
  question.object = std::move(object);
  question.digest = keys.key.empty() ? 0 : snmp_digest_size(keys.hash);
  SnmpHeard heard;
  for (int round = 0; round < kSnmpRounds; ++round) {
    if (question.digest > 0) {
      auto permitted = co_await permit_(question.user);
      if (!permitted) {
        co_return permitted.error();
      }
    }
    question.salt = keys.privacy.empty() ? std::string{} : random_bytes(8);
    question.id = fresh_snmp_id();
    question.engine = engine_now();
    auto bytes = wrapped(question, keys);
    auto answer = co_await exchange(std::move(bytes), question.id);
    if (!answer) {
      if (answer.error().kind != ErrorKind::timed_out) {
        co_return answer.error();
      }
      continue;
    }
    heard = read(*answer, question.object, keys);
    if (!heard.is_report(wire::kUsmNotInTime) && !heard.is_report(wire::kUsmUnknownEngine)) {
      break;
    }
    if (!answer->engine.id.empty()) {
      take_over(answer->engine);
    }
  }
  co_return heard;
}

SnmpHeard SnmpUserSession::read(const wire::SnmpUserAnswer& answer, const std::string& object,
                                const SnmpKeys& keys) const {
  SnmpHeard heard;
  auto scoped = answer.scoped;
  if (answer.encrypted) {
    scoped = keys.privacy.empty() ? std::string{}
                                  : decrypt(kSnmpCipher, keys.privacy, privacy_iv(answer.engine, answer.salt), scoped);
  }
  heard.says = wire::parse_snmp_scoped(scoped, object);
  heard.any = heard.says.state == wire::Parse::complete;
  if (heard.any && answer.authenticated && !answer.digest.empty() && !keys.key.empty()) {
    auto blank = datagram_;
    blank.replace(answer.digest_at, answer.digest.size(), std::string(answer.digest.size(), '\0'));
    heard.proved = hmac(keys.hash, keys.key, blank).substr(0, answer.digest.size()) == answer.digest;
  }
  return heard;
}

/// Sends, and waits for the answer with that id.
asio::awaitable<Result<wire::SnmpUserAnswer>> SnmpUserSession::exchange(std::string question, std::uint32_t id) {
  const auto view = wire::bytes_of(question);
  asked_.insert(id);
  keep_out(wire::parse_snmp_user_answer(question));
  transcript_.sent(view);
  auto sent = co_await socket_->send(view);
  if (!sent) {
    co_return sent.error();
  }
  for (int datagrams = 0; datagrams < kMostSnmpDatagrams; ++datagrams) {
    auto received = co_await socket_->receive(patience_);
    if (!received) {
      co_return received.error();
    }
    datagram_ = wire::text_of(received->payload);
    auto answer = wire::parse_snmp_user_answer(datagram_);
    keep_out(answer);
    transcript_.received(received->payload);
    if (answer.state == wire::Parse::complete && answer.id == id) {
      co_return answer;
    }
  }
  co_return Error{ErrorKind::timed_out, "only answers to other questions came", {}};
}

/// A digest with its message lets whoever reads it guess the password at leisure, and so does what is encrypted with a
/// key of the same password: what is asked and answered is known. Only in what belongs to a question of ours, be it a
/// late answer to an earlier one, and only what has the size of a digest or of a question: else an agent could have any
/// text blacked out.
void SnmpUserSession::keep_out(const wire::SnmpUserAnswer& message) {
  constexpr Hash kHashes[] = {Hash::md5, Hash::sha224, Hash::sha256, Hash::sha384, Hash::sha512};
  if (!asked_.contains(message.id)) {
    return;
  }
  const auto& digest = message.digest;
  const bool sized = std::any_of(std::begin(kHashes), std::end(kHashes),
                                 [&](Hash hash) { return digest.size() == snmp_digest_size(hash); });
  if (sized && digest.find_first_not_of('\0') != std::string::npos) {
    transcript_.conceal(digest, "digest with a password");
    record_.conceal(digest, "digest with a password");
  }
  if (message.encrypted && message.scoped.size() >= kShortestScoped) {
    transcript_.conceal(message.scoped, "encrypted with a password");
    record_.conceal(message.scoped, "encrypted with a password");
  }
}

}  // namespace assay::sessions

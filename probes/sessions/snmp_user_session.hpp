#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "harness/probe/recorder.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/sessions/digests.hpp"
#include "probes/wire/snmp_user.hpp"

/// Questions of a user of SNMP v3 (RFC 3414) to one agent. Messages are built and read by probes/wire/snmp_user, not by
/// net-snmp (docs/decisions/0009).
namespace assay::sessions {

/// Bytes of a digest in a message (RFC 3414, 6 and 7; RFC 7860, 4).
std::size_t snmp_digest_size(Hash hash);

/// What an agent said to one message.
struct SnmpHeard {
  bool any = false;
  bool proved = false;  // it bears the digest of the same key
  wire::SnmpScoped says;

  bool is_report(std::uint32_t counter) const;

  /// It gives what was asked for, or tells why not.
  bool is_response() const { return any && says.kind == wire::SnmpScoped::Kind::response; }
};

/// By which a user proves itself, bound to the engine (`localised_key`).
struct SnmpKeys {
  Hash hash = Hash::md5;
  std::string key;      // empty: no digest
  std::string privacy;  // of AES-128 (RFC 3826), 16 bytes; empty: the question is not encrypted
};

class SnmpUserSession {
 public:
  /// Draws the permit for a message with a digest of this user: agents count wrong ones as logins.
  using Permit = std::function<asio::awaitable<Result<>>(std::string user)>;

  /// The references outlive it. An answer is waited for `patience`.
  SnmpUserSession(std::unique_ptr<Datagrams> socket, Transcript& transcript, Recorder& record, milliseconds patience,
                  Permit permit);

  /// Its clock is asked for again: it may have started anew.
  void start_afresh() { synchronised_ = false; }

  /// Learns the engine's id and clock from its report to a question of nobody. `timed_out` where it does not tell.
  asio::awaitable<Result<>> synchronise();

  /// After `synchronise`; keys are bound to it.
  const std::string& engine() const { return engine_.id; }

  /// One question, repeated when nothing comes, and once more when only the clock was wrong. Nothing that came is no
  /// error; a permit that is not given is (`denied`).
  asio::awaitable<Result<SnmpHeard>> ask(std::string user, std::string object, SnmpKeys keys);

 private:
  using Clock = std::chrono::steady_clock;

  wire::SnmpEngine engine_now() const;
  void take_over(const wire::SnmpEngine& engine);
  SnmpHeard read(const wire::SnmpUserAnswer& answer, const std::string& object, const SnmpKeys& keys) const;
  asio::awaitable<Result<wire::SnmpUserAnswer>> exchange(std::string question, std::uint32_t id);
  void keep_out(const wire::SnmpUserAnswer& message);

  std::unique_ptr<Datagrams> socket_;
  Transcript& transcript_;
  Recorder& record_;
  milliseconds patience_;
  Permit permit_;
  wire::SnmpEngine engine_;
  Clock::time_point synchronised_at_{};
  bool synchronised_ = false;
  std::string datagram_;           // that came last
  std::set<std::uint32_t> asked_;  // ids of our questions
};

}  // namespace assay::sessions

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/services/follow.hpp"

/// Protocols whose first exchange is a question, its answer and at most a few more of both. What is here is pure: the
/// waiting and the sending are the ladder's.
namespace assay::probes::services {

/// What has come since the last thing we said.
struct Heard {
  int turn = 0;
  std::string_view bytes;
  std::string_view nonce;  // eight bytes, new for each conversation
  const Place& place;
};

/// How the bytes were taken. `complete` with words to say goes on, without them it is the end. Only a parser that
/// understood an answer in the protocol may set `sighting.protocol`.
struct Turn {
  wire::Parse state = wire::Parse::malformed;
  std::string say;
};

struct Exchange {
  std::string_view name;
  std::span<const std::uint16_t> ports;  // where it is usual; says only the order
  bool server_first = false;
  std::string (*opening)(const Place& place, std::string_view nonce) = nullptr;
  Turn (*hear)(const Heard& heard, Sighting& sighting) = nullptr;
  /// The bytes, answers to anything, make it worth asking at once. May be null.
  bool (*hint)(std::string_view bytes) = nullptr;
};

/// All of them, the harmless ones first.
std::span<const Exchange* const> exchanges();

/// The first two bytes of a nonce, for protocols that number their questions.
std::uint16_t nonce_number(std::string_view nonce);

/// The exchange that bytes suggest, or null.
const Exchange* suggested(std::string_view bytes);

extern const Exchange kDns;
extern const Exchange kSip;
extern const Exchange kXmpp;
extern const Exchange kRedis;
extern const Exchange kLdap;
extern const Exchange kPostgres;
extern const Exchange kMysql;
extern const Exchange kAmqp;
extern const Exchange kAmqp10;
extern const Exchange kImap;
extern const Exchange kPop3;
extern const Exchange kRfb;
extern const Exchange kRdp;
extern const Exchange kSmb;
extern const Exchange kAdb;
extern const Exchange kModbus;
extern const Exchange kOpcua;

}  // namespace assay::probes::services

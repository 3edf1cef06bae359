#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/wire/bytes.hpp"
#include "probes/wire/snmp.hpp"

/// SNMP v3 with the User-based Security Model (RFC 3412, 6; RFC 3414, 2.4): messages of a user and their answers. The
/// digests and ciphers are the caller's.
namespace assay::wire {

/// Who an agent says it is, and what its clock says.
struct SnmpEngine {
  std::string id;           // at most 32 bytes
  std::uint32_t boots = 0;  // restarts
  std::uint32_t time = 0;   // seconds since the last one
};

struct SnmpUserQuestion {
  std::uint32_t id = 0;  // of message and request
  SnmpEngine engine;
  std::string user;
  std::size_t digest = 0;  // bytes that are left for it; 0: no authentication
  std::string salt;        // of an encrypted question, 8 bytes; empty: it is not encrypted
  std::string object{kSnmpSysDescr};
};

struct SnmpUserMessage {
  std::string bytes;          // with zeros for the digest
  std::size_t digest_at = 0;  // where it goes
};

/// What is asked: GetRequest for the object in the engine's own context.
std::string snmp_scoped_get(const SnmpUserQuestion& question);

/// `scoped` in clear, or encrypted when the question has a salt.
SnmpUserMessage snmp_user_message(const SnmpUserQuestion& question, std::string_view scoped);

/// A message of an agent.
struct SnmpUserAnswer {
  Parse state = Parse::malformed;
  std::uint32_t id = 0;
  SnmpEngine engine;
  bool authenticated = false;
  bool encrypted = false;
  std::string digest;
  std::size_t digest_at = 0;  // in the datagram
  std::string salt;
  std::string scoped;  // in clear, or what it was encrypted to
};

SnmpUserAnswer parse_snmp_user_answer(std::string_view datagram);

/// What the report or the response inside says.
struct SnmpScoped {
  enum class Kind : std::uint8_t { report, response };

  Parse state = Parse::malformed;
  Kind kind = Kind::response;
  std::uint32_t error_status = 0;  // of a response (RFC 3416, 3)
  std::uint32_t counter = 0;       // of a report: usmStats…, the last but one number (RFC 3414, 5); 0: another one
  bool has_text = false;           // the object came as an octet string
  std::string text;                // at most 4 KiB
};

constexpr std::uint32_t kUsmUnsupportedLevel = 1;
constexpr std::uint32_t kUsmNotInTime = 2;
constexpr std::uint32_t kUsmUnknownUser = 3;
constexpr std::uint32_t kUsmUnknownEngine = 4;
constexpr std::uint32_t kUsmWrongDigest = 5;
constexpr std::uint32_t kUsmDecryption = 6;

SnmpScoped parse_snmp_scoped(std::string_view scoped, std::string_view object = kSnmpSysDescr);

}  // namespace assay::wire

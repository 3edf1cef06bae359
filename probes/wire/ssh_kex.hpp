#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/wire/bytes.hpp"

/// The messages of an SSH key exchange as far as the host key, which comes in clear (RFC 4253 section 8, RFC 4419,
/// RFC 5656), and the one of protocol 1.
namespace assay::wire {

enum class SshMessage : std::uint8_t {
  disconnect = 1,
  ignore = 2,
  unimplemented = 3,
  debug = 4,
  ext_info = 7,
  kexinit = 20,
  kex_init = 30,   // public value of a fixed group or curve
  kex_reply = 31,  // of a fixed group or curve; in a group exchange the group
  group_exchange_init = 32,
  group_exchange_reply = 33,
  group_exchange_request = 34,
};

/// How a public value is written: as a number (RFC 4253 section 8) or as bytes (RFC 5656 section 4).
enum class SshValue : std::uint8_t { number, bytes };

/// Our public value, most significant byte first.
std::string ssh_kex_init(SshMessage message, std::string_view value, SshValue form);

/// Sizes of the modulus in bits: least, wanted, most.
std::string ssh_group_request(std::uint32_t least, std::uint32_t wanted, std::uint32_t most);

struct SshKexReply {
  Parse state = Parse::malformed;
  std::string_view host_key;        // as it came
  std::string signature_algorithm;  // that signed the exchange, printable
};

/// The reply to a public value: `kex_reply` or `group_exchange_reply`.
SshKexReply parse_ssh_kex_reply(std::string_view payload);

struct SshGroup {
  Parse state = Parse::malformed;
  std::string_view prime;  // most significant byte first, without leading zeros
  std::string_view generator;
  std::int64_t bits = 0;  // of the prime
};

SshGroup parse_ssh_group(std::string_view payload);

struct SshDisconnect {
  Parse state = Parse::malformed;
  std::uint32_t reason = 0;  // RFC 4253 section 11.1
  std::string text;          // printable
};

SshDisconnect parse_ssh_disconnect(std::string_view payload);

/// Bits of a number without its leading zeros.
std::int64_t bit_length(std::string_view number);

/// What a server of protocol 1 says first: its two RSA keys and what it can do. After the documents of SSH 1.5.
struct Ssh1Keys {
  Parse state = Parse::malformed;
  std::int64_t server_key_bits = 0;  // of the modulus; changes by the hour
  std::int64_t host_key_bits = 0;
  std::string host_key;       // modulus of the host key, most significant byte first
  std::uint32_t ciphers = 0;  // bit n: cipher number n
  std::uint32_t auths = 0;    // bit n: authentication number n
};

Ssh1Keys parse_ssh1_keys(std::string_view bytes);

}  // namespace assay::wire

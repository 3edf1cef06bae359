#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// CoAP messages over UDP (RFC 7252) and their frames over TCP (RFC 8323).
namespace assay::wire {

struct CoapOption {
  std::uint32_t number = 0;
  std::string value;
};

struct CoapMessage {
  enum Type : std::uint8_t { confirmable, non_confirmable, acknowledgement, reset };

  std::uint8_t type = confirmable;  // UDP only
  std::uint8_t code = 0;            // class in the upper three bits: 0x45 is 2.05
  std::uint16_t id = 0;             // UDP only
  std::string token;                // at most 8 bytes
  std::vector<CoapOption> options;  // by number
  std::string payload;
};

constexpr std::uint8_t kCoapGet = 0x01;
constexpr std::uint8_t kCoapPost = 0x02;
constexpr std::uint8_t kCoapPut = 0x03;
constexpr std::uint8_t kCoapDelete = 0x04;
constexpr std::uint8_t kCoapCreated = 0x41;
constexpr std::uint8_t kCoapDeleted = 0x42;
constexpr std::uint8_t kCoapChanged = 0x44;
constexpr std::uint8_t kCoapContent = 0x45;
constexpr std::uint8_t kCoapContinue = 0x5f;
constexpr std::uint8_t kCoapBadRequest = 0x80;
constexpr std::uint8_t kCoapNotFound = 0x84;
constexpr std::uint8_t kCoapNotAllowed = 0x85;
constexpr std::uint8_t kCoapUnavailable = 0xa3;
constexpr std::uint8_t kCoapCsm = 0xe1;  // 7.01, capabilities and settings
constexpr std::uint32_t kCoapEtag = 4;
constexpr std::uint32_t kCoapLocationPath = 8;
constexpr std::uint32_t kCoapUriPath = 11;
constexpr std::uint32_t kCoapContentFormat = 12;
constexpr std::uint32_t kCoapUriQuery = 15;
constexpr std::uint32_t kCoapBlock2 = 23;
constexpr std::uint32_t kCoapBlock1 = 27;
constexpr std::uint32_t kCoapSize2 = 28;
constexpr std::uint32_t kCoapSize1 = 60;

/// "2.05"
std::string coap_code(std::uint8_t code);

/// GET of a path such as ".well-known/core".
CoapMessage coap_get(std::string_view path, std::uint16_t id, std::string_view token);

/// A request with a path such as "/5/0/1".
CoapMessage coap_request(std::uint8_t code, std::string_view path);

/// "/update" of what is asked for; "/" for the root.
std::string coap_path(const CoapMessage& message);

const CoapOption* find_option(const CoapMessage& message, std::uint32_t number);

/// Adds an option where its number belongs.
void add_option(CoapMessage& message, std::uint32_t number, std::string value);

/// An unsigned number in as few bytes as it needs (RFC 7252, 3.2), and back; nothing for more than four bytes.
std::string coap_number(std::uint32_t value);
std::optional<std::uint32_t> coap_number_of(std::string_view value);

/// A block of a larger body (RFC 7959, 2.2).
struct CoapBlock {
  std::uint32_t number = 0;
  bool more = false;
  std::uint8_t exponent = 6;  // 0 to 6: 16 to 1024 bytes

  std::uint32_t size() const { return 16U << exponent; }

  std::uint64_t offset() const { return std::uint64_t{number} << (4U + exponent); }

  bool operator==(const CoapBlock&) const = default;
};

constexpr std::uint32_t kMostCoapBlocks = 1U << 20U;

std::string coap_block(const CoapBlock& block);

/// Nothing for a value that is none: more than three bytes, or the size that is reserved.
std::optional<CoapBlock> coap_block_of(std::string_view value);

std::string encode_coap(const CoapMessage& message);
std::string encode_coap_tcp(const CoapMessage& message);

struct CoapParse {
  Parse state = Parse::malformed;
  CoapMessage message;
  std::size_t used = 0;
};

/// One datagram: the whole of it must be a message of version 1 with a registered class of code.
CoapParse parse_coap(std::string_view datagram);

/// One frame at the start of a stream, at most 64 KiB long.
CoapParse parse_coap_tcp(std::string_view bytes);

}  // namespace assay::wire

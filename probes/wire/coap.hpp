#pragma once

#include <cstdint>
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
constexpr std::uint8_t kCoapCsm = 0xe1;  // 7.01, capabilities and settings
constexpr std::uint32_t kCoapUriPath = 11;
constexpr std::uint32_t kCoapContentFormat = 12;
constexpr std::uint32_t kCoapBlock2 = 23;

/// "2.05"
std::string coap_code(std::uint8_t code);

/// GET of a path such as ".well-known/core".
CoapMessage coap_get(std::string_view path, std::uint16_t id, std::string_view token);

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

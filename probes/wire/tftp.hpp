#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// TFTP (RFC 1350) and its options (RFC 2347 to 2349), as either side says it.
namespace assay::wire {

constexpr std::size_t kTftpBlock = 512;           // bytes of a block, when nothing else was agreed
constexpr std::size_t kLeastTftpBlock = 8;        // RFC 2348
constexpr std::size_t kMostTftpBlock = 65464;     // the same
constexpr std::uint16_t kTftpNoFile = 1;          // code of an error: there is no such file
constexpr std::uint16_t kTftpUnknownPort = 5;     // … whoever speaks belongs to no transfer
constexpr std::uint16_t kTftpOptionsRefused = 8;  // … of RFC 2347

struct TftpOption {
  std::string name;  // in lower case
  std::string value;

  bool operator==(const TftpOption&) const = default;
};

struct TftpPacket {
  enum class Kind : std::uint8_t { read, write, data, acknowledgement, error, options };

  Parse state = Parse::malformed;
  Kind kind = Kind::error;
  std::uint16_t number = 0;         // of a block, or the code of an error
  std::string_view data;            // of a block, within the datagram
  std::string file;                 // of a request, at most 255 bytes, as it came
  std::string mode;                 // of a request, in lower case
  std::vector<TftpOption> options;  // of a request or of what was agreed to, at most 16
  std::string message;              // of an error, at most 128 bytes, escaped
};

/// Any message of either side.
TftpPacket parse_tftp_packet(std::string_view datagram);

/// The value of an option as a number of at most twelve digits.
std::optional<std::uint64_t> tftp_number(const std::vector<TftpOption>& options, std::string_view name);

/// A request in mode "octet"; a NUL in the name ends it.
std::string tftp_request(TftpPacket::Kind read_or_write, std::string_view file, const std::vector<TftpOption>& options);
std::string tftp_read_request(std::string_view file);

std::string tftp_data(std::uint16_t number, std::string_view content);
std::string tftp_acknowledgement(std::uint16_t number);

/// What is agreed to of the options that were asked for.
std::string tftp_agreement(const std::vector<TftpOption>& options);

std::string tftp_error(std::uint16_t code, std::string_view words);

/// Tells the server to stop sending.
std::string tftp_stop();

struct TftpParse {
  enum class Kind : std::uint8_t { data, error };

  Parse state = Parse::malformed;
  Kind kind = Kind::error;
  std::uint16_t number = 0;  // of the block, or the code of the error: 1 no such file, 2 no access
  std::size_t size = 0;      // bytes of the block, at most 512
  std::string message;       // of the error, at most 128 bytes, escaped
};

/// The first answer to a read request without options.
TftpParse parse_tftp(std::string_view datagram);

}  // namespace assay::wire

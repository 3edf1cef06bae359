#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/wire/bytes.hpp"

/// TFTP (RFC 1350), as far as asking for a file and seeing whether it is given.
namespace assay::wire {

/// A read request in mode "octet"; a NUL in the name ends it.
std::string tftp_read_request(std::string_view file);

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

/// The first answer to a read request.
TftpParse parse_tftp(std::string_view datagram);

}  // namespace assay::wire

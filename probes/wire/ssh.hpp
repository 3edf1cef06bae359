#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// SSH before encryption: identification line, binary packet and key exchange offer (RFC 4253 sections 4.2, 6 and 7.1).
namespace assay::wire {

struct SshIdent {
  std::string protocol;  // "2.0"
  std::string software;  // "dropbear_2022.83"
  std::string comment;
};

struct SshIdentParse {
  Parse state = Parse::malformed;
  SshIdent ident;
  std::size_t used = 0;  // bytes up to the end of the line
};

/// Other lines may come before the identification; at most 16 KiB of them are accepted.
SshIdentParse parse_ssh_ident(std::string_view bytes);

struct SshKexInit {
  std::vector<std::string> kex, host_key, cipher_to_server, cipher_to_client, mac_to_server, mac_to_client,
      compression_to_server, compression_to_client;
  bool first_packet_follows = false;  // the sender guessed the method and sent its first packet already
  bool cut = false;                   // a list had more names than are kept
};

struct SshKexInitParse {
  Parse state = Parse::malformed;
  SshKexInit offer;
};

/// The first binary packet after the identification line.
SshKexInitParse parse_ssh_kexinit(std::string_view bytes);

/// The payload of a KEXINIT. Names are kept as printable text of at most 64 characters, which is all that one may have
/// (RFC 4251 section 6), 128 of each list.
SshKexInitParse parse_ssh_kexinit_payload(std::string_view payload);

/// Our own offer, without guess. `cookie` has 16 bytes.
std::string ssh_kexinit(const SshKexInit& offer, std::string_view cookie);

struct SshPacketParse {
  Parse state = Parse::malformed;
  std::string_view payload;  // into the bytes that were parsed; never empty when complete
  std::size_t used = 0;
};

/// The packet at the front, before encryption. One that says it is longer than 64 KiB is malformed: nothing before the
/// keys is that long, and a peer may be asked to keep no more than 35000 bytes (RFC 4253 section 6.1).
SshPacketParse take_ssh_packet(std::string_view bytes);

/// A packet before encryption, padded with zeros to a multiple of 8.
std::string ssh_packet(std::string_view payload);

/// A text with its length in front (RFC 4251 section 5).
void put_ssh_string(std::string& out, std::string_view text);

}  // namespace assay::wire

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// SSH before encryption: identification line and key exchange offer (RFC 4253 sections 4.2 and 7.1).
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
};

struct SshKexInitParse {
  Parse state = Parse::malformed;
  SshKexInit offer;
};

/// The first binary packet after the identification line.
SshKexInitParse parse_ssh_kexinit(std::string_view bytes);

}  // namespace assay::wire

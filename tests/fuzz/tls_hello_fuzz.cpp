#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/ssh.hpp"
#include "probes/wire/tls_hello.hpp"

using namespace assay::wire;

/// What was understood from a beginning stays understood when more bytes follow; names of an SSH offer are bounded.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto half = parse_tls_reply(bytes.substr(0, size / 2));
  const auto whole = parse_tls_reply(bytes);
  const bool forgot = half.state != Parse::need_more && half.state != whole.state;
  if (forgot && size / 2 > 0) {
    std::abort();
  }
  tls_version_name(whole.reply.version);
  const auto ident = parse_ssh_ident(bytes);
  if (ident.state == Parse::complete && (ident.used > size || ident.ident.software.size() > 4U * 255U)) {
    std::abort();
  }
  const auto offer = parse_ssh_kexinit(bytes);
  if (offer.offer.kex.size() > 128) {
    std::abort();
  }
  return 0;
}

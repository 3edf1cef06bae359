#pragma once

#include <span>
#include <string_view>

#include "probes/tls/asker.hpp"
#include "probes/tls/hellos.hpp"
#include "probes/tls/picture.hpp"

/// The looks that change something in a hello that is known to be taken, and read the answer. Most of them say no more
/// than that a server goes on, or what is in its hello, so that several go into one hello; where that one is not taken,
/// each is asked alone, so that a refusal is the answer to one change.
namespace assay::probes::tls {

struct Change {
  std::string_view title;
  Enough enough;
  void (*in_wish)(HelloWish& wish) = nullptr;  // before the hello is made of it; null: nothing
  void (*in_hello)(wire::TlsHello& hello, const HelloWish& wish) = nullptr;
  void (*read)(const Reply& reply, const HelloWish& wish, Picture& picture) = nullptr;
};

using Changes = std::vector<Change>;

/// What stands in no other's way. `size`: also a hello of 4 KiB, which asks more of datagrams than of the server.
Changes changes_of_any_version(bool size);

/// What only a hello without supported_versions shows, so that TLS 1.3 takes no part. `cbc`: a suite with CBC is taken;
/// what changes its MAC is answered only there (RFC 7366; RFC 6066, 7).
Changes changes_of_old_versions(bool cbc);

/// DEFLATE (RFC 3749), which TLS 1.3 has no more.
Change compression_offer();

}  // namespace assay::probes::tls

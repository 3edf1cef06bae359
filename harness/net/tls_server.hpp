#pragma once

#include "harness/net/tls_stream.hpp"

namespace assay {

/// The OpenSSL context of one connection to our server: every version and suite the library has. What the client asks
/// for goes to `visit`, which outlives the handshake. Null when the identity cannot be used.
TlsContext make_server_context(const TlsIdentity& identity, TlsVisit& visit);

}  // namespace assay

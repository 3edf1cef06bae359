#pragma once

#include <memory>

#include "harness/net/budget.hpp"
#include "harness/probe/network.hpp"

struct ssl_ctx_st;

namespace assay {

/// The OpenSSL context of one step: every version and suite the library has, nothing verified.
using TlsContext = std::shared_ptr<ssl_ctx_st>;

/// Null when OpenSSL has no memory.
TlsContext make_tls_context();

/// The same for DTLS.
TlsContext make_dtls_context();

/// Shakes hands over any stream. `protocol` names the alert or what was sent instead of TLS; `reset`, `closed` and
/// `timed_out` are the stream's own ends. Writing to a peer that is gone never hides an alert it sent before.
asio::awaitable<Result<std::unique_ptr<TlsStream>>> shake_hands(TlsContext context, std::unique_ptr<Stream> over,
                                                                const TlsOptions& options, milliseconds within,
                                                                TimePoint deadline);

/// The same over datagrams, with a context for DTLS: a lost flight is sent again (RFC 6347, 4.2.4), a cookie is shown,
/// and what a read gives is of one datagram. Datagrams that are no DTLS are passed over.
asio::awaitable<Result<std::unique_ptr<TlsStream>>> shake_hands(TlsContext context, std::unique_ptr<Datagrams> over,
                                                                const TlsOptions& options, milliseconds within,
                                                                TimePoint deadline);

}  // namespace assay

#pragma once

namespace assay {

/// Ends our half of a connection in order (FIN) and takes what the peer said meanwhile, up to 64 KiB and without
/// waiting: a socket that is closed with unread bytes sends a reset (RFC 1122, 4.2.2.13), which small stacks may answer
/// by leaking the connection. True when the peer has ended its half too.
bool end_in_order(int socket);

}  // namespace assay

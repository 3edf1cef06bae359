#pragma once

namespace assay {

/// Takes what the peer said, up to 64 KiB and without waiting: a socket that is closed with unread bytes sends a reset
/// (RFC 1122, 4.2.2.13), which small stacks may answer by leaking the connection; without any it ends in order (FIN).
/// True when the peer has ended its half.
bool take_unread(int socket);

/// Ends our half of a connection in order while the socket stays open, and takes what is unread.
bool end_in_order(int socket);

}  // namespace assay

#pragma once

#include <cstdint>
#include <memory>

#include "harness/probe/network.hpp"

namespace assay {

/// The records of DTLS as a stream: each read is one datagram of the device, and what is written goes out in datagrams
/// that end with a record and are short enough for every link. The numbers of records of epoch 0, which nothing
/// protects (RFC 6347, 4.1), begin at `first_record`. Bytes that are no records are `internal`: they are our library's.
std::unique_ptr<Stream> record_datagrams(std::unique_ptr<Datagrams> over, std::uint64_t first_record);

}  // namespace assay

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/images/byte_source.hpp"

/// dm-verity's hash tree (version 1, SHA-256, blocks of 4096 bytes), as RAUC puts it behind its squashfs.
namespace assay::images {

struct VerityTree {
  std::string root;    // 32 bytes
  std::string blocks;  // the levels, the highest first; small: a 128th of the data
};

/// Over `length` bytes from the beginning of `data`. `unsupported` when that is no number of blocks or above 4 GiB.
Result<VerityTree> verity_tree(const ByteSource& data, std::uint64_t length, std::string_view salt);

}  // namespace assay::images

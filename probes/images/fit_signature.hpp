#pragma once

#include "probes/images/fdt.hpp"
#include "probes/images/format.hpp"

/// Signatures in a flattened image tree: over the content of one image, or over the nodes of a configuration.
namespace assay::images {

struct FitContent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  // 0: there is none

  explicit operator bool() const { return length > 0; }
};

/// Where the content of an image's node lies. `node` may be null.
FitContent fit_content(const Fdt& tree, const FdtNode* node);

bool is_fit_hash(const FdtNode& node);
bool is_fit_signature(const FdtNode& node);

/// {present, scheme, digest, key, key_bits, key_name, over: ["configuration" | "image"]}.
json::object fit_signature_facts(const Fdt& tree);

Result<Change> fit_resigned(const MutationSpec& spec, const Materials& materials, const Source& image, const Fdt& tree);

Result<Verified> fit_verified(const Source& image, const ImageMap& map, const Trusted& trusted);

}  // namespace assay::images

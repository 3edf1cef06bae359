#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/images/byte_source.hpp"

/// A flattened device tree as far as its places: nodes and properties, large values left where they are.
namespace assay::images {

struct FdtProperty {
  std::string name;
  std::uint64_t token = 0;  // where it begins
  std::uint64_t value = 0;  // where its value begins
  std::uint64_t length = 0;
  std::string bytes;  // the value, when it has at most 4096 bytes

  /// A cell, or a text up to its NUL.
  std::uint32_t cell() const;
  std::string text() const;
  /// A list of texts.
  std::vector<std::string> texts() const;
};

struct FdtNode {
  std::string path;  // "/", "/images/kernel"
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // behind its end mark
  std::vector<FdtProperty> properties;

  const FdtProperty* property(std::string_view name) const;
  std::string name() const;
  std::string parent() const;
};

/// One token of the structure, in order; what a signature over parts of the tree is computed from.
struct FdtToken {
  enum class Kind : std::uint8_t { begin_node, end_node, property, nop, end };

  Kind kind = Kind::end;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string name;  // of the node or the property
};

struct Fdt {
  std::uint64_t total = 0;
  std::uint64_t structure = 0;
  std::uint64_t structure_end = 0;
  std::uint64_t strings = 0;
  std::uint64_t strings_size = 0;
  std::vector<FdtNode> nodes;
  std::vector<FdtToken> tokens;
  std::vector<std::string> doubts;

  const FdtNode* node(std::string_view path) const;
};

/// The tree that `source` begins with. At most 4096 nodes, 32768 tokens and 16 levels; what is broken is a doubt.
Result<Fdt> read_fdt(const ByteSource& source);

}  // namespace assay::images

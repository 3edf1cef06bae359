#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/load/faults.hpp"
#include "harness/load/load.hpp"

/// YAML text -> a tree with places. yaml-cpp's own Node keeps duplicate keys silently and forgets whether a scalar was
/// quoted, so this one is built from its events. Aliases are expanded, within bounds on nodes, bytes and depth.
namespace assay {

struct KeyMark {
  std::string text;
  Place place;
};

struct Node {
  enum class Kind : std::uint8_t { null, scalar, list, mapping };

  Kind kind = Kind::null;
  bool quoted = false;        // scalar: quoted, block style or tagged !!str, so it is text whatever it looks like
  std::string text;           // scalar
  std::vector<KeyMark> keys;  // mapping: key i belongs to item i, in the order written
  std::vector<Node> items;    // list, mapping
  Place place;
  std::size_t offset = 0;  // byte offset of its first character in the file

  bool is_scalar() const { return kind == Kind::scalar; }

  bool is_list() const { return kind == Kind::list; }

  bool is_mapping() const { return kind == Kind::mapping; }
};

struct YamlLimits {
  std::size_t bytes = 1u << 20u;           // of the file
  std::size_t nodes = 100000;              // after expansion of aliases
  std::size_t expanded_bytes = 4u << 20u;  // of scalars and keys, after expansion
  std::size_t depth = 40;
};

/// Reads one document. Faults are added to `faults`; a tree with duplicate keys is still returned, so that the rest of
/// the file can be checked in the same run.
std::optional<Node> read_yaml(std::string_view text, Faults& faults, const YamlLimits& limits = {});

/// The place of byte `offset` of a scalar's text; where escapes get in the way, the scalar's own place.
Place place_in(std::string_view source, const Node& scalar, std::size_t offset);

}  // namespace assay

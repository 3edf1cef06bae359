#pragma once

#include <string_view>

#include "harness/load/faults.hpp"
#include "harness/load/tables.hpp"
#include "harness/load/yaml.hpp"

namespace assay {

/// Checks a file's tree against its table: unknown keys, wrong kinds, missing keys, unknown words. Adds every fault.
void check_table(const Node& node, const Table& table, Faults& faults);

/// The same for one value; `name` is what messages call it.
void check_shape(const Node& node, const Shape& shape, std::string_view name, Faults& faults);

/// The `assay:` line's kind, or null with a fault when it is missing or unknown.
const FileKind* check_kind(const Node& root, Faults& faults);

/// check_kind and check_table for a file that must be of this kind.
bool check_file(const Node& root, std::string_view tag, Faults& faults);

}  // namespace assay

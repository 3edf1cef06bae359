#pragma once

#include <string>

#include "harness/load/tables.hpp"

namespace assay {

/// The table's keys as Markdown tables, nested tables after their parent: what docs/dut-format.md and
/// docs/plan-format.md show between their `<!-- keys: … -->` marks.
std::string key_docs(const Table& table);

}  // namespace assay

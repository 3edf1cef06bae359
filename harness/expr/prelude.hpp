#pragma once

#include <string_view>

namespace assay::expr {

/// The functions of docs/expressions.md in jq, to be put between `. as {doc: $__judge, …} |` and the program. One
/// line feed per line of it; ends with one.
extern const std::string_view kPrelude;
/// What follows it, in this order.
extern const std::string_view kWebPrelude;
extern const std::string_view kUpdatePrelude;

}  // namespace assay::expr

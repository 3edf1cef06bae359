#pragma once

#include <string>

#include "harness/model/json.hpp"

namespace assay::reports {

/// JSON text of two columns of indent in which every character beyond ASCII, and DEL, is a \u escape. Members keep
/// their order.
std::string ascii_json(const json::value& value);

}  // namespace assay::reports

#pragma once

#include <string>
#include <string_view>

#include "harness/model/json.hpp"

namespace assay {

/// A string of an object; empty where there is none under the key.
inline std::string string_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{std::string_view{value->get_string()}} : std::string{};
}

}  // namespace assay

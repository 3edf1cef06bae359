#include "harness/model/probe_info.hpp"

#include <algorithm>

namespace assay {

const FactInfo* find_fact(const ProbeInfo& probe, std::string_view key) {
  const auto found =
      std::find_if(probe.facts.begin(), probe.facts.end(), [&](const auto& fact) { return fact.key == key; });
  return found == probe.facts.end() ? nullptr : &*found;
}

const ParameterInfo* find_parameter(const ProbeInfo& probe, std::string_view name) {
  const auto found = std::find_if(probe.parameters.begin(), probe.parameters.end(),
                                  [&](const auto& parameter) { return parameter.name == name; });
  return found == probe.parameters.end() ? nullptr : &*found;
}

bool is_kind(const json::value& value, ValueKind kind) {
  switch (kind) {
    case ValueKind::boolean:
      return value.is_bool();
    case ValueKind::integer:
      return value.is_int64() || value.is_uint64();
    case ValueKind::text:
      return value.is_string();
    case ValueKind::list:
      return value.is_array();
    case ValueKind::object:
      return value.is_object();
  }
  return false;
}

Result<json::object> complete_parameters(const ProbeInfo& probe, const json::object& given) {
  json::object complete;
  for (const auto& parameter : probe.parameters) {
    complete[parameter.name] = parameter.fallback;
  }
  for (const auto& [key, value] : given) {
    const auto* parameter = find_parameter(probe, key);
    if (parameter == nullptr) {
      return Error{ErrorKind::bad_input, "probe " + probe.id + " has no parameter \"" + std::string{key} + "\"", {}};
    }
    if (!is_kind(value, parameter->kind)) {
      return Error{ErrorKind::bad_input,
                   "parameter \"" + std::string{key} + "\" of probe " + probe.id + " must be of kind " +
                       enum_name(parameter->kind),
                   {}};
    }
    complete[key] = value;
  }
  return complete;
}

}  // namespace assay

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

std::optional<std::int64_t> granted_ms(const ProbeInfo& probe, const json::object& parameters) {
  constexpr std::int64_t kMost = 7 * 24 * 60 * 60;
  std::optional<std::int64_t> granted;
  for (const auto& name : probe.seconds) {
    const auto* value = parameters.if_contains(name);
    const auto seconds = value != nullptr && value->is_int64() ? value->get_int64() : 0;
    granted = granted.value_or(0) + 1000 * std::clamp<std::int64_t>(seconds, 0, kMost);
  }
  return granted;
}

std::int64_t deadline_of(const ProbeInfo& probe, const json::object& parameters) {
  constexpr std::int64_t kBeside = 60'000;
  const auto granted = granted_ms(probe, parameters);
  return granted ? std::max(probe.deadline_ms, *granted + kBeside) : probe.deadline_ms;
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

#include "harness/probe/probe.hpp"

#include <algorithm>

namespace assay {

ProbeInfo describe_probe(const ProbeDescriptor& descriptor) {
  ProbeInfo info;
  info.id = descriptor.id;
  info.summary = descriptor.summary;
  info.version = descriptor.version;
  info.intrusiveness = descriptor.intrusiveness;
  info.exclusive = descriptor.exclusive;
  info.subject = descriptor.subject;
  info.deadline_ms = descriptor.deadline.count();
  for (const auto& spec : descriptor.parameters) {
    ParameterInfo parameter;
    parameter.name = spec.name;
    parameter.kind = spec.kind;
    parameter.fallback = json::parse(spec.fallback_json);
    parameter.meaning = spec.meaning;
    if (spec.seconds) {
      info.seconds.push_back(parameter.name);
    }
    info.parameters.push_back(std::move(parameter));
  }
  for (const auto& spec : descriptor.facts) {
    info.facts.push_back({std::string{spec.key}, spec.kind, std::string{spec.meaning}});
  }
  return info;
}

ProbeCatalogue catalogue_of(ProbeTable table) {
  ProbeCatalogue catalogue;
  for (const auto* descriptor : table) {
    catalogue.emplace(std::string{descriptor->id}, describe_probe(*descriptor));
  }
  return catalogue;
}

const ProbeDescriptor* find_probe(ProbeTable table, std::string_view id) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto* descriptor) { return descriptor->id == id; });
  return found == table.end() ? nullptr : *found;
}

}  // namespace assay

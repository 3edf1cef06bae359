#include "harness/cli/settings.hpp"

namespace assay {

namespace {

Result<> apply(const std::string& setting, ProbeCatalogue& probes) {
  const auto dot = setting.find('.');
  const auto equals = setting.find('=', dot == std::string::npos ? 0 : dot);
  const auto probe = probes.find(setting.substr(0, dot));
  if (dot == std::string::npos || equals == std::string::npos || probe == probes.end()) {
    return Error{ErrorKind::bad_input, "--set wants PROBE.PARAMETER=VALUE, such as udp.ports=all, not " + setting, {}};
  }
  const auto name = setting.substr(dot + 1, equals - dot - 1);
  const auto text = setting.substr(equals + 1);
  auto value = parse_json(text, "--set");
  const json::object given{{name, value && !value->is_double() ? *value : json::value(json::string(text))}};
  if (const auto complete = complete_parameters(probe->second, given); !complete) {
    return complete.error();
  }
  for (auto& parameter : probe->second.parameters) {
    parameter.fallback = parameter.name == name ? given.at(name) : parameter.fallback;
  }
  return {};
}

}  // namespace

Result<> apply_settings(const std::vector<std::string>& settings, ProbeCatalogue& probes) {
  for (const auto& setting : settings) {
    if (auto applied = apply(setting, probes); !applied) {
      return applied;
    }
  }
  return {};
}

}  // namespace assay

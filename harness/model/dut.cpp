#include "harness/model/dut.hpp"

#include <algorithm>

namespace assay {

json::value VantagePoint::json() const {
  if (interface.empty()) {
    return json::string(netns);
  }
  return json::object{{"netns", netns}, {"interface", interface}};
}

Result<> VantagePoint::read(const json::value& value, const std::string& pointer) {
  interface.clear();
  if (value.is_string()) {
    return from_json(value, netns, pointer);
  }
  const auto* object = value.if_object();
  if (object == nullptr || object->size() != 2 || !object->contains("netns") || !object->contains("interface")) {
    return detail::json_error(pointer, "a namespace, or netns and interface");
  }
  if (auto first = from_json(object->at("netns"), netns, pointer + "/netns"); !first) {
    return first;
  }
  return from_json(object->at("interface"), interface, pointer + "/interface");
}

std::string in_words(const Inherited& entry) {
  return "certificate " + entry.certificate + " (" + entry.scheme + ") of " + entry.component + " " + entry.version +
         (entry.accepted_by.empty() ? "" : ", accepted by " + entry.accepted_by);
}

std::string ignored_because(const Inherited& entry, std::string_view date) {
  // Dates of this form compare as text.
  const auto day = date.substr(0, std::string_view{"2026-11-24"}.size());
  if (entry.accepted_by.empty()) {
    return "no laboratory has accepted it";
  }
  if (day < std::string_view{entry.issued}) {
    return "it was issued on " + entry.issued + ", after the run";
  }
  if (day > std::string_view{entry.expires}) {
    return "it expired on " + entry.expires;
  }
  return {};
}

std::vector<std::string> family_statement(const std::vector<Variant>& family) {
  std::vector<std::string> out;
  for (const auto& variant : family) {
    const auto differs = variant.differences.empty() ? std::string{} : " (" + variant.differences + ")";
    out.push_back(variant.model + differs +
                  (variant.tested           ? ": tested"
                   : variant.argued.empty() ? ": neither tested nor argued"
                                            : ": not tested; argued: " + variant.argued));
  }
  return out;
}

bool offers(const Mud& mud, const Endpoint& endpoint) {
  return std::any_of(mud.flows.begin(), mud.flows.end(), [&](const MudFlow& flow) {
    return flow.offered && (flow.transport.empty() || flow.transport == enum_name(endpoint.transport)) &&
           flow.first_port <= endpoint.port && endpoint.port <= flow.last_port;
  });
}

}  // namespace assay

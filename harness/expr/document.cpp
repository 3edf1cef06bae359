#include "harness/expr/document.hpp"

#include <algorithm>

namespace assay {

namespace {

std::string_view ics_word(Support support) {
  switch (support) {
    case Support::yes:
      return "Y";
    case Support::no:
      return "N";
    case Support::not_applicable:
      return "N/A";
  }
  return "N";
}

json::array texts(const std::vector<std::string>& list) {
  json::array out;
  for (const auto& text : list) {
    out.push_back(json::string(text));
  }
  return out;
}

/// Every declared fact of the probe, as not observed.
json::object nothing_believed(const Observation& observation, const ProbeInfo* probe) {
  const std::string reason = observation.error.empty() ? "the device was lost" : observation.error;
  json::object out;
  for (const auto& [fact, value] : observation.facts) {
    out[fact] = json::string(reason);
  }
  if (probe != nullptr) {
    for (const auto& fact : probe->facts) {
      out[fact.key] = json::string(reason);
    }
  }
  return out;
}

/// Where the entries of a list are; a list without any has no key.
template <typename Entries>
void add_ports(json::object& device, std::string_view key, const Entries& entries) {
  json::array ports;
  for (const auto& entry : entries) {
    ports.emplace_back(entry.port.text());
  }
  if (!ports.empty()) {
    device[key] = std::move(ports);
  }
}

/// The schemes of a plan and of those that it extends: what stands before the / of their ids.
json::array schemes_of(const Plan& plan) {
  json::array out;
  const auto add = [&](std::string_view id) {
    const json::value name = json::string(id.substr(0, id.find('/')));
    if (std::find(out.begin(), out.end(), name) == out.end()) {
      out.push_back(name);
    }
  };
  add(plan.id);
  std::for_each(plan.extends.begin(), plan.extends.end(), add);
  return out;
}

}  // namespace

json::object declaration_document(const Plan& plan, const Dut& dut, std::string_view date) {
  json::object document;
  document["run"] =
      json::object{{"date", date}, {"plan", plan.id}, {"schemes", schemes_of(plan)}, {"parameters", plan.parameters}};
  auto device = to_json(dut.device);
  device.as_object()["samples"] = to_json(dut.samples);
  add_ports(device.as_object(), "logins", dut.logins);
  add_ports(device.as_object(), "web", dut.web);
  add_ports(device.as_object(), "messages", dut.messages);
  document["dut"] = std::move(device);
  document["standard"] = dut.standard;
  json::object ics;
  for (const auto& [id, entry] : dut.ics) {
    ics[id] = json::object{{"support", ics_word(entry.support)}, {"because", entry.because}};
  }
  document["ics"] = std::move(ics);
  document["ixit"] = to_json(dut.ixit);
  document["mud"] = dut.mud.empty() ? json::value(nullptr) : to_json(dut.mud.front().flows);
  document["policies"] = to_json(plan.policies);
  document["obs"] = json::object{};
  document["specs"] = json::object{};
  document["names"] = json::object{{"ics", texts(plan.ics_names)}, {"ixit", texts(plan.ixit_tables)}};
  return document;
}

json::object observation_document(const Observation& observation, const ProbeInfo* probe) {
  const auto& invocation = observation.invocation;
  const bool believed = observation.completion != Completion::device_lost;
  json::object out;
  out["id"] = observation.id;
  out["endpoint"] = to_json(invocation.endpoint);
  out["sample"] = invocation.target.sample;
  out["state"] = invocation.target.state;
  out["vantage"] = invocation.target.vantage;
  out["address"] = invocation.target.address;
  out["completion"] = enum_name(observation.completion);
  out["error"] = observation.error;
  out["facts"] = believed ? observation.facts : json::object{};
  out["absent"] = believed ? texts(observation.absent) : json::array{};
  out["unobserved"] = believed ? to_json(observation.unobserved) : json::value(nothing_believed(observation, probe));
  out["coverage"] = believed ? observation.coverage : json::object{};
  out["evidence"] = to_json(observation.evidence);
  return out;
}

void add_alias(json::object& document, const std::string& alias, const ProbeInfo* probe,
               std::span<const Observation* const> observations) {
  json::array seen;
  for (const auto* observation : observations) {
    seen.push_back(observation_document(*observation, probe));
  }
  document["obs"].as_object()[alias] = std::move(seen);
  json::array facts;
  if (probe != nullptr) {
    for (const auto& fact : probe->facts) {
      facts.push_back(json::string(fact.key));
    }
  }
  document["specs"].as_object()[alias] = std::move(facts);
}

const ProbeInfo* find_probe_info(const RunPlan& plan, std::string_view id) {
  const auto found =
      std::find_if(plan.probes.begin(), plan.probes.end(), [&](const auto& probe) { return probe.id == id; });
  return found == plan.probes.end() ? nullptr : &*found;
}

}  // namespace assay

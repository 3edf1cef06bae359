#include "harness/judge/findings.hpp"

#include <algorithm>

namespace assay {

namespace {

/// Text of a member; anything that is no text as its JSON; nothing when it is not there or null.
std::string text_of(const json::object& item, std::string_view key) {
  const auto* value = item.if_contains(key);
  if (value == nullptr || value->is_null()) {
    return {};
  }
  return value->is_string() ? std::string{std::string_view{value->get_string()}} : canonical(*value);
}

/// One text or a list of them.
std::vector<std::string> texts_of(const json::object& item, std::string_view key) {
  std::vector<std::string> out;
  const auto add = [&](const json::value& value) {
    if (value.is_string() && std::find(out.begin(), out.end(), std::string_view{value.get_string()}) == out.end()) {
      out.emplace_back(std::string_view{value.get_string()});
    }
  };
  if (const auto* value = item.if_contains(key); value != nullptr) {
    if (const auto* list = value->if_array()) {
      std::for_each(list->begin(), list->end(), add);
    } else {
      add(*value);
    }
  }
  return out;
}

std::string endpoint_of(const Observation& observation) {
  return observation.invocation.endpoint ? observation.invocation.endpoint->text() : std::string{};
}

/// Those at the finding's endpoint, or all when none is there.
std::vector<std::string> read_from(const Finding& finding, const FindingSource& source) {
  std::vector<std::string> at_endpoint;
  std::vector<std::string> all;
  for (const auto* observation : source.observations) {
    all.push_back(observation->id);
    if (!finding.endpoint.empty() && endpoint_of(*observation) == finding.endpoint) {
      at_endpoint.push_back(observation->id);
    }
  }
  return at_endpoint.empty() ? all : at_endpoint;
}

std::vector<std::string> evidence_of(const Finding& finding, const FindingSource& source) {
  std::vector<std::string> out;
  for (const auto* observation : source.observations) {
    const auto& read = finding.observations;
    if (std::find(read.begin(), read.end(), observation->id) == read.end()) {
      continue;
    }
    for (const auto& fact : source.facts) {
      const auto found = observation->evidence.find(fact);
      if (found == observation->evidence.end()) {
        continue;
      }
      for (const auto& digest : found->second) {
        if (std::find(out.begin(), out.end(), digest) == out.end()) {
          out.push_back(digest);
        }
      }
    }
  }
  return out;
}

Finding to_finding(const json::value& item, const FindingSource& source) {
  Finding out;
  if (const auto* object = item.if_object()) {
    out.what = text_of(*object, "what");
    out.endpoint = text_of(*object, "endpoint");
    out.expected = text_of(*object, "expected");
    out.observed = text_of(*object, "observed");
    out.evidence = texts_of(*object, "evidence");
    out.observations = texts_of(*object, "observation");
  } else if (item.is_string()) {
    out.what = std::string{std::string_view{item.get_string()}};
  }
  if (out.what.empty()) {
    out.what = canonical(item);
  }
  if (out.endpoint.empty()) {
    out.endpoint = source.endpoint;
  }
  if (out.observations.empty()) {
    out.observations = read_from(out, source);
  }
  if (out.evidence.empty()) {
    out.evidence = evidence_of(out, source);
  }
  return out;
}

}  // namespace

bool is_finding(const json::value& item) {
  const auto* object = item.if_object();
  const auto* sentence = object != nullptr ? object->if_contains("what") : &item;
  return sentence != nullptr && sentence->is_string() && !sentence->get_string().empty();
}

std::vector<Finding> to_findings(const std::vector<json::value>& items, const FindingSource& source) {
  std::vector<Finding> out;
  for (const auto& item : items) {
    auto finding = to_finding(item, source);
    if (std::find(out.begin(), out.end(), finding) == out.end()) {
      out.push_back(std::move(finding));
    }
  }
  return out;
}

Finding plain_finding(std::string what) {
  Finding out;
  out.what = std::move(what);
  return out;
}

Finding open_thing(ClosedBy by, std::string what, std::string endpoint) {
  auto out = plain_finding(std::move(what));
  out.endpoint = std::move(endpoint);
  out.closed_by = {by};
  return out;
}

ClosedBy closer_of_doubt(std::string_view what) {
  return what.starts_with("IXIT ") || what.starts_with("ICS ") ? ClosedBy::declaration : ClosedBy::evidence;
}

}  // namespace assay

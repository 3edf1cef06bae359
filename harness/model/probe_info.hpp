#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/json.hpp"

/// What a probe declares about itself, as data: the same tables check plans, fill in parameters, and make
/// `assay probes`, the schemas and docs/probes.md.
namespace assay {

enum class ValueKind : std::uint8_t { boolean, integer, text, list, object };
BOOST_DESCRIBE_ENUM(ValueKind, boolean, integer, text, list, object)

/// passive: only listens; benign: what any client does; intrusive: wrong logins, malformed input;
/// destructive: may change or break the device.
enum class Intrusiveness : std::uint8_t { passive, benign, intrusive, destructive };
BOOST_DESCRIBE_ENUM(Intrusiveness, passive, benign, intrusive, destructive)

/// What must not run beside an invocation: nothing, another login on the same sample, or anything else on it. `guesses`
/// are logins that come after all others that wait: what they do to accounts and budgets is in nobody's way then.
enum class Exclusive : std::uint8_t { none, login, guesses, device };
BOOST_DESCRIBE_ENUM(Exclusive, none, login, guesses, device)

/// device: once for an address; endpoint: once for each endpoint.
enum class ProbeSubject : std::uint8_t { device, endpoint };
BOOST_DESCRIBE_ENUM(ProbeSubject, device, endpoint)

struct FactInfo {
  std::string key;  // "area.noun", stable for ever; a changed meaning is a new key
  ValueKind kind = ValueKind::text;
  std::string meaning;
};
BOOST_DESCRIBE_STRUCT(FactInfo, (), (key, kind, meaning))

struct ParameterInfo {
  std::string name;
  ValueKind kind = ValueKind::text;
  json::value fallback;  // the default
  std::string meaning;
};
BOOST_DESCRIBE_STRUCT(ParameterInfo, (), (name, kind, fallback, meaning))

struct ProbeInfo {
  std::string id;
  std::string summary;
  std::int64_t version = 1;  // of its fact set
  Intrusiveness intrusiveness = Intrusiveness::benign;
  Exclusive exclusive = Exclusive::none;
  ProbeSubject subject = ProbeSubject::endpoint;
  std::int64_t deadline_ms = 60000;  // default time of one invocation
  std::vector<ParameterInfo> parameters;
  std::vector<FactInfo> facts;
  Later<std::string> seconds;  // integer parameters that each give the probe so many seconds
};
BOOST_DESCRIBE_STRUCT(ProbeInfo, (),
                      (id, summary, version, intrusiveness, exclusive, subject, deadline_ms, parameters, facts,
                       seconds))

/// Every probe of this build by id.
using ProbeCatalogue = std::map<std::string, ProbeInfo, std::less<>>;

const FactInfo* find_fact(const ProbeInfo& probe, std::string_view key);
const ParameterInfo* find_parameter(const ProbeInfo& probe, std::string_view name);
bool is_kind(const json::value& value, ValueKind kind);

/// Milliseconds that these parameters give the probe; none when it has no such parameters.
std::optional<std::int64_t> granted_ms(const ProbeInfo& probe, const json::object& parameters);

/// How long one invocation may take: the probe's deadline, or a minute more than what the parameters give.
std::int64_t deadline_of(const ProbeInfo& probe, const json::object& parameters);

/// `given` with the defaults filled in; an unknown name or a wrong kind is an error naming the parameter.
Result<json::object> complete_parameters(const ProbeInfo& probe, const json::object& given);

}  // namespace assay

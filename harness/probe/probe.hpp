#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "harness/model/dut.hpp"
#include "harness/model/fingerprint.hpp"
#include "harness/model/known_key.hpp"
#include "harness/model/password_rules.hpp"
#include "harness/model/payload.hpp"
#include "harness/model/probe_info.hpp"
#include "harness/model/result.hpp"
#include "harness/model/update.hpp"
#include "harness/probe/bench.hpp"
#include "harness/probe/network.hpp"
#include "harness/probe/recorder.hpp"

/// The whole contract between the harness and the probes.
namespace assay {

/// Data the plan library gives to probes.
class ProbeLibrary {
 public:
  virtual ~ProbeLibrary() = default;
  /// A dictionary of `testplans/dictionaries/` by id, or null.
  virtual const Dictionary* dictionary(std::string_view id) const = 0;
  /// A list of UDP requests of the same folder by id, or null.
  virtual const PayloadList* payloads(std::string_view id) const = 0;

  /// A list of attacks of `testplans/attacks/` by id, or null.
  virtual const AttackList* attacks(std::string_view) const { return nullptr; }

  /// All fingerprints of products, the narrower before the wider.
  virtual std::span<const Fingerprint> fingerprints() const = 0;
  /// All public keys whose private half others hold too.
  virtual const KnownKeys& known_keys() const = 0;
  /// A set of weak passwords of `testplans/policies/passwords/` by id, or null.
  virtual const PasswordRules* password_rules(std::string_view id) const = 0;
};

/// Everything a probe may touch; the only way out. Outlives the probe's coroutine (the engine owns it), so it
/// may be taken by reference across awaits.
struct ProbeContext {
  const Target& target;
  const std::optional<Endpoint>& endpoint;  // set for probes of an endpoint
  const json::object& parameters;           // complete
  const Dut& dut;
  const ProbeLibrary& library;
  Network& network;
  Recorder& record;
  const Progress& progress;
  Bench& bench;  // recipes of the DUT file
};

/// Observes, never judges. Returns an error only for how the exchange ended (refused, reset, timed_out …); what was
/// recorded until then stands.
class Probe {
 public:
  virtual ~Probe() = default;
  virtual asio::awaitable<Result<>> observe(ProbeContext& context) = 0;
};

struct ParameterSpec {
  std::string_view name;
  ValueKind kind = ValueKind::text;
  std::string_view fallback_json;  // the default as JSON text
  std::string_view meaning;
  bool seconds = false;  // an integer: the probe may take so many seconds for it
};

struct FactSpec {
  std::string_view key;
  ValueKind kind = ValueKind::text;
  std::string_view meaning;
};

/// What `assay probes`, the schemas and docs/probes.md are made from.
struct ProbeDescriptor {
  std::string_view id;
  std::string_view summary;
  std::int64_t version = 1;
  Intrusiveness intrusiveness = Intrusiveness::benign;
  Exclusive exclusive = Exclusive::none;
  ProbeSubject subject = ProbeSubject::endpoint;
  milliseconds deadline{60000};
  std::span<const ParameterSpec> parameters;
  std::span<const FactSpec> facts;
  std::unique_ptr<Probe> (*make)() = nullptr;
};

using ProbeTable = std::span<const ProbeDescriptor* const>;

ProbeInfo describe_probe(const ProbeDescriptor& descriptor);
ProbeCatalogue catalogue_of(ProbeTable table);
const ProbeDescriptor* find_probe(ProbeTable table, std::string_view id);

}  // namespace assay

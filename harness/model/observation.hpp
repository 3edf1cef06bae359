#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/endpoint.hpp"
#include "harness/model/json.hpp"
#include "harness/model/result.hpp"

namespace assay {

/// One call of a probe. Two invocations with the same identity are one: it runs once and serves every unit
/// that asks for it.
struct Invocation {
  std::string id;  // "i1", in order of creation
  std::string probe;
  Target target;
  std::optional<Endpoint> endpoint;  // none for a probe of the device
  json::object parameters;           // complete, defaults included

  /// Canonical JSON of everything but `id`.
  std::string identity() const;

  bool operator==(const Invocation&) const = default;
};
BOOST_DESCRIBE_STRUCT(Invocation, (), (id, probe, target, endpoint, parameters))
ASSAY_JSON_DECLARE(Invocation);

/// How an invocation ended. Says nothing about conformity: a refused port may be the best answer.
enum class Completion : std::uint8_t {
  completed,      // every declared fact is settled, absent, or said to be unobservable
  refused,        // the endpoint answered with a refusal before anything was learnt
  unreachable,    // no path
  reset,          // the peer cut the exchange
  timed_out,      // the deadline of the step passed
  cancelled,      // the run was interrupted
  device_lost,    // liveness failed during or after it: what it says cannot be believed
  denied,         // scope, pace or intrusiveness did not allow it
  harness_fault,  // ours
};
BOOST_DESCRIBE_ENUM(Completion, completed, refused, unreachable, reset, timed_out, cancelled, device_lost, denied,
                    harness_fault)

Completion completion_for(ErrorKind kind);

/// A file in the bundle.
struct ArtifactRef {
  std::string sha256;
  std::string media_type;
  std::int64_t size = 0;
  std::string title;
  bool restricted = false;

  bool operator==(const ArtifactRef&) const = default;
};
BOOST_DESCRIBE_STRUCT(ArtifactRef, (), (sha256, media_type, size, title, restricted))

/// One conversation in a capture: the frames of one of our sockets with one port of the device. Frames are numbered
/// from 1, as Wireshark shows them.
struct FrameSpan {
  std::string endpoint;         // of the device: "tcp/443"
  std::int64_t local_port = 0;  // ours
  std::int64_t first = 0;       // frame numbers; other conversations may lie between them
  std::int64_t last = 0;
  std::int64_t frames = 0;  // of this conversation

  bool operator==(const FrameSpan&) const = default;
};
BOOST_DESCRIBE_STRUCT(FrameSpan, (), (endpoint, local_port, first, last, frames))

/// The packets of an invocation, in a PCAPNG file of the bundle.
struct CaptureRef {
  std::string sha256;        // of the file; its ArtifactRef stands in `artifacts`
  std::int64_t frames = 0;   // in the file
  std::int64_t cut = 0;      // frames of this invocation that the bounds left out of the file
  std::int64_t dropped = 0;  // frames the kernel lost while the invocation ran, whosever they were
  std::int64_t masked = 0;   // frames in which a secret was written over
  // In order of their first frame; when there are very many, only those that brought more than a refusal.
  std::vector<FrameSpan> exchanges;
  std::int64_t unlisted = 0;  // conversations that `exchanges` does not name

  bool operator==(const CaptureRef&) const = default;
};
BOOST_DESCRIBE_STRUCT(CaptureRef, (), (sha256, frames, cut, dropped, masked, exchanges, unlisted))

/// What a probe saw. Three kinds of "no" are kept apart: a fact has a value, was looked for and is absent, or
/// could not be observed for a stated reason. A declared fact in none of the three is a fault of the probe.
struct Observation {
  std::string id;  // "o1", in order of completion
  Invocation invocation;
  Completion completion = Completion::harness_fault;
  std::string error;  // one sentence when completion is not `completed`
  std::string began;  // RFC 3339 UTC
  std::int64_t took_ns = 0;
  json::object facts;
  std::vector<std::string> absent;
  std::map<std::string, std::string> unobserved;             // fact -> reason
  std::map<std::string, std::vector<std::string>> evidence;  // fact -> artifact digests
  json::object coverage;                                     // what was looked at, how hard, what was lost
  std::vector<ArtifactRef> artifacts;
  Later<CaptureRef> captures;  // empty: the packets were not captured, or none belonged to it

  bool operator==(const Observation&) const = default;
};
BOOST_DESCRIBE_STRUCT(Observation, (),
                      (id, invocation, completion, error, began, took_ns, facts, absent, unobserved, evidence, coverage,
                       artifacts, captures))
ASSAY_JSON_DECLARE(Observation);

}  // namespace assay

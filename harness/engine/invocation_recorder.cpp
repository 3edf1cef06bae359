#include "harness/engine/invocation_recorder.hpp"

#include <algorithm>

#include "harness/model/never_kept.hpp"
#include "harness/probe/masked_stream.hpp"
#include "harness/probe/transcript.hpp"

namespace assay {

namespace {

constexpr std::size_t kMaximumArtifact = 4u << 20u;    // bytes of one artifact
constexpr std::size_t kMaximumArtifacts = 32u << 20u;  // bytes of all artifacts of one invocation
constexpr std::size_t kMaximumFact = 256u << 10u;      // bytes of one fact as JSON

}  // namespace

InvocationRecorder::InvocationRecorder(const ProbeInfo& probe, Observation& observation, Keeping keep)
    : probe_(probe), observation_(observation), keep_(std::move(keep)) {}

bool InvocationRecorder::known(std::string_view key) {
  if (find_fact(probe_, key) != nullptr) {
    return true;
  }
  fault("recorded the undeclared fact " + std::string{key});
  return false;
}

void InvocationRecorder::fault(std::string what) {
  if (fault_.empty()) {
    fault_ = "probe " + probe_.id + " " + std::move(what);
  }
}

void InvocationRecorder::fact(std::string_view key, json::value value) {
  if (!known(key)) {
    return;
  }
  if (!is_kind(value, find_fact(probe_, key)->kind)) {
    fault("recorded fact " + std::string{key} + " with the wrong kind of value");
    return;
  }
  if (json::serialize(value).size() > kMaximumFact) {
    unobserved(key, "the value is larger than a fact may be; see the artifacts");
    return;
  }
  observation_.facts[key] = masked(std::move(value));
}

void InvocationRecorder::absent(std::string_view key) {
  if (known(key)) {
    observation_.absent.emplace_back(key);
  }
}

void InvocationRecorder::unobserved(std::string_view key, std::string reason) {
  if (known(key)) {
    observation_.unobserved[std::string{key}] = masked(std::move(reason));
  }
}

/// Bounded; the digest, empty when the bytes were not kept.
std::string InvocationRecorder::store(const KeepArtifact& keep, std::string_view title, std::string_view media_type,
                                      std::string_view bytes) {
  if (kept_bytes_ >= kMaximumArtifacts) {
    observation_.coverage["artifacts_left_out"] = true;
    return {};
  }
  const bool cut = bytes.size() > kMaximumArtifact;
  const auto part = bytes.substr(0, kMaximumArtifact);
  kept_bytes_ += part.size();
  auto kept = keep(cut ? std::string{title} + " (first 4 MiB)" : std::string{title}, media_type, part);
  if (!kept) {
    fault("could not keep an artifact: " + kept.error().what);
    return {};
  }
  const auto same = [&](const ArtifactRef& other) { return other.sha256 == kept->sha256; };
  if (std::none_of(observation_.artifacts.begin(), observation_.artifacts.end(), same)) {
    observation_.artifacts.push_back(*kept);
  }
  return kept->sha256;
}

std::string InvocationRecorder::artifact(std::string_view title, std::string_view media_type, std::string_view bytes) {
  return keep_both(title, media_type, masked_bytes(bytes), bytes);
}

std::string InvocationRecorder::transcript(std::string_view title, const Transcript& transcript) {
  const auto open = transcript.open_text();
  const auto text = transcript.text();
  return keep_both(title, "text/plain; charset=utf-8", masked(text), open ? *open : text);
}

/// What may be read, and beside it for the laboratory what it says less by.
std::string InvocationRecorder::keep_both(std::string_view title, std::string_view media_type, const std::string& shown,
                                          std::string_view bytes) {
  const auto open = ConcealedFinder{withheld_}.masked(bytes);
  auto digest = store(keep_.plain, title, media_type, keep_.secrets.reveal ? open : shown);
  if (keep_.open && shown != open) {
    store(keep_.open, title, media_type, open);
  }
  return digest;
}

void InvocationRecorder::identify(const Secret& secret, json::object& entry) {
  if (keep_.secrets.key) {
    entry["secret"] = keep_.secrets.key->name_of(secret.reveal());
  }
  if (keep_.secrets.reveal) {
    entry["clear"] = secret.reveal();
  }
}

void InvocationRecorder::evidence(std::string_view key, std::string_view sha256) {
  if (known(key) && !sha256.empty()) {
    auto& digests = observation_.evidence[std::string{key}];
    if (std::find(digests.begin(), digests.end(), sha256) == digests.end()) {
      digests.emplace_back(sha256);
    }
  }
}

void InvocationRecorder::coverage(std::string_view key, json::value value) {
  observation_.coverage[key] = masked(std::move(value));
}

void InvocationRecorder::conceal(const Secret& secret) {
  if (!keep_.secrets.reveal) {
    concealed_.add(secret);
  }
}

void InvocationRecorder::conceal(std::string_view text, std::string_view name) {
  const bool never = name == kDeviceMemory;
  if (never) {
    conceal_in(withheld_, text, name);
  }
  if (never || !keep_.secrets.reveal) {
    concealed_.add(text, name);
  }
}

void InvocationRecorder::conceal_in_bytes(const Secret& secret) {
  if (!keep_.secrets.reveal) {
    concealed_.add_in_bytes(secret);
  }
}

void InvocationRecorder::conceal_in_bytes(std::string_view bytes, std::string_view name) {
  if (!keep_.secrets.reveal) {
    concealed_.add_in_bytes(bytes, name);
  }
}

void InvocationRecorder::conceal_all(std::shared_ptr<const Concealment> list) {
  if (!keep_.secrets.reveal) {
    concealed_.share(std::move(list));
  }
}

std::string InvocationRecorder::masked_bytes(std::string_view bytes) const {
  return ConcealedFinder::masked(bytes, find_concealed(bytes, concealed_.finders_in_bytes()).hits);
}

Result<std::string> InvocationRecorder::entrust(const std::string& username, const Secret& own, const Secret& wanted) {
  if (!keep_.secrets.changed) {
    return Error{ErrorKind::denied, "there is no place to keep a password in, so none is changed", {}};
  }
  return keep_.secrets.changed->entrust(observation_.invocation, username, own, wanted);
}

Result<> InvocationRecorder::settle(const std::string& username, const Secret& holds) {
  return keep_.secrets.changed ? keep_.secrets.changed->settle(observation_.invocation, username, holds) : Result<>{};
}

std::string InvocationRecorder::masked(std::string text) const {
  return ConcealedFinder::masked(text, find_concealed(text, concealed_.finders()).hits);
}

json::value InvocationRecorder::masked(json::value value) const {
  if (value.is_string()) {
    return json::string(masked(std::string{std::string_view{value.get_string()}}));
  }
  if (value.is_array()) {
    for (auto& item : value.get_array()) {
      item = masked(std::move(item));
    }
  } else if (value.is_object()) {
    for (auto& item : value.get_object()) {
      item.value() = masked(std::move(item.value()));
    }
  }
  return value;
}

bool InvocationRecorder::settled(const std::string& key) const {
  return observation_.facts.contains(key) || observation_.unobserved.contains(key) ||
         std::find(observation_.absent.begin(), observation_.absent.end(), key) != observation_.absent.end();
}

void InvocationRecorder::finish(const Result<>& ended) {
  observation_.completion = ended ? Completion::completed : completion_for(ended.error().kind);
  observation_.error = ended ? std::string{} : masked(describe(ended.error()));
  for (const auto& info : probe_.facts) {
    if (settled(info.key)) {
      continue;
    }
    if (ended) {
      fault("ended without settling the fact " + info.key);
    }
    observation_.unobserved[info.key] = ended ? "the probe left it open" : observation_.error;
  }
  if (!fault_.empty()) {
    observation_.completion = Completion::harness_fault;
    observation_.error = fault_;
  }
  std::sort(observation_.absent.begin(), observation_.absent.end());
}

}  // namespace assay

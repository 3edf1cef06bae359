#include "harness/engine/invocation_recorder.hpp"

#include <algorithm>
#include <array>

namespace assay {

namespace {

constexpr std::size_t kMaximumArtifact = 4u << 20u;    // bytes of one artifact
constexpr std::size_t kMaximumArtifacts = 32u << 20u;  // bytes of all artifacts of one invocation
constexpr std::size_t kMaximumFact = 256u << 10u;      // bytes of one fact as JSON
constexpr std::size_t kShortestConcealed = 3;          // shorter texts would mask half of every transcript

std::string base64(std::string_view text) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const auto byte = [&](std::size_t at) -> std::uint32_t {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
    };
    const std::uint32_t group = byte(i) << 16u | byte(i + 1) << 8u | byte(i + 2);
    for (std::size_t k = 0; k < 4; ++k) {
      out += i + k <= text.size() ? kAlphabet[group >> (18u - 6u * k) & 63u] : '=';
    }
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view{"-._~"}.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4u];
      out += kHex[byte & 15u];
    }
  }
  return out;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

void conceal_in(Concealed& concealed, std::string_view text, std::string_view name) {
  if (text.size() < kShortestConcealed) {
    return;
  }
  const auto placeholder = "{" + std::string{name} + "}";
  concealed[std::string{text}] = placeholder;
  concealed[base64(text)] = placeholder;
  concealed[percent_encoded(text)] = placeholder;
}

InvocationRecorder::InvocationRecorder(const ProbeInfo& probe, Observation& observation, KeepArtifact keep)
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

std::string InvocationRecorder::artifact(std::string_view title, std::string_view media_type, std::string_view bytes) {
  if (kept_bytes_ >= kMaximumArtifacts) {
    observation_.coverage["artifacts_left_out"] = true;
    return {};
  }
  const bool cut = bytes.size() > kMaximumArtifact;
  auto text = masked(std::string{bytes.substr(0, kMaximumArtifact)});
  kept_bytes_ += text.size();
  auto kept = keep_(cut ? std::string{title} + " (first 4 MiB)" : std::string{title}, media_type, text);
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
  conceal(secret.reveal(), secret.name());
}

void InvocationRecorder::conceal(std::string_view text, std::string_view name) {
  conceal_in(concealed_, text, name);
}

std::string InvocationRecorder::masked(std::string text) const {
  // Longest first: a secret that contains another must not be left half readable.
  std::vector<std::pair<std::string_view, std::string_view>> ordered(concealed_.begin(), concealed_.end());
  std::sort(ordered.begin(), ordered.end(),
            [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  for (const auto& [from, to] : ordered) {
    replace_all(text, from, to);
  }
  return text;
}

json::value InvocationRecorder::masked(json::value value) const {
  if (concealed_.empty()) {
    return value;
  }
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

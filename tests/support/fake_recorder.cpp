#include "tests/support/fake_recorder.hpp"

#include <algorithm>

#include "harness/probe/transcript.hpp"

namespace assay::fake {

void FakeRecorder::fact(std::string_view key, json::value value) {
  facts[key] = std::move(value);
}

void FakeRecorder::absent(std::string_view key) {
  absents.emplace_back(key);
}

void FakeRecorder::unobserved(std::string_view key, std::string reason) {
  reasons[std::string{key}] = std::move(reason);
}

std::string FakeRecorder::artifact(std::string_view title, std::string_view media_type, std::string_view bytes) {
  artifacts.push_back({std::string{title}, std::string{media_type}, std::string{bytes}});
  return "artifact-" + std::to_string(artifacts.size());
}

std::string FakeRecorder::transcript(std::string_view title, const Transcript& transcript) {
  return artifact(title, "text/plain; charset=utf-8", transcript.text());
}

/// By its name: tests know whose secret is whose.
void FakeRecorder::identify(const Secret& secret, json::object& entry) {
  entry["secret"] = "hmac:" + secret.name();
}

void FakeRecorder::evidence(std::string_view key, std::string_view sha256) {
  evidences[std::string{key}].emplace_back(sha256);
}

void FakeRecorder::coverage(std::string_view key, json::value value) {
  coverages[key] = std::move(value);
}

void FakeRecorder::conceal(const Secret& secret) {
  conceal(secret.reveal(), secret.name());
}

void FakeRecorder::conceal(std::string_view text, std::string_view name) {
  concealed[std::string{text}] = name;
}

void FakeRecorder::conceal_in_bytes(const Secret& secret) {
  concealed_in_bytes[secret.reveal()] = secret.name();
}

void FakeRecorder::conceal_in_bytes(std::string_view bytes, std::string_view name) {
  concealed_in_bytes[std::string{bytes}] = name;
}

void FakeRecorder::conceal_all(std::shared_ptr<const Concealment> list) {
  for (const auto& [text, shown] : list->texts()) {
    concealed[text] = shown.substr(1, shown.size() - 2);
  }
  for (const auto& [text, shown] : list->texts_in_bytes()) {
    concealed_in_bytes[text] = shown.substr(1, shown.size() - 2);
  }
}

Result<std::string> FakeRecorder::entrust(const std::string& /*username*/, const Secret& /*own*/,
                                          const Secret& wanted) {
  entrusted.push_back(wanted.reveal());
  return std::string{"a test"};
}

Result<> FakeRecorder::settle(const std::string& /*username*/, const Secret& holds) {
  held = holds.reveal();
  return {};
}

bool FakeRecorder::is_absent(std::string_view key) const {
  return std::find(absents.begin(), absents.end(), key) != absents.end();
}

void FakeRecorder::check(const ProbeInfo& probe) {
  const auto complain = [&](const std::string& what) {
    if (fault.empty()) {
      fault = what;
    }
  };
  for (const auto& item : facts) {
    const auto* info = find_fact(probe, item.key());
    if (info == nullptr) {
      complain("undeclared fact " + std::string{std::string_view{item.key()}});
    } else if (!is_kind(item.value(), info->kind)) {
      complain("wrong kind of " + info->key);
    }
  }
  for (const auto& info : probe.facts) {
    const auto ways = std::count(absents.begin(), absents.end(), info.key) + (facts.contains(info.key) ? 1 : 0) +
                      (is_unobserved(info.key) ? 1 : 0);
    if (ways != 1) {
      complain(info.key + " is settled " + std::to_string(ways) + " times");
    }
  }
}

json::value FakeRecorder::value(std::string_view key) const {
  const auto* found = facts.if_contains(key);
  return found == nullptr ? json::value(nullptr) : *found;
}

std::string FakeRecorder::text(std::string_view key) const {
  const auto* found = facts.if_contains(key);
  return found == nullptr || !found->is_string() ? std::string{} : std::string{std::string_view{found->get_string()}};
}

}  // namespace assay::fake

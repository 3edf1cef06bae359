#include "probes/sessions/fact_sheet.hpp"

namespace assay::sessions {

void FactSheet::fact(std::string_view key, json::value value) {
  settled_.emplace(key);
  valued_.emplace(key);
  record_.fact(key, std::move(value));
}

void FactSheet::absent(std::string_view key) {
  settled_.emplace(key);
  record_.absent(key);
}

void FactSheet::unobserved(std::string_view key, std::string reason) {
  settled_.emplace(key);
  record_.unobserved(key, std::move(reason));
}

void FactSheet::text(std::string_view key, std::string_view value) {
  if (value.empty()) {
    absent(key);
  } else {
    fact(key, json::string(value));
  }
}

void FactSheet::rest_absent() {
  for (const auto& spec : facts_) {
    if (!settled(spec.key)) {
      absent(spec.key);
    }
  }
}

void FactSheet::rest_unobserved(const std::string& reason) {
  for (const auto& spec : facts_) {
    if (!settled(spec.key)) {
      unobserved(spec.key, reason);
    }
  }
}

void FactSheet::evidence_for_values(std::string_view prefix, std::string_view sha256) {
  if (sha256.empty()) {
    return;
  }
  for (const auto& key : valued_) {
    if (std::string_view{key}.starts_with(prefix)) {
      record_.evidence(key, sha256);
    }
  }
}

}  // namespace assay::sessions

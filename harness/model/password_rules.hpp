#pragma once

#include <string>
#include <vector>

/// Passwords that a rule of a document calls weak, from `testplans/policies/passwords/` (docs/plan-format.md,
/// password-rules/1).
namespace assay {

struct WeakPassword {
  std::string kind;        // blank, short, listed, repeated, sequence, one_class, doubled, username, previous
  std::string value;       // {username} and {old} stand for the account's; of chance: {random:N}, {digits:N}, {lower:N}
  std::string source;      // document and place
  std::string confidence;  // how sure we are that it says so: sourced, derived, reasoned, unconfirmed
  std::vector<std::string> schemes{};  // whose rule it is; in the plans of others it decides nothing. Empty: of all
};

struct PasswordRules {
  std::string id;
  std::string title;
  std::string source;
  std::vector<WeakPassword> weak;
};

}  // namespace assay

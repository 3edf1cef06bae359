#pragma once

#include <string>
#include <vector>

/// Passwords that a rule of a document calls weak, from `testplans/policies/passwords/` (docs/plan-format.md,
/// password-rules/1).
namespace assay {

struct WeakPassword {
  std::string kind;        // blank, short, listed, repeated, sequence, one_class, username, previous
  std::string value;       // {username} and {old} stand for the account's, {random:N} for N characters of chance
  std::string source;      // document and place
  std::string confidence;  // how sure we are that it says so: sourced, derived, reasoned, unconfirmed
};

struct PasswordRules {
  std::string id;
  std::string title;
  std::string source;
  std::vector<WeakPassword> weak;
};

}  // namespace assay

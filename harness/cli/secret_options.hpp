#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "harness/cli/context.hpp"
#include "harness/engine/secret_handling.hpp"

namespace assay {

/// --lab-key, --lab-certificate and --reveal-secrets.
struct SecretOptions {
  std::string lab_key;
  std::string lab_certificate;
  bool reveal = false;
};

void add_secret_options(CLI::App& verb, SecretOptions& options);

/// The key that `given` names, or the laboratory's own, which is made on first use with a notice. None where there is
/// no folder for it: `why` says so. An error where the key cannot be used.
Result<std::optional<evidence::LabKey>> laboratory_key(const std::string& given, std::string& why);

/// Where passwords that probes give to the device are kept. The sentences of `tell_left` are for standard error.
std::shared_ptr<ChangedPasswords> changed_passwords(const std::filesystem::path& folder, const std::string& name);
void tell_left(const ChangedPasswords& changed);

/// Everything a run needs to know; errors are printed and nothing comes back.
std::optional<SecretHandling> secret_handling(Context& context, const SecretOptions& options);

}  // namespace assay

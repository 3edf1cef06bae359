#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "harness/engine/changed_passwords.hpp"
#include "harness/evidence/bundle.hpp"
#include "harness/evidence/envelope.hpp"
#include "harness/evidence/lab_key.hpp"

namespace assay {

/// Stores bytes and says what came of it; empty digest when they could not be kept.
using KeepArtifact =
    std::function<Result<ArtifactRef>(std::string_view title, std::string_view media_type, std::string_view bytes)>;

/// What a run does with the secrets that it meets.
struct SecretHandling {
  std::optional<evidence::LabKey> key;             // names them; none: only where they come from is said
  std::string no_key;                              // why there is none
  std::optional<evidence::Recipients> recipients;  // who may read what holds them; none: it is not kept
  bool reveal = false;                             // they are written in clear, as a person asked
  std::shared_ptr<ChangedPasswords> changed{};     // where those of the device are kept; none: none is changed
};

/// Where an invocation puts bytes: with secrets written over, and as they were.
struct Keeping {
  KeepArtifact plain;
  KeepArtifact open;  // encrypts to the laboratory; empty: such bytes are not kept
  SecretHandling secrets;
};

/// Into a bundle. The bundle must outlive it.
Keeping keeping_in(BundleWriter& bundle, const SecretHandling& secrets);

/// For the journal: `key` and why there is none, `revealed`, `restricted_to` (the certificates) and, for each secret of
/// the DUT file, its `name` and `secret`, the HMAC.
json::object secrets_record(const SecretHandling& secrets, const Dut& dut);

}  // namespace assay

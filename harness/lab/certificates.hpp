#pragma once

#include <filesystem>
#include <vector>

#include "harness/model/emulated_device.hpp"
#include "harness/model/result.hpp"

namespace assay::lab {

std::filesystem::path certificate_file(const std::filesystem::path& folder, const std::string& name);
std::filesystem::path key_file(const std::filesystem::path& folder, const std::string& name);

/// Makes keys and certificates (X.509 v3, SHA-256) in order and writes each as NAME.crt and NAME.key (PEM). A
/// certificate with an issuer is followed by the issuer's in its file, so that a server sends the chain.
/// `bad_input` for an unknown key type, an issuer that does not come earlier, or a name that cannot be a file's.
Result<> make_certificates(const std::filesystem::path& folder, const std::vector<CertificateSpec>& specs);

}  // namespace assay::lab

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/model/json.hpp"
#include "harness/model/result.hpp"

namespace assay::evidence {

/// Those who may read what is restricted: the holders of the keys to these certificates.
class Recipients {
 public:
  /// Certificates in PEM, one or more; `where` names the file in errors. Each must have a key that CMS can encrypt to
  /// (RSA or elliptic curve).
  static Result<Recipients> read(std::string_view pem, std::string_view where);

  /// For the journal: `subject`, `serial` and `sha256` of each certificate.
  json::array described() const;

  /// The bytes as CMS AuthEnvelopedData in DER (RFC 5083) with AES-256-GCM (RFC 5084), the content key by RSA-OAEP with
  /// SHA-256 (RFC 3560) or by key agreement. `openssl cms -decrypt -inform DER` opens it.
  Result<std::string> sealed(std::string_view bytes) const;

 private:
  struct Certificate;
  std::vector<std::shared_ptr<const Certificate>> certificates_;
};

/// Media type of what `sealed` makes (RFC 7193).
inline constexpr std::string_view kSealedType = "application/cms";

}  // namespace assay::evidence

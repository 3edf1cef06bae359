#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "harness/model/result.hpp"
#include "probes/images/byte_source.hpp"
#include "probes/images/crypto.hpp"

/// Keys that sign images for a run.
namespace assay::images {

/// A private key and a certificate for it.
class Signer {
 public:
  Signer(Key key, Certificate certificate) : key_(std::move(key)), certificate_(std::move(certificate)) {}

  /// A key of its own, with a certificate that it signed itself. `kind`: rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384
  /// or ed25519. `like`: subject, issuer and extensions are those of this certificate, so that only the key tells
  /// the two apart; nothing: a plain name.
  static Result<std::shared_ptr<const Signer>> make(std::string_view kind, const X509* like = nullptr);

  /// From PEM. `bad_input` when they cannot be read or do not belong together; without a certificate one is made.
  static Result<std::shared_ptr<const Signer>> load(std::string_view key_pem, std::string_view certificate_pem);

  /// A key of its own whose certificate is issued by `authority` and expired 30 days ago; its names are those of
  /// `like`, or plain ones.
  static Result<std::shared_ptr<const Signer>> issue_expired(std::string_view kind, const X509* like,
                                                             const Signer& authority);

  EVP_PKEY* key() const { return key_.get(); }

  X509* certificate() const { return certificate_.get(); }

 private:
  Key key_;
  Certificate certificate_;
};

}  // namespace assay::images

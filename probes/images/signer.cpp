#include "probes/images/signer.hpp"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace assay::images {

namespace {

constexpr long kDay = 24L * 60 * 60;
constexpr long kValidDays = 3650;
constexpr long kExpiredDays = 30;
constexpr long kValidBefore = 365;

Error failed(const std::string& what) {
  return {ErrorKind::internal, "OpenSSL could not make " + what, {}};
}

Key make_key(std::string_view kind) {
  if (kind == "rsa-2048" || kind == "rsa-3072" || kind == "rsa-4096") {
    const std::size_t bits = kind == "rsa-2048" ? 2048 : kind == "rsa-3072" ? 3072 : 4096;
    return Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits)};
  }
  if (kind == "ed25519") {
    return Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
  }
  return kind == "ec-p256" || kind == "ec-p384"
             ? Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", kind == "ec-p256" ? "P-256" : "P-384")}
             : nullptr;
}

bool set_serial(X509* certificate) {
  std::uint64_t serial = 0;
  return RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1U) == 1;
}

bool add_extension(X509* certificate, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
  const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

/// Names, key and days; version 3 with the usages that a signer of code has.
bool fill(X509* certificate, EVP_PKEY* key, const X509* like) {
  auto* name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>("Assay, another key");
  const bool named = like != nullptr ? X509_set_subject_name(certificate, X509_get_subject_name(like)) == 1 &&
                                           X509_set_issuer_name(certificate, X509_get_issuer_name(like)) == 1
                                     : X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
                                           X509_set_issuer_name(certificate, name) == 1;
  return named && X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -kDay) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), kDay * kValidDays) != nullptr &&
         X509_set_pubkey(certificate, key) == 1;
}

bool add_usages(X509* certificate) {
  return add_extension(certificate, NID_basic_constraints, "CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "digitalSignature") &&
         add_extension(certificate, NID_ext_key_usage, "codeSigning,emailProtection");
}

bool sign_by(X509* certificate, EVP_PKEY* key) {
  const auto* digest = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  return X509_sign(certificate, key, digest) > 0;
}

Certificate certify(EVP_PKEY* key, const X509* like) {
  Certificate out{X509_new()};
  const bool made = out && fill(out.get(), key, like) && add_usages(out.get()) && sign_by(out.get(), key);
  return made ? std::move(out) : nullptr;
}

/// By an authority, and over since `kExpiredDays`.
Certificate certify_expired(EVP_PKEY* key, const X509* like, const Signer& authority) {
  Certificate out{X509_new()};
  const bool made = out && fill(out.get(), key, like) &&
                    X509_set_issuer_name(out.get(), X509_get_subject_name(authority.certificate())) == 1 &&
                    X509_gmtime_adj(X509_getm_notBefore(out.get()), -kDay * (kExpiredDays + kValidBefore)) != nullptr &&
                    X509_gmtime_adj(X509_getm_notAfter(out.get()), -kDay * kExpiredDays) != nullptr &&
                    add_usages(out.get()) && sign_by(out.get(), authority.key());
  return made ? std::move(out) : nullptr;
}

Bio reader(std::string_view text) {
  return Bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

/// Nobody is asked for a passphrase on a terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

Result<std::shared_ptr<const Signer>> Signer::make(std::string_view kind, const X509* like) {
  auto key = make_key(kind);
  if (!key) {
    return failed("a key " + std::string{kind});
  }
  auto certificate = certify(key.get(), like);
  if (!certificate) {
    return failed("a certificate");
  }
  return std::make_shared<const Signer>(std::move(key), std::move(certificate));
}

Result<std::shared_ptr<const Signer>> Signer::issue_expired(std::string_view kind, const X509* like,
                                                            const Signer& authority) {
  auto key = make_key(kind);
  if (!key) {
    return failed("a key " + std::string{kind});
  }
  auto certificate = certify_expired(key.get(), like, authority);
  if (!certificate) {
    return failed("a certificate of the authority");
  }
  return std::make_shared<const Signer>(std::move(key), std::move(certificate));
}

Result<std::shared_ptr<const Signer>> Signer::load(std::string_view key_pem, std::string_view certificate_pem) {
  Key key{PEM_read_bio_PrivateKey(reader(key_pem).get(), nullptr, no_passphrase, nullptr)};
  if (!key) {
    return Error{ErrorKind::bad_input, "the signing key is no private key in PEM without a passphrase", {}};
  }
  Certificate certificate =
      certificate_pem.empty()
          ? certify(key.get(), nullptr)
          : Certificate{PEM_read_bio_X509(reader(certificate_pem).get(), nullptr, nullptr, nullptr)};
  if (!certificate) {
    return Error{ErrorKind::bad_input, "the signer's certificate cannot be read as PEM", {}};
  }
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return Error{ErrorKind::bad_input, "the signing key does not belong to the signer's certificate", {}};
  }
  return std::make_shared<const Signer>(std::move(key), std::move(certificate));
}

}  // namespace assay::images

#include <array>
#include <memory>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "probes/images/crypto.hpp"
#include "probes/update/servers/server.hpp"

/// Certificates that an attacker can make: everything right but who signed them.
namespace assay::probes::update {

namespace {

using images::Certificate;
using images::Key;
using Memory = images::Bio;
using Name = std::unique_ptr<X509_NAME, Freer<X509_NAME_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;

constexpr long kDay = 24 * 60 * 60;
constexpr std::size_t kSerialBytes = 8;

Key new_key() {
  return Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
}

bool add_extension(X509* to, int kind, const std::string& value) {
  const Extension extension{X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str())};
  return extension && X509_add_ext(to, extension.get(), -1) == 1;
}

/// Valid from yesterday for a month, so that a clock that is a little wrong is no reason to refuse it.
Certificate blank(EVP_PKEY* key) {
  Certificate made{X509_new()};
  std::array<unsigned char, kSerialBytes> serial{};
  if (!made || RAND_bytes(serial.data(), static_cast<int>(serial.size())) != 1) {
    return nullptr;
  }
  serial[0] &= 0x7FU;
  const std::unique_ptr<BIGNUM, Freer<BN_free>> number{
      BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr)};
  const bool good = X509_set_version(made.get(), X509_VERSION_3) == 1 &&
                    BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(made.get())) != nullptr &&
                    X509_gmtime_adj(X509_getm_notBefore(made.get()), -kDay) != nullptr &&
                    X509_gmtime_adj(X509_getm_notAfter(made.get()), 30 * kDay) != nullptr &&
                    X509_set_pubkey(made.get(), key) == 1;
  return good ? std::move(made) : nullptr;
}

Name name_of(const std::string& common) {
  Name name{X509_NAME_new()};
  const auto* bytes = reinterpret_cast<const unsigned char*>(common.data());
  const bool good = name && X509_NAME_add_entry_by_NID(name.get(), NID_commonName, MBSTRING_UTF8, bytes,
                                                       static_cast<int>(common.size()), -1, 0) == 1;
  return good ? std::move(name) : nullptr;
}

/// The issuer of the genuine certificate, so that only the key tells the two authorities apart.
Name issuer_of(const std::string& pem) {
  const Memory memory{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  const Certificate genuine{PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr)};
  ERR_clear_error();
  return genuine ? Name{X509_NAME_dup(X509_get_issuer_name(genuine.get()))} : name_of("Update Services");
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const auto size = BIO_ctrl(memory, BIO_CTRL_INFO, 0, &data);  // BIO_get_mem_data without its C cast
  return {data, static_cast<std::size_t>(size)};
}

bool is_number(const std::string& name) {
  return name.find(':') != std::string::npos || name.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

Result<TlsIdentity> false_identity(const std::string& name, bool by_authority, const std::string& like) {
  const Error failed{ErrorKind::internal, "OpenSSL could not make a certificate", {}};
  const auto key = new_key();
  const auto authority_key = new_key();
  const auto subject = name_of(name);
  const auto issuer = by_authority ? issuer_of(like) : name_of(name);
  if (!key || !authority_key || !subject || !issuer) {
    return failed;
  }
  const auto leaf = blank(key.get());
  const auto authority = blank(authority_key.get());
  if (!leaf || !authority || X509_set_subject_name(leaf.get(), subject.get()) != 1 ||
      X509_set_issuer_name(leaf.get(), issuer.get()) != 1 ||
      !add_extension(leaf.get(), NID_subject_alt_name, (is_number(name) ? "IP:" : "DNS:") + name) ||
      X509_sign(leaf.get(), by_authority ? authority_key.get() : key.get(), EVP_sha256()) == 0 ||
      X509_set_subject_name(authority.get(), issuer.get()) != 1 ||
      X509_set_issuer_name(authority.get(), issuer.get()) != 1 ||
      !add_extension(authority.get(), NID_basic_constraints, "critical,CA:TRUE") ||
      X509_sign(authority.get(), authority_key.get(), EVP_sha256()) == 0) {
    ERR_clear_error();
    return failed;
  }
  const Memory chain{BIO_new(BIO_s_mem())};
  const Memory secret{BIO_new(BIO_s_mem())};
  const bool written = PEM_write_bio_X509(chain.get(), leaf.get()) == 1 &&
                       (!by_authority || PEM_write_bio_X509(chain.get(), authority.get()) == 1) &&
                       PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  return written ? Result<TlsIdentity>{TlsIdentity{text_of(chain.get()), text_of(secret.get())}} : failed;
}

}  // namespace assay::probes::update

#include "harness/evidence/envelope.hpp"

#include <algorithm>
#include <limits>
#include <memory>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "harness/evidence/bundle.hpp"
#include "harness/evidence/digest.hpp"

namespace assay::evidence {

namespace {

constexpr std::size_t kMostRecipients = 16;
constexpr unsigned kFlags = CMS_BINARY | CMS_PARTIAL;

struct Free {
  void operator()(BIO* it) const { BIO_free_all(it); }

  void operator()(CMS_ContentInfo* it) const { CMS_ContentInfo_free(it); }

  void operator()(X509* it) const { X509_free(it); }

  void operator()(BIGNUM* it) const { BN_free(it); }

  void operator()(char* it) const { OPENSSL_free(it); }
};

template <class T>
using Owned = std::unique_ptr<T, Free>;

std::string text_in(BIO* memory) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(std::max(size, 0L))};
}

Owned<BIO> reading(std::string_view bytes) {
  return Owned<BIO>{BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))};
}

/// OpenSSL's own words for what failed last.
std::string reason() {
  const auto code = ERR_peek_last_error();
  const char* text = ERR_reason_error_string(code);
  ERR_clear_error();
  return text == nullptr ? "no reason given" : text;
}

Error failed_to(const std::string& what) {
  return Error{ErrorKind::internal, what + ": " + reason(), {}};
}

/// Without OAEP the transport of the content key would be that of PKCS #1 1.5.
bool add_recipient(CMS_ContentInfo* envelope, X509* certificate) {
  auto* recipient = CMS_add1_recipient_cert(envelope, certificate, CMS_KEY_PARAM);
  if (recipient == nullptr || EVP_PKEY_get_base_id(X509_get0_pubkey(certificate)) != EVP_PKEY_RSA) {
    return recipient != nullptr;
  }
  auto* key = CMS_RecipientInfo_get0_pkey_ctx(recipient);
  return key != nullptr && EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_OAEP_PADDING) > 0 &&
         EVP_PKEY_CTX_set_rsa_oaep_md(key, EVP_sha256()) > 0;
}

std::string subject_of(const X509* certificate) {
  const Owned<BIO> out{BIO_new(BIO_s_mem())};
  X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  return printable(text_in(out.get()));
}

std::string serial_of(const X509* certificate) {
  const Owned<BIGNUM> number{ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr)};
  const Owned<char> text{number ? BN_bn2hex(number.get()) : nullptr};
  return text ? text.get() : "";
}

}  // namespace

struct Recipients::Certificate {
  Owned<X509> x509;
};

Result<Recipients> Recipients::read(std::string_view pem, std::string_view where) {
  Recipients out;
  const auto in = reading(pem);
  while (auto* read = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    out.certificates_.push_back(std::make_shared<const Certificate>(Certificate{Owned<X509>{read}}));
  }
  ERR_clear_error();
  const auto count = out.certificates_.size();
  if (count == 0 || count > kMostRecipients) {
    return Error{ErrorKind::bad_input,
                 count == 0 ? "holds no certificate in PEM form" : "holds more than 16 certificates",
                 std::string{where}};
  }
  // Tried once, so that an unfit key is known before the first packet.
  if (auto tried = out.sealed("trial"); !tried) {
    return Error{ErrorKind::bad_input,
                 "holds a certificate that nothing can be encrypted to (" + tried.error().what +
                     "): use one with an RSA or elliptic-curve key",
                 std::string{where}};
  }
  return out;
}

json::array Recipients::described() const {
  json::array out;
  for (const auto& certificate : certificates_) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate->x509.get(), &der);
    const std::string bytes{reinterpret_cast<const char*>(der), static_cast<std::size_t>(std::max(size, 0))};
    OPENSSL_free(der);
    out.push_back(json::object{{"subject", subject_of(certificate->x509.get())},
                               {"serial", serial_of(certificate->x509.get())},
                               {"sha256", sha256_hex(bytes)}});
  }
  return out;
}

Result<std::string> Recipients::sealed(std::string_view bytes) const {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return Error{ErrorKind::internal, "what is to be encrypted is larger than 2 GiB", {}};
  }
  const auto in = reading(bytes);
  const Owned<CMS_ContentInfo> envelope{CMS_encrypt(nullptr, in.get(), EVP_aes_256_gcm(), kFlags)};
  if (!envelope) {
    return failed_to("no envelope could be made");
  }
  for (const auto& certificate : certificates_) {
    if (!add_recipient(envelope.get(), certificate->x509.get())) {
      return failed_to("a certificate could not be encrypted to");
    }
  }
  const Owned<BIO> out{BIO_new(BIO_s_mem())};
  if (CMS_final(envelope.get(), in.get(), nullptr, kFlags) != 1 || i2d_CMS_bio(out.get(), envelope.get()) != 1) {
    return failed_to("nothing could be encrypted");
  }
  return text_in(out.get());
}

}  // namespace assay::evidence

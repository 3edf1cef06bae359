#include "probes/update/servers/mender_signature.hpp"

#include <memory>
#include <optional>
#include <string>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "probes/wire/database_logins.hpp"
#include "probes/wire/mender.hpp"

namespace assay::probes::update {

namespace {

template <auto Free>
struct SignatureFreer {
  template <class T>
  void operator()(T* value) const {
    Free(value);
  }
};

using KeyMemory = std::unique_ptr<BIO, SignatureFreer<&BIO_free_all>>;
using PublicKey = std::unique_ptr<EVP_PKEY, SignatureFreer<&EVP_PKEY_free>>;
using Verification = std::unique_ptr<EVP_MD_CTX, SignatureFreer<&EVP_MD_CTX_free>>;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

bool is_signed_by_own_key(std::string_view body, std::string_view signature) {
  const auto pem = wire::mender_key(body);
  const auto bytes = wire::from_base64(signature);
  if (pem.empty() || !bytes) {
    return false;
  }
  const KeyMemory memory{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  const PublicKey key{PEM_read_bio_PUBKEY(memory.get(), nullptr, nullptr, nullptr)};
  const Verification verification{EVP_MD_CTX_new()};
  // Ed25519 has its digest inside.
  const auto* digest = key && EVP_PKEY_get_id(key.get()) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  const bool good = key && verification &&
                    EVP_DigestVerifyInit(verification.get(), nullptr, digest, nullptr, key.get()) == 1 &&
                    EVP_DigestVerify(verification.get(), octets(*bytes), bytes->size(), octets(body), body.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace assay::probes::update

#include "probes/update/servers/mender_signature.hpp"

#include <memory>
#include <optional>
#include <string>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "probes/images/crypto.hpp"
#include "probes/wire/database_logins.hpp"
#include "probes/wire/mender.hpp"

namespace assay::probes::update {

namespace {

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
  const images::Bio memory{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  const images::Key key{PEM_read_bio_PUBKEY(memory.get(), nullptr, nullptr, nullptr)};
  const images::MdContext verification{EVP_MD_CTX_new()};
  // Ed25519 has its digest inside.
  const auto* digest = key && EVP_PKEY_get_id(key.get()) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  const bool good = key && verification &&
                    EVP_DigestVerifyInit(verification.get(), nullptr, digest, nullptr, key.get()) == 1 &&
                    EVP_DigestVerify(verification.get(), octets(*bytes), bytes->size(), octets(body), body.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace assay::probes::update

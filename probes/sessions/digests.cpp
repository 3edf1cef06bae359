#include "probes/sessions/digests.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "harness/model/freer.hpp"

namespace assay::sessions {

namespace digests {

namespace {

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Freer<&EVP_CIPHER_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<&EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<&EVP_PKEY_CTX_free>>;
using Memory = std::unique_ptr<BIO, Freer<&BIO_free_all>>;

const EVP_MD* library_hash(Hash hash) {
  switch (hash) {
    case Hash::md5:
      return EVP_md5();
    case Hash::sha1:
      return EVP_sha1();
    case Hash::sha224:
      return EVP_sha224();
    case Hash::sha256:
      return EVP_sha256();
    case Hash::sha384:
      return EVP_sha384();
    case Hash::sha512:
      break;
  }
  return EVP_sha512();
}

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string text(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string crypt(const char* name, std::string_view key, std::string_view iv, std::string_view data, int encrypts) {
  const auto* cipher = EVP_get_cipherbyname(name);
  const Cipher context{EVP_CIPHER_CTX_new()};
  const bool fits = cipher != nullptr && context != nullptr &&
                    key.size() == static_cast<std::size_t>(EVP_CIPHER_get_key_length(cipher)) &&
                    iv.size() == static_cast<std::size_t>(EVP_CIPHER_get_iv_length(cipher));
  std::string out(data.size() + EVP_MAX_BLOCK_LENGTH, '\0');
  int size = 0;
  int rest = 0;
  auto* into = reinterpret_cast<unsigned char*>(out.data());
  const bool done = fits && EVP_CipherInit_ex(context.get(), cipher, nullptr, raw(key), raw(iv), encrypts) == 1 &&
                    EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
                    EVP_CipherUpdate(context.get(), into, &size, raw(data), static_cast<int>(data.size())) == 1 &&
                    EVP_CipherFinal_ex(context.get(), into + size, &rest) == 1;
  out.resize(done ? static_cast<std::size_t>(size + rest) : 0);
  return out;
}

}  // namespace

}  // namespace digests

std::string digest(Hash hash, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  const bool done = EVP_Digest(data.data(), data.size(), out.data(), &size, digests::library_hash(hash), nullptr) == 1;
  return done ? digests::text(out.data(), size) : std::string{};
}

std::string hmac(Hash hash, std::string_view key, std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  const auto* done = HMAC(digests::library_hash(hash), key.data(), static_cast<int>(key.size()), digests::raw(data),
                          data.size(), out.data(), &size);
  return done != nullptr ? digests::text(out.data(), size) : std::string{};
}

std::string stretched(Hash hash, std::string_view password, std::string_view salt, std::uint32_t iterations) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  const auto* library = digests::library_hash(hash);
  const int size = EVP_MD_get_size(library);
  const bool done =
      PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), digests::raw(salt),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), library, size, out.data()) == 1;
  return done ? digests::text(out.data(), static_cast<std::size_t>(size)) : std::string{};
}

std::string exclusive_or(std::string_view a, std::string_view b) {
  std::string out;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    out += static_cast<char>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  }
  return out;
}

std::string encrypt(const char* cipher, std::string_view key, std::string_view iv, std::string_view data) {
  return digests::crypt(cipher, key, iv, data, 1);
}

std::string decrypt(const char* cipher, std::string_view key, std::string_view iv, std::string_view data) {
  return digests::crypt(cipher, key, iv, data, 0);
}

std::string encrypt_to(std::string_view public_pem, std::string_view data) {
  constexpr std::size_t kLongestKey = 16 * 1024;
  constexpr int kMostBits = 8192;
  if (public_pem.size() > kLongestKey) {
    return {};
  }
  const digests::Memory memory{BIO_new_mem_buf(public_pem.data(), static_cast<int>(public_pem.size()))};
  const digests::Key key{memory ? PEM_read_bio_PUBKEY(memory.get(), nullptr, nullptr, nullptr) : nullptr};
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key.get()) > kMostBits) {
    return {};
  }
  const digests::KeyContext context{EVP_PKEY_CTX_new(key.get(), nullptr)};
  std::string out(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())), '\0');
  std::size_t size = out.size();
  const bool done = context && EVP_PKEY_encrypt_init(context.get()) == 1 &&
                    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
                    EVP_PKEY_encrypt(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                                     digests::raw(data), data.size()) == 1;
  out.resize(done ? size : 0);
  return out;
}

std::string localised_key(Hash hash, std::string_view password, std::string_view engine) {
  constexpr std::size_t kMegabyte = 1048576;
  if (password.empty()) {
    return {};
  }
  std::string repeated;
  while (repeated.size() < kMegabyte) {
    repeated.append(password.substr(0, kMegabyte - repeated.size()));
  }
  const auto key = digest(hash, repeated);
  return digest(hash, key + std::string{engine} + key);
}

}  // namespace assay::sessions

#include "probes/tls/robot.hpp"

#include <algorithm>
#include <memory>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "probes/sessions/channel.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::tls {

namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using PublicKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

constexpr std::size_t kSecretSize = 48;  // version and 46 bytes (RFC 5246, 7.4.7.1)
constexpr int kFewestKeyBits = 512;
constexpr int kMostKeyBits = 16384;
constexpr char kNoZero = '\x11';

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// Random bytes without a zero among them.
std::string filling(std::size_t count) {
  auto out = sessions::random_bytes(count);
  std::replace(out.begin(), out.end(), '\0', kNoZero);
  return out;
}

}  // namespace

std::string_view padding_name(Padding padding) {
  constexpr std::string_view kNames[] = {"right padding", "wrong first bytes", "zero in the wrong place", "no zero",
                                         "wrong version"};
  return kNames[static_cast<std::size_t>(padding)];
}

std::optional<RsaKey> RsaKey::of_certificate(std::string_view der) {
  const auto* at = octets(der);
  const Certificate certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size())), &X509_free};
  const auto* key = certificate ? X509_get0_pubkey(certificate.get()) : nullptr;
  ERR_clear_error();
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < kFewestKeyBits ||
      EVP_PKEY_get_bits(key) > kMostKeyBits) {
    return std::nullopt;
  }
  RsaKey out;
  unsigned char* bytes = nullptr;
  const int length = i2d_PUBKEY(key, &bytes);
  if (length > 0) {
    out.spki_.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  }
  OPENSSL_free(bytes);
  out.bytes_ = static_cast<std::size_t>(EVP_PKEY_get_size(key));
  return out;
}

std::optional<std::string> RsaKey::encrypt(std::string_view block) const {
  const auto* at = octets(spki_);
  const PublicKey key{d2i_PUBKEY(nullptr, &at, static_cast<long>(spki_.size())), &EVP_PKEY_free};
  const KeyContext context{key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr, &EVP_PKEY_CTX_free};
  std::string out(bytes_, '\0');
  std::size_t size = out.size();
  const bool done = context && EVP_PKEY_encrypt_init(context.get()) == 1 &&
                    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1 &&
                    EVP_PKEY_encrypt(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, octets(block),
                                     block.size()) == 1 &&
                    size == out.size();
  ERR_clear_error();
  return done ? std::optional{out} : std::nullopt;
}

std::string padded_secret(Padding padding, std::size_t size, std::uint16_t version) {
  std::string secret;
  wire::put_u16(secret, padding == Padding::wrong_version ? 0x0202U : version);
  secret += filling(kSecretSize - secret.size());
  std::string block{"\x00\x02", 2};
  block += filling(size - kSecretSize - 3);
  block += '\0';
  block += secret;
  const auto zero = size - kSecretSize - 1;
  switch (padding) {
    case Padding::wrong_start:
      block[0] = 0x41;  // still below any modulus, whose first byte is at least 0x80
      block[1] = 0x17;
      break;
    case Padding::zero_late:
      block[zero] = kNoZero;
      block[size - 2] = '\0';
      break;
    case Padding::no_zero:
      std::replace(block.begin() + static_cast<std::ptrdiff_t>(zero), block.end(), '\0', kNoZero);
      break;
    case Padding::right:
    case Padding::wrong_version:
      break;
  }
  return block;
}

Oracle oracle_of(const std::array<std::string, kPaddings>& answers) {
  const auto differs = [&](std::string_view from) {
    return std::any_of(answers.begin(), answers.end(), [&](const std::string& one) { return one != from; });
  };
  if (!differs(answers[0])) {
    return Oracle::none;
  }
  const auto of = [&](Padding padding) -> const std::string& { return answers[static_cast<std::size_t>(padding)]; };
  const bool wrongs_alike =
      of(Padding::wrong_start) == of(Padding::zero_late) && of(Padding::zero_late) == of(Padding::no_zero);
  return wrongs_alike ? Oracle::weak : Oracle::strong;
}

}  // namespace assay::probes::tls

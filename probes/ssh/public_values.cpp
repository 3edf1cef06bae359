#include "probes/ssh/public_values.hpp"

#include <array>
#include <memory>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "harness/model/freer.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::ssh {

namespace {

constexpr int kSecretBits = 512;  // twice the strength of the largest group in use
constexpr int kLeastBits = 512;
constexpr int kMostBits = 16384;
constexpr std::size_t kSntrup761Key = 1158;

using Number = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

Error broken(std::string what) {
  return Error{ErrorKind::internal, std::move(what), {}};
}

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Number number_of(std::string_view bytes) {
  return Number{BN_bin2bn(raw(bytes), static_cast<int>(bytes.size()), nullptr)};
}

std::string bytes_of(const BIGNUM* number) {
  std::string out(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

/// The prime of Oakley group 2 (RFC 2409) or of RFC 3526 with so many bits; null for other sizes.
Number well_known_prime(std::int64_t bits) {
  switch (bits) {
    case 1024:
      return Number{BN_get_rfc2409_prime_1024(nullptr)};
    case 1536:
      return Number{BN_get_rfc3526_prime_1536(nullptr)};
    case 2048:
      return Number{BN_get_rfc3526_prime_2048(nullptr)};
    case 3072:
      return Number{BN_get_rfc3526_prime_3072(nullptr)};
    case 4096:
      return Number{BN_get_rfc3526_prime_4096(nullptr)};
    case 6144:
      return Number{BN_get_rfc3526_prime_6144(nullptr)};
    case 8192:
      return Number{BN_get_rfc3526_prime_8192(nullptr)};
    default:
      return nullptr;
  }
}

Result<PublicValue> power_in(const BIGNUM* prime, const BIGNUM* generator) {
  const Number secret{BN_new()};
  const Number value{BN_new()};
  const std::unique_ptr<BN_CTX, Freer<BN_CTX_free>> context{BN_CTX_new()};
  if (secret == nullptr || value == nullptr || context == nullptr ||
      BN_rand(secret.get(), std::min(kSecretBits, BN_num_bits(prime) - 1), BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1 ||
      BN_mod_exp(value.get(), generator, secret.get(), prime, context.get()) != 1) {
    return broken("OpenSSL could not make a public value");
  }
  return PublicValue{bytes_of(value.get()), wire::SshValue::number};
}

/// The public half of a fresh key as the protocol writes it: 32 bytes, or an uncompressed point.
Result<PublicValue> curve_value(const char* type, const char* curve) {
  const Key key{curve != nullptr ? EVP_PKEY_Q_keygen(nullptr, nullptr, type, curve)
                                 : EVP_PKEY_Q_keygen(nullptr, nullptr, type)};
  unsigned char* encoded = nullptr;
  const auto size = key != nullptr ? EVP_PKEY_get1_encoded_public_key(key.get(), &encoded) : 0;
  if (size == 0) {
    return broken("OpenSSL could not make a key");
  }
  PublicValue out{std::string(reinterpret_cast<const char*>(encoded), size), wire::SshValue::bytes};
  OPENSSL_free(encoded);
  return out;
}

/// Any bytes are a key of Streamlined NTRU Prime: each decodes to some polynomial, and we never use the secret.
Result<PublicValue> sntrup_value() {
  auto curve = curve_value("X25519", nullptr);
  std::string lattice(kSntrup761Key, '\0');
  if (!curve || RAND_bytes(reinterpret_cast<unsigned char*>(lattice.data()), static_cast<int>(lattice.size())) != 1) {
    return broken("OpenSSL could not make a key");
  }
  return PublicValue{lattice + curve->bytes, wire::SshValue::bytes};
}

}  // namespace

Result<PublicValue> public_value(const Method& method) {
  switch (method.exchange) {
    case Exchange::curve25519:
      return curve_value("X25519", nullptr);
    case Exchange::nistp256:
      return curve_value("EC", "P-256");
    case Exchange::nistp384:
      return curve_value("EC", "P-384");
    case Exchange::nistp521:
      return curve_value("EC", "P-521");
    case Exchange::group: {
      const auto prime = well_known_prime(method.bits);
      const auto two = number_of("\2");
      return prime != nullptr ? power_in(prime.get(), two.get()) : broken("a group without prime");
    }
    case Exchange::sntrup761:
      return sntrup_value();
    case Exchange::group_exchange:
      break;
  }
  return broken("a group exchange has no value before its group");
}

Result<PublicValue> public_value_in(std::string_view prime, std::string_view generator) {
  const auto p = number_of(prime);
  const auto g = number_of(generator);
  const int bits = p != nullptr ? BN_num_bits(p.get()) : 0;
  // BN_mod_exp wants an odd modulus; whether it is prime is the server's matter.
  if (g == nullptr || bits < kLeastBits || bits > kMostBits || BN_is_odd(p.get()) == 0 ||
      BN_cmp(g.get(), p.get()) >= 0 || BN_is_zero(g.get()) != 0) {
    return Error{ErrorKind::protocol, "the server gave a group that is none", {}};
  }
  return power_in(p.get(), g.get());
}

std::string known_prime(std::string_view prime) {
  const auto bits = wire::bit_length(prime);
  const auto known = well_known_prime(bits);
  if (known == nullptr || bytes_of(known.get()) != prime) {
    return {};
  }
  return (bits == 1024 ? "rfc2409-" : "rfc3526-") + std::to_string(bits);
}

std::string fingerprint(std::string_view key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(key.data(), key.size(), digest.data(), &size, EVP_sha256(), nullptr);
  auto text = wire::base64({reinterpret_cast<const char*>(digest.data()), size});
  text.erase(text.find_last_not_of('=') + 1);
  return "SHA256:" + text;
}

}  // namespace assay::probes::ssh

#include "probes/sessions/public_key.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <optional>
#include <vector>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "harness/model/freer.hpp"
#include "probes/sessions/certificate.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/ssh_key.hpp"

namespace assay::sessions {

namespace {

using Number = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using Context = std::unique_ptr<BN_CTX, Freer<BN_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>>;

constexpr int kMostBits = 16384;
constexpr int kMostBitsOfPrime = 4096;  // the test of more takes longer than all the rest
constexpr unsigned kSmallPrimes = 65536;
constexpr int kFermatSteps = 100;
constexpr unsigned kRocaGenerator = 65537;
constexpr unsigned kRocaLargestPrime = 167;  // the 39 primes that the moduli of every length of key have in common

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Number number_of(std::string_view bytes) {
  return Number{BN_bin2bn(raw(bytes), static_cast<int>(bytes.size()), nullptr)};
}

std::string hex_of(const BIGNUM* number) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  return wire::hex(bytes);
}

const std::vector<unsigned>& small_primes() {
  static const auto primes = [] {
    std::vector<bool> composite(kSmallPrimes);
    std::vector<unsigned> out;
    for (unsigned candidate = 2; candidate < kSmallPrimes; ++candidate) {
      if (composite[candidate]) {
        continue;
      }
      out.push_back(candidate);
      for (unsigned multiple = candidate * 2; multiple < kSmallPrimes; multiple += candidate) {
        composite[multiple] = true;
      }
    }
    return out;
  }();
  return primes;
}

unsigned remainder_of(const BIGNUM* number, unsigned divisor) {
  return static_cast<unsigned>(BN_mod_word(number, divisor));
}

/// The smallest prime below 65536 that divides the number and is not the number itself; 0: none.
unsigned small_factor(const BIGNUM* number) {
  for (const auto prime : small_primes()) {
    if (remainder_of(number, prime) == 0 && !BN_is_word(number, prime)) {
      return prime;
    }
  }
  return 0;
}

/// An exponent that is known up to multiples of the order of what it is an exponent of.
struct Exponent {
  unsigned value = 0;
  unsigned order = 1;
};

/// The discrete logarithm of a value to a base, both modulo a small prime; nothing when it is no power of it.
std::optional<Exponent> logarithm(unsigned base, unsigned value, unsigned prime) {
  std::optional<unsigned> found;
  unsigned power = 1;
  unsigned order = 0;
  do {
    if (power == value) {
      found = order;
    }
    power = power * (base % prime) % prime;
    ++order;
  } while (power != 1 && power != 0);
  return found ? std::optional{Exponent{*found, order}} : std::nullopt;
}

/// One integer satisfies both (the Chinese remainder theorem; for many it is enough that each two agree).
bool agree(const Exponent& one, const Exponent& other) {
  const auto common = std::gcd(one.order, other.order);
  return one.value % common == other.value % common;
}

/// The primes of CVE-2017-15361 are k * M + (65537^a mod M), M a product of small primes: a modulus of two of them is a
/// power of 65537 for each of these, and the exponent is the same for all. Of other moduli one in 2^27 is a power for
/// each prime by itself, one in 2^154 with the same exponent (65537 has the order 2^61 among the 2^216 units of M).
bool has_roca_form(const BIGNUM* modulus) {
  std::vector<Exponent> exponents;
  for (const auto prime : small_primes()) {
    if (prime > kRocaLargestPrime) {
      return true;
    }
    const auto next = logarithm(kRocaGenerator, remainder_of(modulus, prime), prime);
    const auto agrees = [&](const Exponent& one) { return agree(one, *next); };
    if (!next || !std::all_of(exponents.begin(), exponents.end(), agrees)) {
      return false;
    }
    exponents.push_back(*next);
  }
  return false;
}

/// The largest integer whose square is not above the number, by Newton's method from above.
Number square_root(const BIGNUM* number, BN_CTX* context) {
  Number root{BN_new()};
  const Number quotient{BN_new()};
  BN_set_bit(root.get(), (BN_num_bits(number) + 1) / 2);
  while (BN_div(quotient.get(), nullptr, number, root.get(), context) == 1 && BN_cmp(quotient.get(), root.get()) < 0) {
    BN_add(root.get(), root.get(), quotient.get());
    BN_rshift1(root.get(), root.get());
  }
  return root;
}

bool is_square(const BIGNUM* number, BN_CTX* context) {
  // 12 of 64 remainders are squares modulo 64, 16 of 63 modulo 63: most numbers need no root.
  static constexpr std::array<unsigned, 2> kModuli{64, 63};
  for (const auto modulus : kModuli) {
    const auto remainder = remainder_of(number, modulus);
    bool possible = false;
    for (unsigned root = 0; root < modulus && !possible; ++root) {
      possible = root * root % modulus == remainder;
    }
    if (!possible) {
      return false;
    }
  }
  const auto root = square_root(number, context);
  const Number square{BN_new()};
  return BN_sqr(square.get(), root.get(), context) == 1 && BN_cmp(square.get(), number) == 0;
}

/// Fermat: n = a^2 - b^2 with a just above the root of n, where the two primes are close to each other.
bool has_close_primes(const BIGNUM* modulus, BN_CTX* context) {
  auto a = square_root(modulus, context);
  const Number rest{BN_new()};
  for (int step = 0; step < kFermatSteps; ++step) {
    BN_sqr(rest.get(), a.get(), context);
    BN_sub(rest.get(), rest.get(), modulus);
    if (!BN_is_negative(rest.get()) && is_square(rest.get(), context)) {
      return true;
    }
    BN_add_word(a.get(), 1);
  }
  return false;
}

/// Fermat's test to the base 2: hardly a composite number passes it, and it costs one exponentiation whatever was sent.
bool looks_prime(const BIGNUM* odd, BN_CTX* context) {
  const Number base{BN_new()};
  const Number exponent{BN_dup(odd)};
  const Number result{BN_new()};
  return BN_set_word(base.get(), 2) == 1 && BN_sub_word(exponent.get(), 1) == 1 &&
         BN_mod_exp(result.get(), base.get(), exponent.get(), odd, context) == 1 && BN_is_one(result.get());
}

json::object flaw(std::string_view name, std::string why) {
  return {{"name", name}, {"why", std::move(why)}};
}

/// Flaws of the modulus, the plainest alone: what makes the rest meaningless comes first.
std::optional<json::object> modulus_flaw(const BIGNUM* modulus, BN_CTX* context) {
  if (const auto factor = small_factor(modulus); factor != 0) {
    return flaw("rsa_small_factor", std::to_string(factor) + " divides the modulus");
  }
  if (BN_num_bits(modulus) <= kMostBitsOfPrime && looks_prime(modulus, context)) {
    return flaw("rsa_prime_modulus", "the modulus is a prime, and no product of two");
  }
  if (has_close_primes(modulus, context)) {
    return flaw("rsa_close_primes", "the two primes are so close that Fermat's method finds them (CVE-2022-26320)");
  }
  if (has_roca_form(modulus)) {
    return flaw("roca", "the modulus has the form that keys of a faulty library have (CVE-2017-15361, ROCA)");
  }
  return std::nullopt;
}

void note_rsa(const BIGNUM* modulus, const BIGNUM* exponent, json::object& facts) {
  facts["modulus"] = hex_of(modulus);
  facts["exponent"] = hex_of(exponent);
  const Context context{BN_CTX_new()};
  json::array flaws;
  if (BN_is_one(exponent) || !BN_is_odd(exponent)) {
    flaws.push_back(flaw("rsa_exponent", BN_is_one(exponent) ? "the exponent is 1" : "the exponent is even"));
  }
  if (auto one = modulus_flaw(modulus, context.get())) {
    flaws.push_back(std::move(*one));
  }
  if (!flaws.empty()) {
    facts["key_flaws"] = std::move(flaws);
  }
}

std::string spki_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = key == nullptr ? 0 : i2d_PUBKEY(key, &der);
  std::string out;
  if (length > 0) {
    out.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  }
  OPENSSL_free(der);
  return out;
}

Key key_of(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters{OSSL_PARAM_BLD_to_param(builder)};
  const KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* key = nullptr;
  if (parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1) {
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
  }
  return Key{key};
}

struct Component {
  const char* name;
  std::string_view bytes;
};

Key key_of_numbers(const char* type, const std::vector<Component>& components) {
  const Builder builder{OSSL_PARAM_BLD_new()};
  std::vector<Number> numbers;  // the builder keeps pointers
  for (const auto& component : components) {
    numbers.push_back(number_of(component.bytes));
    if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), component.name, numbers.back().get()) != 1) {
      return nullptr;
    }
  }
  return key_of(type, builder.get());
}

Key key_on_curve(const char* curve, std::string_view point) {
  const Builder builder{OSSL_PARAM_BLD_new()};
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
    return nullptr;
  }
  return key_of("EC", builder.get());
}

const char* curve_of(std::string_view name) {
  return name == "nistp256" ? "P-256" : name == "nistp384" ? "P-384" : name == "nistp521" ? "P-521" : nullptr;
}

/// Positive, short enough, and so no burden.
bool fits(std::string_view number) {
  return !number.empty() && number.size() <= static_cast<std::size_t>(kMostBits / 8 + 1);
}

Key ssh_key(std::string_view blob) {
  const auto parsed = wire::parse_ssh_key(blob);
  const auto& fields = parsed.fields;
  if (parsed.certificate || !std::all_of(fields.begin(), fields.end(), &fits)) {
    return nullptr;
  }
  if (parsed.kind == "rsa" && fields.size() == 2) {
    return key_of_numbers("RSA", {{OSSL_PKEY_PARAM_RSA_E, fields[0]}, {OSSL_PKEY_PARAM_RSA_N, fields[1]}});
  }
  if (parsed.kind == "ecdsa" && fields.size() == 2) {
    const char* curve = curve_of(fields[0]);
    return curve == nullptr ? nullptr : key_on_curve(curve, fields[1]);
  }
  if ((parsed.kind == "ed25519" || parsed.kind == "ed448") && fields.size() == 1) {
    const int kind = parsed.kind == "ed25519" ? EVP_PKEY_ED25519 : EVP_PKEY_ED448;
    return Key{EVP_PKEY_new_raw_public_key(kind, nullptr, raw(fields[0]), fields[0].size())};
  }
  if (parsed.kind != "dsa" || fields.size() != 4) {
    return nullptr;
  }
  return key_of_numbers("DSA", {{OSSL_PKEY_PARAM_FFC_P, fields[0]},
                                {OSSL_PKEY_PARAM_FFC_Q, fields[1]},
                                {OSSL_PKEY_PARAM_FFC_G, fields[2]},
                                {OSSL_PKEY_PARAM_PUB_KEY, fields[3]}});
}

}  // namespace

json::object public_key_facts(std::string_view spki) {
  json::object out;
  const auto* at = raw(spki);
  const Key key{d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size()))};
  if (key) {
    out["key_sha256"] = sha256_hex(spki);
    BIGNUM* modulus = nullptr;
    BIGNUM* exponent = nullptr;
    EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_N, &modulus);
    EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_E, &exponent);
    const Number n{modulus};
    const Number e{exponent};
    if (n && e && BN_num_bits(n.get()) <= kMostBits && BN_num_bits(e.get()) <= kMostBits && !BN_is_zero(n.get())) {
      note_rsa(n.get(), e.get(), out);
    }
  }
  ERR_clear_error();
  return out;
}

json::object public_key_facts(std::string_view spki, JudgedKeys& judged) {
  const auto digest = sha256_hex(spki);
  auto found = judged.find(digest);
  if (found == judged.end()) {
    found = judged.emplace(digest, public_key_facts(spki)).first;
  }
  return found->second;
}

std::string spki_of_ssh_key(std::string_view blob) {
  const auto key = ssh_key(blob);
  auto out = spki_of(key.get());
  ERR_clear_error();
  return out;
}

json::value known_key_facts(const KnownKeys& keys, std::string_view form, std::string_view digest) {
  const auto* known = keys.find(form, digest);
  if (known == nullptr) {
    return nullptr;
  }
  return json::object{{"where", known->where}, {"source", known->source}, {"confidence", known->confidence}};
}

}  // namespace assay::sessions

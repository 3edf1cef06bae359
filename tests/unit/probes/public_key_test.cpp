#include "probes/sessions/public_key.hpp"

#include <memory>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "probes/sessions/certificate.hpp"
#include "probes/wire/bytes.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace assay;

using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

Number word(unsigned value) {
  Number out{BN_new(), &BN_free};
  BN_set_word(out.get(), value);
  return out;
}

Number prime(int bits) {
  Number out{BN_new(), &BN_free};
  BN_generate_prime_ex(out.get(), bits, 0, nullptr, nullptr, nullptr);
  return out;
}

Number product(const Number& one, const Number& other) {
  const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context{BN_CTX_new(), &BN_CTX_free};
  Number out{BN_new(), &BN_free};
  BN_mul(out.get(), one.get(), other.get(), context.get());
  return out;
}

std::string spki(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

std::string rsa(const Number& modulus, const Number& exponent) {
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder{OSSL_PARAM_BLD_new(),
                                                                                &OSSL_PARAM_BLD_free};
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder.get());
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context);
  EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters);
  auto out = key == nullptr ? std::string{} : spki(key);
  EVP_PKEY_free(key);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  return out;
}

/// Names of the flaws, joined.
std::string flaws(const Number& modulus, unsigned exponent = 65537) {
  const auto facts = sessions::public_key_facts(rsa(modulus, word(exponent)));
  REQUIRE(facts.contains("modulus"));
  std::string out;
  if (const auto* list = facts.if_contains("key_flaws")) {
    for (const auto& one : list->as_array()) {
      out += (out.empty() ? "" : " ") + std::string{one.at("name").as_string()};
    }
  }
  return out;
}

/// A prime as the faulty library makes it: k * M + (65537^a mod M), M the product of the first primes.
Number roca_prime(int primes, int bits) {
  const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context{BN_CTX_new(), &BN_CTX_free};
  auto m = word(1);
  int taken = 0;
  for (unsigned candidate = 2; taken < primes; ++candidate) {
    bool composite = false;
    for (unsigned divisor = 2; divisor * divisor <= candidate; ++divisor) {
      composite = composite || candidate % divisor == 0;
    }
    if (!composite) {
      BN_mul_word(m.get(), candidate);
      ++taken;
    }
  }
  const auto generator = word(65537);
  Number exponent{BN_new(), &BN_free};
  Number out{BN_new(), &BN_free};
  Number k{BN_new(), &BN_free};
  do {
    BN_rand(exponent.get(), 62, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
    BN_mod_exp(out.get(), generator.get(), exponent.get(), m.get(), context.get());
    BN_rand(k.get(), bits - BN_num_bits(m.get()), BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY);
    BN_mul(k.get(), k.get(), m.get(), context.get());
    BN_add(out.get(), out.get(), k.get());
  } while (BN_check_prime(out.get(), context.get(), nullptr) != 1);
  return out;
}

}  // namespace

TEST_CASE("public key: sound keys have no flaw, whatever their kind") {
  for (int round = 0; round < 4; ++round) {
    CHECK(flaws(product(prime(512), prime(512))) == "");
  }
  CHECK(flaws(product(prime(1024), prime(1024))) == "");
  EVP_PKEY* curve = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  const auto facts = sessions::public_key_facts(spki(curve));
  CHECK(facts.at("key_sha256").as_string() == sessions::sha256_hex(spki(curve)));
  CHECK(facts.size() == 1);
  EVP_PKEY_free(curve);
}

TEST_CASE("public key: an RSA exponent of 1 or an even one is a flaw, 3 is none") {
  const auto modulus = product(prime(512), prime(512));
  CHECK(flaws(modulus, 3) == "");
  CHECK(flaws(modulus, 1) == "rsa_exponent");
  CHECK(flaws(modulus, 65536) == "rsa_exponent");
}

TEST_CASE("public key: a modulus with a small factor, one that is a prime and one of close primes are told apart") {
  CHECK(flaws(product(word(65521), prime(1008))) == "rsa_small_factor");
  CHECK(flaws(product(word(2), prime(1023))) == "rsa_small_factor");
  CHECK(flaws(prime(1024)) == "rsa_prime_modulus");
  auto one = prime(512);
  CHECK(flaws(product(one, one)) == "rsa_close_primes");
  auto next = Number{BN_dup(one.get()), &BN_free};
  const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context{BN_CTX_new(), &BN_CTX_free};
  do {
    BN_add_word(next.get(), 2);
  } while (BN_check_prime(next.get(), context.get(), nullptr) != 1);
  CHECK(flaws(product(one, next)) == "rsa_close_primes");
  CHECK(flaws(product(word(65537), prime(1008))) == "");  // the smallest prime that is not tried
}

TEST_CASE("public key: keys made as the faulty library of CVE-2017-15361 makes them are known, of every length") {
  CHECK(flaws(product(roca_prime(39, 256), roca_prime(39, 256))) == "roca");
  CHECK(flaws(product(roca_prime(71, 512), roca_prime(71, 512))) == "roca");
  CHECK(flaws(product(roca_prime(126, 1024), roca_prime(126, 1024))) == "roca");
  CHECK(flaws(product(roca_prime(39, 512), prime(512))) == "");
}

TEST_CASE("public key: powers of 65537 modulo each prime are no sign of that library unless the exponent is one") {
  // Of 1 modulo all of the 39 primes but 5, where it is 65537: the exponents of 5 and of 11 have no integer in common.
  constexpr unsigned kLargest = 167;
  auto residue = word(0);
  auto m = word(1);
  for (unsigned prime = 2; prime <= kLargest; ++prime) {
    if (BN_check_prime(word(prime).get(), nullptr, nullptr) == 1) {
      while (BN_mod_word(residue.get(), prime) != (prime == 5 ? 65537 % 5 : 1)) {
        BN_add(residue.get(), residue.get(), m.get());
      }
      BN_mul_word(m.get(), prime);
    }
  }
  Number modulus{BN_new(), &BN_free};
  std::string found;
  do {
    Number k{BN_new(), &BN_free};
    BN_rand(k.get(), 1024 - BN_num_bits(m.get()), BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY);
    modulus = product(k, m);
    BN_add(modulus.get(), modulus.get(), residue.get());
    found = flaws(modulus);
  } while (found == "rsa_small_factor");
  CHECK(found == "");
}

TEST_CASE("public key: a key that was judged before is not judged again, and the facts are the same") {
  const auto key = rsa(prime(1024), word(65537));
  sessions::JudgedKeys judged;
  const auto first = sessions::public_key_facts(key, judged);
  CHECK(first == sessions::public_key_facts(key));
  REQUIRE(judged.size() == 1);
  judged.begin()->second["seen"] = true;
  CHECK(sessions::public_key_facts(key, judged).contains("seen"));
  CHECK_FALSE(sessions::public_key_facts(rsa(prime(1024), word(65537)), judged).contains("seen"));
  CHECK(judged.size() == 2);
}

TEST_CASE("public key: a key is known by the same digest whether X.509 or SSH shows it") {
  const auto field = [](std::string_view bytes) {
    std::string out;
    wire::put_u32(out, static_cast<std::uint32_t>(bytes.size()));
    return out + std::string{bytes};
  };
  EVP_PKEY* edwards = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  const auto whole = spki(edwards);
  EVP_PKEY_free(edwards);
  CHECK(sessions::spki_of_ssh_key(field("ssh-ed25519") + field(whole.substr(whole.size() - 32))) == whole);

  EVP_PKEY* curve = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384");
  const auto of_curve = spki(curve);
  EVP_PKEY_free(curve);
  CHECK(sessions::spki_of_ssh_key(field("ecdsa-sha2-nistp384") + field("nistp384") +
                                  field(of_curve.substr(of_curve.size() - 97))) == of_curve);

  const auto modulus = product(prime(512), prime(512));
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(modulus.get())), '\0');
  BN_bn2bin(modulus.get(), reinterpret_cast<unsigned char*>(bytes.data()));
  const std::string exponent("\x01\x00\x01", 3);
  CHECK(sessions::spki_of_ssh_key(field("ssh-rsa") + field(exponent) + field(std::string(1, '\0') + bytes)) ==
        rsa(modulus, word(65537)));
}

TEST_CASE("public key: bytes that are no key make no facts and no key") {
  CHECK(sessions::public_key_facts("").empty());
  CHECK(sessions::public_key_facts("\x30\x03\x02\x01\x05").empty());
  for (const auto& blob : {std::string{}, std::string("\0\0\0\x07ssh-rsa", 11), std::string(64, '\xff')}) {
    CHECK(sessions::spki_of_ssh_key(blob) == "");
  }
  // A point that is on no curve.
  std::string wrong{
      "\0\0\0\x13"
      "ecdsa-sha2-nistp256\0\0\0\x08nistp256\0\0\0\x41",
      39};
  wrong += '\x04' + std::string(64, '\x01');
  CHECK(sessions::spki_of_ssh_key(wrong) == "");
}

TEST_CASE("public key: the entry of a known key is told by where, source and confidence") {
  KnownKeys keys;
  keys.add("spki", {"0123456789abcdef"}, {"server.key", "a package", "computed", "RSA 2048"});
  CHECK(sessions::known_key_facts(keys, "spki", "0123456789abcdef00") ==
        json::value{{"where", "server.key"}, {"source", "a package"}, {"confidence", "computed"}});
  CHECK(sessions::known_key_facts(keys, "ssh", "0123456789abcdef00").is_null());
}

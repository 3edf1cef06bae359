#include "probes/tls/dh.hpp"

#include <memory>
#include <string>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "probes/sessions/certificate.hpp"

namespace assay::probes::tls {

namespace {

using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using Context = std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)>;

constexpr int kMostBits = 16384;

Number number_of(std::string_view bytes) {
  return {BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr),
          &BN_free};
}

Number ffdhe_prime(const char* name) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context{
      EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr), &EVP_PKEY_CTX_free};
  std::string group{name};
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
                             OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  BIGNUM* prime = nullptr;
  if (context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEY_PARAMETERS, parameters) == 1) {
    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_FFC_P, &prime);
  }
  EVP_PKEY_free(key);
  return {prime, &BN_free};
}

std::string known_group(const BIGNUM* p) {
  struct Modp {
    const char* name;
    BIGNUM* (*make)(BIGNUM*);
  };

  constexpr Modp kModp[] = {{"modp768", &BN_get_rfc2409_prime_768},   {"modp1024", &BN_get_rfc2409_prime_1024},
                            {"modp1536", &BN_get_rfc3526_prime_1536}, {"modp2048", &BN_get_rfc3526_prime_2048},
                            {"modp3072", &BN_get_rfc3526_prime_3072}, {"modp4096", &BN_get_rfc3526_prime_4096},
                            {"modp6144", &BN_get_rfc3526_prime_6144}, {"modp8192", &BN_get_rfc3526_prime_8192}};
  for (const auto& one : kModp) {
    const Number prime{one.make(nullptr), &BN_free};
    if (prime && BN_cmp(prime.get(), p) == 0) {
      return one.name;
    }
  }
  for (const char* name : {"ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"}) {
    const auto prime = ffdhe_prime(name);
    if (prime && BN_cmp(prime.get(), p) == 0) {
      return name;
    }
  }
  return {};
}

}  // namespace

json::object dh_facts(std::string_view p, std::string_view g) {
  json::object out;
  const auto modulus = number_of(p);
  const auto generator = number_of(g);
  if (!modulus || !generator) {
    return out;
  }
  const int bits = BN_num_bits(modulus.get());
  out["bits"] = bits;
  out["generator"] = BN_num_bits(generator.get()) <= 32 ? std::to_string(BN_get_word(generator.get())) : "large";
  out["sha256"] = sessions::sha256_hex(p);
  const auto known = known_group(modulus.get());
  out["known"] = known;
  if (!known.empty()) {
    out["prime"] = true;
    out["safe_prime"] = true;
  } else if (bits <= kMostBits && bits > 1) {
    const Context context{BN_CTX_new(), &BN_CTX_free};
    const bool prime = BN_check_prime(modulus.get(), context.get(), nullptr) == 1;
    const Number half{BN_dup(modulus.get()), &BN_free};
    const bool safe = prime && half && BN_rshift1(half.get(), half.get()) == 1 &&
                      BN_check_prime(half.get(), context.get(), nullptr) == 1;
    out["prime"] = prime;
    out["safe_prime"] = safe;
  }
  ERR_clear_error();
  return out;
}

}  // namespace assay::probes::tls

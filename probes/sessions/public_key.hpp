#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "harness/model/json.hpp"
#include "harness/model/known_key.hpp"

/// What a public key alone tells: what it is known by, and whether its private half can be computed from it.
namespace assay::sessions {

/// Of a SubjectPublicKeyInfo (DER, RFC 5280, 4.1): {key_sha256}, of an RSA key {modulus, exponent} too, both in
/// lower-case hex, and {key_flaws: [{name, why}]} where there are any. Empty when the bytes are no such key.
///
/// Flaws of RSA keys, none of which a sound generator makes: `rsa_exponent` (1 or even), `rsa_small_factor` (a prime
/// below 65536 divides the modulus), `rsa_prime_modulus`, `rsa_close_primes` (Fermat's method finds the factors in 100
/// steps, CVE-2022-26320), `roca` (the modulus has the form of CVE-2017-15361: Nemec and others, "The Return of
/// Coppersmith's Attack", 2017). Takes a few milliseconds for 2048 bits; one of more than 16384 is not looked at.
json::object public_key_facts(std::string_view spki);

/// What was found of keys before, by the digest of their SubjectPublicKeyInfo: one that many certificates have, as that
/// of an issuer, is judged once.
using JudgedKeys = std::map<std::string, json::object, std::less<>>;

json::object public_key_facts(std::string_view spki, JudgedKeys& judged);

/// The SubjectPublicKeyInfo of a public key as SSH sends it (RFC 4253, 6.6; RFC 5656; RFC 8709), so that both are known
/// by the same digest. Empty for a certificate of OpenSSH, for other kinds, and when the bytes are no key.
std::string spki_of_ssh_key(std::string_view blob);

/// {where, source, confidence} of the list that has the key, or null.
json::value known_key_facts(const KnownKeys& keys, std::string_view form, std::string_view digest);

}  // namespace assay::sessions

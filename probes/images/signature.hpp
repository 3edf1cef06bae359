#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "harness/model/json.hpp"
#include "harness/model/result.hpp"
#include "probes/images/byte_source.hpp"
#include "probes/images/crypto.hpp"
#include "probes/images/mutation.hpp"
#include "probes/images/signer.hpp"

/// Signatures that several formats use: CMS (RFC 5652) and plain ones over a digest.
namespace assay::images {

/// Reads DER; null when it is no CMS signed data. Nothing of more than 1 MiB is looked at.
Cms read_cms(std::string_view der);

/// The certificate of the first signer that the message carries, or null.
const X509* signer_of(CMS_ContentInfo* cms);

/// {present, scheme: "cms", digest, key, key_bits, signer, issuer, not_after, embedded} of the first signer;
/// `embedded`: the content is within.
json::object cms_facts(CMS_ContentInfo* cms);

/// Signs `content` (streamed) in DER. `attached`: the content is within. The digest is SHA-256.
Result<std::string> cms_sign(const Source& content, const Signer& signer, bool attached);

/// The content that the message itself holds.
std::string cms_content(CMS_ContentInfo* cms);

/// A public key or certificates in PEM.
struct Trusted {
  Key key;                  // always there when it was read
  Certificate certificate;  // or null
};

/// `bad_input` when the text holds neither a public key nor a certificate.
Result<Trusted> read_trusted(std::string_view pem);

/// Empty: the signature is right under that key or certificate; else in one sentence why not. `content` is null for a
/// message that holds its own. Dates are left aside.
std::string cms_refusal(CMS_ContentInfo* cms, const Source& content, const Trusted& trusted);

/// How a plain signature is made.
enum class Plain : std::uint8_t { rsa_pkcs1, rsa_pss, ecdsa_der, ecdsa_raw, eddsa };
BOOST_DESCRIBE_ENUM(Plain, rsa_pkcs1, rsa_pss, ecdsa_der, ecdsa_raw, eddsa)

/// Signs `content` (streamed; for eddsa, which knows no digest, at most 8 MiB). `digest` as OpenSSL knows it.
/// `unsupported` when the key is of another kind.
Result<std::string> plain_sign(const ByteSource& content, EVP_PKEY* key, Plain how,
                               const std::string& digest = "SHA256");

bool plain_verifies(const ByteSource& content, std::string_view signature, EVP_PKEY* key, Plain how,
                    const std::string& digest = "SHA256");

/// {key, key_bits}: "rsa" 2048, "ec" 256 …
void add_key_facts(EVP_PKEY* key, json::object& facts);

/// The kind of key that `Signer::make` wants for a signer that can take the place of this one.
std::string signer_kind(const EVP_PKEY* key);

/// Who signs a mutation: what the maker lent, or the run's own key; without one a key of `kind` whose certificate reads
/// like `like`. `unsupported` when the maker lent none.
Result<std::shared_ptr<const Signer>> signer_for(const MutationSpec& spec, const Materials& materials,
                                                 std::string_view kind, const X509* like);

/// "by another key", "by an expired signer" or "by a revoked signer".
std::string signed_words(const MutationSpec& spec);

/// A short text as a source.
Source text_source(std::string text);

}  // namespace assay::images

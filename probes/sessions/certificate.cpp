#include "probes/sessions/certificate.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "probes/sessions/public_key.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::sessions {

namespace {

using X509Handle = std::unique_ptr<X509, decltype(&X509_free)>;
using BioHandle = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

std::string name_text(const X509_NAME* name) {
  const BioHandle out{BIO_new(BIO_s_mem()), &BIO_free_all};
  if (!out || name == nullptr || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) {
    return {};
  }
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &data);
  return wire::printable({data, static_cast<std::size_t>(size)}, 512);
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    return {};
  }
  std::array<char, 32> text{};
  const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

std::string key_text(X509* certificate) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) {
    return "unknown";
  }
  const char* type = EVP_PKEY_get0_type_name(key);
  std::array<char, 64> group{};
  std::size_t size = 0;
  const bool curve = EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 && size < group.size();
  const auto bits = std::to_string(EVP_PKEY_get_bits(key));
  return wire::printable(
      std::string{type == nullptr ? "unknown" : type} + " " + (curve ? std::string{group.data(), size} : bits), 96);
}

X509Handle parsed(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  return {d2i_X509(nullptr, &at, static_cast<long>(der.size())), &X509_free};
}

std::string object_text(const ASN1_OBJECT* object) {
  std::array<char, 128> text{};
  if (object == nullptr || OBJ_obj2txt(text.data(), text.size(), object, 0) <= 0) {
    return {};
  }
  return wire::printable(text.data(), 96);
}

void note_key(X509* certificate, JudgedKeys& judged, json::object& facts) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  facts["public_key"] = key_text(certificate);
  if (key != nullptr) {
    const char* type = EVP_PKEY_get0_type_name(key);
    std::array<char, 64> group{};
    std::size_t size = 0;
    facts["key_type"] = wire::printable(type == nullptr ? "unknown" : type, 64);
    facts["key_bits"] = EVP_PKEY_get_bits(key);
    if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 && size < group.size()) {
      facts["key_group"] = wire::printable({group.data(), size}, 64);
    }
  }
  unsigned char* spki = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
  if (length > 0) {
    for (auto& [name, value] :
         public_key_facts({reinterpret_cast<const char*>(spki), static_cast<std::size_t>(length)}, judged)) {
      facts[name] = std::move(value);
    }
  }
  OPENSSL_free(spki);
}

std::string address_text(std::string_view bytes) {
  std::string out;
  for (std::size_t index = 0; index < bytes.size(); ++index) {
    const auto number = static_cast<unsigned char>(bytes[index]);
    if (bytes.size() == 4) {
      out += (index == 0 ? "" : ".") + std::to_string(number);
    } else {
      out += (index != 0 && index % 2 == 0 ? ":" : "") + wire::hex(bytes.substr(index, 1));
    }
  }
  return out;
}

/// DNS names and addresses of subjectAltName, at most 64.
json::array alternative_names(X509* certificate) {
  constexpr int kMost = 64;
  json::array out;
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int index = 0; index < std::min(sk_GENERAL_NAME_num(names), kMost); ++index) {
    int type = 0;
    const auto* value =
        static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, index), &type));
    if (type != GEN_DNS && type != GEN_IPADD) {
      continue;
    }
    const std::string_view bytes{reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                 static_cast<std::size_t>(ASN1_STRING_length(value))};
    out.emplace_back(type == GEN_DNS ? wire::printable(bytes, 256) : address_text(bytes));
  }
  GENERAL_NAMES_free(names);
  return out;
}

json::array usages(X509* certificate) {
  constexpr std::pair<std::uint32_t, std::string_view> kUsages[] = {{KU_DIGITAL_SIGNATURE, "digital_signature"},
                                                                    {KU_NON_REPUDIATION, "non_repudiation"},
                                                                    {KU_KEY_ENCIPHERMENT, "key_encipherment"},
                                                                    {KU_DATA_ENCIPHERMENT, "data_encipherment"},
                                                                    {KU_KEY_AGREEMENT, "key_agreement"},
                                                                    {KU_KEY_CERT_SIGN, "key_cert_sign"},
                                                                    {KU_CRL_SIGN, "crl_sign"}};
  json::array out;
  const auto bits = X509_get_key_usage(certificate);
  if (bits == UINT32_MAX) {  // the extension is not there
    return out;
  }
  for (const auto& [bit, name] : kUsages) {
    if ((bits & bit) != 0) {
      out.emplace_back(name);
    }
  }
  return out;
}

json::array extended_usages(X509* certificate) {
  json::array out;
  auto* list = static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr));
  constexpr int kMost = 16;
  for (int index = 0; index < std::min(sk_ASN1_OBJECT_num(list), kMost); ++index) {
    out.emplace_back(object_text(sk_ASN1_OBJECT_value(list, index)));
  }
  EXTENDED_KEY_USAGE_free(list);
  return out;
}

std::string serial_text(X509* certificate) {
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number{
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr), &BN_free};
  char* text = number ? BN_bn2hex(number.get()) : nullptr;
  std::string out = text == nullptr ? "" : wire::lower(std::string_view{text}.substr(0, 64));
  OPENSSL_free(text);
  return out;
}

bool has_extension(X509* certificate, int nid) {
  return X509_get_ext_by_NID(certificate, nid, -1) >= 0;
}

void note_validity(X509* certificate, json::object& facts) {
  const auto* from = X509_get0_notBefore(certificate);
  const auto* until = X509_get0_notAfter(certificate);
  facts["not_before"] = time_text(from);
  facts["not_after"] = time_text(until);
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, from, until) == 1) {
    facts["valid_days"] = days;
  }
}

bool is_self_signed(X509* certificate) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  const bool same_name = X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
  return same_name && key != nullptr && X509_verify(certificate, key) == 1;
}

/// What OpenSSL leaves in its queue of errors belongs to nobody.
struct ClearErrors {
  ~ClearErrors() { ERR_clear_error(); }
};

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    return {};
  }
  return wire::hex({reinterpret_cast<const char*>(digest.data()), size});
}

std::string distinguished_name(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<X509_NAME, decltype(&X509_NAME_free)> name{
      d2i_X509_NAME(nullptr, &at, static_cast<long>(der.size())), &X509_NAME_free};
  ERR_clear_error();
  return name_text(name.get());
}

Result<json::object> certificate_facts(std::string_view der) {
  JudgedKeys none;
  return certificate_facts(der, none);
}

Result<json::object> certificate_facts(std::string_view der, JudgedKeys& judged) {
  const ClearErrors clear;
  const auto certificate = parsed(der);
  if (!certificate) {
    return Error{ErrorKind::protocol, "the device sent bytes that are no X.509 certificate", {}};
  }
  X509* raw = certificate.get();
  json::object facts;
  facts["subject"] = name_text(X509_get_subject_name(raw));
  facts["issuer"] = name_text(X509_get_issuer_name(raw));
  facts["serial"] = serial_text(raw);
  facts["version"] = X509_get_version(raw) + 1;
  note_validity(raw, facts);
  note_key(raw, judged, facts);
  const char* signature = OBJ_nid2ln(X509_get_signature_nid(raw));
  facts["signature"] = signature == nullptr ? "unknown" : signature;
  facts["names"] = alternative_names(raw);
  facts["ca"] = X509_check_ca(raw) == 1;
  facts["key_usage"] = usages(raw);
  facts["extended_key_usage"] = extended_usages(raw);
  facts["transparency"] = has_extension(raw, NID_ct_precert_scts);
  json::array revocation;
  if (const std::unique_ptr<STACK_OF(OPENSSL_STRING), decltype(&X509_email_free)> urls{X509_get1_ocsp(raw),
                                                                                       &X509_email_free};
      urls && sk_OPENSSL_STRING_num(urls.get()) > 0) {
    revocation.emplace_back("ocsp");
  }
  if (has_extension(raw, NID_crl_distribution_points)) {
    revocation.emplace_back("crl");
  }
  facts["revocation"] = std::move(revocation);
  facts["self_signed"] = is_self_signed(raw);
  facts["sha256"] = sha256_hex(der);
  return facts;
}

json::array chain_facts(const std::vector<std::string>& chain_der, JudgedKeys& judged) {
  const ClearErrors clear;
  json::array out;
  for (std::size_t index = 0; index < chain_der.size(); ++index) {
    auto facts = certificate_facts(chain_der[index], judged);
    if (!facts) {
      out.emplace_back(json::object{{"error", facts.error().what}});
      continue;
    }
    const auto certificate = parsed(chain_der[index]);
    const auto next = index + 1 < chain_der.size() ? parsed(chain_der[index + 1]) : X509Handle{nullptr, &X509_free};
    EVP_PKEY* key = next ? X509_get0_pubkey(next.get()) : nullptr;
    const bool issued =
        next ? key != nullptr &&
                   X509_NAME_cmp(X509_get_issuer_name(certificate.get()), X509_get_subject_name(next.get())) == 0 &&
                   X509_verify(certificate.get(), key) == 1
             : is_self_signed(certificate.get());
    (*facts)["issued_by_next"] = issued;
    out.emplace_back(std::move(*facts));
  }
  return out;
}

}  // namespace assay::sessions

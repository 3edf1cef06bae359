#include "probes/services/certificate.hpp"

#include <array>
#include <cstdio>
#include <memory>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "probes/wire/bytes.hpp"

namespace assay::probes::services {

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

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    return {};
  }
  return wire::hex({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace

Result<json::object> certificate_facts(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const X509Handle certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size())), &X509_free};
  if (!certificate) {
    return Error{ErrorKind::protocol, "the device sent bytes that are no X.509 certificate", {}};
  }
  X509* raw = certificate.get();
  EVP_PKEY* key = X509_get0_pubkey(raw);
  const bool same_name = X509_NAME_cmp(X509_get_subject_name(raw), X509_get_issuer_name(raw)) == 0;
  const bool self_signed = same_name && key != nullptr && X509_verify(raw, key) == 1;
  json::object facts;
  facts["subject"] = name_text(X509_get_subject_name(raw));
  facts["issuer"] = name_text(X509_get_issuer_name(raw));
  facts["not_before"] = time_text(X509_get0_notBefore(raw));
  facts["not_after"] = time_text(X509_get0_notAfter(raw));
  facts["public_key"] = key_text(raw);
  facts["self_signed"] = self_signed;
  facts["sha256"] = sha256_hex(der);
  return facts;
}

}  // namespace assay::probes::services

#include "probes/sessions/transparency.hpp"

#include <memory>
#include <string>

#include <openssl/ct.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "probes/wire/bytes.hpp"
#include "tests/support/catch.hpp"

namespace {

using namespace assay;

constexpr std::uint64_t kTime = 1700000000123;  // 2023-11-14T22:13:20.123Z

/// RFC 6962, 3.2 and 3.3: version 1, no extensions, a signature by ECDSA with SHA-256.
std::string timestamp(char log) {
  std::string out(1, '\0');
  out += std::string(32, log);
  wire::put_u32(out, static_cast<std::uint32_t>(kTime >> 32U));
  wire::put_u32(out, static_cast<std::uint32_t>(kTime & 0xffffffffU));
  wire::put_u16(out, 0);
  out += "\x04\x03";
  wire::put_u16(out, 8);
  out += "\x30\x06\x02\x01\x01\x02\x01\x01";
  std::string sized;
  wire::put_u16(sized, static_cast<std::uint32_t>(out.size()));
  return sized + out;
}

std::string list_of(int count) {
  std::string body;
  for (int index = 0; index < count; ++index) {
    body += timestamp(static_cast<char>('a' + index));
  }
  std::string out;
  wire::put_u16(out, static_cast<std::uint32_t>(body.size()));
  return out + body;
}

STACK_OF(SCT) * parsed(const std::string& list) {
  const auto* at = reinterpret_cast<const unsigned char*>(list.data());
  return o2i_SCT_LIST(nullptr, &at, list.size());
}

struct Certificate {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  X509* x509 = X509_new();

  explicit Certificate(const std::string& list) {
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 1000);
    X509_set_pubkey(x509, key);
    if (!list.empty()) {
      auto* scts = parsed(list);
      X509_add1_ext_i2d(x509, NID_ct_precert_scts, scts, 0, 0);
      SCT_LIST_free(scts);
    }
    X509_sign(x509, key, EVP_sha256());
  }

  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  ~Certificate() {
    X509_free(x509);
    EVP_PKEY_free(key);
  }

  std::string der() const {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(x509, &bytes);
    std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return out;
  }
};

std::string ocsp_response(const Certificate& certificate, const std::string& list) {
  auto* basic = OCSP_BASICRESP_new();
  auto* id = OCSP_cert_to_id(EVP_sha1(), certificate.x509, certificate.x509);
  auto* now = X509_gmtime_adj(nullptr, 0);
  auto* single = OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, nullptr, now, now);
  if (!list.empty()) {
    auto* scts = parsed(list);
    OCSP_SINGLERESP_add1_ext_i2d(single, NID_ct_cert_scts, scts, 0, 0);
    SCT_LIST_free(scts);
  }
  OCSP_basic_sign(basic, certificate.x509, certificate.key, EVP_sha256(), nullptr, 0);
  auto* response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
  unsigned char* bytes = nullptr;
  const int size = i2d_OCSP_RESPONSE(response, &bytes);
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  OCSP_RESPONSE_free(response);
  OCSP_BASICRESP_free(basic);
  OCSP_CERTID_free(id);
  ASN1_TIME_free(now);
  return out;
}

void check_two(const json::value& facts) {
  REQUIRE(facts.is_object());
  CHECK(facts.at("count").as_int64() == 2);
  const auto& first = facts.at("scts").as_array().at(0).as_object();
  CHECK(first.at("version").as_int64() == 0);
  CHECK(first.at("log_id").as_string() == wire::hex(std::string(32, 'a')));
  CHECK(first.at("time").as_string() == "2023-11-14T22:13:20Z");
}

}  // namespace

TEST_CASE("transparency: a list is read the same from the TLS extension, from a certificate and from OCSP") {
  const Certificate certificate{list_of(2)};
  const Certificate plain{""};
  check_two(sessions::sct_list_facts(list_of(2)));
  check_two(sessions::certificate_sct_facts(certificate.der()));
  check_two(sessions::ocsp_sct_facts(ocsp_response(plain, list_of(2))));
}

TEST_CASE("transparency: where there is no list there is nothing, and what is none is said") {
  const Certificate plain{""};
  CHECK(sessions::certificate_sct_facts(plain.der()).is_null());
  CHECK(sessions::certificate_sct_facts("no certificate").is_null());
  CHECK(sessions::ocsp_sct_facts(ocsp_response(plain, "")).is_null());
  CHECK(sessions::ocsp_sct_facts("no response").is_null());
  const auto whole = list_of(2);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(sessions::sct_list_facts(whole.substr(0, size)) == json::value{{"malformed", true}});
  }
  CHECK(sessions::sct_list_facts(std::string(70000, '\0')) == json::value{{"malformed", true}});
}

TEST_CASE("transparency: of many timestamps sixteen are shown and all are counted") {
  const auto facts = sessions::sct_list_facts(list_of(40));
  CHECK(facts.at("count").as_int64() == 40);
  CHECK(facts.at("scts").as_array().size() == 16);
}

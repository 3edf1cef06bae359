#include "harness/lab/certificates.hpp"

#include <memory>
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "harness/model/freer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"

namespace assay::lab {
namespace {

using Certificate = std::unique_ptr<X509, Freer<X509_free>>;

/// All certificates of a PEM file, in order.
std::vector<Certificate> read_all(const std::filesystem::path& path) {
  std::vector<Certificate> out;
  BIO* file = BIO_new_file(path.c_str(), "r");
  while (X509* one = PEM_read_bio_X509(file, nullptr, nullptr, nullptr)) {
    out.emplace_back(one);
  }
  BIO_free(file);
  return out;
}

CertificateSpec named(std::string name) {
  CertificateSpec out;
  out.name = std::move(name);
  return out;
}

TEST_CASE("A certificate signed by another verifies against it and carries its names") {
  const TempFolder folder;
  auto device = named("device");
  device.common_name = "hub.example";
  device.names = {"hub.example", "10.66.0.2", "fd00:66::2"};
  device.issuer = "maker";
  REQUIRE(make_certificates(folder.path(), {named("maker"), device}));
  const auto chain = read_all(certificate_file(folder.path(), "device"));
  REQUIRE(chain.size() == 2);
  CHECK(X509_verify(chain[0].get(), X509_get0_pubkey(chain[1].get())) == 1);
  CHECK(X509_check_host(chain[0].get(), "hub.example", 0, 0, nullptr) == 1);
  CHECK(X509_check_host(chain[0].get(), "other.example", 0, 0, nullptr) == 0);
  CHECK(X509_check_ip_asc(chain[0].get(), "10.66.0.2", 0) == 1);
  CHECK(X509_check_ip_asc(chain[0].get(), "fd00:66::2", 0) == 1);
  CHECK(X509_check_ca(chain[0].get()) == 0);
  CHECK(X509_check_ca(chain[1].get()) == 1);
}

TEST_CASE("An expired certificate is expired and a future one is not yet valid") {
  const TempFolder folder;
  auto expired = named("expired");
  expired.from_days = -400;
  expired.to_days = -35;
  auto future = named("future");
  future.from_days = 10;
  future.to_days = 20;
  REQUIRE(make_certificates(folder.path(), {expired, future}));
  const auto old = read_all(certificate_file(folder.path(), "expired"));
  const auto coming = read_all(certificate_file(folder.path(), "future"));
  CHECK(X509_cmp_current_time(X509_get0_notAfter(old.at(0).get())) < 0);
  CHECK(X509_cmp_current_time(X509_get0_notBefore(coming.at(0).get())) > 0);
}

TEST_CASE("Keys have the size asked for and only their owner can read them") {
  const TempFolder folder;
  auto small = named("small");
  small.key = "rsa-1024";
  REQUIRE(make_certificates(folder.path(), {small}));
  const auto certificate = read_all(certificate_file(folder.path(), "small"));
  CHECK(EVP_PKEY_bits(X509_get0_pubkey(certificate.at(0).get())) == 1024);

  struct stat status {};

  REQUIRE(stat(key_file(folder.path(), "small").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600U);
}

TEST_CASE("A certificate's name cannot lead out of the folder, its issuer must exist, its key must be known") {
  const TempFolder folder;
  for (const auto* name : {"../device", "", ".hidden", "a/b"}) {
    CHECK_FALSE(make_certificates(folder.path(), {named(name)}));
  }
  auto orphan = named("device");
  orphan.issuer = "nobody";
  const auto without_issuer = make_certificates(folder.path(), {orphan});
  REQUIRE_FALSE(without_issuer);
  CHECK(without_issuer.error().what == "certificate \"device\": its issuer \"nobody\" must come earlier in the list");
  auto odd = named("odd");
  odd.key = "dsa";
  CHECK_FALSE(make_certificates(folder.path(), {odd}));
  CHECK_FALSE(make_certificates(folder.path(), {named("twice"), named("twice")}));
}

}  // namespace
}  // namespace assay::lab

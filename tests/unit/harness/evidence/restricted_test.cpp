#include <fstream>
#include <iterator>
#include <memory>

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "harness/evidence/bundle.hpp"
#include "harness/evidence/envelope.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_bundle.hpp"
#include "tests/support/temp_folder.hpp"

using namespace assay;
using evidence::Recipients;
namespace fs = std::filesystem;

namespace {

/// A key with a certificate of its own, as a laboratory may make one.
struct Laboratory {
  std::shared_ptr<EVP_PKEY> key;
  std::shared_ptr<X509> certificate;
  std::string pem;
};

Laboratory laboratory(const char* kind, const char* name) {
  Laboratory out;
  const std::string_view type = kind;
  out.key = {type == "EC"        ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
             : type == "Ed25519" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                 : EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}),
             EVP_PKEY_free};
  REQUIRE(out.key);
  out.certificate = {X509_new(), X509_free};
  auto* x509 = out.certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 42);
  X509_gmtime_adj(X509_getm_notBefore(x509), 0);
  X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
  X509_set_pubkey(x509, out.key.get());
  auto* subject = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(x509, subject);
  REQUIRE(X509_sign(x509, out.key.get(), type == "Ed25519" ? nullptr : EVP_sha256()) > 0);
  const std::shared_ptr<BIO> text{BIO_new(BIO_s_mem()), BIO_free};
  REQUIRE(PEM_write_bio_X509(text.get(), x509) == 1);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(text.get(), &data);
  out.pem.assign(data, static_cast<std::size_t>(size));
  return out;
}

/// What the holder of a key reads in an envelope; empty when it does not open.
std::string opened(const std::string& sealed, const Laboratory& by) {
  const std::shared_ptr<BIO> in{BIO_new_mem_buf(sealed.data(), static_cast<int>(sealed.size())), BIO_free};
  const std::shared_ptr<CMS_ContentInfo> envelope{d2i_CMS_bio(in.get(), nullptr), CMS_ContentInfo_free};
  const std::shared_ptr<BIO> out{BIO_new(BIO_s_mem()), BIO_free};
  if (!envelope ||
      CMS_decrypt(envelope.get(), by.key.get(), by.certificate.get(), nullptr, out.get(), CMS_BINARY) != 1) {
    return {};
  }
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string faults(const VerifyReport& report) {
  std::string out;
  for (const auto& finding : report.findings) {
    out += finding.error ? finding.place + ": " + finding.what + "\n" : "";
  }
  return out;
}

const std::string kSecret = "PASS hunter22\r\n";

/// A closed bundle with a transcript, and the same as the laboratory reads it.
std::string write_bundle(const fs::path& directory) {
  auto writer = evidence::create_bundle(directory, RunPlan{}, {}, golden::clock());
  REQUIRE(writer);
  auto plain = (*writer)->artifact("logins", "text/plain", "PASS {accounts entry 1}\r\n");
  auto kept = (*writer)->restricted("logins with secrets", evidence::kSealedType, "as if encrypted");
  REQUIRE(plain);
  REQUIRE(kept);
  CHECK(kept->restricted);
  CHECK_FALSE(plain->restricted);
  Observation observation;
  observation.id = "o1";
  observation.artifacts = {*plain, *kept};
  observation.evidence["credentials.tried"] = {plain->sha256};
  REQUIRE((*writer)->append("observation", {{"observation", to_json(observation)}}));
  REQUIRE((*writer)->append("run_finished", {}));
  REQUIRE((*writer)->close(Verdicts{}));
  return kept->sha256;
}

}  // namespace

TEST_CASE("an envelope opens for each laboratory that it was sealed for, and for no other") {
  for (const auto* kind : {"RSA", "EC"}) {
    INFO(kind);
    const auto one = laboratory(kind, "Laboratory one");
    const auto two = laboratory("RSA", "Laboratory two");
    const auto stranger = laboratory(kind, "Stranger");
    const auto both = Recipients::read(one.pem + two.pem, "lab.crt");
    REQUIRE(both);
    const auto sealed = both->sealed(kSecret);
    REQUIRE(sealed);
    CHECK(sealed->find("hunter22") == std::string::npos);
    CHECK(opened(*sealed, one) == kSecret);
    CHECK(opened(*sealed, two) == kSecret);
    CHECK(opened(*sealed, stranger).empty());
    CHECK(both->sealed(kSecret)->compare(*sealed) != 0);  // of equal bytes nobody sees that they are equal
  }
}

TEST_CASE("an envelope that was changed does not open") {
  const auto lab = laboratory("RSA", "Laboratory");
  auto sealed = Recipients::read(lab.pem, "lab.crt")->sealed(kSecret);
  REQUIRE(sealed);
  auto& last = sealed->at(sealed->size() - 20);
  last = static_cast<char>(last ^ 1);
  CHECK(opened(*sealed, lab).empty());
}

TEST_CASE("the journal names whom restricted files are encrypted to") {
  const auto described = Recipients::read(laboratory("RSA", "Laboratory one").pem, "lab.crt")->described();
  REQUIRE(described.size() == 1);
  CHECK(described[0].at("subject") == "CN=Laboratory one");
  CHECK(described[0].at("serial") == "2A");
  CHECK(described[0].at("sha256").as_string().size() == 64);
}

TEST_CASE("a certificate that nothing can be encrypted to is refused before anything is") {
  const auto refused = Recipients::read(laboratory("Ed25519", "Signer").pem, "lab.crt");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::bad_input);
  CHECK(refused.error().where == "lab.crt");
  CHECK_FALSE(Recipients::read("no certificate", "lab.crt"));
  CHECK_FALSE(Recipients::read("", "lab.crt"));
  std::string many;
  const auto one = laboratory("EC", "One").pem;
  for (int i = 0; i < 17; ++i) {
    many += one;
  }
  CHECK_FALSE(Recipients::read(many, "lab.crt"));
}

TEST_CASE("what is restricted is a file of the bundle as any other: named, listed and verified") {
  const TempFolder folder;
  const auto directory = folder.path() / "b";
  const auto digest = write_bundle(directory);
  const auto file = directory / "restricted" / digest;
  CHECK(fs::exists(file));
  CHECK_FALSE(fs::exists(directory / "artifacts" / digest));
  CHECK(faults(verify_bundle(directory)).empty());
  const auto bundle = Bundle::open(directory);
  REQUIRE(bundle);
  CHECK_FALSE(bundle->artifact(digest));  // it has no clear bytes to give
  SECTION("changed") {
    std::ofstream{file, std::ios::binary} << "as if enbrypted";
    CHECK(faults(verify_bundle(directory)).find("restricted/" + digest + ": was changed") != std::string::npos);
  }
  SECTION("removed") {
    fs::remove(file);
    CHECK(faults(verify_bundle(directory)).find("restricted/" + digest + ": is missing") != std::string::npos);
  }
  SECTION("moved to where everybody reads") {
    fs::rename(file, directory / "artifacts" / digest);
    CHECK_FALSE(verify_bundle(directory).valid);
  }
  SECTION("added") {
    std::ofstream{directory / "restricted" / sha256_hex("x"), std::ios::binary} << "x";
    CHECK(faults(verify_bundle(directory)).find(sha256_hex("x")) != std::string::npos);
  }
}

TEST_CASE("a restricted file that an interruption left unnamed is taken over") {
  const TempFolder folder;
  const auto directory = folder.path() / "b";
  std::string digest;
  {
    auto writer = evidence::create_bundle(directory, RunPlan{}, {}, golden::clock());
    REQUIRE(writer);
    auto kept = (*writer)->restricted("logins", evidence::kSealedType, "as if encrypted");
    REQUIRE(kept);
    digest = kept->sha256;
  }
  CHECK(verify_bundle(directory).valid);
  {
    auto writer = BundleWriter::resume(directory);
    REQUIRE(writer);
    REQUIRE((*writer)->close(Verdicts{}));
  }
  CHECK(faults(verify_bundle(directory)).empty());
  const auto bundle = Bundle::open(directory);
  REQUIRE(bundle);
  REQUIRE(bundle->events()[1].type == "recovered");
  const auto& artifact = bundle->events()[1].data.at("artifacts").as_array().at(0);
  CHECK(artifact.at("sha256") == json::value(json::string(digest)));
  CHECK(artifact.at("restricted") == true);
}

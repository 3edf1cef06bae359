#include "harness/lab/certificates.hpp"

#include <arpa/inet.h>
#include <array>
#include <fcntl.h>
#include <map>
#include <memory>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "harness/model/freer.hpp"

namespace assay::lab {
namespace {

using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using Output = std::unique_ptr<BIO, Freer<BIO_free>>;

struct Made {
  Key key;
  Certificate certificate;
  std::string chain;  // PEM, the issuer's behind
};

Error crypto_error(const std::string& what) {
  return Error{ErrorKind::internal, "OpenSSL could not make " + what, ""};
}

Key make_key(const std::string& kind) {
  if (kind == "rsa-2048" || kind == "rsa-1024") {
    const std::size_t bits = kind == "rsa-2048" ? 2048 : 1024;
    return Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits)};
  }
  return Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
}

bool add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str())};
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return inet_pton(AF_INET, text.c_str(), parsed.data()) == 1 || inet_pton(AF_INET6, text.c_str(), parsed.data()) == 1;
}

std::string alternative_names(const CertificateSpec& spec) {
  std::string out;
  for (const auto& name : spec.names) {
    out += (out.empty() ? "" : ",") + std::string{is_address(name) ? "IP:" : "DNS:"} + name;
  }
  return out;
}

bool set_serial(X509* certificate) {
  std::uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) {
    return false;
  }
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1U) == 1;
}

/// Fills in and signs. False when OpenSSL refuses a value.
bool build(X509* certificate, const CertificateSpec& spec, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key,
           bool authority) {
  constexpr long kDay = 24L * 60 * 60;
  auto* subject = X509_get_subject_name(certificate);
  const auto& name = spec.common_name.empty() ? spec.name : spec.common_name;
  const bool named =
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.data()),
                                 static_cast<int>(name.size()), -1, 0) == 1;
  const bool dated = X509_gmtime_adj(X509_getm_notBefore(certificate), static_cast<long>(spec.from_days) * kDay) &&
                     X509_gmtime_adj(X509_getm_notAfter(certificate), static_cast<long>(spec.to_days) * kDay);
  const bool ready = named && dated && set_serial(certificate) && X509_set_version(certificate, X509_VERSION_3) == 1 &&
                     X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
                     X509_set_pubkey(certificate, key) == 1;
  if (!ready ||
      !add_extension(certificate, issuer, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE")) {
    return false;
  }
  const auto names = alternative_names(spec);
  if (!names.empty() && !add_extension(certificate, issuer, NID_subject_alt_name, names)) {
    return false;
  }
  return X509_sign(certificate, issuer_key, EVP_sha256()) > 0;
}

std::string certificate_pem(X509* certificate) {
  const Output out{BIO_new(BIO_s_mem())};
  if (!out || PEM_write_bio_X509(out.get(), certificate) != 1) {
    return {};
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

/// The key's file is only for its owner from the first byte.
bool write_key(const std::filesystem::path& path, EVP_PKEY* key) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) {
    return false;
  }
  const Output out{BIO_new_fd(file, BIO_CLOSE)};
  return out && PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
}

bool write_text(const std::filesystem::path& path, const std::string& text) {
  const Output out{BIO_new_file(path.c_str(), "w")};
  return out && BIO_write(out.get(), text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
}

Result<> check(const CertificateSpec& spec, const std::map<std::string, Made>& earlier) {
  const auto bad = [&](const std::string& what) {
    return Error{ErrorKind::bad_input, "certificate \"" + spec.name + "\": " + what, ""};
  };
  if (spec.name.empty() || spec.name.find('/') != std::string::npos || spec.name.front() == '.') {
    return bad("the name must be a plain word");
  }
  if (earlier.contains(spec.name)) {
    return bad("there are two of this name");
  }
  if (spec.key != "ec-p256" && spec.key != "rsa-2048" && spec.key != "rsa-1024") {
    return bad("the key must be ec-p256, rsa-2048 or rsa-1024, not \"" + spec.key + "\"");
  }
  if (!spec.issuer.empty() && !earlier.contains(spec.issuer)) {
    return bad("its issuer \"" + spec.issuer + "\" must come earlier in the list");
  }
  return {};
}

Result<Made> make_one(const CertificateSpec& spec, const std::map<std::string, Made>& earlier) {
  Made made{make_key(spec.key), Certificate{X509_new()}, {}};
  if (!made.key || !made.certificate) {
    return crypto_error("the key of certificate " + spec.name);
  }
  const Made* issuer = spec.issuer.empty() ? nullptr : &earlier.at(spec.issuer);
  // A self-signed certificate is its own issuer and may sign others later in the list.
  if (!build(made.certificate.get(), spec, made.key.get(), (issuer ? issuer : &made)->certificate.get(),
             (issuer ? issuer : &made)->key.get(), issuer == nullptr)) {
    return crypto_error("certificate " + spec.name + " (are its names and days sensible?)");
  }
  made.chain = certificate_pem(made.certificate.get()) + (issuer ? issuer->chain : "");
  return made;
}

}  // namespace

std::filesystem::path certificate_file(const std::filesystem::path& folder, const std::string& name) {
  return folder / (name + ".crt");
}

std::filesystem::path key_file(const std::filesystem::path& folder, const std::string& name) {
  return folder / (name + ".key");
}

Result<> make_certificates(const std::filesystem::path& folder, const std::vector<CertificateSpec>& specs) {
  std::map<std::string, Made> earlier;
  for (const auto& spec : specs) {
    if (auto checked = check(spec, earlier); !checked) {
      return checked;
    }
    auto made = make_one(spec, earlier);
    if (!made) {
      return made.error();
    }
    if (!write_text(certificate_file(folder, spec.name), made->chain) ||
        !write_key(key_file(folder, spec.name), made->key.get())) {
      return Error{ErrorKind::io, "cannot write certificate " + spec.name + " into " + folder.string(), ""};
    }
    earlier.emplace(spec.name, std::move(*made));
  }
  return {};
}

}  // namespace assay::lab

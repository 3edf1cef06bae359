#include "probes/tls/cbc_session.hpp"

#include <algorithm>
#include <memory>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

#include "probes/sessions/channel.hpp"
#include "probes/tls/robot.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/tls_build.hpp"
#include "probes/wire/tls_records.hpp"

namespace assay::probes::tls {

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
using Kdf = std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)>;

constexpr std::size_t kMasterSize = 48;
constexpr std::size_t kVerifySize = 12;
constexpr std::uint8_t kClientKeyExchange = 16;
constexpr std::uint8_t kFinished = 20;
constexpr std::uint8_t kFlip = 0x5a;
constexpr std::uint16_t kX25519 = 29;

const unsigned char* to_read(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* to_write(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

void flip(std::string& bytes, std::size_t from, std::size_t to) {
  for (auto at = from; at < to; ++at) {
    bytes[at] = static_cast<char>(static_cast<std::uint8_t>(bytes[at]) ^ kFlip);
  }
}

/// RFC 5246, 5; RFC 2246, 5. "" when the library fails.
std::string prf(const char* digest, std::string_view secret, std::string seed, std::size_t size) {
  std::string key{secret};
  std::string name{digest};
  std::string out(size, '\0');
  const Kdf kdf{EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr), &EVP_KDF_free};
  const KdfContext context{kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr, &EVP_KDF_CTX_free};
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name.data(), 0),
                                   OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, key.data(), key.size()),
                                   OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed.data(), seed.size()),
                                   OSSL_PARAM_construct_end()};
  const bool done = context && EVP_KDF_derive(context.get(), to_write(out), out.size(), parameters) == 1;
  ERR_clear_error();
  return done ? out : std::string{};
}

const char* curve_name(std::uint16_t group) {
  switch (group) {
    case 23:
      return "P-256";
    case 24:
      return "P-384";
    case 25:
      return "P-521";
    default:
      return nullptr;
  }
}

std::string shared_secret(EVP_PKEY* mine, EVP_PKEY* theirs) {
  const KeyContext context{EVP_PKEY_CTX_new(mine, nullptr), &EVP_PKEY_CTX_free};
  std::size_t size = 0;
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 || EVP_PKEY_derive_set_peer(context.get(), theirs) != 1 ||
      EVP_PKEY_derive(context.get(), nullptr, &size) != 1) {
    return {};
  }
  std::string out(size, '\0');
  return EVP_PKEY_derive(context.get(), to_write(out), &size) == 1 ? out.substr(0, size) : std::string{};
}

/// ECDHE with a key of one use (RFC 8422, 5.7 and 5.10).
std::optional<ClientKey> ec_key(std::uint16_t group, std::string_view point) {
  const auto* curve = curve_name(group);
  if (curve == nullptr && group != kX25519) {
    return std::nullopt;
  }
  const Key mine{curve == nullptr ? EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")
                                  : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve),
                 &EVP_PKEY_free};
  const Key theirs{EVP_PKEY_new(), &EVP_PKEY_free};
  unsigned char* encoded = nullptr;
  std::optional<ClientKey> out;
  if (mine && theirs && EVP_PKEY_copy_parameters(theirs.get(), mine.get()) == 1 &&
      EVP_PKEY_set1_encoded_public_key(theirs.get(), to_read(point), point.size()) == 1) {
    const auto size = EVP_PKEY_get1_encoded_public_key(mine.get(), &encoded);
    const std::string_view own{reinterpret_cast<const char*>(encoded), size};
    auto secret = size > 0 ? shared_secret(mine.get(), theirs.get()) : std::string{};
    if (!secret.empty()) {
      out = ClientKey{wire::tls_message(kClientKeyExchange, wire::sized8(own)), std::move(secret)};
    }
  }
  OPENSSL_free(encoded);
  ERR_clear_error();
  return out;
}

std::optional<ClientKey> rsa_key(std::string_view certificate, std::uint16_t offered) {
  const auto key = RsaKey::of_certificate(certificate);
  if (!key) {
    return std::nullopt;
  }
  const auto block = padded_secret(Padding::right, key->bytes(), offered);
  const auto secret = key->encrypt(block);
  if (!secret) {
    return std::nullopt;
  }
  return ClientKey{wire::rsa_key_exchange_message(*secret), block.substr(block.size() - kMasterSize)};
}

}  // namespace

std::optional<CbcSuite> cbc_suite(std::uint16_t code, std::uint16_t version) {
  struct Cipher {
    std::string_view in_name;
    const char* cipher;
    std::size_t key_size;
    std::size_t block_size;
  };

  constexpr Cipher kCiphers[] = {{"WITH_AES_128_CBC_", "AES-128-CBC", 16, 16},
                                 {"WITH_AES_256_CBC_", "AES-256-CBC", 32, 16},
                                 {"WITH_CAMELLIA_128_CBC_", "CAMELLIA-128-CBC", 16, 16},
                                 {"WITH_CAMELLIA_256_CBC_", "CAMELLIA-256-CBC", 32, 16},
                                 {"WITH_3DES_EDE_CBC_", "DES-EDE3-CBC", 24, 8}};
  const auto parts = wire::suite_parts(code);
  const auto found = std::find_if(std::begin(kCiphers), std::end(kCiphers), [&](const Cipher& one) {
    return parts.name.find(one.in_name) != std::string_view::npos;
  });
  const bool keyed = parts.rsa_transport || parts.ephemeral_ec;
  if (found == std::end(kCiphers) || !keyed || parts.psk || parts.anonymous || parts.export_grade || parts.srp) {
    return std::nullopt;
  }
  const bool sha384 = parts.name.ends_with("_SHA384");
  const bool sha256 = parts.name.ends_with("_SHA256");
  if (!sha384 && !sha256 && !parts.name.ends_with("_SHA")) {
    return std::nullopt;
  }
  CbcSuite out{code, found->cipher, found->key_size, found->block_size, "SHA1", 20, "SHA256"};
  if (sha384 || sha256) {
    out.mac = sha384 ? "SHA384" : "SHA256";
    out.mac_size = sha384 ? 48 : 32;
  }
  out.prf = version != wire::kTls12 ? "MD5-SHA1" : sha384 ? "SHA384" : "SHA256";
  return out;
}

std::string_view flaw_name(Flaw flaw) {
  constexpr std::string_view kNames[] = {"nothing wrong", "wrong MAC", "wrong padding", "one wrong byte of padding",
                                         "wrong MAC and padding"};
  return kNames[static_cast<std::size_t>(flaw)];
}

bool CbcDirection::explicit_iv() const {
  return version_ != wire::kTls10;
}

std::optional<std::string> CbcDirection::crypt(bool encrypt, std::string_view iv, std::string_view in) const {
  const CipherContext context{EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
  const auto* cipher = EVP_get_cipherbyname(suite_.cipher);
  std::string out(in.size() + suite_.block_size, '\0');
  int size = 0;
  const bool done =
      context && cipher != nullptr &&
      EVP_CipherInit_ex(context.get(), cipher, nullptr, to_read(key_), to_read(iv), encrypt ? 1 : 0) == 1 &&
      EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
      EVP_CipherUpdate(context.get(), to_write(out), &size, to_read(in), static_cast<int>(in.size())) == 1 &&
      static_cast<std::size_t>(size) == in.size();
  ERR_clear_error();
  out.resize(in.size());
  return done ? std::optional{out} : std::nullopt;
}

std::string CbcDirection::mac_of(std::uint8_t type, std::string_view content) const {
  // `decrypt` has counted its record already; `seal` counts before it asks.
  const auto sequence = sequence_ - 1;
  std::string input;
  wire::put_u32(input, static_cast<std::uint32_t>(sequence >> 32U));
  wire::put_u32(input, static_cast<std::uint32_t>(sequence));
  wire::put_u8(input, type);
  wire::put_u16(input, version_);
  wire::put_u16(input, static_cast<std::uint32_t>(content.size()));
  input += content;
  std::string out(suite_.mac_size, '\0');
  unsigned int size = 0;
  const auto* made = HMAC(EVP_get_digestbyname(suite_.mac), mac_key_.data(), static_cast<int>(mac_key_.size()),
                          to_read(input), input.size(), to_write(out), &size);
  return made != nullptr && size == out.size() ? out : std::string{};
}

std::string CbcDirection::seal(std::uint8_t type, std::string_view content, Flaw flaw) {
  ++sequence_;
  auto plain = std::string{content} + mac_of(type, content);
  const auto end_of_mac = plain.size();
  const auto length = suite_.block_size - 1 - end_of_mac % suite_.block_size;
  plain.append(length + 1, static_cast<char>(length));
  if (flaw == Flaw::mac || flaw == Flaw::both) {
    flip(plain, content.size(), end_of_mac);
  }
  if (flaw == Flaw::padding || flaw == Flaw::both) {
    flip(plain, end_of_mac, plain.size() - 1);
  }
  if (flaw == Flaw::first_padding) {
    flip(plain, end_of_mac, end_of_mac + 1);
  }
  const auto iv = explicit_iv() ? sessions::random_bytes(suite_.block_size) : iv_;
  const auto sealed = crypt(true, iv, plain);
  if (!sealed) {
    return {};
  }
  iv_ = sealed->substr(sealed->size() - suite_.block_size);
  return wire::tls_record(type, version_, explicit_iv() ? iv + *sealed : *sealed);
}

std::optional<std::string> CbcDirection::decrypt(std::string_view body) {
  ++sequence_;
  const auto least = suite_.block_size * (explicit_iv() ? 2 : 1);
  if (body.size() < least || body.size() % suite_.block_size != 0) {
    return std::nullopt;
  }
  const auto iv = explicit_iv() ? body.substr(0, suite_.block_size) : std::string_view{iv_};
  const auto sealed = explicit_iv() ? body.substr(suite_.block_size) : body;
  auto plain = crypt(false, iv, sealed);
  iv_ = sealed.substr(sealed.size() - suite_.block_size);
  return plain;
}

std::optional<std::string> CbcDirection::open(std::uint8_t type, std::string_view body) {
  const auto plain = decrypt(body);
  if (!plain) {
    return std::nullopt;
  }
  const std::size_t padding = static_cast<std::uint8_t>(plain->back()) + std::size_t{1};
  if (padding + suite_.mac_size > plain->size()) {
    return std::nullopt;
  }
  const auto content = plain->substr(0, plain->size() - padding - suite_.mac_size);
  const bool padded = std::all_of(plain->end() - static_cast<std::ptrdiff_t>(padding), plain->end(),
                                  [&](char one) { return one == plain->back(); });
  const bool right = padded && plain->substr(content.size(), suite_.mac_size) == mac_of(type, content);
  return right ? std::optional{content} : std::nullopt;
}

std::optional<CbcKeys> cbc_keys(const CbcSuite& suite, std::uint16_t version, std::string_view premaster,
                                std::string_view client_random, std::string_view server_random) {
  const std::string client{client_random};
  const std::string server{server_random};
  auto master = prf(suite.prf, premaster, "master secret" + client + server, kMasterSize);
  const auto iv_size = version == wire::kTls10 ? suite.block_size : 0;
  const auto block =
      prf(suite.prf, master, "key expansion" + server + client, 2 * (suite.mac_size + suite.key_size + iv_size));
  if (master.empty() || block.empty()) {
    return std::nullopt;
  }
  wire::Reader reader{block};
  const auto both = [&](std::size_t size) {
    std::string first{reader.take(size)};
    std::string second{reader.take(size)};
    return std::pair{std::move(first), std::move(second)};
  };
  const auto macs = both(suite.mac_size);
  const auto keys = both(suite.key_size);
  const auto ivs = both(iv_size);
  return CbcKeys{std::move(master), CbcDirection{suite, version, macs.first, keys.first, ivs.first},
                 CbcDirection{suite, version, macs.second, keys.second, ivs.second}};
}

std::string finished_message(const CbcSuite& suite, std::uint16_t version, std::string_view master, bool client,
                             std::string_view messages) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  // TLS 1.0 and 1.1 hash with MD5 and SHA-1 one after the other, as their PRF is called too.
  const auto* hash = version == wire::kTls12 ? EVP_get_digestbyname(suite.prf) : EVP_md5_sha1();
  if (EVP_Digest(messages.data(), messages.size(), to_write(digest), &size, hash, nullptr) != 1) {
    return {};
  }
  digest.resize(size);
  const std::string label = client ? "client finished" : "server finished";
  return wire::tls_message(kFinished, prf(suite.prf, master, label + digest, kVerifySize));
}

std::optional<ClientKey> client_key(const wire::TlsFlight& flight, std::uint16_t offered) {
  if (!flight.hello()) {
    return std::nullopt;
  }
  const auto parts = wire::suite_parts(flight.hello()->suite);
  if (parts.rsa_transport && !flight.certificates().empty()) {
    return rsa_key(flight.certificates().front(), offered);
  }
  const auto& exchange = flight.key_exchange();
  const bool named = exchange && exchange->kind == wire::ServerKeyExchange::Kind::named_group;
  return parts.ephemeral_ec && named ? ec_key(exchange->group, exchange->dh_public) : std::nullopt;
}

}  // namespace assay::probes::tls

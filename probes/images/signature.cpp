#include "probes/images/signature.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "probes/images/format.hpp"

namespace assay::images {

namespace {

constexpr std::size_t kMaximumCms = std::size_t{1} << 20U;

/// A source as OpenSSL reads: a BIO that remembers where it is.
struct Position {
  const ByteSource* source = nullptr;
  std::uint64_t at = 0;
};

int read_source(BIO* bio, char* into, int count) {
  auto* position = static_cast<Position*>(BIO_get_data(bio));
  if (count <= 0) {
    return 0;
  }
  const auto got = position->source->read_at(
      position->at, std::span{reinterpret_cast<std::byte*>(into), static_cast<std::size_t>(count)});
  if (!got) {
    return -1;
  }
  position->at += *got;
  return static_cast<int>(*got);
}

long control_source(BIO* bio, int command, long, void*) {
  const auto* position = static_cast<Position*>(BIO_get_data(bio));
  if (command == BIO_CTRL_EOF) {
    return position->at >= position->source->size() ? 1 : 0;
  }
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* source_method() {
  static BIO_METHOD* const method = [] {
    auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "image");
    BIO_meth_set_read(made, read_source);
    BIO_meth_set_ctrl(made, control_source);
    return made;
  }();
  return method;
}

Bio open_source(Position& position) {
  Bio out{BIO_new(source_method())};
  BIO_set_data(out.get(), &position);
  BIO_set_init(out.get(), 1);
  return out;
}

Bio reader(std::string_view text) {
  return Bio{BIO_new_mem_buf(text.data(), static_cast<int>(std::min<std::size_t>(text.size(), kMaximumCms)))};
}

std::string name_text(const X509_NAME* name) {
  const Bio out{BIO_new(BIO_s_mem())};
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(std::max(size, 0L))};
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    return {};
  }
  std::array<char, 32> text{};
  const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

CMS_SignerInfo* first_signer(CMS_ContentInfo* cms) {
  auto* infos = CMS_get0_SignerInfos(cms);
  return infos == nullptr || sk_CMS_SignerInfo_num(infos) == 0 ? nullptr : sk_CMS_SignerInfo_value(infos, 0);
}

std::string last_reason(const char* otherwise) {
  const auto code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? otherwise : reason;
}

/// A certificate that only carries a key: OpenSSL takes the key of a signer from one.
Certificate carrier_of(EVP_PKEY* key) {
  Certificate out{X509_new()};
  X509_set_pubkey(out.get(), key);
  return out;
}

int padding_of(Plain how) {
  return how == Plain::rsa_pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
}

bool fits(EVP_PKEY* key, Plain how) {
  const int kind = EVP_PKEY_get_base_id(key);
  if (how == Plain::eddsa) {
    return kind == EVP_PKEY_ED25519;
  }
  return how == Plain::rsa_pkcs1 || how == Plain::rsa_pss ? kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS
                                                          : kind == EVP_PKEY_EC;
}

std::size_t half_of(EVP_PKEY* key) {
  return static_cast<std::size_t>(EVP_PKEY_get_bits(key) + 7) / 8;
}

/// r and s side by side, from DER.
std::string raw_of(std::string_view der, std::size_t half) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  std::string out(2 * half, '\0');
  auto* into = reinterpret_cast<unsigned char*>(out.data());
  const bool made = pair != nullptr && BN_bn2binpad(ECDSA_SIG_get0_r(pair), into, static_cast<int>(half)) > 0 &&
                    BN_bn2binpad(ECDSA_SIG_get0_s(pair), into + half, static_cast<int>(half)) > 0;
  ECDSA_SIG_free(pair);
  return made ? out : std::string{};
}

std::string der_of(std::string_view raw) {
  const auto half = raw.size() / 2;
  const auto* from = reinterpret_cast<const unsigned char*>(raw.data());
  ECDSA_SIG* pair = ECDSA_SIG_new();
  ECDSA_SIG_set0(pair, BN_bin2bn(from, static_cast<int>(half), nullptr),
                 BN_bin2bn(from + half, static_cast<int>(half), nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair, &der);
  ECDSA_SIG_free(pair);
  std::string out{reinterpret_cast<char*>(der), static_cast<std::size_t>(std::max(size, 0))};
  OPENSSL_free(der);
  return out;
}

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Result<std::string> eddsa_sign(const ByteSource& content, EVP_PKEY* key) {
  const auto text = read_text(content, 0, content.size());
  if (!text) {
    return text.error();
  }
  const MdContext context{EVP_MD_CTX_new()};
  std::string out(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
  std::size_t size = out.size();
  if (EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key, nullptr) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, octets(*text), text->size()) !=
          1) {
    return Error{ErrorKind::internal, "OpenSSL could not sign", {}};
  }
  return out;
}

bool eddsa_verifies(const ByteSource& content, std::string_view signature, EVP_PKEY* key) {
  const auto text = read_text(content, 0, content.size());
  const MdContext context{EVP_MD_CTX_new()};
  const bool right =
      text && EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key, nullptr) == 1 &&
      EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(*text), text->size()) == 1;
  ERR_clear_error();
  return right;
}

bool pss(EVP_PKEY_CTX* context, Plain how, bool signing) {
  if (how != Plain::rsa_pkcs1 && how != Plain::rsa_pss) {
    return true;
  }
  return EVP_PKEY_CTX_set_rsa_padding(context, padding_of(how)) == 1 &&
         (how != Plain::rsa_pss ||
          EVP_PKEY_CTX_set_rsa_pss_saltlen(context, signing ? RSA_PSS_SALTLEN_DIGEST : RSA_PSS_SALTLEN_AUTO) == 1);
}

}  // namespace

Cms read_cms(std::string_view der) {
  if (der.size() > kMaximumCms) {
    return nullptr;
  }
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  Cms out{d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size()))};
  ERR_clear_error();
  const bool signed_data = out && OBJ_obj2nid(CMS_get0_type(out.get())) == NID_pkcs7_signed;
  return signed_data ? std::move(out) : nullptr;
}

const X509* signer_of(CMS_ContentInfo* cms) {
  auto* info = first_signer(cms);
  STACK_OF(X509)* all = CMS_get1_certs(cms);
  const X509* found = nullptr;
  for (int i = 0; info != nullptr && i < sk_X509_num(all); ++i) {
    if (CMS_SignerInfo_cert_cmp(info, sk_X509_value(all, i)) == 0) {
      found = sk_X509_value(all, i);  // the message owns it too
      break;
    }
  }
  sk_X509_pop_free(all, X509_free);
  return found;
}

json::object cms_facts(CMS_ContentInfo* cms) {
  json::object out{{"present", true}, {"scheme", "cms"}};
  auto* info = first_signer(cms);
  if (info == nullptr) {
    out["present"] = false;
    return out;
  }
  X509_ALGOR* digest = nullptr;
  CMS_SignerInfo_get0_algs(info, nullptr, nullptr, &digest, nullptr);
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, digest);
  const int kind = OBJ_obj2nid(object);
  if (kind != NID_undef) {
    out["digest"] = OBJ_nid2ln(kind);
  }
  out["embedded"] = CMS_is_detached(cms) != 1;
  if (const auto* signer = signer_of(cms); signer != nullptr) {
    out["signer"] = shown(name_text(X509_get_subject_name(signer)));
    out["issuer"] = shown(name_text(X509_get_issuer_name(signer)));
    out["not_after"] = shown(time_text(X509_get0_notAfter(signer)));
    if (auto* key = X509_get0_pubkey(signer); key != nullptr) {
      add_key_facts(key, out);
    }
  }
  ERR_clear_error();
  return out;
}

namespace {

/// When it was signed, as a thief of an expired key would say it: while the certificate held. Only the clock of who
/// checks tells then. Otherwise OpenSSL says that it is now.
bool say_when(CMS_SignerInfo* info, const X509* certificate) {
  constexpr int kDay = -1;
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) >= 0) {
    return true;
  }
  const std::unique_ptr<ASN1_TIME, Freer<ASN1_TIME_free>> then{ASN1_TIME_dup(X509_get0_notAfter(certificate))};
  std::tm parts{};
  return then && ASN1_TIME_to_tm(then.get(), &parts) == 1 &&
         ASN1_TIME_adj(then.get(), ::timegm(&parts), kDay, 0) != nullptr &&
         CMS_signed_add1_attr_by_NID(info, NID_pkcs9_signingTime, then->type, then.get(), -1) == 1;
}

}  // namespace

Result<std::string> cms_sign(const Source& content, const Signer& signer, bool attached) {
  Position position{content.get(), 0};
  const auto input = open_source(position);
  const unsigned int flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL | (attached ? 0U : unsigned{CMS_DETACHED});
  const Cms cms{CMS_sign(nullptr, nullptr, nullptr, nullptr, flags)};
  auto* info = cms ? CMS_add1_signer(cms.get(), signer.certificate(), signer.key(), EVP_sha256(), flags) : nullptr;
  if (info == nullptr || !say_when(info, signer.certificate()) ||
      CMS_final(cms.get(), input.get(), nullptr, flags) != 1) {
    return Error{ErrorKind::internal, "OpenSSL could not sign: " + last_reason("no reason given"), {}};
  }
  unsigned char* der = nullptr;
  const int size = i2d_CMS_ContentInfo(cms.get(), &der);
  std::string out{reinterpret_cast<char*>(der), static_cast<std::size_t>(std::max(size, 0))};
  OPENSSL_free(der);
  return out;
}

std::string cms_content(CMS_ContentInfo* cms) {
  auto** content = CMS_get0_content(cms);
  if (content == nullptr || *content == nullptr) {
    return {};
  }
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(*content)),
          static_cast<std::size_t>(std::max(ASN1_STRING_length(*content), 0))};
}

Result<Trusted> read_trusted(std::string_view pem) {
  Trusted out;
  out.certificate.reset(PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr));
  out.key.reset(out.certificate ? X509_get_pubkey(out.certificate.get())
                                : PEM_read_bio_PUBKEY(reader(pem).get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!out.key) {
    return Error{ErrorKind::bad_input, "this is neither a public key nor a certificate in PEM", {}};
  }
  return out;
}

std::string cms_refusal(CMS_ContentInfo* cms, const Source& content, const Trusted& trusted) {
  Position position{content.get(), 0};
  const auto input = content ? open_source(position) : nullptr;
  const std::unique_ptr<X509_STORE, Freer<X509_STORE_free>> store{X509_STORE_new()};
  unsigned int flags = CMS_BINARY;
  const auto carrier = carrier_of(trusted.key.get());
  if (trusted.certificate) {
    X509_STORE_add_cert(store.get(), trusted.certificate.get());
    auto* parameters = X509_STORE_get0_param(store.get());
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY);
  } else {
    flags |= CMS_NO_SIGNER_CERT_VERIFY;
    auto* infos = CMS_get0_SignerInfos(cms);
    for (int i = 0; i < sk_CMS_SignerInfo_num(infos); ++i) {
      CMS_SignerInfo_set1_signer_cert(sk_CMS_SignerInfo_value(infos, i), carrier.get());
    }
  }
  const Bio nowhere{BIO_new(BIO_s_null())};
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> more{
      sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); }};
  if (trusted.certificate) {
    sk_X509_push(more.get(), trusted.certificate.get());
  }
  const bool right = CMS_verify(cms, more.get(), store.get(), input.get(), nowhere.get(), flags) == 1;
  const auto reason = last_reason("the signature does not fit");
  return right ? std::string{} : reason;
}

Result<std::string> plain_sign(const ByteSource& content, EVP_PKEY* key, Plain how, const std::string& digest) {
  if (!fits(key, how)) {
    return Error{ErrorKind::unsupported, "the signing key is of another kind than the format's signatures", {}};
  }
  if (how == Plain::eddsa) {
    return eddsa_sign(content, key);
  }
  const MdContext context{EVP_MD_CTX_new()};
  EVP_PKEY_CTX* parameters = nullptr;
  bool well = EVP_DigestSignInit_ex(context.get(), &parameters, digest.c_str(), nullptr, nullptr, key, nullptr) == 1 &&
              pss(parameters, how, true);
  const auto read = for_each_piece(content, 0, content.size(), [&](std::string_view piece) {
    well = well && EVP_DigestSignUpdate(context.get(), piece.data(), piece.size()) == 1;
  });
  if (!read) {
    return read.error();
  }
  std::size_t size = 0;
  well = well && EVP_DigestSignFinal(context.get(), nullptr, &size) == 1;
  std::string out(size, '\0');
  if (!well || EVP_DigestSignFinal(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size) != 1) {
    return Error{ErrorKind::internal, "OpenSSL could not sign: " + last_reason("no reason given"), {}};
  }
  out.resize(size);
  return how == Plain::ecdsa_raw ? raw_of(out, half_of(key)) : out;
}

bool plain_verifies(const ByteSource& content, std::string_view signature, EVP_PKEY* key, Plain how,
                    const std::string& digest) {
  if (!fits(key, how) || (how == Plain::ecdsa_raw && signature.size() != 2 * half_of(key))) {
    return false;
  }
  if (how == Plain::eddsa) {
    return eddsa_verifies(content, signature, key);
  }
  const std::string text = how == Plain::ecdsa_raw ? der_of(signature) : std::string{signature};
  const MdContext context{EVP_MD_CTX_new()};
  EVP_PKEY_CTX* parameters = nullptr;
  bool well =
      EVP_DigestVerifyInit_ex(context.get(), &parameters, digest.c_str(), nullptr, nullptr, key, nullptr) == 1 &&
      pss(parameters, how, false);
  const auto read = for_each_piece(content, 0, content.size(), [&](std::string_view piece) {
    well = well && EVP_DigestVerifyUpdate(context.get(), piece.data(), piece.size()) == 1;
  });
  well = read && well &&
         EVP_DigestVerifyFinal(context.get(), reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  ERR_clear_error();
  return well;
}

void add_key_facts(EVP_PKEY* key, json::object& facts) {
  const int kind = EVP_PKEY_get_base_id(key);
  facts["key"] = kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS ? "rsa"
                 : kind == EVP_PKEY_EC                            ? "ec"
                 : kind == EVP_PKEY_ED25519                       ? "ed25519"
                                                                  : "other";
  facts["key_bits"] = EVP_PKEY_get_bits(key);
}

std::string signer_kind(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      return bits > 3072 ? "rsa-4096" : bits > 2048 ? "rsa-3072" : "rsa-2048";
    case EVP_PKEY_ED25519:
      return "ed25519";
    default:
      return bits > 256 ? "ec-p384" : "ec-p256";
  }
}

Result<std::shared_ptr<const Signer>> signer_for(const MutationSpec& spec, const Materials& materials,
                                                 std::string_view kind, const X509* like) {
  if (spec.by == SignedBy::other_key) {
    return materials.own ? Result<std::shared_ptr<const Signer>>{materials.own} : Signer::make(kind, like);
  }
  if (spec.by == SignedBy::expired && !materials.expired && materials.authority && like != nullptr) {
    return Signer::issue_expired(kind, like, *materials.authority);
  }
  const auto& lent = spec.by == SignedBy::expired ? materials.expired : materials.revoked;
  if (!lent) {
    return Error{ErrorKind::unsupported,
                 like == nullptr && spec.by == SignedBy::expired && materials.authority
                     ? "the image brings no certificate that could have expired, and the maker lent no such signer"
                     : "the maker lent no signer that is " + enum_name(spec.by),
                 {}};
  }
  return lent;
}

std::string signed_words(const MutationSpec& spec) {
  return spec.by == SignedBy::other_key ? "by another key" : "by a signer that is " + enum_name(spec.by);
}

Source text_source(std::string text) {
  return std::make_shared<MemorySource>(std::move(text));
}

}  // namespace assay::images

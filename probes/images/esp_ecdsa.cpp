#include "probes/images/esp_ecdsa.hpp"

#include <algorithm>

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "probes/images/format.hpp"
#include "probes/images/signature.hpp"

namespace assay::images {

namespace {

constexpr std::size_t kDigestAt = 4;
constexpr EspCurve kCurves[] = {{"ec-p256", 256, "SHA256", 32, 0, 2}, {"ec-p384", 384, "SHA384", 48, 1, 3}};

std::size_t half_of(const EspCurve& curve) {
  return static_cast<std::size_t>(curve.bits) / 8;
}

/// Two numbers side by side, each with its lowest byte first, and back.
std::string turned(std::string numbers) {
  const auto half = static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::reverse(numbers.begin(), numbers.begin() + half);
  std::reverse(numbers.begin() + half, numbers.end());
  return numbers;
}

/// The public point; empty when the key is of another kind or curve.
std::string point_of(EVP_PKEY* key, const EspCurve& curve) {
  std::string out;
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_bits(key) != curve.bits) {
    return out;
  }
  for (const auto* name : {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y}) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) {
      return {};
    }
    const std::unique_ptr<BIGNUM, Freer<BN_free>> number{raw};
    std::string bytes(half_of(curve), '\0');
    BN_bn2lebinpad(number.get(), reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    out += bytes;
  }
  return out;
}

}  // namespace

const EspCurve* esp_curve_of(std::string_view block) {
  for (const auto& curve : kCurves) {
    const auto at = kDigestAt + curve.digest_size;
    if (block.size() > at && block.starts_with("\xe7\x03") && block[2] == curve.sha && block[at] == curve.id) {
      return &curve;
    }
  }
  return nullptr;
}

Result<std::string> esp_digest(const ByteSource& covered, const EspCurve& curve) {
  const MdContext context{EVP_MD_CTX_new()};
  const auto* kind = EVP_get_digestbyname(std::string{curve.digest}.c_str());
  bool well = kind != nullptr && EVP_DigestInit_ex(context.get(), kind, nullptr) == 1;
  const auto read = for_each_piece(covered, 0, covered.size(), [&](std::string_view piece) {
    well = well && EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1;
  });
  if (!read) {
    return read.error();
  }
  std::string out(curve.digest_size, '\0');
  unsigned int size = 0;
  well = well && EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size) == 1;
  return well && size == out.size() ? Result<std::string>{std::move(out)}
                                    : Error{ErrorKind::internal, "OpenSSL could not make a digest", {}};
}

Result<std::string> esp_ecdsa_block(const ByteSource& covered, EVP_PKEY* key, const EspCurve& curve, std::size_t size) {
  const auto point = point_of(key, curve);
  if (point.empty()) {
    return not_for("esp", "this image is signed with keys " + std::string{curve.key});
  }
  const auto digest = esp_digest(covered, curve);
  const auto signature = digest ? plain_sign(covered, key, Plain::ecdsa_raw, std::string{curve.digest})
                                : Result<std::string>{digest.error()};
  if (!signature) {
    return signature.error();
  }
  std::string out{'\xe7', '\x03', curve.sha, '\0'};
  out += *digest + curve.id + point + turned(*signature);
  out.resize(size, '\0');
  return out;
}

bool esp_ecdsa_verifies(const ByteSource& covered, std::string_view block, EVP_PKEY* key, const EspCurve& curve) {
  const auto at = kDigestAt + curve.digest_size + 1 + 2 * half_of(curve);
  const auto signature = block.substr(std::min(at, block.size()), 2 * half_of(curve));
  return plain_verifies(covered, turned(std::string{signature}), key, Plain::ecdsa_raw, std::string{curve.digest});
}

}  // namespace assay::images

#include "probes/images/verify.hpp"

#include "probes/images/format.hpp"
#include "probes/images/signature.hpp"

namespace assay::images {

Result<Verified> verify_image(const Source& image, const ImageMap& map, std::string_view key_pem) {
  const auto trusted = read_trusted(key_pem);
  if (!trusted) {
    return trusted.error();
  }
  const auto* format = format_named(map.format);
  if (format == nullptr || format->verify == nullptr) {
    return not_for(map.format, "the format shows no signature");
  }
  return format->verify(image, map, *trusted);
}

Verified verified_text(const std::string& content, const std::string& signature, const Trusted& trusted) {
  Verified out;
  if (const auto cms = read_cms(signature)) {
    out.scheme = "cms";
    out.reason = cms_refusal(cms.get(), text_source(content), trusted);
    out.verified = out.reason.empty();
    return out;
  }
  const MemorySource source{content};
  for (const auto how : {Plain::rsa_pkcs1, Plain::rsa_pss, Plain::ecdsa_der, Plain::ecdsa_raw}) {
    if (plain_verifies(source, signature, trusted.key.get(), how)) {
      out.scheme = enum_name(how);
      out.verified = true;
      return out;
    }
  }
  out.reason = "the signature is of another key, over other content, or of a kind that is not known";
  return out;
}

}  // namespace assay::images

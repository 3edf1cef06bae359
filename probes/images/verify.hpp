#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/model/json.hpp"
#include "harness/model/result.hpp"
#include "probes/images/byte_source.hpp"
#include "probes/images/image_map.hpp"

/// Whether the maker's key verifies an image: our own sum, without the device and without the maker's tools.
namespace assay::images {

struct Trusted;

struct Verified {
  bool verified = false;
  std::string scheme;                  // by which the signature was checked: cms, rsa_pkcs1, rsa_pss, ecdsa_raw …
  std::string reason;                  // why it was not verified; empty when it was
  std::vector<std::string> uncovered;  // parts of the content that no signed digest covers or whose digest is another
};
BOOST_DESCRIBE_STRUCT(Verified, (), (verified, scheme, reason, uncovered))

/// `key_pem`: a public key, or the certificate of the signer or of one that stands above it. Dates are left aside: they
/// are facts of the map. `bad_input` when that is neither, `unsupported` when the format shows no signature.
Result<Verified> verify_image(const Source& image, const ImageMap& map, std::string_view key_pem);

/// A signature over a text, CMS or plain, under that key.
Verified verified_text(const std::string& content, const std::string& signature, const Trusted& trusted);

}  // namespace assay::images

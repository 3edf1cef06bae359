#pragma once

#include <string>
#include <string_view>

/// Bytes in letters and digits (RFC 4648).
namespace assay {

/// Section 4, with its padding.
std::string base64(std::string_view bytes);

/// Section 6, without padding, in upper case.
std::string base32(std::string_view bytes);

}  // namespace assay

#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "harness/model/result.hpp"

namespace assay::evidence {

/// The key under which a laboratory names secrets: by HMAC-SHA-256 (RFC 2104), so that the laboratory knows a value
/// again and whoever has only the bundle cannot try all PINs. The file is one line, "assay-lab-key/1 " and 64 hex
/// digits, and nobody but its owner may read it.
class LabKey {
 public:
  /// A new one, from the random numbers of OpenSSL.
  static Result<LabKey> make();

  /// `denied` where others may read the file, `bad_input` where it is no key.
  static Result<LabKey> read(const std::filesystem::path& file);

  /// Makes the file, whole or not at all, and the folders above it. `denied` where one is there already.
  Result<> write(const std::filesystem::path& file) const;

  /// Eight hex digits that tell this key from others and nothing about it.
  const std::string& id() const { return id_; }

  /// "hmac:1a2b3c4d:0123456789abcdef": the id of the key and the first 64 bits of the HMAC.
  std::string name_of(std::string_view secret) const;

 private:
  using Bytes = std::array<unsigned char, 32>;

  explicit LabKey(const Bytes& bytes);

  Bytes bytes_;
  std::string id_;
};

/// Whether a text has the form of `name_of`.
bool is_secret_name(std::string_view text);

/// The id of the key in such a name.
std::string key_id_of(std::string_view secret_name);

}  // namespace assay::evidence

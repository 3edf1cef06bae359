#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What it takes to see whether a server tells right from wrong RSA padding (Bleichenbacher's oracle; ROBOT, 2018).
namespace assay::probes::tls {

/// Five encrypted secrets: one right and four wrong, each in its own way (RFC 8017, 7.2.1; RFC 5246, 7.4.7.1).
enum class Padding : std::uint8_t { right, wrong_start, zero_late, no_zero, wrong_version };
inline constexpr std::size_t kPaddings = 5;

std::string_view padding_name(Padding padding);

/// The RSA key of a certificate; nothing when it has another key, or one of an unlikely size (256 to 16384 bits).
class RsaKey {
 public:
  static std::optional<RsaKey> of_certificate(std::string_view der);

  std::size_t bytes() const { return bytes_; }

  /// The block to the power of the public exponent: RSA without any padding of the library's.
  std::optional<std::string> encrypt(std::string_view block) const;

 private:
  std::string spki_;  // DER of the SubjectPublicKeyInfo
  std::size_t bytes_ = 0;
};

/// A block of `size` bytes (at least 64) that holds a secret for `version`.
std::string padded_secret(Padding padding, std::size_t size, std::uint16_t version);

/// What five answers say, in the order of `Padding`.
enum class Oracle : std::uint8_t {
  none,    // the same answer to all
  weak,    // only a wholly right padding is answered differently, which an attack finds slowly
  strong,  // wrong ones are told apart too
};

Oracle oracle_of(const std::array<std::string, kPaddings>& answers);

}  // namespace assay::probes::tls

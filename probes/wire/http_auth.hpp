#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// HTTP authentication: challenges read (RFC 9110 section 11), Basic (RFC 7617) and Digest (RFC 7616, RFC 2617) built.
namespace assay::wire {

struct Challenge {
  std::string scheme;   // as sent: "Basic", "digest"
  std::string token68;  // of Negotiate and its like
  std::vector<std::pair<std::string, std::string>> parameters;

  bool is(std::string_view name) const;
  /// Value of a parameter, empty when it is not there.
  std::string parameter(std::string_view name) const;
};

/// Every challenge of one WWW-Authenticate header; one header may hold several. At most 16.
std::vector<Challenge> parse_challenges(std::string_view header);

std::string basic_authorization(std::string_view username, std::string_view password);

struct DigestInput {
  std::string method = "GET";
  std::string uri = "/";
  std::string username;
  std::string password;
  std::string cnonce;
  std::uint32_t count = 1;  // requests made with this nonce, this one included
};

struct DigestAnswer {
  std::string header;    // value of Authorization
  std::string response;  // the derived secret in it, to be concealed
};

/// Hashes `data` with "MD5" or "SHA-256" into lower-case hex; the caller brings the library.
using HashHex = std::function<std::string(std::string_view algorithm, std::string_view data)>;

/// Nothing when the challenge asks for an algorithm or a quality of protection that we do not know.
std::optional<DigestAnswer> digest_authorization(const Challenge& challenge, const DigestInput& input,
                                                 const HashHex& hash);

}  // namespace assay::wire

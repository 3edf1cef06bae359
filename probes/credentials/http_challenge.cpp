#include <algorithm>
#include <array>
#include <cctype>

#include <openssl/evp.h>

#include "probes/credentials/http_login.hpp"
#include "probes/wire/bytes.hpp"

/// What HTTP asks of a login and what its answer proves, for dialects that log in so (HTTP, RTSP).
namespace assay::probes::credentials {

std::string hash_hex(std::string_view algorithm, std::string_view data) {
  const EVP_MD* digest = algorithm == "SHA-256" ? EVP_sha256() : EVP_md5();
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  if (EVP_Digest(data.data(), data.size(), out.data(), &size, digest, nullptr) != 1) {
    return {};
  }
  return wire::hex({reinterpret_cast<const char*>(out.data()), size});
}

namespace {

/// Whether a value may be made with the password: hex or base64 of so many bits that a word which fits is the password.
/// Where a device says a word there, the word stays readable elsewhere.
bool may_prove(std::string_view value) {
  constexpr std::size_t kFewestHex = 8;
  constexpr std::size_t kFewestBase64 = 16;
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  const auto all = [&](const auto& known) { return std::all_of(value.begin(), value.end(), known); };
  const auto any = [&](const auto& known) { return std::any_of(value.begin(), value.end(), known); };
  const auto upper = [](unsigned char c) { return std::isupper(c) != 0; };
  const auto lower = [](unsigned char c) { return std::islower(c) != 0; };
  if (value.size() >= kFewestHex && value.find_first_not_of(kHex) == std::string_view::npos) {
    return true;
  }
  const auto base64 = [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view{"+/-_="}.find(static_cast<char>(c)) != std::string_view::npos;
  };
  return value.size() >= kFewestBase64 && all(base64) && any(upper) && any(lower);
}

}  // namespace

void conceal_proof(Door& door, const Result<sessions::HttpAnswer>& answer, const std::string& name) {
  if (!answer || !answer->understood) {
    return;
  }
  for (const auto& header : answer->response.all("Authentication-Info")) {
    for (const auto& said : wire::parse_challenges("Digest " + std::string{header})) {
      const auto proof = said.parameter("rspauth");
      if (may_prove(proof)) {
        const Secret hidden{std::string{proof}, "proof with " + name};
        door.record.conceal(hidden);
        door.transcript.conceal(hidden);
      }
    }
  }
}

std::optional<wire::Challenge> usable_challenge(const wire::HttpResponse& response) {
  if (response.status != 401) {
    return std::nullopt;
  }
  std::optional<wire::Challenge> digest;
  for (const auto& header : response.all("WWW-Authenticate")) {
    for (const auto& challenge : wire::parse_challenges(header)) {
      if (challenge.is("Basic")) {
        return challenge;
      }
      if (challenge.is("Digest") && !digest && wire::digest_authorization(challenge, {}, hash_hex)) {
        digest = challenge;
      }
    }
  }
  return digest;
}

}  // namespace assay::probes::credentials

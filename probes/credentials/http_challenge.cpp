#include <algorithm>
#include <array>
#include <iterator>

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

void conceal_proof(Door& door, const Result<sessions::HttpAnswer>& answer, const std::string& name) {
  constexpr std::size_t kSizes[] = {32, 64};  // MD5 and SHA-256 in hex
  if (!answer || !answer->understood) {
    return;
  }
  for (const auto& header : answer->response.all("Authentication-Info")) {
    for (const auto& said : wire::parse_challenges("Digest " + std::string{header})) {
      const auto proof = said.parameter("rspauth");
      const bool hex = proof.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
      if (hex && std::find(std::begin(kSizes), std::end(kSizes), proof.size()) != std::end(kSizes)) {
        door.record.conceal(proof, "proof with " + name);
        door.transcript.conceal(proof, "proof with " + name);
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

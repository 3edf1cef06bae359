#include "probes/ssh/offer.hpp"

#include <algorithm>
#include <array>

namespace assay::probes::ssh {

namespace {

constexpr std::size_t kMaximumFamilies = 16;
constexpr std::string_view kStrictMarker = "kex-strict-s-v00@openssh.com";

struct Known {
  std::string_view name;
  Exchange exchange;
  std::int64_t bits;
};

/// Cheap ones first: a small device computes for seconds on a large group.
constexpr std::array kKnown{
    Known{"curve25519-sha256", Exchange::curve25519, 0},
    Known{"curve25519-sha256@libssh.org", Exchange::curve25519, 0},
    Known{"ecdh-sha2-nistp256", Exchange::nistp256, 0},
    Known{"ecdh-sha2-nistp384", Exchange::nistp384, 0},
    Known{"ecdh-sha2-nistp521", Exchange::nistp521, 0},
    Known{"diffie-hellman-group14-sha256", Exchange::group, 2048},
    Known{"diffie-hellman-group14-sha1", Exchange::group, 2048},
    Known{"diffie-hellman-group1-sha1", Exchange::group, 1024},
    Known{"diffie-hellman-group15-sha512", Exchange::group, 3072},
    Known{"diffie-hellman-group16-sha512", Exchange::group, 4096},
    Known{"diffie-hellman-group17-sha512", Exchange::group, 6144},
    Known{"diffie-hellman-group18-sha512", Exchange::group, 8192},
    Known{"diffie-hellman-group-exchange-sha256", Exchange::group_exchange, 0},
    Known{"diffie-hellman-group-exchange-sha1", Exchange::group_exchange, 0},
    Known{"sntrup761x25519-sha512@openssh.com", Exchange::sntrup761, 0},
    Known{"sntrup761x25519-sha512", Exchange::sntrup761, 0},
};

bool has(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool any_ends_with(const std::vector<std::string>& list, std::string_view end) {
  return std::any_of(list.begin(), list.end(), [&](const auto& name) { return name.ends_with(end); });
}

std::string family_name(std::string_view algorithm) {
  return algorithm == "rsa-sha2-256" || algorithm == "rsa-sha2-512" ? "ssh-rsa"
         : algorithm == "rsa-sha2-256-cert-v01@openssh.com" || algorithm == "rsa-sha2-512-cert-v01@openssh.com"
             ? "ssh-rsa-cert-v01@openssh.com"
             : std::string{algorithm};
}

bool can_be_cut(const std::vector<std::string>& ciphers, const std::vector<std::string>& macs) {
  const bool cbc = any_ends_with(ciphers, "-cbc") || has(ciphers, "rijndael-cbc@lysator.liu.se");
  return has(ciphers, "chacha20-poly1305@openssh.com") || (cbc && any_ends_with(macs, "-etm@openssh.com"));
}

}  // namespace

Method choose_method(const std::vector<std::string>& offered) {
  for (const auto& known : kKnown) {
    if (has(offered, known.name)) {
      return {std::string{known.name}, known.exchange, known.bits};
    }
  }
  return {};
}

std::int64_t fixed_group_bits(std::string_view method) {
  const auto found =
      std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& known) { return known.name == method; });
  return found == kKnown.end() ? 0 : found->bits;
}

std::vector<Family> families_of(const std::vector<std::string>& host_key_algorithms) {
  std::vector<Family> out;
  for (const auto& algorithm : host_key_algorithms) {
    const auto name = family_name(algorithm);
    const auto known = std::find_if(out.begin(), out.end(), [&](const Family& family) { return family.name == name; });
    if (known != out.end()) {
      known->algorithms.push_back(algorithm);
    } else if (out.size() < kMaximumFamilies) {
      out.push_back({name, {algorithm}});
    }
  }
  return out;
}

bool has_terrapin_precondition(const wire::SshKexInit& offer) {
  return !has(offer.kex, kStrictMarker) && (can_be_cut(offer.cipher_to_server, offer.mac_to_server) ||
                                            can_be_cut(offer.cipher_to_client, offer.mac_to_client));
}

std::vector<std::string> markers_of(const std::vector<std::string>& kex) {
  constexpr std::array<std::string_view, 6> kMarkers{
      "ext-info-s",  "ext-info-c", kStrictMarker, "kex-strict-c-v00@openssh.com", "kexguess2@matt.ucc.asn.au",
      "kex-strict-s"};
  std::vector<std::string> out;
  for (const auto& name : kex) {
    if (std::find(kMarkers.begin(), kMarkers.end(), name) != kMarkers.end()) {
      out.push_back(name);
    }
  }
  return out;
}

}  // namespace assay::probes::ssh

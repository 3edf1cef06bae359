#include "probes/tls/weaknesses.hpp"

#include <algorithm>
#include <functional>

#include "probes/wire/bytes.hpp"

namespace assay::probes::tls {

namespace {

using State = WeaknessState;
using Fits = std::function<bool(std::uint16_t version, const wire::SuiteParts& parts)>;

constexpr int kWeakDhBits = 1024;

/// "TLS_… in TLSv1", or empty.
std::string example(const Versions& versions, const Fits& fits) {
  for (const auto& [version, facts] : versions) {
    for (const auto suite : facts.suites) {
      if (version != wire::kSsl2 && fits(version, wire::suite_parts(suite))) {
        return wire::tls_suite_name(suite) + " in " + wire::tls_version_name(version);
      }
    }
  }
  return {};
}

bool settled(const Versions& versions) {
  return std::all_of(versions.begin(), versions.end(), [](const auto& entry) { return entry.second.settled; });
}

Weakness by_suite(std::string_view name, const Versions& versions, State when_there, const Fits& fits) {
  auto found = example(versions, fits);
  if (!found.empty()) {
    return {name, when_there, "takes " + found};
  }
  return settled(versions) ? Weakness{name, State::not_shown, "no such suite is taken"}
                           : Weakness{name, State::unknown, "not every version could be asked to the end"};
}

Weakness by_look(std::string_view name, const Picture& picture, std::string_view look, bool bad, State when_bad) {
  const auto found = picture.behaviour.find(look);
  if (found == picture.behaviour.end() || !found->second.yes) {
    return {name, State::unknown, found == picture.behaviour.end() ? "not asked" : found->second.why};
  }
  return {name, *found->second.yes == bad ? when_bad : State::not_shown, found->second.why};
}

/// Shown where a handshake within a session finished that nothing bound to the first.
Weakness insecure_renegotiation(const Picture& picture) {
  auto out = by_look("insecure_renegotiation", picture, "secure_renegotiation", false, State::precondition);
  const auto again = picture.behaviour.find("renegotiates_for_client");
  if (out.state == State::precondition && again != picture.behaviour.end() && again->second.yes.value_or(false)) {
    return {out.name, State::shown, again->second.why};
  }
  return out;
}

bool over_datagrams(const Versions& versions) {
  return !versions.empty() && wire::is_dtls(versions.begin()->first);
}

Weakness drown(const Versions& versions) {
  if (over_datagrams(versions)) {
    return {"drown", State::not_shown, "SSL 2.0 has no datagrams; the same key on a TCP port was not looked for"};
  }
  const auto found = versions.find(wire::kSsl2);
  if (found == versions.end() || !found->second.settled) {
    return {"drown", State::unknown, "SSL 2.0 was not asked to the end"};
  }
  const bool there = !found->second.suites.empty();
  return {"drown", there ? State::precondition : State::not_shown,
          there ? "takes SSL 2.0" : "SSL 2.0 is refused here; the same key on another port was not looked for"};
}

Weakness logjam(const Versions& versions, const Picture& picture) {
  auto out = by_suite("logjam", versions, State::shown,
                      [](auto, const auto& parts) { return parts.ephemeral_dh && parts.export_grade; });
  if (out.state == State::shown) {
    return out;
  }
  for (const auto& one : picture.dh) {
    const auto bits = static_cast<int>(one.p.size() * 8);
    if (bits <= kWeakDhBits) {
      return {"logjam", State::precondition, "finite-field parameters of " + std::to_string(bits) + " bits"};
    }
  }
  return out;
}

Weakness raccoon(const Versions& versions, const Picture& picture) {
  const auto suite = example(versions, [](auto, const auto& parts) { return parts.ephemeral_dh && !parts.anonymous; });
  const auto reuse = picture.behaviour.find("dh_public_reused");
  if (!suite.empty() && reuse != picture.behaviour.end() && reuse->second.yes.value_or(false)) {
    return {"raccoon", State::precondition, "the finite-field public value was the same on two connections"};
  }
  if (!suite.empty() && (reuse == picture.behaviour.end() || !reuse->second.yes)) {
    return {"raccoon", State::unknown, "whether public values are used again could not be told"};
  }
  return {"raccoon", State::not_shown, suite.empty() ? "no such suite is taken" : "a new public value each time"};
}

Weakness lucky13(const Versions& versions, const Picture& picture) {
  auto out = by_suite("lucky13", versions, State::precondition, [](auto, const auto& parts) { return parts.cbc; });
  const auto mac = picture.behaviour.find("encrypt_then_mac");
  if (out.state == State::precondition && mac != picture.behaviour.end() && mac->second.yes.value_or(false)) {
    out.why += "; with clients that offer it the MAC comes after encryption";
  }
  return out;
}

/// Who answers an address that nobody has shown to be the client's with more than it sent can be aimed at others
/// (RFC 6347, 4.2.1).
Weakness amplification(const Picture& picture) {
  if (!picture.first_answer) {
    return {"dtls_amplification", State::unknown, "the answer to a first hello could not be weighed"};
  }
  const auto& answer = *picture.first_answer;
  const auto bytes = std::to_string(answer.asked_bytes) + " bytes without a cookie were answered with " +
                     std::to_string(answer.bytes) + " bytes";
  if (answer.cookie_asked) {
    return {"dtls_amplification", State::not_shown, "a cookie is asked for first; " + bytes};
  }
  return {"dtls_amplification", answer.factor() > 1 ? State::precondition : State::not_shown, bytes};
}

}  // namespace

std::vector<Weakness> weaknesses_of(const Versions& versions, const Picture& picture) {
  const auto is_old = [](std::uint16_t version) { return version == wire::kSsl3 || version == wire::kTls10; };
  std::vector<Weakness> out{
      drown(versions),
      by_suite("poodle", versions, State::shown,
               [](auto version, const auto& parts) { return version == wire::kSsl3 && parts.cbc; }),
      by_suite("freak", versions, State::shown,
               [](auto, const auto& parts) { return parts.export_grade && parts.rsa_transport; }),
      logjam(versions, picture),
      by_suite("sweet32", versions, State::precondition, [](auto, const auto& parts) { return parts.block64; }),
      by_suite("beast", versions, State::precondition,
               [&](auto version, const auto& parts) { return is_old(version) && parts.cbc; }),
      lucky13(versions, picture),
      by_suite("rc4", versions, State::precondition, [](auto, const auto& parts) { return parts.rc4; }),
      raccoon(versions, picture),
      by_look("crime", picture, "compression", true, State::precondition),
      insecure_renegotiation(picture),
      by_look("heartbleed", picture, "heartbeat", true, State::precondition),
      by_suite("robot", versions, State::precondition,
               [](auto, const auto& parts) { return parts.rsa_transport && !parts.psk && !parts.export_grade; }),
      by_look("alpaca", picture, "wrong_server_name", true, State::precondition),
  };
  if (over_datagrams(versions)) {
    out.push_back(amplification(picture));
  }
  return out;
}

}  // namespace assay::probes::tls

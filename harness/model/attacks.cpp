#include "harness/model/attacks.hpp"

#include <algorithm>

namespace assay {

namespace {

/// By TFTP at the device's server.
bool is_pushed(const UpdateMechanism& mechanism) {
  return mechanism.recovery && mechanism.recovery->deliver == RecoveryDelivery::push;
}

/// A person is asked when the device has had its time, so what does not come at all is waited for to the end.
std::int64_t watched_ms(const UpdateMechanism& mechanism) {
  constexpr std::int64_t kGrace = 10000;
  const std::int64_t takes = mechanism.takes_ms;
  return mechanism.version_at.prompt ? takes * 3 + kGrace : takes * 2;
}

std::string_view without_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

bool is_given(const Dut& dut, const UpdateMechanism& mechanism, std::string_view need) {
  const bool announced = mechanism.announce.has_value();
  const bool ours = mechanism.transport == UpdateTransport::hawkbit || mechanism.transport == UpdateTransport::mender;
  if (need == "older") {
    return mechanism.older.has_value();
  }
  if (need == "other_model") {
    return mechanism.other_model.has_value();
  }
  if (need == "other_component") {
    return mechanism.component().has_value();
  }
  if (need == "server") {
    return mechanism.serve.has_value() || is_pushed(mechanism) || mechanism.upload.has_value();
  }
  if (need == "login") {
    return mechanism.upload && !mechanism.upload->login.empty();
  }
  if (need == "tls") {
    return mechanism.serve && mechanism.serve->secured();
  }
  if (need == "manifest") {
    return mechanism.manifest.has_value() || announced || ours;
  }
  if (need == "open_manifest") {
    return (mechanism.manifest && !mechanism.manifest->body.empty()) ||
           (announced && !mechanism.announce->message.empty()) || ours;
  }
  if (need == "signed_manifest") {
    return mechanism.manifest && !mechanism.manifest->signature_path.empty();
  }
  if (need == "expired_manifest") {
    return mechanism.manifest && !mechanism.manifest->expired.empty();
  }
  if (need == "held_date") {
    return is_given(dut, mechanism, "expired_manifest") && !mechanism.manifest->expired.front().held.empty();
  }
  if (need == "older_manifest") {
    return mechanism.manifest && !mechanism.manifest->older.empty();
  }
  if (need == "open_address") {
    return is_given(dut, mechanism, "open_manifest") || mechanism.transport == UpdateTransport::lwm2m;
  }
  if (need == "power") {
    return dut.lab.power_cycle.has_value();
  }
  if (need == "link") {
    return !dut.lab.link_cycle.empty();
  }
  return need == "verify_key" && !mechanism.verify_key.empty();
}

bool is_chosen(const Attack& attack, std::string_view attacks) {
  if (attacks == "all") {
    return true;
  }
  while (!attacks.empty()) {
    const auto comma = attacks.find(',');
    if (without_blanks(attacks.substr(0, comma)) == attack.id) {
      return true;
    }
    attacks.remove_prefix(comma == std::string_view::npos ? attacks.size() : comma + 1);
  }
  return false;
}

std::int64_t hold_ms(const UpdateMechanism& mechanism) {
  constexpr std::int64_t kLeast = 12000;
  constexpr std::int64_t kMost = 300000;
  return std::clamp(std::int64_t{mechanism.takes_ms} * 5, kLeast, kMost);
}

std::int64_t attack_ms(const UpdateMechanism& mechanism, const Attack& attack) {
  const std::int64_t takes = mechanism.takes_ms;
  const auto has = [&](std::string_view key) { return attack.server.contains(key); };
  const bool holds = has("stall_at") || has("drip") || has("endless");
  const bool cuts = has("power_at") || has("power_installing") || has("link_at") || has("link_installing");
  return watched_ms(mechanism) + (holds ? hold_ms(mechanism) : 0) + (cuts ? takes : 0);
}

std::int64_t control_ms(const UpdateMechanism& mechanism) {
  return watched_ms(mechanism);
}

}  // namespace assay

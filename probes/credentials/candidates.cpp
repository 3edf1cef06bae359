#include "probes/credentials/candidates.hpp"

#include <algorithm>
#include <set>

#include "probes/wire/bytes.hpp"

namespace assay::probes::credentials {

namespace {

constexpr std::string_view kOwnWords =
    "http-basic http-digest telnet dictionary entry iot-common DUT file vendor_credentials blank password answered "
    "public private snmp-communities http-form ssh-password ftp imap pop3 smtp-plain smtp-login mqtt rtsp-basic "
    "rtsp-digest "
    "already desktop subscription granted session opened visitor who has not logged in is asked silence sent, with a "
    "secret left out system read write file block "
    "postgresql mysql onvif snmp-user coaps-psk ipmi-rakp digest key session suite zero postgres user users given "
    "vnc redis snmp-community tftp community communities USER PASS AUTH CONNECT LOGIN "
    "with without credentials username source proof accepted tried lockout observed account after_attempts sign clear "
    "connect sent received stream ended tcp udp true false a shell evaluated random echo login";

}  // namespace

Result<std::vector<Candidate>> make_candidates(const Dut& dut, const ProbeLibrary& library,
                                               const CandidateOptions& options) {
  const auto* dictionary = options.dictionary.empty() ? nullptr : library.dictionary(options.dictionary);
  if (dictionary == nullptr && !options.dictionary.empty()) {
    return Error{ErrorKind::bad_input,
                 "there is no credential dictionary \"" + wire::printable(options.dictionary, 64) +
                     "\"; parameter \"dictionary\" of probe credentials takes an id of testplans/dictionaries, or \"\"",
                 {}};
  }
  std::vector<Candidate> candidates;
  std::set<std::pair<std::string, std::string>> seen;
  const auto add = [&](const std::string& username, const Secret& password, std::string source,
                       bool community = false) {
    if (seen.emplace(username, password.reveal()).second) {
      candidates.push_back({username, password, std::move(source), community});
    }
  };
  for (std::size_t i = 0; options.vendor && i < dut.vendor_credentials.size(); ++i) {
    const auto& pair = dut.vendor_credentials[i];
    add(pair.username, pair.password, "DUT file vendor_credentials entry " + std::to_string(i + 1));
  }
  const auto* communities = options.communities.empty() ? nullptr : library.dictionary(options.communities);
  for (std::size_t i = 0; communities != nullptr && i < communities->credentials.size(); ++i) {
    const auto& pair = communities->credentials[i];
    add(pair.username, pair.password, "dictionary " + communities->id + " entry " + std::to_string(i + 1), true);
  }
  if (dictionary == nullptr) {
    return candidates;
  }
  for (std::size_t i = 0; i < dictionary->credentials.size(); ++i) {
    const auto& pair = dictionary->credentials[i];
    add(pair.username, pair.password, "dictionary " + dictionary->id + " entry " + std::to_string(i + 1));
  }
  // Last: the dictionary stands in order of likelihood and has the likely blank ones itself.
  for (const auto& pair : dictionary->credentials) {
    if (options.blank) {
      add(pair.username, Secret{"", "blank password"}, "blank password");
    }
  }
  return candidates;
}

std::vector<Candidate> without_names(std::vector<Candidate> candidates) {
  std::set<std::string> seen;
  std::erase_if(candidates, [&](auto& candidate) {
    candidate.username.clear();
    return candidate.password.empty() || !seen.insert(candidate.password.reveal()).second;
  });
  return candidates;
}

std::vector<Candidate> with_names(std::vector<Candidate> candidates) {
  std::erase_if(candidates, [](const auto& candidate) { return candidate.community; });
  return candidates;
}

std::vector<Secret> concealable(const std::vector<Candidate>& candidates) {
  std::set<std::string_view> names;
  for (const auto& candidate : candidates) {
    names.insert(candidate.username);
  }
  std::string readable{kOwnWords};
  for (const auto name : names) {
    readable += '\n';
    readable += name;
  }
  std::vector<Secret> secrets;
  std::set<std::string_view> seen;
  for (const auto& candidate : candidates) {
    const auto& text = candidate.password.reveal();
    if (!text.empty() && seen.insert(text).second && !wire::contains_ignoring_case(readable, text)) {
      secrets.push_back(candidate.password);
    }
  }
  return secrets;
}

}  // namespace assay::probes::credentials

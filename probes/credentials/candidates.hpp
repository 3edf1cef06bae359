#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/probe/probe.hpp"

namespace assay::probes::credentials {

/// One pair to try and where it came from.
struct Candidate {
  std::string username;
  Secret password;
  std::string source;
  bool community = false;  // of SNMP: no login that has names
};

struct CandidateOptions {
  std::string dictionary = "iot-common";
  std::string communities;  // dictionary whose words come before it; empty: none
  bool vendor = true;
  bool blank = true;
};

/// Pairs in the order of likelihood: the vendor's own, the dictionary as it stands, then a blank password for each of
/// its user names; communities before the dictionary. A pair comes once. `bad_input` when the dictionary is not there.
Result<std::vector<Candidate>> make_candidates(const Dut& dut, const ProbeLibrary& library,
                                               const CandidateOptions& options);

/// The secrets alone, each once, in the same order and for the account "": for a login that has no names.
std::vector<Candidate> without_names(std::vector<Candidate> candidates);

/// Those of a login that has names: all but the communities.
std::vector<Candidate> with_names(std::vector<Candidate> candidates);

/// The passwords that must be masked, each once. A word that is also a user name, or a word of our own records, is no
/// secret: masking it would make the records unreadable and hide nothing.
std::vector<Secret> concealable(const std::vector<Candidate>& candidates);

}  // namespace assay::probes::credentials

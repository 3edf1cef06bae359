#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/probe/probe.hpp"

namespace assay::probes::credentials {

/// Who says that a pair may work. Communities are words of SNMP: no login that has names.
enum class Origin : std::uint8_t { maker, community, dictionary, derived };

/// One pair to try and where it came from.
struct Candidate {
  std::string username;
  Secret password;
  std::string source;
  Origin origin = Origin::dictionary;
};

struct CandidateOptions {
  std::string dictionary = "iot-common";
  std::string communities;  // dictionary whose words come before it; empty: none
  bool vendor = true;
  bool blank = true;
  std::string sample;        // whose identifiers passwords are derived from
  std::size_t derived = 40;  // of these at most
};

/// Pairs in the order of likelihood: the vendor's own, communities, those of the dictionary that are likelier for this
/// vendor or model, the others as they stand, then a blank password for each of its user names. What is derived from
/// the sample's identifiers is woven in: the two best for a name follow the third pair of that name. A pair comes once.
/// `bad_input` when the dictionary is not there.
Result<std::vector<Candidate>> make_candidates(const Dut& dut, const ProbeLibrary& library,
                                               const CandidateOptions& options);

/// The secrets alone, each once, in the same order and for the account "": for a login that has no names.
std::vector<Candidate> without_names(std::vector<Candidate> candidates);

/// Those of a login that has names: all but the communities.
std::vector<Candidate> with_names(std::vector<Candidate> candidates);

/// The passwords that must be masked, each once.
struct Concealable {
  std::vector<Secret> everywhere;
  // Everywhere with these capitals alone: with others they are words of ours, or shipped, or too many.
  std::vector<Secret> as_they_are;
  // A part of our own words or of a user name, which facts need: where it was said alone.
  std::vector<Secret> in_bytes;
};

/// A word that is also a user name is no secret, nor is a shipped word that our own records have: masking it would make
/// them unreadable and hide nothing.
Concealable concealable(const std::vector<Candidate>& candidates);

/// A refused login with it tells nothing: whoever likes may try it.
bool anybody_may_read(const Secret& password);

}  // namespace assay::probes::credentials

#include "probes/credentials/candidates.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <numeric>
#include <set>

#include "probes/credentials/derived.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::credentials {

namespace {

// Of a longer list the forms with other capitals cost more than the logins, and most of it are guesses.
constexpr std::size_t kMostWithCapitals = 256;

constexpr std::size_t kBlankNames = 20;  // the likeliest: each costs a device a wrong login
constexpr std::string_view kOfDictionary = "dictionary ";

std::string entry_of(const Dictionary& dictionary, std::size_t place) {
  return std::string{kOfDictionary} + dictionary.id + " entry " + std::to_string(place + 1);
}

/// Words of facts, notes and reasons of this probe.
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

constexpr int kBeforeDerived = 3;  // pairs of a name that are likelier than what is derived for it
constexpr std::size_t kDerivedEarly =
    2;  // of a name: with those before it all that the usual budget of an account allows
constexpr std::size_t kLikelyNames = 3;  // of the dictionary, whose first are the likeliest

bool is_letter_or_digit(std::string_view text, std::size_t at) {
  return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
}

/// "hp" is a word of "HP Inc." and none of "PHP". `word` is in lower case.
bool has_word(std::string_view name, std::string_view word) {
  const auto text = wire::lower(name);
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    if ((at == 0 || !is_letter_or_digit(text, at - 1)) && !is_letter_or_digit(text, at + word.size())) {
      return true;
    }
  }
  return false;
}

bool is_likelier(const DictionaryPair& pair, const DeviceIdentity& device) {
  return std::any_of(pair.likelier_for.begin(), pair.likelier_for.end(), [&](const std::string& word) {
    return has_word(device.vendor, word) || has_word(device.model, word);
  });
}

/// Places in the dictionary: first those that are likelier for this device.
std::vector<std::size_t> order_for(const Dictionary& dictionary, const DeviceIdentity& device) {
  std::vector<std::size_t> out(dictionary.credentials.size());
  std::iota(out.begin(), out.end(), std::size_t{0});
  std::stable_partition(out.begin(), out.end(),
                        [&](std::size_t i) { return is_likelier(dictionary.credentials[i], device); });
  return out;
}

/// Names that derived passwords are tried for: those of the accounts that are there, and the likeliest. Other probes
/// log in with the accounts, so of a name that the dictionary leaves alone most of the budget stays theirs.
std::vector<DerivedFor> likely_names(const Dut& dut, const Dictionary* dictionary) {
  std::vector<std::string> known;
  if (dictionary != nullptr) {
    for (const auto& pair : dictionary->credentials) {
      known.push_back(pair.username);
    }
  }
  std::vector<DerivedFor> out;
  const auto add = [&](const std::string& name) {
    const bool there = std::any_of(out.begin(), out.end(), [&](const auto& one) { return one.username == name; });
    if (!name.empty() && !there) {
      const bool guessed = std::find(known.begin(), known.end(), name) != known.end();
      out.push_back({name, guessed ? std::string::npos : kDerivedEarly});
    }
  };
  for (const auto& account : dut.accounts) {
    add(account.username);
  }
  const auto enough = out.size() + kLikelyNames;
  for (std::size_t i = 0; i < known.size() && out.size() < enough; ++i) {
    add(known[i]);
  }
  return out;
}

/// Collects pairs, each once.
class List {
 public:
  void add(const std::string& username, const Secret& password, std::string source, Origin origin) {
    if (seen_.emplace(username, password.reveal()).second) {
      pairs_.push_back({username, password, std::move(source), origin});
      ++of_name_[username];
    }
  }

  void derive(std::vector<Derived> derived) { derived_ = std::move(derived); }

  /// Once a name has had its likeliest pairs, the best that is derived for it.
  void weave(const std::string& username) {
    if (of_name_[username] < kBeforeDerived || !woven_.insert(username).second) {
      return;
    }
    std::size_t early = 0;
    for (const auto& one : derived_) {
      if (one.username == username && early < kDerivedEarly) {
        add(one);
        ++early;
      }
    }
  }

  void add_derived() {
    for (const auto& one : derived_) {
      add(one);
    }
  }

  std::vector<Candidate> take() { return std::move(pairs_); }

 private:
  void add(const Derived& one) { add(one.username, one.password, one.password.name(), Origin::derived); }

  std::vector<Candidate> pairs_;
  std::vector<Derived> derived_;
  std::map<std::string, int> of_name_;
  std::set<std::string> woven_;
  std::set<std::pair<std::string, std::string>> seen_;
};

void add_dictionary(List& list, const Dictionary& dictionary, const Dut& dut, bool blank) {
  for (const auto i : order_for(dictionary, dut.device)) {
    const auto& pair = dictionary.credentials[i];
    list.add(pair.username, pair.password, entry_of(dictionary, i), Origin::dictionary);
    list.weave(pair.username);
  }
  list.add_derived();
  // Last: the dictionary stands in order of likelihood and has the likely blank ones itself.
  std::set<std::string> names;
  for (const auto& pair : dictionary.credentials) {
    if (blank && names.size() < kBlankNames && names.insert(pair.username).second) {
      list.add(pair.username, Secret{"", "blank password"}, "blank password", Origin::dictionary);
    }
  }
}

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
  List list;
  list.derive(derived_passwords(dut, options.sample, likely_names(dut, dictionary), options.derived));
  for (std::size_t i = 0; options.vendor && i < dut.vendor_credentials.size(); ++i) {
    const auto& pair = dut.vendor_credentials[i];
    list.add(pair.username, pair.password, "DUT file vendor_credentials entry " + std::to_string(i + 1), Origin::maker);
  }
  const auto* communities = options.communities.empty() ? nullptr : library.dictionary(options.communities);
  for (std::size_t i = 0; communities != nullptr && i < communities->credentials.size(); ++i) {
    const auto& pair = communities->credentials[i];
    list.add(pair.username, pair.password, entry_of(*communities, i), Origin::community);
  }
  if (dictionary != nullptr) {
    add_dictionary(list, *dictionary, dut, options.blank);
  } else {
    list.add_derived();
  }
  return list.take();
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
  std::erase_if(candidates, [](const auto& candidate) { return candidate.origin == Origin::community; });
  return candidates;
}

Concealable concealable(const std::vector<Candidate>& candidates) {
  std::set<std::string_view> names;
  for (const auto& candidate : candidates) {
    names.insert(candidate.username);
  }
  std::string readable{kOwnWords};
  for (const auto name : names) {
    readable += '\n';
    readable += name;
  }
  Concealable out;
  std::set<std::string_view> seen;
  for (const auto& candidate : candidates) {
    const auto& text = candidate.password.reveal();
    if (text.empty() || names.contains(text) || !seen.insert(text).second) {
      continue;
    }
    const bool shipped = candidate.origin == Origin::dictionary || candidate.origin == Origin::community;
    const bool like_ours = wire::contains_ignoring_case(readable, text);
    const bool ours = shipped ? like_ours : readable.find(text) != std::string::npos;
    if (candidate.origin == Origin::derived || (like_ours && !shipped)) {
      out.in_bytes.push_back(candidate.password);
    }
    if (candidate.origin != Origin::derived && !ours) {
      (shipped || like_ours ? out.as_they_are : out.everywhere).push_back(candidate.password);
    }
  }
  if (out.everywhere.size() > kMostWithCapitals) {
    out.as_they_are.insert(out.as_they_are.end(), out.everywhere.begin(), out.everywhere.end());
    out.everywhere.clear();
  }
  return out;
}

bool anybody_may_read(const Secret& password) {
  return password.name().starts_with(kOfDictionary);
}

}  // namespace assay::probes::credentials

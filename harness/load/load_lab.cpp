#include <algorithm>
#include <map>
#include <set>

#include "harness/load/check.hpp"
#include "harness/load/parts.hpp"
#include "harness/load/read.hpp"
#include "harness/load/words.hpp"

/// job/1, dictionary/1 and fingerprints/1.
namespace assay {

Loaded<Job> load_job(const SourceText& source) {
  Faults faults(source.path);
  const auto root = read_yaml(source.text, faults);
  if (root) {
    check_file(*root, "job/1", faults);
  }
  if (!faults.empty()) {
    return {std::nullopt, faults.errors()};
  }
  return {Job{object_of(*root, "report"), object_of(*root, "item"), array_of(*root, "equipment"),
              object_of(*root, "rules")},
          {}};
}

namespace {

/// A word that one character makes, or that stands twice, is a slip: names of makers are longer.
std::vector<std::string> likelier_for(const Node& pair, Faults& faults) {
  auto words = texts_of(pair, "for");
  std::set<std::string> seen;
  for (auto& word : words) {
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
    if (word.size() < 2) {
      faults.add(place_of(pair, "for"), "\"" + word + "\" is in too many names to tell a vendor or model");
    } else if (!seen.insert(word).second) {
      faults.add(place_of(pair, "for"), "\"" + word + "\" stands twice");
    }
  }
  return words;
}

}  // namespace

Dictionary dictionary_of(const Node& root, Faults& faults) {
  Dictionary out{text_of(root, "id"), text_of(root, "title"), text_of(root, "source"), {}, {}};
  std::map<std::pair<std::string, std::string>, std::size_t> seen;
  for (const auto& node : child(root, "credentials").items) {
    const auto number = out.credentials.size() + 1;
    const auto username = text_of(node, "username");
    const auto password = text_of(node, "password");
    const auto [first, added] = seen.emplace(std::pair{username, password}, number);
    if (!added) {
      faults.add(node.place, "this pair is entry " + std::to_string(first->second) +
                                 " already: trying it twice costs the device a login attempt");
    }
    DictionaryPair pair{username, Secret{password, "dictionary " + out.id + " entry " + std::to_string(number)}, {}};
    for (auto& word : likelier_for(node, faults)) {
      pair.likelier_for.push_back(std::move(word));
    }
    out.credentials.push_back(std::move(pair));
  }
  std::map<std::string, std::size_t> words;
  for (const auto& node : child(root, "passwords").items) {
    const auto number = out.passwords.size() + 1;
    const auto [first, added] = words.emplace(node.text, number);
    if (!added) {
      faults.add(node.place, "this password is entry " + std::to_string(first->second) + " already");
    }
    out.passwords.emplace_back(node.text, "dictionary " + out.id + " password " + std::to_string(number));
  }
  if (out.credentials.empty() && out.passwords.empty()) {
    faults.add(root.place, "the dictionary is empty: give it \"credentials\", \"passwords\" or both");
  }
  return out;
}

std::vector<Fingerprint> fingerprints_of(const Node& root, Faults& faults) {
  constexpr std::string_view kCpe = "cpe:2.3:";
  std::vector<Fingerprint> out;
  for (const auto& node : child(root, "fingerprints").items) {
    Fingerprint entry{text_of(node, "field"), text_of(node, "pattern"), text_of(node, "product"),
                      text_of(node, "cpe", ""), text_of(node, "os_hint", "")};
    const bool takes_version = entry.pattern.find("{version}") != std::string::npos;
    if (!entry.cpe.empty() && !entry.cpe.starts_with(kCpe)) {
      faults.add(child(node, "cpe").place, "a CPE 2.3 name begins with cpe:2.3:");
    } else if (entry.cpe.find("{version}") != std::string::npos && !takes_version) {
      faults.add(child(node, "cpe").place, "the pattern takes no {version} for this name");
    }
    out.push_back(std::move(entry));
  }
  return out;
}

Loaded<Dictionary> load_dictionary(const SourceText& source) {
  Faults faults(source.path);
  const auto root = read_yaml(source.text, faults);
  if (!root || !check_file(*root, "dictionary/1", faults)) {
    return {std::nullopt, faults.errors()};
  }
  auto dictionary = dictionary_of(*root, faults);
  if (!faults.empty()) {
    return {std::nullopt, faults.errors()};
  }
  return {std::move(dictionary), {}};
}

}  // namespace assay

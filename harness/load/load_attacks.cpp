#include <set>

#include "harness/load/check.hpp"
#include "harness/load/parts.hpp"
#include "harness/load/read.hpp"

/// attacks/1.
namespace assay {

namespace {

Attack attack_of(const Node& node, Faults& faults) {
  Attack out;
  out.id = text_of(node, "id");
  out.title = text_of(node, "title");
  out.serves = texts_of(node, "serves");
  out.against = text_of(node, "against");
  out.image = object_of(node, "image");
  out.metadata = object_of(node, "metadata");
  out.server = object_of(node, "server");
  out.needs = texts_of(node, "needs");
  out.after_update = bool_of(node, "after_update", false);
  out.harm = enum_from<AttackHarm>(text_of(node, "harm")).value_or(AttackHarm::recoverable);
  out.source = text_of(node, "source");
  out.confidence = text_of(node, "confidence");
  if (out.image.empty() && out.metadata.empty() && out.server.empty()) {
    faults.add(node.place, "the attack " + out.id + " changes nothing: give it \"image\", \"metadata\" or \"server\"");
  }
  return out;
}

}  // namespace

AttackList attacks_of(const Node& root, Faults& faults) {
  AttackList out{text_of(root, "id"), text_of(root, "title"), text_of(root, "source"), {}};
  std::set<std::string> seen;
  for (const auto& node : child(root, "attacks").items) {
    out.attacks.push_back(attack_of(node, faults));
    if (!seen.insert(out.attacks.back().id).second) {
      faults.add(place_of(node, "id"), "the id \"" + out.attacks.back().id + "\" is there twice");
    }
  }
  return out;
}

Loaded<AttackList> load_attack_list(const SourceText& source) {
  Faults faults(source.path);
  const auto root = read_yaml(source.text, faults);
  if (!root || !check_file(*root, "attacks/1", faults)) {
    return {std::nullopt, faults.errors()};
  }
  auto list = attacks_of(*root, faults);
  if (!faults.empty()) {
    return {std::nullopt, faults.errors()};
  }
  return {std::move(list), {}};
}

}  // namespace assay

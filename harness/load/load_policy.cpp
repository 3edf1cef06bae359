#include <set>
#include <tuple>

#include "harness/load/parts.hpp"
#include "harness/load/read.hpp"
#include "harness/load/words.hpp"

/// policy/1.
namespace assay {

namespace {

constexpr std::string_view kKeySizes = "key_size";

void rule_bits(const Node& entry, std::string_view category, Faults& faults) {
  const bool has_bits = find(entry, "bits") != nullptr;
  const bool forbids = text_of(entry, "grade") == "forbidden";
  if (category != kKeySizes && has_bits) {
    faults.add(place_of(entry, "bits"), "\"bits\" belongs to entries of key_size");
  } else if (category == kKeySizes && !has_bits && !forbids) {
    faults.add(entry.place, "an entry of key_size needs \"bits\", unless the kind of key is forbidden");
  }
}

void rule_star(const Node& name, Faults& faults) {
  const auto star = name.text.find('*');
  if (star != std::string::npos && star + 1 != name.text.size()) {
    faults.add(name.place, "a * stands at the end of a name only");
  }
}

std::vector<PolicyEntry> entries_of(const Node& list, std::string_view category, Faults& faults) {
  std::vector<PolicyEntry> out;
  std::set<std::tuple<std::string, std::int64_t>> seen;  // key lengths grow by the year, so a name may come again
  for (const auto& node : list.items) {
    rule_bits(node, category, faults);
    const auto* names = find(node, "name");
    for (const auto* name : names != nullptr ? one_or_more(*names) : std::vector<const Node*>{}) {
      PolicyEntry entry{name->text,
                        word_of(node, "grade", Grade::recommended),
                        integer_of(node, "until", 0),
                        integer_of(node, "bits", 0),
                        text_of(node, "note"),
                        text_of(node, "needs"),
                        text_of(node, "strength")};
      rule_star(*name, faults);
      if (!seen.insert({entry.name, category == kKeySizes ? entry.until : 0}).second) {
        faults.add(name->place, "the name \"" + entry.name + "\" is there twice");
      }
      out.push_back(std::move(entry));
    }
  }
  return out;
}

}  // namespace

Policy policy_of(const Node& root, Faults& faults) {
  Policy out{text_of(root, "id"),
             text_of(root, "protocol"),
             text_of(root, "title"),
             text_of(root, "version"),
             text_of(root, "date"),
             text_of(root, "source"),
             text_of(root, "strength"),
             word_of(root, "unlisted", Unlisted::doubt),
             {}};
  const auto& lists = child(root, "lists");
  for (std::size_t i = 0; i < lists.keys.size(); ++i) {
    out.lists[lists.keys[i].text] = entries_of(lists.items[i], lists.keys[i].text, faults);
  }
  return out;
}

LibraryFile* find_policy(LibraryFile& naming, const Node& id, const Library& library) {
  auto* file = library.find("policy/1", id.text);
  if (file == nullptr) {
    naming.faults.add(id.place,
                      "the library has no policy " + shown(id.text) + suggestion(id.text, library.ids("policy/1")));
  }
  return file;
}

}  // namespace assay

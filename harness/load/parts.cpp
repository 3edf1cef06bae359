#include "harness/load/parts.hpp"

#include <algorithm>

#include "harness/load/read.hpp"
#include "harness/load/words.hpp"

namespace assay {

const Provision* StandardPart::find(std::string_view id) const {
  const auto found =
      std::find_if(provisions.begin(), provisions.end(), [&](const auto& item) { return item.id == id; });
  return found == provisions.end() ? nullptr : &*found;
}

namespace {

Provision provision_of(const Node& node) {
  Provision out;
  out.id = text_of(node, "id");
  out.title = text_of(node, "title");
  out.modality = word_of(node, "modality", out.modality);
  out.condition = text_of(node, "condition");
  out.condition_words = text_of(node, "condition_words");
  out.strength = word_of(node, "strength", out.strength);
  out.source = text_of(node, "source");
  return out;
}

/// An id that must carry the edition of the file it stands in.
void rule_edition(LibraryFile& file, const Node& mapping, std::string_view edition) {
  const auto* id = find(mapping, "id");
  if (id != nullptr && kQualifiedId.matches(id->text) && edition_of(id->text) != edition) {
    file.faults.add(id->place, shown(id->text) + " does not belong here: ids of this file begin with " +
                                   shown(std::string{edition} + ":"));
  }
}

}  // namespace

StandardPart read_standard(LibraryFile& file, const std::vector<std::string>* ixit, Programs& programs) {
  file.check();
  StandardPart out;
  const auto& provisions = child(file.root, "provisions");
  for (const auto& node : provisions.items) {
    auto provision = provision_of(node);
    if (provision.id.empty()) {
      continue;
    }
    rule_edition(file, node, file.id);
    const auto place = find(node, "id")->place;
    const auto [first, added] = out.where.emplace(provision.id, file.where(place));
    if (!added) {
      file.faults.add(place,
                      "the provision " + shown(provision.id) + " is written twice; the first is at " + first->second);
    }
    out.ids.push_back(provision.id);
    out.short_ids.emplace_back(short_id(provision.id));
    out.provisions.push_back(std::move(provision));
  }
  ProgramScope scope;
  scope.place_name = "a condition";
  scope.ics = &out.short_ids;
  scope.ixit = ixit;
  for (const auto& node : provisions.items) {
    programs.add(file, node, "condition", scope);
  }
  return out;
}

void read_method(LibraryFile& file, const Library& library) {
  file.check();
  const auto* standard = find(file.root, "standard");
  if (standard != nullptr && library.find("standard/1", standard->text) == nullptr) {
    file.faults.add(standard->place, "the library has no standard " + shown(standard->text) +
                                         suggestion(standard->text, library.ids("standard/1")));
  }
}

std::vector<std::string> ixit_tables_of(const LibraryFile* method, const Library& library) {
  if (method != nullptr) {
    if (auto own = texts_of(method->root, "ixit_tables"); !own.empty()) {
      return own;
    }
  }
  std::vector<std::string> out;
  for (const auto* file : library.of_kind("method/1")) {
    for (auto& table : texts_of(file->root, "ixit_tables")) {
      if (std::find(out.begin(), out.end(), table) == out.end()) {
        out.push_back(std::move(table));
      }
    }
  }
  return out;
}

void check_case_ids(LibraryFile& file, std::map<std::string, std::string>& seen) {
  for (const auto& node : child(file.root, "cases").items) {
    rule_edition(file, node, file.id);
    if (const auto* id = find(node, "id"); id != nullptr && id->is_scalar()) {
      const auto [first, added] = seen.emplace(id->text, file.where(id->place));
      if (!added) {
        file.faults.add(id->place,
                        "the case " + shown(id->text) + " is written twice; the first is at " + first->second);
      }
    }
    std::map<std::string, Place> units;
    for (const auto& unit : child(node, "units").items) {
      const auto* id = find(unit, "id");
      if (id != nullptr && id->is_scalar() && !units.emplace(id->text, id->place).second) {
        file.faults.add(id->place, "this case has a unit " + shown(id->text) + " already");
      }
    }
  }
}

Case read_case(LibraryFile& file, const Node& node, const CaseContext& context) {
  Case out;
  out.id = text_of(node, "id");
  out.covers = text_of(node, "covers");
  out.title = text_of(node, "title");
  out.type = word_of(node, "type", out.type);
  out.quantifier = word_of(node, "quantifier", out.quantifier);
  out.states = texts_of(node, "states");
  out.vantages = texts_of(node, "vantages");
  out.samples = integer_of(node, "samples", out.samples);
  out.applies = text_of(node, "applies");
  out.strength = word_of(node, "strength", out.strength);
  out.source = text_of(node, "source");
  out.where = file.where(node.place);
  out.where_applies = where_program(file, node, "applies");
  if (out.states.empty()) {
    out.states = {"initialised"};
  }
  if (out.vantages.empty()) {
    out.vantages = {"lan"};
  }
  const auto* covers = find(node, "covers");
  if (covers != nullptr && kQualifiedId.matches(covers->text) && context.standard.find(covers->text) == nullptr) {
    file.faults.add(covers->place, context.standard_id + " has no provision " + shown(covers->text) +
                                       suggestion(covers->text, context.standard.ids));
  }
  ProgramScope scope;
  scope.place_name = "applies";
  scope.ics = &context.standard.short_ids;
  scope.ixit = &context.ixit;
  context.programs.add(file, node, "applies", scope);
  for (const auto& unit : child(node, "units").items) {
    out.units.push_back(read_unit(file, unit, context));
  }
  return out;
}

}  // namespace assay

#include "harness/load/parts.hpp"

#include <algorithm>
#include <optional>

#include "harness/load/declaration.hpp"
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

namespace {

/// The condition that `when` stands for: the ICS may say N/A, unless the IXIT shows that every term holds.
void read_terms(LibraryFile& file, const Node& node, Provision& provision) {
  const auto& terms = child(file.root(), "terms");
  std::vector<std::string> known;
  for (const auto& key : terms.keys) {
    known.push_back(key.text);
  }
  std::string shown_by;
  std::string words;
  bool all_shown = true;
  for (const auto* when : one_or_more(child(node, "when"))) {
    const auto& term = child(terms, when->text);
    if (!term.is_mapping()) {
      file.faults.add(when->place, "this standard has no term " + shown(when->text) + suggestion(when->text, known));
      return;
    }
    const auto program = text_of(term, "shown_by");
    all_shown = all_shown && !program.empty();
    shown_by += (shown_by.empty() ? "(" : " and (") + program + ")";
    words += (words.empty() ? "" : ", and ") + text_of(term, "words");
  }
  provision.condition = "support(\"" + std::string{short_id(provision.id)} + "\") != \"N/A\"" +
                        (all_shown ? " or (" + shown_by + ")" : "");
  provision.condition_words = provision.condition_words.empty() ? words : provision.condition_words;
}

void rule_condition(LibraryFile& file, const Node& node, Provision& provision) {
  const bool when = find(node, "when") != nullptr;
  if (when && find(node, "condition") != nullptr) {
    file.faults.add(place_of(node, "condition"), "write either \"when\" or \"condition\"");
  } else if (when) {
    read_terms(file, node, provision);
  }
}

}  // namespace

StandardPart read_standard(LibraryFile& file, const std::vector<std::string>* ixit, Programs& programs) {
  file.check();
  StandardPart out;
  const auto& provisions = child(file.root(), "provisions");
  for (const auto& node : provisions.items) {
    auto provision = provision_of(node);
    if (provision.id.empty()) {
      continue;
    }
    rule_edition(file, node, file.id);
    rule_condition(file, node, provision);
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
  for (const auto& term : child(file.root(), "terms").items) {
    programs.add(file, term, "shown_by", scope);
  }
  return out;
}

namespace {

/// What `key` of the method names must be in the library.
const LibraryFile* rule_known(LibraryFile& file, const Library& library, std::string_view key, std::string_view kind) {
  const auto* node = find(file.root(), key);
  if (node == nullptr || !kEdition.matches(node->text)) {
    return nullptr;
  }
  const auto* found = library.find(kind, node->text);
  if (found == nullptr) {
    file.faults.add(node->place, "the library has no " + std::string{kind.substr(0, kind.find('/'))} + " " +
                                     shown(node->text) + suggestion(node->text, library.ids(kind)));
  }
  return found;
}

std::vector<std::string> keys_of(const Node& mapping) {
  std::vector<std::string> out;
  for (const auto& key : mapping.keys) {
    out.push_back(key.text);
  }
  return out;
}

void rule_own_table(LibraryFile& file, const Node& scalar) {
  const auto tables = keys_of(child(file.root(), "ixit_tables"));
  if (kTableName.matches(scalar.text) && std::find(tables.begin(), tables.end(), scalar.text) == tables.end()) {
    file.faults.add(scalar.place,
                    "this method has no IXIT table " + shown(scalar.text) + suggestion(scalar.text, tables));
  }
}

}  // namespace

void read_method(LibraryFile& file, const Library& library, Programs& programs) {
  file.check();
  rule_known(file, library, "standard", "standard/1");
  const auto* declaring = rule_known(file, library, "declares_by", "method/1");
  const auto& tables = child(file.root(), "ixit_tables");
  if (declaring != nullptr && !tables.keys.empty()) {
    file.faults.add(place_of(file.root(), "ixit_tables"), "a method that \"declares_by\" another has its IXIT tables");
  }
  for (const auto& table : tables.items) {
    for (const auto& field : child(table, "fields").items) {
      if (const auto* to = find(field, "refers_to"); to != nullptr) {
        rule_own_table(file, *to);
      }
    }
  }
  for (const auto& name : child(file.root(), "renamed").items) {
    rule_own_table(file, name);
  }
  rule_known(file, library, "checks_from", "method/1");
  for (const auto* policy : one_or_more(child(file.root(), "policies"))) {
    find_policy(file, *policy, library);
  }
  const auto ixit = ixit_tables_of(&file, library);
  ProgramScope scope;
  scope.place_name = "a check";
  scope.ixit = &ixit;
  for (const auto& check : child(file.root(), "checks").items) {
    programs.add(file, check, "fault", scope);
  }
}

void read_mapping(LibraryFile& file, const Library& library) {
  file.check();
  const auto provisions_of = [&](std::string_view key) {
    std::vector<std::string> out;
    if (const auto* standard = rule_known(file, library, key, "standard/1"); standard != nullptr) {
      for (const auto& provision : child(standard->root(), "provisions").items) {
        out.push_back(text_of(provision, "id"));
      }
    }
    return out;
  };
  const auto from = provisions_of("from");
  const auto to = provisions_of("to");
  std::map<std::string, Place> seen;
  const auto rule_provision = [&](const Node& id, const std::vector<std::string>& known) {
    if (!known.empty() && kQualifiedId.matches(id.text) &&
        std::find(known.begin(), known.end(), id.text) == known.end()) {
      file.faults.add(id.place, "the standard has no provision " + shown(id.text) + suggestion(id.text, known));
    }
  };
  for (const auto& row : child(file.root(), "rows").items) {
    if (const auto* id = find(row, "id"); id != nullptr && id->is_scalar()) {
      rule_provision(*id, from);
      if (!seen.emplace(id->text, id->place).second) {
        file.faults.add(id->place, "the mapping has a row for " + shown(id->text) + " already");
      }
    }
    for (const auto* id : one_or_more(child(row, "supported_by"))) {
      rule_provision(*id, to);
    }
  }
}

const LibraryFile* declaring_method(const LibraryFile* method, const Library& library) {
  if (method == nullptr || find(method->root(), "declares_by") == nullptr) {
    return method;
  }
  const auto* declaring = library.find("method/1", text_of(method->root(), "declares_by"));
  return declaring == nullptr ? method : declaring;
}

std::vector<std::string> ixit_tables_of(const LibraryFile* method, const Library& library) {
  if (const auto* declaring = declaring_method(method, library); declaring != nullptr) {
    if (auto own = keys_of(child(declaring->root(), "ixit_tables")); !own.empty()) {
      return own;
    }
  }
  std::vector<std::string> out;
  for (const auto* file : library.of_kind("method/1")) {
    for (auto& table : keys_of(child(file->root(), "ixit_tables"))) {
      if (std::find(out.begin(), out.end(), table) == out.end()) {
        out.push_back(std::move(table));
      }
    }
  }
  return out;
}

CaseContext case_context(const LibraryFile& method, const Library& library, const ProbeCatalogue& probes,
                         Programs& programs) {
  Programs conditions;  // those of the standard are the standard's own matter
  const auto standard_of = [&](const LibraryFile& file) {
    auto* standard = library.find("standard/1", text_of(file.root(), "standard"));
    return standard != nullptr ? read_standard(*standard, nullptr, conditions) : StandardPart{};
  };
  return {library,
          &method,
          standard_of(method),
          standard_of(*declaring_method(&method, library)).short_ids,
          ixit_tables_of(&method, library),
          probes,
          programs};
}

void check_case_ids(LibraryFile& file, std::map<std::string, std::string>& seen) {
  for (const auto& node : child(file.root(), "cases").items) {
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

namespace {

/// The case that `like` names, with this edition's names for its IXIT tables.
struct BaseCase {
  LibraryFile* file = nullptr;
  Node node;
};

std::optional<BaseCase> base_of(LibraryFile& file, const Node& node, const CaseContext& context) {
  const auto* like = find(node, "like");
  if (like == nullptr || !kQualifiedId.matches(like->text)) {
    return std::nullopt;
  }
  std::vector<std::string> known;
  for (auto* other : context.library.of_kind("cases/1")) {
    if (other->id != edition_of(like->text)) {
      continue;
    }
    for (const auto& one : child(other->root(), "cases").items) {
      known.push_back(text_of(one, "id"));
      if (known.back() == like->text && find(one, "like") == nullptr) {
        BaseCase base{other, one};
        rename_tables(base.node, *context.method);
        return base;
      }
    }
  }
  file.faults.add(like->place, "the library has no case " + shown(like->text) + " that stands on its own" +
                                   suggestion(like->text, known));
  return std::nullopt;
}

const Node* find_unit(const Node& test_case, std::string_view id) {
  const auto& units = child(test_case, "units").items;
  const auto found =
      std::find_if(units.begin(), units.end(), [&](const auto& unit) { return text_of(unit, "id") == id; });
  return found == units.end() ? nullptr : &*found;
}

/// The units of the base, those given here in their place or behind them.
std::vector<Unit> read_units(LibraryFile& file, const Node& node, const std::optional<BaseCase>& base,
                             const CaseContext& context) {
  std::vector<Unit> out;
  if (base) {
    const auto without = texts_of(node, "without");
    for (const auto& unit : child(base->node, "units").items) {
      const auto id = text_of(unit, "id");
      if (const auto* own = find_unit(node, id)) {
        out.push_back(read_unit(file, *own, context));
      } else if (std::find(without.begin(), without.end(), id) == without.end()) {
        out.push_back(read_unit(*base->file, unit, context));
      }
    }
    for (const auto* id : one_or_more(child(node, "without"))) {
      if (find_unit(base->node, id->text) == nullptr) {
        file.faults.add(id->place, text_of(node, "like") + " has no unit " + shown(id->text));
      }
    }
  }
  for (const auto& unit : child(node, "units").items) {
    if (!base || find_unit(base->node, text_of(unit, "id")) == nullptr) {
      out.push_back(read_unit(file, unit, context));
    }
  }
  return out;
}

void read_values(Case& out, const Node& node) {
  out.title = text_of(node, "title", out.title);
  out.type = word_of(node, "type", out.type);
  out.quantifier = word_of(node, "quantifier", out.quantifier);
  out.samples = integer_of(node, "samples", out.samples);
  out.applies = text_of(node, "applies", out.applies);
  for (const auto& [key, values] : {std::pair{"states", &out.states}, std::pair{"vantages", &out.vantages}}) {
    if (auto own = texts_of(node, key); !own.empty()) {
      *values = std::move(own);
    }
  }
}

void rule_complete(LibraryFile& file, const Node& node) {
  if (find(node, "like") != nullptr) {
    return;
  }
  for (const std::string key : {"title", "units"}) {
    if (find(node, key) == nullptr) {
      file.faults.add(node.place, "a case lacks the key \"" + key + "\": only one with \"like\" may leave it out");
    }
  }
  if (find(node, "without") != nullptr) {
    file.faults.add(place_of(node, "without"), "\"without\" leaves out units of the case that \"like\" names");
  }
}

}  // namespace

Case read_case(LibraryFile& file, const Node& node, const CaseContext& context) {
  rule_complete(file, node);
  const auto base = base_of(file, node, context);
  Case out;
  out.states = {"initialised"};
  out.vantages = {"lan"};
  if (base) {
    read_values(out, base->node);
  }
  read_values(out, node);
  out.id = text_of(node, "id");
  out.covers = text_of(node, "covers");
  out.strength = word_of(node, "strength", out.strength);
  out.source = text_of(node, "source");
  out.where = file.where(node.place);
  out.where_applies = where_program(file, node, "applies");
  if (base && out.where_applies.empty()) {
    out.where_applies = where_program(*base->file, base->node, "applies");
  }
  const auto* covers = find(node, "covers");
  if (covers != nullptr && kQualifiedId.matches(covers->text) && context.standard.find(covers->text) == nullptr) {
    file.faults.add(covers->place, text_of(context.method->root(), "standard") + " has no provision " +
                                       shown(covers->text) + suggestion(covers->text, context.standard.ids));
  }
  ProgramScope scope;
  scope.place_name = "applies";
  scope.ics = &context.ics;
  scope.ixit = &context.ixit;
  const bool inherited = base && find(node, "applies") == nullptr;
  context.programs.add(inherited ? *base->file : file, inherited ? base->node : node, "applies", scope);
  out.units = read_units(file, node, base, context);
  return out;
}

}  // namespace assay

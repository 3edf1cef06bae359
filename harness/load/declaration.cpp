#include "harness/load/declaration.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "harness/load/parts.hpp"
#include "harness/load/read.hpp"
#include "harness/load/syntax.hpp"
#include "harness/load/words.hpp"

namespace assay {

namespace {

bool has(const std::vector<std::string>& known, const std::string& name) {
  return std::find(known.begin(), known.end(), name) != known.end();
}

std::vector<std::string> names_of(const Node& mapping) {
  std::vector<std::string> out;
  for (const auto& key : mapping.keys) {
    out.push_back(key.text);
  }
  return out;
}

/// Notes of the writer's own: kept for the report, never read.
bool is_free_field(std::string_view name) {
  return name.starts_with("x-") || name.starts_with("x_") || name == "note" || name == "observed";
}

/// A scalar, or a list of scalars that each pass.
template <class Test>
bool each_scalar(const Node& node, const Test& test) {
  if (!node.is_list()) {
    return node.is_scalar() && test(node);
  }
  return std::all_of(node.items.begin(), node.items.end(),
                     [&](const Node& item) { return item.is_scalar() && test(item); });
}

/// Written by the tool from what it saw: it declares nothing until the maker takes `observed` away.
bool is_observed(const json::value& entry) {
  const auto* observed = entry.is_object() ? entry.get_object().if_contains("observed") : nullptr;
  return observed != nullptr && *observed == json::value(true);
}

bool is_number(const Node& node) {
  double value = 0;
  const auto* end = node.text.data() + node.text.size();
  return std::from_chars(node.text.data(), end, value).ptr == end && !node.text.empty();
}

bool is_boolean(const Node& node) {
  return node.is_scalar() && !node.quoted && (node.text == "true" || node.text == "false");
}

/// What the value must be when it is not; empty when it is.
std::string wrong_form(const Node& value, std::string_view form) {
  if (value.kind == Node::Kind::null) {
    return "";  // not said yet
  }
  if (form == "boolean") {
    return is_boolean(value) ? "" : "true or false";
  }
  if (form == "number") {
    return value.is_scalar() && is_number(value) ? "" : "a number";
  }
  if (form == "list") {
    return each_scalar(value, [](const Node&) { return true; }) ? "" : "a text or a list of texts";
  }
  if (form == "port") {
    return "";  // the DUT file's own rules look at every field of that name
  }
  return form == "any" || value.is_scalar() ? "" : "a text";
}

class Declaration {
 public:
  Declaration(const Node& root, const LibraryFile& method, const Library& library, Faults& faults)
      : root_(root), method_(method), library_(library), faults_(faults) {}

  void check_names() {
    check_provisions();
    const auto& known = child(method_.root(), "ixit_tables");
    const auto& tables = child(root_, "ixit");
    for (std::size_t i = 0; i < tables.keys.size(); ++i) {
      const auto& name = tables.keys[i];
      const auto& table = child(known, name.text);
      if (table.is_mapping()) {
        check_entries(name.text, tables.items[i], child(table, "fields"));
      } else if (kTableName.matches(name.text)) {
        faults_.add(name.place,
                    method_.id + " has no IXIT table " + shown(name.text) + suggestion(name.text, names_of(known)));
      }
    }
  }

  void check_complete() {
    const auto ics = names_of(child(root_, "ics"));
    for (const auto& provision : provisions()) {
      if (!has(ics, provision)) {
        faults_.add(place_of(root_, "ics"), "the ICS says nothing about provision " + provision);
      }
    }
    const auto& known = child(method_.root(), "ixit_tables");
    for (std::size_t i = 0; i < known.keys.size(); ++i) {
      const auto* table = find(child(root_, "ixit"), known.keys[i].text);
      if (table == nullptr) {
        faults_.add(place_of(root_, "ixit"), "the IXIT table " + known.keys[i].text + " is missing (" +
                                                 text_of(known.items[i], "about") +
                                                 "); write [] when there is nothing to declare");
        continue;
      }
      check_required(known.keys[i].text, *table, child(known.items[i], "fields"));
    }
  }

 private:
  std::vector<std::string> provisions() const {
    std::vector<std::string> out;
    const auto* standard = library_.find("standard/1", text_of(method_.root(), "standard"));
    if (standard != nullptr) {
      for (const auto& provision : child(standard->root(), "provisions").items) {
        out.emplace_back(short_id(text_of(provision, "id")));
      }
    }
    return out;
  }

  void check_provisions() {
    const auto known = provisions();
    for (const auto& key : child(root_, "ics").keys) {
      if (!known.empty() && kShortProvision.matches(key.text) && !has(known, key.text)) {
        faults_.add(key.place, text_of(method_.root(), "standard") + " has no provision " + shown(key.text) +
                                   suggestion(key.text, known));
      }
    }
  }

  void check_entries(const std::string& table, const Node& entries, const Node& fields) {
    if (fields.keys.empty()) {
      return;
    }
    std::map<std::string, Place> ids;
    for (const auto& entry : entries.items) {
      check_entry(table, entry, fields);
      if (const auto* id = find(entry, "id"); id != nullptr && !ids.emplace(id->text, id->place).second) {
        faults_.add(id->place, "IXIT " + table + " has an entry " + shown(id->text) + " already");
      }
    }
  }

  void check_entry(const std::string& table, const Node& entry, const Node& fields) {
    for (std::size_t i = 0; i < entry.keys.size(); ++i) {
      const auto& name = entry.keys[i];
      const auto& field = child(fields, name.text);
      if (!field.is_mapping()) {
        if (!is_free_field(name.text)) {
          faults_.add(name.place, "IXIT " + table + " has no field " + shown(name.text) +
                                      suggestion(name.text, names_of(fields)) + "; notes of your own begin with x-");
        }
        continue;
      }
      if (const auto expected = wrong_form(entry.items[i], text_of(field, "form", "text")); !expected.empty()) {
        faults_.add(entry.items[i].place, "the field \"" + name.text + "\" of IXIT " + table + " must be " + expected);
      }
    }
  }

  void check_required(const std::string& table, const Node& entries, const Node& fields) {
    for (const auto& entry : entries.items) {
      if (bool_of(entry, "observed", false)) {
        faults_.add(place_of(entry, "observed"), "IXIT " + table + " " + text_of(entry, "id", "without id") +
                                                     " was observed and is not declared: complete it and take "
                                                     "\"observed\" away");
        continue;
      }
      for (std::size_t i = 0; i < fields.keys.size(); ++i) {
        const auto& name = fields.keys[i].text;
        const auto* value = find(entry, name);
        if (value == nullptr || value->kind == Node::Kind::null || (value->is_scalar() && value->text.empty())) {
          if (bool_of(fields.items[i], "required", false)) {
            faults_.add(entry.place, "an entry of IXIT " + table + " lacks the field \"" + name +
                                         "\": " + text_of(fields.items[i], "about"));
          }
        } else if (const auto to = text_of(fields.items[i], "refers_to"); !to.empty()) {
          check_reference(table + " " + text_of(entry, "id", "without id"), name, *value, to);
        }
      }
    }
  }

  void check_reference(const std::string& entry, const std::string& field, const Node& value, const std::string& to) {
    std::vector<std::string> known;
    for (const auto& other : child(child(root_, "ixit"), to).items) {
      known.push_back(text_of(other, "id"));
    }
    const auto check = [&](const Node& id) {
      if (id.is_scalar() && !has(known, id.text)) {
        faults_.add(id.place, "IXIT " + entry + ", field " + field + ": IXIT " + to + " has no entry " +
                                  shown(id.text) + suggestion(id.text, known));
      }
    };
    if (value.is_list()) {
      std::for_each(value.items.begin(), value.items.end(), check);
    } else {
      check(value);
    }
  }

  const Node& root_;
  const LibraryFile& method_;
  const Library& library_;
  Faults& faults_;
};

}  // namespace

void read_declaration(const Node& root, Dut& dut) {
  dut.standard = text_of(root, "standard");
  const auto& ics = child(root, "ics");
  for (std::size_t i = 0; i < ics.keys.size(); ++i) {
    const auto support = text_of(ics.items[i], "support");
    dut.ics[ics.keys[i].text] = {support == "Y"   ? Support::yes
                                 : support == "N" ? Support::no
                                                  : Support::not_applicable,
                                 text_of(ics.items[i], "because")};
  }
  const auto& ixit = child(root, "ixit");
  for (const auto& table : ixit.keys) {
    auto entries = array_of(ixit, table.text);
    const auto size = entries.size();
    entries.erase(std::remove_if(entries.begin(), entries.end(), is_observed), entries.end());
    // A table of observed entries alone is not declared at all: otherwise everything else would be undeclared.
    if (!entries.empty() || size == 0) {
      dut.ixit[table.text] = std::move(entries);
    }
  }
}

void check_declaration(const Node& root, const Library& library, DeclarationCheck how, Faults& faults) {
  const auto* named = find(root, "standard");
  if (named == nullptr || !kEdition.matches(named->text)) {
    if (how == DeclarationCheck::complete) {
      faults.add(root.place, "nothing is declared: name the edition of the declaration (key \"standard\")");
    }
    return;
  }
  const auto* method = library.find("method/1", named->text);
  if (method == nullptr) {
    faults.add(named->place,
               "the library has no method " + shown(named->text) + suggestion(named->text, library.ids("method/1")));
    return;
  }
  Declaration declaration{root, *declaring_method(method, library), library, faults};
  declaration.check_names();
  if (how == DeclarationCheck::complete) {
    declaration.check_complete();
  }
}

}  // namespace assay

#include <algorithm>
#include <map>
#include <set>

#include "harness/load/parts.hpp"
#include "harness/load/read.hpp"
#include "harness/load/words.hpp"

/// arrangements/1, and the rows of the mappings.
namespace assay {

namespace {

ArrangementSide side_of(const Node& node) {
  return {text_of(node, "label"), texts_of(node, "schemes"), texts_of(node, "levels")};
}

Arrangement arrangement_of(const Node& node) {
  Arrangement out;
  out.id = text_of(node, "id");
  out.between = text_of(node, "between");
  out.from = side_of(child(node, "from"));
  out.to = side_of(child(node, "to"));
  out.kind = word_of(node, "kind", out.kind);
  out.gives = text_of(node, "gives");
  out.scope = text_of(node, "scope");
  out.scope_in = texts_of(node, "scope_in");
  out.scope_out = texts_of(node, "scope_out");
  out.agreed = text_of(node, "agreed");
  out.effective = text_of(node, "effective");
  out.ended = text_of(node, "ended");
  out.strength = word_of(node, "strength", out.strength);
  out.source = text_of(node, "source");
  out.note = text_of(node, "note");
  return out;
}

ProductRule product_rule_of(const Node& node) {
  ProductRule out;
  out.id = text_of(node, "id");
  out.classes = texts_of(node, "classes");
  out.schemes = texts_of(node, "schemes");
  out.levels = texts_of(node, "levels");
  out.instead = text_of(node, "instead");
  out.because = text_of(node, "because");
  out.strength = word_of(node, "strength", out.strength);
  out.source = text_of(node, "source");
  return out;
}

/// Schemes that may be named: those of the library's plans, with their levels, and those the file lists.
class Schemes {
 public:
  Schemes(LibraryFile& file, const Library& library) : file_(file) {
    for (const auto& id : library.ids("plan/1")) {
      const auto slash = id.find('/');
      if (slash != std::string::npos) {
        levels_[id.substr(0, slash)].push_back(id.substr(slash + 1));
      }
    }
    for (const auto& key : child(file.root(), "schemes").keys) {
      levels_.try_emplace(key.text);
    }
  }

  void check(const Node& mapping) {
    bool has_plans = false;
    bool all_known = true;
    std::vector<std::string> known;
    for (const auto* scheme : one_or_more(child(mapping, "schemes"))) {
      const auto found = levels_.find(scheme->text);
      if (found == levels_.end()) {
        file_.faults.add(scheme->place, "neither the library's plans nor \"schemes\" of this file have the scheme " +
                                            shown(scheme->text) + suggestion(scheme->text, names()));
        all_known = false;
        continue;
      }
      has_plans = has_plans || !found->second.empty();
      all_known = all_known && !found->second.empty();
      known.insert(known.end(), found->second.begin(), found->second.end());
    }
    if (!has_plans || !all_known) {  // levels of a scheme without plans are as the file says
      return;
    }
    for (const auto* level : one_or_more(child(mapping, "levels"))) {
      if (std::find(known.begin(), known.end(), level->text) == known.end()) {
        file_.faults.add(level->place,
                         "these schemes have no plan of level " + shown(level->text) + suggestion(level->text, known));
      }
    }
  }

 private:
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& [name, levels] : levels_) {
      out.push_back(name);
    }
    return out;
  }

  LibraryFile& file_;
  std::map<std::string, std::vector<std::string>> levels_;
};

void rule_unique(LibraryFile& file, const Node& node, std::set<std::string>& seen) {
  const auto* id = find(node, "id");
  if (id != nullptr && id->is_scalar() && !seen.insert(id->text).second) {
    file.faults.add(id->place, "there is a row " + shown(id->text) + " already");
  }
}

void rule_dates(LibraryFile& file, const Node& node) {
  const auto effective = text_of(node, "effective");
  const auto ended = text_of(node, "ended");
  if (effective.empty() && text_of(node, "agreed").empty()) {
    file.faults.add(node.place, "an arrangement needs \"agreed\" or \"effective\"");
  }
  if (!effective.empty() && !ended.empty() && ended != "undated" && ended < effective) {
    file.faults.add(place_of(node, "ended"), "the arrangement ends before it begins (" + effective + ")");
  }
}

void rule_scope(LibraryFile& file, const Node& node) {
  const auto in = texts_of(node, "scope_in");
  for (const auto* out : one_or_more(child(node, "scope_out"))) {
    if (std::find(in.begin(), in.end(), out->text) != in.end()) {
      file.faults.add(out->place, shown(out->text) + " is in scope_in too");
    }
  }
}

}  // namespace

void read_arrangements(LibraryFile& file, const Library& library, CrosswalkData& out) {
  file.check();
  Schemes schemes{file, library};
  std::set<std::string> seen;
  for (const auto& node : child(file.root(), "arrangements").items) {
    rule_unique(file, node, seen);
    rule_dates(file, node);
    rule_scope(file, node);
    schemes.check(child(node, "from"));
    schemes.check(child(node, "to"));
    out.arrangements.push_back(arrangement_of(node));
  }
  for (const auto& node : child(file.root(), "products").items) {
    rule_unique(file, node, seen);
    schemes.check(node);
    out.products.push_back(product_rule_of(node));
  }
}

Loaded<CrosswalkData> load_crosswalk(const PlanLibrary& library) {
  const Library files(library, {"crosswalk", "schemes"});
  CrosswalkData out;
  for (auto* file : files.of_kind("arrangements/1")) {
    files.find("arrangements/1", file->id);  // tells about a second file with this id
    read_arrangements(*file, files, out);
  }
  for (auto* file : files.of_kind("mapping/1")) {
    file->check();
    for (const auto& node : child(file->root(), "rows").items) {
      out.rows.push_back({text_of(node, "id"), texts_of(node, "supported_by"), text_of(node, "gap"),
                          word_of(node, "strength", Strength::derived), text_of(node, "source")});
    }
  }
  auto errors = files.errors();
  if (!errors.empty()) {
    return {std::nullopt, std::move(errors)};
  }
  return {std::move(out), {}};
}

}  // namespace assay

#include <algorithm>
#include <set>

#include "harness/load/check.hpp"
#include "harness/load/parts.hpp"
#include "harness/load/plan_builder.hpp"
#include "harness/load/read.hpp"
#include "harness/load/words.hpp"

/// What the library holds: plans, cases, dictionaries.
namespace assay {

namespace {

/// The scheme as inherited: the nearest plan up the chain that names it.
Scheme inherited_scheme(const Library& library, const LibraryFile* file) {
  std::set<const LibraryFile*> seen;
  while (file != nullptr && seen.insert(file).second) {
    if (find(file->root(), "scheme") != nullptr) {
      return scheme_of(child(file->root(), "scheme"));
    }
    file = library.find("plan/1", text_of(file->root(), "extends"));
  }
  return {};
}

template <class T>
Loaded<T> loaded(T value, std::vector<Error> errors) {
  if (!errors.empty()) {
    return {std::nullopt, std::move(errors)};
  }
  return {std::move(value), {}};
}

}  // namespace

Loaded<std::vector<PlanListing>> list_plans(const PlanLibrary& library) {
  const Library files(library, {"schemes"});
  std::vector<PlanListing> out;
  for (auto* file : files.of_kind("plan/1")) {
    file->check();
    files.find("plan/1", file->id);  // tells about a second file with this id
    out.push_back({file->id, text_of(file->root(), "title"), inherited_scheme(files, file), file->path});
  }
  return loaded(std::move(out), files.errors());
}

Loaded<std::vector<Plan>> load_plans(const PlanLibrary& library, const ProbeCatalogue& probes) {
  const Library files(library, {"cases", "crosswalk", "policies", "schemes", "standards"});
  std::vector<Plan> out;
  for (auto* file : files.of_kind("plan/1")) {
    files.find("plan/1", file->id);  // tells about a second file with this id
    out.push_back(build_plan(files, *file, probes));
  }
  return loaded(std::move(out), files.errors());
}

Loaded<std::vector<IxitTable>> load_ixit_tables(const PlanLibrary& library, const std::string& method) {
  const Library files(library, {"cases", "standards"});
  std::vector<IxitTable> out;
  const auto* file = declaring_method(files.find("method/1", method), files);
  if (file == nullptr) {
    return {std::nullopt, {{ErrorKind::bad_input, "the library has no method " + shown(method), {}}}};
  }
  const auto& tables = child(file->root(), "ixit_tables");
  for (std::size_t i = 0; i < tables.keys.size(); ++i) {
    IxitTable table{tables.keys[i].text, text_of(tables.items[i], "about"), {}};
    const auto& fields = child(tables.items[i], "fields");
    for (std::size_t j = 0; j < fields.keys.size(); ++j) {
      const auto& field = fields.items[j];
      table.fields.push_back({fields.keys[j].text, text_of(field, "about"), text_of(field, "form", "text"),
                              bool_of(field, "required", false)});
    }
    out.push_back(std::move(table));
  }
  return {std::move(out), {}};
}

Loaded<std::vector<Approval>> load_approvals(const PlanLibrary& library) {
  const Library files(library, {"approvals"});
  std::vector<Approval> out;
  for (auto* file : files.of_kind("approval/1")) {
    file->check();
    out.push_back({text_of(file->root(), "plan"), text_of(file->root(), "digest"), text_of(file->root(), "document"),
                   text_of(file->root(), "by"), text_of(file->root(), "organisation"), text_of(file->root(), "date"),
                   text_of(file->root(), "note")});
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& one, const auto& other) { return one.date < other.date; });
  return loaded(std::move(out), files.errors());
}

std::vector<Case> read_cases_file(LibraryFile& file, const Library& library, const ProbeCatalogue& probes,
                                  Programs& programs) {
  std::vector<Case> out;
  file.check();
  const auto* method = library.find("method/1", file.id);
  if (method == nullptr) {
    const auto* node = find(file.root(), "method");
    if (node != nullptr && kEdition.matches(node->text)) {
      file.faults.add(node->place,
                      "the library has no method " + shown(file.id) + suggestion(file.id, library.ids("method/1")));
    }
    return out;
  }
  const auto context = case_context(*method, library, probes, programs);
  for (const auto& node : child(file.root(), "cases").items) {
    out.push_back(read_case(file, node, context));
  }
  return out;
}

Loaded<std::vector<Case>> load_cases(const PlanLibrary& library, const ProbeCatalogue& probes) {
  const Library files(library, {"cases", "policies", "standards"});
  std::vector<Case> out;
  std::map<std::string, std::string> seen;
  Programs programs;
  for (auto* file : files.of_kind("method/1")) {
    read_method(*file, files, programs);
  }
  for (auto* file : files.of_kind("cases/1")) {
    auto cases = read_cases_file(*file, files, probes, programs);
    check_case_ids(*file, seen);
    std::move(cases.begin(), cases.end(), std::back_inserter(out));
  }
  programs.compile();
  return loaded(std::move(out), files.errors());
}

namespace {

/// Every list of a kind by its id.
template <class List>
std::map<std::string, List> lists_in(const Library& files, std::string_view kind, List (*read)(const Node&, Faults&)) {
  std::map<std::string, List> out;
  for (auto* file : files.of_kind(kind)) {
    file->check();
    files.find(kind, file->id);  // tells about a second file with this id
    auto list = read(file->root(), file->faults);
    out.emplace(list.id, std::move(list));
  }
  return out;
}

std::vector<Fingerprint> fingerprints_in(const Library& files) {
  std::vector<Fingerprint> out;
  for (auto* file : files.of_kind("fingerprints/1")) {
    file->check();
    for (auto& entry : fingerprints_of(file->root(), file->faults)) {
      out.push_back(std::move(entry));
    }
  }
  return out;
}

KnownKeys known_keys_in(const Library& files) {
  KnownKeys out;
  for (auto* file : files.of_kind("known-keys/1")) {
    file->check();
    files.find("known-keys/1", file->id);
    add_known_keys(file->root(), out, file->faults);
  }
  return out;
}

}  // namespace

Loaded<std::map<std::string, Dictionary>> load_dictionaries(const PlanLibrary& library) {
  const Library files(library, {"dictionaries"});
  auto out = lists_in(files, "dictionary/1", &dictionary_of);
  return loaded(std::move(out), files.errors());
}

Loaded<ProbeData> load_probe_data(const PlanLibrary& library) {
  const Library files(library, {"attacks", "dictionaries", "policies"});
  ProbeData out;
  out.dictionaries = lists_in(files, "dictionary/1", &dictionary_of);
  out.payloads = lists_in(files, "payloads/1", &payloads_of);
  out.attacks = lists_in(files, "attacks/1", &attacks_of);
  out.fingerprints = fingerprints_in(files);
  out.known_keys = known_keys_in(files);
  out.password_rules = lists_in(files, "password-rules/1", &password_rules_of);
  return loaded(std::move(out), files.errors());
}

Loaded<std::vector<Policy>> load_policies(const PlanLibrary& library) {
  const Library files(library, {"policies"});
  std::vector<Policy> out;
  for (auto* file : files.of_kind("policy/1")) {
    file->check();
    files.find("policy/1", file->id);
    out.push_back(policy_of(file->root(), file->faults));
  }
  return loaded(std::move(out), files.errors());
}

Result<std::vector<SourceText>> data_sources(const PlanLibrary& library) {
  const Library files(library, {"dictionaries"});
  if (const auto errors = files.errors(); !errors.empty()) {
    return errors.front();
  }
  std::vector<SourceText> out;
  for (const auto& file : files.files()) {
    out.push_back(file->source);
  }
  return out;
}

}  // namespace assay

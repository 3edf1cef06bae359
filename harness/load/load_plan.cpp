#include <algorithm>
#include <iterator>
#include <set>

#include "harness/load/parts.hpp"
#include "harness/load/plan_builder.hpp"
#include "harness/load/read.hpp"
#include "harness/load/words.hpp"
#include "harness/model/joined.hpp"

namespace assay {

namespace {

/// A plan file that is asked for, its parents resolved.
class PlanBuilder {
 public:
  PlanBuilder(const Library& library, const ProbeCatalogue& probes) : library_(library), probes_(probes) {}

  /// The plan; with faults in the library's files it is not to be used.
  Plan build(LibraryFile& asked) {
    const auto chain = chain_of(asked);
    for (std::size_t i = chain.size(); i-- > 0;) {
      merge(*chain[i], i + 1 < chain.size() ? chain[i + 1] : nullptr);
    }
    for (std::size_t i = 1; i < chain.size(); ++i) {
      plan_.extends.push_back(chain[i]->id);
    }
    plan_.id = asked.id;
    plan_.title = text_of(asked.root(), "title");
    read_standard_and_methods(asked);
    resolve_requirements();
    read_cases();
    programs_.compile();
    for (const auto& path : inputs_) {
      plan_.inputs.push_back({path, {}});
    }
    return std::move(plan_);
  }

 private:
  struct Asked {
    Requirement requirement;
    LibraryFile* file = nullptr;
    const Node* node = nullptr;
  };

  struct FurtherStandard {
    std::string id;
    LibraryFile* file = nullptr;
    Place place;
  };

  std::vector<LibraryFile*> chain_of(LibraryFile& asked) {
    std::vector<LibraryFile*> chain{&asked};
    while (true) {
      auto& child_file = *chain.back();
      child_file.check();
      inputs_.insert(child_file.source.path);
      const auto* extends = find(child_file.root(), "extends");
      if (extends == nullptr || !extends->is_scalar()) {
        return chain;
      }
      auto* parent = library_.find("plan/1", extends->text);
      if (parent == nullptr) {
        child_file.faults.add(extends->place, "the library has no plan " + shown(extends->text) +
                                                  suggestion(extends->text, library_.ids("plan/1")));
        return chain;
      }
      if (std::find(chain.begin(), chain.end(), parent) != chain.end()) {
        child_file.faults.add(extends->place, "the plans extend each other in a circle: " + shown(extends->text) +
                                                  " is extended on the way here");
        return chain;
      }
      chain.push_back(parent);
    }
  }

  void merge(LibraryFile& file, const LibraryFile* parent) {
    merge_scheme(file, parent);
    merge_edition(file, parent, "standard", plan_.standard);
    merge_edition(file, parent, "method", plan_.method);
    merge_methods(file, parent);
    for (const auto* node : one_or_more(child(file.root(), "further_standards"))) {
      further_standards_.push_back({node->text, &file, node->place});
    }
    merge_parameters(file);
    for (const auto* node : one_or_more(child(file.root(), "policies"))) {
      use_policy(file, *node);
    }
    for (auto& key : texts_of(file.root(), "needs")) {
      if (std::find(plan_.needs.begin(), plan_.needs.end(), key) == plan_.needs.end()) {
        plan_.needs.push_back(std::move(key));
      }
    }
    for (const auto& node : child(file.root(), "requirements").items) {
      merge_requirement(file, node);
    }
    if (parent == nullptr && child(file.root(), "requirements").is_list() && requirements_.empty()) {
      file.faults.add(place_of(file.root(), "requirements"), "a plan without \"extends\" needs requirements");
    }
  }

  void required_without_parent(LibraryFile& file, const LibraryFile* parent, const std::string& key) {
    if (parent == nullptr && find(file.root(), "extends") == nullptr && find(file.root(), key) == nullptr) {
      file.faults.add(file.root().place,
                      "the plan lacks the key \"" + key + "\": only a plan that extends another may " + "leave it out");
    }
  }

  void merge_scheme(LibraryFile& file, const LibraryFile* parent) {
    required_without_parent(file, parent, "scheme");
    if (find(file.root(), "scheme") != nullptr) {
      plan_.scheme = scheme_of(child(file.root(), "scheme"));
    }
  }

  void merge_edition(LibraryFile& file, const LibraryFile* parent, const std::string& key, std::string& value) {
    required_without_parent(file, parent, key);
    const auto* node = find(file.root(), key);
    if (node == nullptr) {
      return;
    }
    if (parent != nullptr && !value.empty() && value != node->text) {
      file.faults.add(node->place, "\"" + key + "\" is " + value + " in " + parent->id + " (" +
                                       parent->where(place_of(parent->root(), key)) + ") and may not be changed");
      return;
    }
    value = node->text;
  }

  void merge_methods(LibraryFile& file, const LibraryFile* parent) {
    required_without_parent(file, parent, "cases_from");
    for (const auto* node : one_or_more(child(file.root(), "cases_from"))) {
      if (std::find(methods_.begin(), methods_.end(), node->text) == methods_.end()) {
        methods_.push_back(node->text);
      }
      if (kEdition.matches(node->text) && library_.find("method/1", node->text) == nullptr) {
        file.faults.add(node->place, "the library has no method " + shown(node->text) +
                                         suggestion(node->text, library_.ids("method/1")));
      }
    }
  }

  void merge_parameters(LibraryFile& file) {
    const auto& parameters = child(file.root(), "parameters");
    for (std::size_t i = 0; i < parameters.keys.size(); ++i) {
      const auto& key = parameters.keys[i];
      const auto value = json_of(parameters.items[i]);
      const auto [first, added] = parameter_where_.emplace(key.text, file.where(key.place));
      if (added) {
        plan_.parameters[key.text] = value;
      } else if (plan_.parameters[key.text] != value) {
        file.faults.add(key.place, "the parameter " + shown(key.text) + " is inherited (" + first->second +
                                       ") and may not be changed");
      }
    }
  }

  void merge_requirement(LibraryFile& file, const Node& node) {
    const auto* id = find(node, "id");
    if (id == nullptr || !id->is_scalar()) {
      return;
    }
    Asked asked{requirement_of(node), &file, &node};
    asked.requirement.level = file.id;
    asked.requirement.where = file.where(node.place);
    for (const auto& earlier : requirements_) {
      if (earlier.requirement.id == id->text) {
        file.faults.add(id->place, earlier.file == &file
                                       ? "the requirement " + shown(id->text) + " is written twice; the first is at " +
                                             earlier.requirement.where
                                       : "the requirement " + shown(id->text) + " is inherited from " +
                                             earlier.requirement.level + " (" + earlier.requirement.where +
                                             ") and may not be changed: leave it out");
        return;
      }
    }
    requirements_.push_back(std::move(asked));
  }

  void read_standard_and_methods(LibraryFile& asked) {
    LibraryFile* method = library_.find("method/1", plan_.method);
    if (method == nullptr && !plan_.method.empty()) {
      asked.faults.add(place_of(asked.root(), "method"), "the library has no method " + shown(plan_.method) +
                                                             suggestion(plan_.method, library_.ids("method/1")));
    }
    for (const auto& id : methods_) {
      use_method(library_.find("method/1", id));
    }
    use_policies_of_methods();
    use_method(method);
    plan_.ixit_tables = ixit_tables_of(method, library_);
    use_standard(plan_.standard, asked, place_of(asked.root(), "standard"));
    for (const auto& further : further_standards_) {
      use_standard(further.id, *further.file, further.place);
    }
    read_ics_names(method);
    read_mappings();
  }

  void use_standard(const std::string& id, LibraryFile& asked, Place place) {
    auto* standard = library_.find("standard/1", id);
    if (standard != nullptr && !standards_.contains(id)) {
      inputs_.insert(standard->source.path);
      standards_[id] = read_standard(*standard, &plan_.ixit_tables, programs_);
    } else if (standard == nullptr && !id.empty()) {
      asked.faults.add(place, "the library has no standard " + shown(id) + suggestion(id, library_.ids("standard/1")));
    }
  }

  /// The ICS has the provisions of the standard that the method of declaration belongs to.
  void read_ics_names(LibraryFile* method) {
    if (method == nullptr) {
      return;
    }
    const auto* declaring = declaring_method(method, library_);
    inputs_.insert(declaring->source.path);
    const auto id = text_of(declaring->root(), "standard");
    if (standards_.contains(id)) {
      plan_.ics_names = standards_[id].short_ids;
    } else if (auto* standard = library_.find("standard/1", id)) {
      inputs_.insert(standard->source.path);
      plan_.ics_names = read_standard(*standard, &plan_.ixit_tables, programs_).short_ids;
    }
  }

  /// Rows of the crosswalk that make other standards' cases evidence for a provision of this plan.
  void read_mappings() {
    for (auto* file : library_.of_kind("mapping/1")) {
      if (!standards_.contains(file->id)) {
        continue;
      }
      file->check();
      inputs_.insert(file->source.path);
      for (const auto& node : child(file->root(), "rows").items) {
        rows_[text_of(node, "id")].push_back(&node);
      }
    }
  }

  const Provision* find_provision(const std::string& id) const {
    const auto found = standards_.find(edition_of(id));
    return found == standards_.end() ? nullptr : found->second.find(id);
  }

  void use_method(LibraryFile* method) {
    if (method != nullptr) {
      inputs_.insert(method->source.path);
      read_method(*method, library_, programs_);
    }
  }

  void use_policy(LibraryFile& naming, const Node& id) {
    auto* file = find_policy(naming, id, library_);
    const auto same = [&](const Policy& other) { return file != nullptr && other.id == file->id; };
    if (file == nullptr || std::any_of(plan_.policies.begin(), plan_.policies.end(), same)) {
      return;
    }
    file->check();
    inputs_.insert(file->source.path);
    plan_.policies.push_back(policy_of(file->root(), file->faults));
  }

  /// What the methods judge by where the plan has nothing of its own.
  void use_policies_of_methods() {
    std::set<std::string> decided;
    for (const auto& policy : plan_.policies) {
      decided.insert(policy.protocol);
    }
    for (const auto& id : methods_) {
      auto* method = library_.find("method/1", id);
      if (method == nullptr) {
        continue;
      }
      for (const auto* node : one_or_more(child(method->root(), "policies"))) {
        const auto* file = find_policy(*method, *node, library_);
        if (file != nullptr && !decided.contains(text_of(file->root(), "protocol"))) {
          use_policy(*method, *node);
        }
      }
    }
  }

  void resolve_requirements() {
    for (auto& asked : requirements_) {
      auto& requirement = asked.requirement;
      const auto* provision = find_provision(requirement.id);
      if (provision == nullptr) {
        unknown_provision(asked);
        continue;
      }
      if (find(*asked.node, "modality") != nullptr && requirement.modality != provision->modality) {
        asked.file->faults.add(find(*asked.node, "modality")->place,
                               "the modality of " + requirement.id + " is " + enum_name(provision->modality) + " in " +
                                   edition_of(requirement.id) + " (" +
                                   standards_[edition_of(requirement.id)].where[requirement.id] + ")");
      }
      requirement.title = provision->title;
      requirement.modality = provision->modality;
      requirement.condition = provision->condition;
      requirement.condition_words = provision->condition_words;
      for (const auto* row : rows_[requirement.id]) {
        auto supported_by = texts_of(*row, "supported_by");
        std::move(supported_by.begin(), supported_by.end(), std::back_inserter(requirement.evidence_from));
        requirement.gap += (requirement.gap.empty() ? "" : "; ") + text_of(*row, "gap");
      }
    }
  }

  void unknown_provision(const Asked& asked) {
    const auto* id = find(*asked.node, "id");
    if (standards_.empty() || !kQualifiedId.matches(id->text)) {
      return;
    }
    const auto named = standards_.find(edition_of(id->text));
    const auto& standard = named == standards_.end() ? *standards_.begin() : *named;
    asked.file->faults.add(
        id->place, standard.first + " has no provision " + shown(id->text) + suggestion(id->text, standard.second.ids));
  }

  void read_cases() {
    std::map<std::string, std::vector<Case>> by_provision;
    std::map<std::string, std::string> seen;
    for (auto* file : library_.of_kind("cases/1")) {
      if (std::find(methods_.begin(), methods_.end(), file->id) == methods_.end()) {
        continue;
      }
      file->check();
      check_case_ids(*file, seen);
      const auto* method = library_.find("method/1", file->id);
      if (method == nullptr) {
        continue;
      }
      const auto context = case_context(*method, library_, probes_, programs_);
      for (const auto& node : child(file->root(), "cases").items) {
        const auto covers = text_of(node, "covers");
        if (!standards_.empty() && (is_wanted(covers) || context.standard.find(covers) == nullptr)) {
          by_provision[covers].push_back(read_case(*file, node, context));
          inputs_.insert(file->source.path);
        }
      }
    }
    std::set<std::string> taken;
    for (auto& asked : requirements_) {
      const auto own = by_provision[asked.requirement.id].size();
      auto found = take_cases(by_provision, asked.requirement.id, taken);
      for (const auto& provision : asked.requirement.evidence_from) {
        found += take_cases(by_provision, provision, taken);
      }
      rule_covered(asked, own, found);
      plan_.requirements.push_back(std::move(asked.requirement));
    }
  }

  bool is_wanted(const std::string& provision) const {
    return std::any_of(requirements_.begin(), requirements_.end(), [&](const Asked& asked) {
      const auto& from = asked.requirement.evidence_from;
      return asked.requirement.id == provision || std::find(from.begin(), from.end(), provision) != from.end();
    });
  }

  /// Moves the cases of a provision into the plan, once; returns how many there are.
  std::size_t take_cases(std::map<std::string, std::vector<Case>>& by_provision, const std::string& provision,
                         std::set<std::string>& taken) {
    auto& cases = by_provision[provision];
    if (taken.insert(provision).second) {
      std::copy(cases.begin(), cases.end(), std::back_inserter(plan_.cases));
    }
    return cases.size();
  }

  void rule_covered(const Asked& asked, std::size_t own, std::size_t found) {
    const auto& requirement = asked.requirement;
    if (find_provision(requirement.id) == nullptr) {
      return;
    }
    const auto methods = joined(methods_);
    const auto place = find(*asked.node, "id")->place;
    if (found == 0) {
      asked.file->faults.add(place, "no case of " + methods + " covers " + requirement.id + ": add one");
    } else if (own == 0 && !requirement.gap.empty()) {
      asked.file->faults.add(place, "no case of " + methods + " covers what the mapping leaves open of " +
                                        requirement.id + " (" + requirement.gap + "): add one");
    }
  }

  static Requirement requirement_of(const Node& node) {
    Requirement out;
    out.id = text_of(node, "id");
    out.modality = word_of(node, "modality", out.modality);
    out.strength = word_of(node, "strength", out.strength);
    out.source = text_of(node, "source");
    out.minimum = text_of(node, "minimum");
    out.evidence = text_of(node, "evidence");
    out.assessment = text_of(node, "assessment");
    return out;
  }

  const Library& library_;
  const ProbeCatalogue& probes_;
  Programs programs_;
  Plan plan_;
  std::map<std::string, StandardPart> standards_;  // by id
  std::vector<FurtherStandard> further_standards_;
  std::map<std::string, std::vector<const Node*>> rows_;  // mapping rows by provision
  std::vector<std::string> methods_;
  std::vector<Asked> requirements_;
  std::map<std::string, std::string> parameter_where_;
  std::set<std::string> inputs_;
};

}  // namespace

Scheme scheme_of(const Node& node) {
  return {text_of(node, "name"), text_of(node, "owner"), text_of(node, "document"), bool_of(node, "read", false)};
}

Plan build_plan(const Library& library, LibraryFile& asked, const ProbeCatalogue& probes) {
  return PlanBuilder(library, probes).build(asked);
}

Loaded<Plan> load_plan(const PlanLibrary& library, const std::string& id, const ProbeCatalogue& probes) {
  const Library files(library, {"cases", "crosswalk", "policies", "schemes", "standards"});
  auto* asked = files.find("plan/1", id);
  if (asked == nullptr) {
    auto errors = files.errors();
    errors.insert(
        errors.begin(),
        {ErrorKind::bad_input, "the library has no plan " + shown(id) + suggestion(id, files.ids("plan/1")), {}});
    return {std::nullopt, std::move(errors)};
  }
  auto plan = build_plan(files, *asked, probes);
  auto errors = files.errors();
  if (!errors.empty()) {
    return {std::nullopt, std::move(errors)};
  }
  return {std::move(plan), {}};
}

Result<std::vector<SourceText>> plan_sources(const PlanLibrary& library, const Plan& plan) {
  std::vector<SourceText> out;
  const auto parent = library_parent(library);
  for (const auto& input : plan.inputs) {
    const std::filesystem::path relative = std::filesystem::path{input.path}.lexically_normal();
    if (relative.is_absolute() || relative.empty() || *relative.begin() == "..") {
      return Error{ErrorKind::bad_input, "the plan names a file outside of the library", input.path};
    }
    auto source = read_source(parent / relative);
    if (!source) {
      return Error{source.error().kind, source.error().what, input.path};
    }
    out.push_back({input.path, std::move(source->text)});
  }
  return out;
}

}  // namespace assay

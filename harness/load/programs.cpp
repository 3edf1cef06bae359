#include "harness/load/programs.hpp"

#include <algorithm>
#include <map>

#include "harness/load/read.hpp"
#include "harness/load/words.hpp"

namespace assay {

namespace {

bool has(const std::vector<std::string>& known, const std::string& name) {
  return std::find(known.begin(), known.end(), name) != known.end();
}

/// Which family of names the function reads.
enum class Family { facts, aliases, provisions, tables, free };

Family family_of(const std::string& function) {
  static const std::map<std::string, Family> kFamilies{
      {"fact", Family::facts},           {"present", Family::facts},  {"observed", Family::facts},
      {"evidence", Family::facts},       {"changes", Family::facts},  {"obs", Family::aliases},
      {"support", Family::provisions},   {"ics", Family::provisions}, {"ixit", Family::tables},
      {"ixit_declared", Family::tables}, {"declared", Family::tables}};
  const auto found = kFamilies.find(function);
  return found == kFamilies.end() ? Family::free : found->second;
}

std::string no_observations(const NameUse& use, const ProgramScope& scope) {
  return use.function + "(" + shown(use.name) + ") is not possible in " + scope.place_name +
         ": it is decided before anything is observed";
}

std::string problem_with(const NameUse& use, const ProgramScope& scope) {
  const auto unknown = [&](const std::string& what, const std::vector<std::string>& known) {
    return use.function + "(" + shown(use.name) + "): " + what + suggestion(use.name, known);
  };
  switch (family_of(use.function)) {
    case Family::facts:
      if (!scope.observations) {
        return no_observations(use, scope);
      }
      return scope.facts_known && !has(scope.facts, use.name)
                 ? unknown("no probe that " + scope.place_name + " can read declares this fact", scope.facts)
                 : "";
    case Family::aliases:
      if (!scope.observations) {
        return no_observations(use, scope);
      }
      return has(scope.aliases, use.name) ? "" : unknown(scope.place_name + " knows no such alias", scope.aliases);
    case Family::provisions:
      return scope.ics != nullptr && !has(*scope.ics, use.name)
                 ? unknown("the standard has no such provision", *scope.ics)
                 : "";
    case Family::tables:
      return scope.ixit != nullptr && !has(*scope.ixit, use.name)
                 ? unknown("the method has no such IXIT table", *scope.ixit)
                 : "";
    case Family::free:
      return "";
  }
  return "";
}

}  // namespace

void Programs::add(LibraryFile& file, const Node& mapping, std::string_view key, const ProgramScope& scope) {
  const auto* node = find(mapping, key);
  if (node == nullptr || !node->is_scalar() || node->text.empty()) {
    return;
  }
  for (const auto& use : names_used(node->text)) {
    if (auto problem = problem_with(use, scope); !problem.empty()) {
      file.faults.add(place_in(file.source.text, *node, use.offset), std::move(problem));
    }
  }
  uses_.push_back({&file, place_in(file.source.text, *node, 0), node->text});
}

void Programs::compile() {
  std::map<std::string_view, std::size_t> index;
  std::vector<ProgramText> distinct;
  for (const auto& use : uses_) {
    if (index.emplace(use.program, distinct.size()).second) {
      distinct.push_back({use.program, use.file->where(use.place)});
    }
  }
  const auto results = check_programs(distinct);
  for (const auto& use : uses_) {
    if (const auto& result = results[index.at(use.program)]; !result) {
      use.file->faults.add(use.place, result.error().what);
    }
  }
  uses_.clear();
}

std::string where_program(const LibraryFile& file, const Node& mapping, std::string_view key) {
  const auto* node = find(mapping, key);
  return node == nullptr ? std::string{} : file.where(place_in(file.source.text, *node, 0));
}

}  // namespace assay

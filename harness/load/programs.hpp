#pragma once

#include <string>
#include <vector>

#include "harness/expr/expr.hpp"
#include "harness/load/library.hpp"

namespace assay {

/// What a program may name where it stands.
struct ProgramScope {
  std::string place_name;                          // "a condition", "for_each", for messages
  bool observations = false;                       // may it read obs() and facts at all
  bool facts_known = true;                         // false: a probe is unknown, so its facts are not checked
  std::vector<std::string> aliases;                // for obs()
  std::vector<std::string> facts;                  // of the probes behind the aliases
  const std::vector<std::string>* ics = nullptr;   // provisions, short form; null: not checked
  const std::vector<std::string>* ixit = nullptr;  // tables; null: not checked
};

/// Collects the jq programs of a load, checks the names they use, and compiles each distinct one once in the life of the
/// process. Not for several threads.
class Programs {
 public:
  /// `program` is the scalar under `key` of `mapping`; does nothing when there is none.
  void add(LibraryFile& file, const Node& mapping, std::string_view key, const ProgramScope& scope);

  /// Compiles everything added; faults go to the files.
  void compile();

 private:
  struct Use {
    LibraryFile* file = nullptr;
    Place place;
    std::string program;
  };

  std::vector<Use> uses_;
};

/// "file:line:column" of a program's first line, or empty when there is none.
std::string where_program(const LibraryFile& file, const Node& mapping, std::string_view key);

}  // namespace assay

#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>

/// Which programs compiled in earlier processes: checking the shipped library anew takes seconds of processor time, and
/// it is what every command begins with.
namespace assay::expr {

/// A file of lines, each the digest of a program together with the prelude and the libjq that compiled it. What the
/// file says saves a check and nothing else: a program is compiled again when it runs. A file that cannot be read or
/// written is none.
class Remembered {
 public:
  /// From now on it is `folder`/programs, which is read when a program is first asked for: most commands check none.
  void use(const std::filesystem::path& folder);

  bool contains(std::string_view program);

  void add(std::span<const std::string_view> programs);

 private:
  void read();
  std::string line_of(std::string_view program) const;

  std::filesystem::path folder_;  // empty: there is none, or it has been read
  std::filesystem::path file_;    // empty: nothing is remembered
  std::string identity_;
  std::set<std::string, std::less<>> lines_;
};

/// The one of this process; nothing is remembered until it is opened.
Remembered& remembered();

}  // namespace assay::expr

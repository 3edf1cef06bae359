#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <vector>

#include "harness/model/result.hpp"

namespace assay {

/// Line and column from 1, the column in characters (code points), as editors count.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;

  auto operator<=>(const Place&) const = default;
};

/// Everything that is wrong in one file: collected in any order, handed out sorted by place and without repetition.
class Faults {
 public:
  explicit Faults(std::string path) : path_(std::move(path)) {}

  void add(Place place, std::string what);

  /// A fault of the file as a whole, without a place in it.
  void add(ErrorKind kind, std::string what);

  /// "file:line:column".
  std::string where(Place place) const;

  const std::string& path() const { return path_; }

  bool empty() const { return faults_.empty(); }

  /// At most kMaximumShown of them; a last one says how many are not shown.
  std::vector<Error> errors() const;

  static constexpr std::size_t kMaximumShown = 100;

 private:
  struct Fault {
    Place place;
    std::string what;
    ErrorKind kind = ErrorKind::bad_input;
    bool whole_file = false;

    auto operator<=>(const Fault&) const = default;
  };

  std::string path_;
  std::vector<Fault> faults_;
  std::size_t dropped_ = 0;
};

}  // namespace assay

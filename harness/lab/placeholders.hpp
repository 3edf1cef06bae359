#pragma once

#include <map>
#include <string>
#include <string_view>

#include "harness/model/result.hpp"

namespace assay {

/// Names in braces and what they become: `{dir}`, `{port:http}`. A brace that does not hold such a word stays as it
/// is, so that configuration files with blocks in braces need no escapes.
class Placeholders {
 public:
  void set(std::string name, std::string value) { values_.insert_or_assign(std::move(name), std::move(value)); }

  /// The text with all placeholders filled in, once (values are not searched again). An unknown name is `bad_input`
  /// that tells the known ones; `where` names the text.
  Result<std::string> fill(std::string_view text, std::string_view where) const;

 private:
  std::string known() const;

  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace assay

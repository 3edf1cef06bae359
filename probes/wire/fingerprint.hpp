#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "probes/wire/bytes.hpp"

/// Patterns of fingerprints/1: plain text, `*` for any text, `{version}` for digits with dots between, `{update}` for
/// letters and digits, maybe none. The whole text must fit, capitals do not matter.
namespace assay::wire {

struct PatternMatch {
  std::string version;
  std::string update;
};

/// At most the first 256 bytes of the text are looked at, in time that grows with pattern and text only.
std::optional<PatternMatch> match_pattern(std::string_view pattern, std::string_view text);

/// The CPE 2.3 name with version and update put in, other characters than those of a name escaped. Empty when the name
/// wants a version and there is none; an empty update becomes `*`.
std::string cpe_name(std::string_view form, const PatternMatch& match);

}  // namespace assay::wire

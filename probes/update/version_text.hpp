#pragma once

#include <string>
#include <string_view>

#include "probes/update/version.hpp"

/// What devices say, read for the version in it. Errors are `protocol`.
namespace assay::probes::update {

Error no_version(const std::string& why);

/// The text itself, at most 128 bytes.
Result<Told> told_by(std::string_view text);

/// Its last line.
Result<Told> told_at_end(std::string_view text);

/// The word behind these words; `where` names the text. Without words the text itself.
Result<Told> told_behind(std::string_view text, const std::string& words, const std::string& where);

/// A page or a message as the source says: the text itself, or JSON with a version and a report in it.
Result<Told> told_in(const std::string& body, const VersionSource& source);

}  // namespace assay::probes::update

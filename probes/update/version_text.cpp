#include "probes/update/version_text.hpp"

#include "probes/wire/bytes.hpp"

namespace assay::probes::update {

namespace {

constexpr std::size_t kLongestVersion = 128;
constexpr std::size_t kLongestReport = 512;

std::string scalar_text(const json::value& value) {
  return value.is_string() ? std::string{std::string_view{value.get_string()}} : json::serialize(value);
}

}  // namespace

Error no_version(const std::string& why) {
  return {ErrorKind::protocol, "no version was told: " + why, {}};
}

Result<Told> told_by(std::string_view text) {
  const auto trimmed = wire::trim(text);
  if (trimmed.empty() || trimmed.size() > kLongestVersion) {
    return no_version(trimmed.empty() ? "the place for it is empty" : "what stands there is too long");
  }
  return Told{wire::printable(trimmed, kLongestVersion), nullptr};
}

Result<Told> told_at_end(std::string_view text) {
  const auto said = wire::trim(text);
  return told_by(said.substr(said.rfind('\n') + 1));
}

Result<Told> told_behind(std::string_view text, const std::string& words, const std::string& where) {
  if (words.empty()) {
    return told_by(text);
  }
  const auto at = text.find(words);
  if (at == std::string_view::npos) {
    return no_version(where + " does not hold \"" + words + "\"");
  }
  const auto rest = text.substr(at + words.size());
  const auto begin = std::min(rest.find_first_not_of(" \t"), rest.size());
  return told_by(rest.substr(begin, rest.find_first_of(" \t\r\n", begin) - begin));
}

Result<Told> told_in(const std::string& body, const VersionSource& source) {
  if (source.pointer.empty()) {
    return told_by(body);
  }
  boost::system::error_code failed;
  const auto page = json::parse(body, failed);
  if (failed) {
    return no_version("what it says is not JSON");
  }
  const auto* found = page.find_pointer(source.pointer, failed);
  if (found == nullptr || found->is_object() || found->is_array() || found->is_null()) {
    return no_version("nothing stands at " + source.pointer);
  }
  auto told = told_by(scalar_text(*found));
  const auto* report = source.report.empty() ? nullptr : page.find_pointer(source.report, failed);
  if (told && report != nullptr && !report->is_null()) {
    told->report = json::string(wire::printable(scalar_text(*report), kLongestReport));
  }
  return told;
}

}  // namespace assay::probes::update

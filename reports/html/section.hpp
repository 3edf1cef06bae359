#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ctemplate {
class TemplateDictionary;
}

namespace assay::reports {

/// One part of a page that is being filled. Every text goes through `displayable()` here and is escaped by the
/// template's own context (AUTOESCAPE) afterwards, so no text of a device reaches the page in another way. A view of
/// a ctemplate dictionary: valid as long as that one lives.
class Section {
 public:
  explicit Section(ctemplate::TemplateDictionary& dictionary) : dictionary_(&dictionary) {}

  /// {{NAME}}, one line.
  void text(const char* name, std::string_view value);

  /// {{NAME}}, newlines kept: text that people wrote into a plan, and transcripts.
  void prose(const char* name, std::string_view value);

  void number(const char* name, std::int64_t value);

  /// {{#NAME}}…{{/NAME}} once more.
  Section add(const char* name);

  /// {{#NAME}}{{TEXT}}{{/NAME}}, when the text is not empty.
  void maybe(const char* name, std::string_view value);

  /// The same for each text.
  void each(const char* name, const std::vector<std::string>& values);

  /// {{>NAME}} once more, with the template of that file name.
  Section include(const char* name, const char* file);

 private:
  ctemplate::TemplateDictionary* dictionary_;
};

}  // namespace assay::reports

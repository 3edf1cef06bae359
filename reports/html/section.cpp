#include "reports/html/section.hpp"

#include <cstring>  // str_ref.h of ctemplate calls strlen without including it

#include <ctemplate/template_dictionary.h>

#include "harness/model/display.hpp"

namespace assay::reports {

void Section::text(const char* name, std::string_view value) {
  dictionary_->SetValue(name, displayable(value));
}

void Section::prose(const char* name, std::string_view value) {
  while (value.ends_with('\n')) {
    value.remove_suffix(1);
  }
  dictionary_->SetValue(name, displayable_text(value));
}

void Section::number(const char* name, std::int64_t value) {
  dictionary_->SetIntValue(name, value);
}

Section Section::add(const char* name) {
  return Section{*dictionary_->AddSectionDictionary(name)};
}

void Section::maybe(const char* name, std::string_view value) {
  if (!value.empty()) {
    add(name).prose("TEXT", value);
  }
}

void Section::each(const char* name, const std::vector<std::string>& values) {
  for (const auto& value : values) {
    add(name).text("TEXT", value);
  }
}

Section Section::include(const char* name, const char* file) {
  auto* included = dictionary_->AddIncludeDictionary(name);
  included->SetFilename(file);
  return Section{*included};
}

}  // namespace assay::reports

#pragma once

#include <span>
#include <string_view>

namespace assay::reports {

/// One file of `reports/html/*.tpl`, as it was when the binary was built.
struct HtmlTemplate {
  std::string_view name;  // "report.tpl"
  std::string_view text;
};

std::span<const HtmlTemplate> html_templates();

}  // namespace assay::reports

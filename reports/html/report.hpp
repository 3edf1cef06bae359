#pragma once

#include <iosfwd>
#include <string_view>

#include "harness/evidence/bundle.hpp"

namespace assay {

/// The evidence report for a person: one HTML file without script and without any request, made to be read on a screen
/// and to be printed. `base` is the path from the report's folder to the bundle's, empty or with a slash at its end:
/// its evidence links are `<base>artifacts/<sha256>`. A bundle whose run is still open gives a report that says so. The
/// same bundle gives the same bytes. `internal` when a template does not expand, `io` when `out` does not take the
/// text.
Result<> write_html_report(const Bundle& bundle, std::ostream& out, std::string_view base = {});

/// The evidence deck: a slide for each requirement with the three columns of the scheme's own method, minimum
/// requirement, supporting evidence, assessment; otherwise as write_html_report.
Result<> write_evidence_deck(const Bundle& bundle, std::ostream& out, std::string_view base = {});

}  // namespace assay

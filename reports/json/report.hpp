#pragma once

#include <iosfwd>

#include "harness/evidence/bundle.hpp"

namespace assay {

/// The report for programs: one JSON document of the format "report/1" (testplans/schemas/report.schema.json). A pure
/// function of the bundle: no clock, the same bundle gives the same bytes. Pure ASCII, so that no text of a device
/// moves a terminal; the values are exact. A bundle whose run is still open has `summary` null and no requirements.
/// `io` when `out` does not take it.
Result<> write_json_report(const Bundle& bundle, std::ostream& out);

}  // namespace assay

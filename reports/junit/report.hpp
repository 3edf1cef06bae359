#pragma once

#include <iosfwd>

#include "harness/evidence/bundle.hpp"

namespace assay {

/// How a unit that nobody has settled shows in a CI server.
enum class JunitOpen : std::uint8_t { skipped, failure, error };
BOOST_DESCRIBE_ENUM(JunitOpen, skipped, failure, error)

struct JunitOptions {
  JunitOpen inconclusive = JunitOpen::skipped;  // INCONCLUSIVE and NOT_TESTED
};

/// The report for CI servers: JUnit XML in the dialect that Jenkins reads (tests/golden/junit-10.xsd). A requirement is
/// a testsuite, a unit a testcase; a case without units is one testcase, so that everything planned appears. FAIL is
/// `failure`, ERROR is `error`, NOT_APPLICABLE and NOT_CLAIMED are `skipped`. A bundle whose run is still open gives an
/// `error`: it must not read as green. `io` when `out` does not take it.
Result<> write_junit_report(const Bundle& bundle, const JunitOptions& options, std::ostream& out);

}  // namespace assay

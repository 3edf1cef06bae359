// The one unit that instantiates the reading and writing of the large structs (ASSAY_JSON_DECLARE in their headers).
#include "harness/model/dut.hpp"
#include "harness/model/observation.hpp"
#include "harness/model/plan.hpp"
#include "harness/model/run_plan.hpp"
#include "harness/model/verdict.hpp"

namespace assay {

ASSAY_JSON_DEFINE(RunPlan);
ASSAY_JSON_DEFINE(Finding);
ASSAY_JSON_DEFINE(RequirementVerdict);
ASSAY_JSON_DEFINE(Verdicts);
ASSAY_JSON_DEFINE(Invocation);
ASSAY_JSON_DEFINE(Observation);
ASSAY_JSON_DEFINE(Plan);
ASSAY_JSON_DEFINE(Dut);

}  // namespace assay

#include "harness/probe/probe.hpp"

namespace assay::probes::services {

extern const ProbeDescriptor kDescriptor{.id = "services", .summary = "", .parameters = {}, .facts = {}};

}  // namespace assay::probes::services

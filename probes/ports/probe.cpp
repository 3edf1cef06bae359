#include "harness/probe/probe.hpp"

namespace assay::probes::ports {

extern const ProbeDescriptor kDescriptor{.id = "ports", .summary = "", .parameters = {}, .facts = {}};

}  // namespace assay::probes::ports

#include "harness/probe/probe.hpp"

namespace assay::probes::credentials {

extern const ProbeDescriptor kDescriptor{.id = "credentials", .summary = "", .parameters = {}, .facts = {}};

}  // namespace assay::probes::credentials

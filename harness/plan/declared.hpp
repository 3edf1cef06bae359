#pragma once

#include <set>
#include <string>

#include "harness/model/plan.hpp"

namespace assay {

/// IXIT tables that the plan's conditions, units and guided steps name: what its maker has to fill in for it.
std::set<std::string> ixit_tables_read(const Plan& plan);

/// Provisions of the ICS, short form, that the plan's requirements or their evidence rest on, in the standard's order.
std::vector<std::string> provisions_asked(const Plan& plan);

}  // namespace assay

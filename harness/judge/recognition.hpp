#pragma once

#include <string>
#include <vector>

#include "harness/model/crosswalk.hpp"

namespace assay {

/// `date` is RFC 3339 or a day.
ArrangementStanding standing_on(const Arrangement& arrangement, std::string_view date);

ScopeFit fit_of(const Arrangement& arrangement, std::string_view product_class);

/// The arrangements that a label of this plan would fall under, in the order of the data.
std::vector<Recognition> recognitions(const CrosswalkData& data, std::string_view plan_id, std::string_view date,
                                      std::string_view product_class);

/// The rule by which the plan does not speak to the product class, or null.
const ProductRule* suppressing_rule(const CrosswalkData& data, std::string_view plan_id,
                                    std::string_view product_class);

}  // namespace assay

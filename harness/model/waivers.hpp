#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/model/record.hpp"

/// Waivers: who takes which failure on himself until when. They change what an exit code says, never a verdict.
namespace assay {

enum class WaiverState : std::uint8_t {
  holds,     // what it names fails or is open, and it has not expired
  expired,   // ignored
  needless,  // what it names passes now, or is in no requirement of the plan
};
BOOST_DESCRIBE_ENUM(WaiverState, holds, expired, needless)

struct WaiverStatus {
  Waiver waiver;
  WaiverState state = WaiverState::holds;
  std::string says;  // one sentence for a reader
};

/// The last waiver of each id, as of `date` (RFC 3339 UTC or its date).
std::vector<WaiverStatus> waiver_statuses(const Verdicts& verdicts, const HumanRecord& record, std::string_view date);

/// The counts that an exit code goes by: requirements left out whose trouble is waived.
LevelSummary without_waived(const Verdicts& verdicts, const std::vector<WaiverStatus>& waivers);

}  // namespace assay

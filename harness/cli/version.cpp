#include "harness/cli/app.hpp"

/// By itself, so that a new commit compiles one small unit.
namespace assay {

const char* const kVersion = ASSAY_VERSION;
const char* const kCommit = ASSAY_COMMIT;

}  // namespace assay

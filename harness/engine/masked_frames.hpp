#pragma once

#include <string>
#include <vector>

#include "harness/model/concealed.hpp"
#include "harness/net/capture.hpp"

namespace assay {

/// Writes asterisks over every concealed text in the payloads of the frames, also where TCP split it over segments.
/// Lengths stay; checksums over it become zero, for they would tell a short secret. Returns, for each frame, whose
/// secrets were there, empty for frames that are as they were. Encodings other than those of Concealed are not
/// recognised, nor is a text of which a frame is missing.
std::vector<std::string> mask_frames(std::vector<CapturedFrame>& frames, const std::vector<TapInterface>& interfaces,
                                     const Concealed& concealed);

}  // namespace assay

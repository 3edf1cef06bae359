#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/model/dut.hpp"

/// What the run plan and the probe that attacks update mechanisms have to know alike of an attack.
namespace assay {

/// Whether the maker or the laboratory gave what an attack needs (attacks/1, key `needs`).
bool is_given(const Dut& dut, const UpdateMechanism& mechanism, std::string_view need);

/// Whether it is among the ids of `attacks`, which are separated by commas, or that is "all".
bool is_chosen(const Attack& attack, std::string_view attacks);

/// How long a device is kept waiting by a download that never ends, in ms.
std::int64_t hold_ms(const UpdateMechanism& mechanism);

/// About how long one attack takes that is refused, in ms: twice what an update takes, for so long the device is
/// watched; where a person reads the version three times and 10 s; more where it is kept waiting or starts anew without
/// power.
std::int64_t attack_ms(const UpdateMechanism& mechanism, const Attack& attack);

/// … and the genuine update with the way back after it.
std::int64_t control_ms(const UpdateMechanism& mechanism);

}  // namespace assay

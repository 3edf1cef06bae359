#pragma once

#include "harness/load/load.hpp"
#include "harness/model/emulated_device.hpp"

/// The files of an emulated device (tests/devices/README.md).
namespace assay {

Loaded<DeviceSpec> load_device(const SourceText& source);
Loaded<ExpectedVerdicts> load_expected(const SourceText& source);

}  // namespace assay

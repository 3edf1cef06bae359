#pragma once

#include <filesystem>

#include "harness/lab/placeholders.hpp"
#include "harness/model/emulated_device.hpp"
#include "harness/model/result.hpp"

namespace assay::lab {

/// True when an entry with these modes belongs to this isolation.
bool applies(const std::vector<Isolation>& modes, Isolation isolation);

/// Makes the empty private folder below `where` (the temporary folder of the system when empty): readable by path for
/// daemons that give up root, listable by nobody else.
Result<std::filesystem::path> make_device_folder(const std::filesystem::path& where, const std::string& name);

/// Writes into the folder: certificates, an /etc with the device's accounts and the few files of the machine that
/// programs need to run, and the files of the device.
Result<> write_device_files(const std::filesystem::path& folder, const DeviceSpec& spec, Isolation isolation,
                            const Placeholders& placeholders);

}  // namespace assay::lab

#include "harness/cli/attachments.hpp"

#include <fstream>
#include <set>

#include "harness/evidence/bundle.hpp"

namespace assay {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestAttachment = 16u << 20u;

/// Keeps a file that the DUT file names beside it, under the same name.
bool keep_attachment(Context& context, const fs::path& folder, const std::string& name, BundleInputs& inputs) {
  if (inputs.files.contains(name) || name == "job.yaml") {
    context.complain({ErrorKind::bad_input, "another input of the run has this name already", name}, ExitCode::usage);
    return false;
  }
  std::error_code failed;
  const auto size = fs::is_regular_file(folder / name, failed) ? fs::file_size(folder / name, failed) : 0;
  std::ifstream file(folder / name, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>{file}, {});
  if (failed || !file.is_open() || size != bytes.size() || size > kLargestAttachment || size == 0) {
    context.complain(
        {ErrorKind::io, "the file cannot be read, is empty, or is larger than 16 MiB", (folder / name).string()},
        ExitCode::usage);
    return false;
  }
  inputs.files[name] = std::move(bytes);
  return true;
}

}  // namespace

bool keep_attachments(Context& context, const fs::path& folder, Dut& dut, BundleInputs& inputs) {
  std::set<std::string> kept;
  for (auto& entry : dut.inherits) {
    if (entry.file.empty()) {
      continue;
    }
    if (kept.insert(entry.file).second && !keep_attachment(context, folder, entry.file, inputs)) {
      return false;
    }
    entry.sha256 = sha256_hex(inputs.files[entry.file]);
  }
  return dut.mud.empty() || kept.contains(dut.mud.front().file) ||
         keep_attachment(context, folder, dut.mud.front().file, inputs);
}

}  // namespace assay

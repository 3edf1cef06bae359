#include "harness/cli/capture_options.hpp"

#include <map>

#include <CLI/CLI.hpp>

#include "harness/cli/app.hpp"

namespace assay {

void add_capture_options(CLI::App& verb, CaptureOptions& options) {
  static const std::map<std::string, CaptureMode> kModes{
      {"auto", CaptureMode::automatic}, {"on", CaptureMode::on}, {"off", CaptureMode::off}};
  options.application = std::string{"assay "} + kVersion;
  verb.add_option_function<std::string>(
          "--capture", [&options](const std::string& mode) { options.mode = kModes.at(mode); },
          "Keep the packets as PCAPNG files: auto where this machine allows it, on fails where it does not")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->default_str("auto");
  verb.add_option_function<std::int64_t>(
          "--capture-limit", [&options](std::int64_t mebibytes) { options.run_bytes = mebibytes << 20U; },
          "Most MiB of packets that a run keeps; what is cut off is counted")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{4096}))
      ->default_str("256")
      ->type_name("MIB");
}

}  // namespace assay

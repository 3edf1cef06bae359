#include "harness/cli/emulated.hpp"

#include <algorithm>
#include <set>

#include "harness/load/load_device.hpp"

namespace assay {

namespace {

template <class T>
std::optional<T> read_part(Context& context, const std::filesystem::path& path, Loaded<T> (*load)(const SourceText&)) {
  const auto source = read_source(path);
  if (!source) {
    context.complain(source.error(), ExitCode::usage);
    return std::nullopt;
  }
  auto loaded = load(*source);
  context.complain(loaded.errors);
  return std::move(loaded.value);
}

/// A device's folder and which of its variants is meant.
struct NamedDevice {
  std::filesystem::path folder;
  std::string variant;
};

/// "a/b" is the folder a/b or, where there is none, the variant b of the folder a.
NamedDevice named(const std::filesystem::path& devices, const std::string& name) {
  const auto folder = devices / name;
  const auto above = folder.parent_path();
  if (!std::filesystem::exists(folder / "device.yaml") && std::filesystem::exists(above / "device.yaml")) {
    return {above, folder.filename().string()};
  }
  return {folder, {}};
}

}  // namespace

std::vector<std::string> variants_of(const std::filesystem::path& device_file) {
  std::vector<std::string> out;
  const auto source = read_source(device_file);
  const auto spec = source ? load_device(*source).value : std::nullopt;
  for (const auto& variant : spec ? spec->variants : std::vector<DeviceVariant>{}) {
    out.push_back(variant.name);
  }
  return out;
}

std::unique_ptr<EmulatedDevice> start_by_name(Context& context, const std::string& name, const std::string& isolation) {
  const auto devices = context.devices();
  if (!devices) {
    context.complain(devices.error(), ExitCode::usage);
    return nullptr;
  }
  const auto [folder, variant] = named(*devices, name);
  if (!std::filesystem::exists(folder / "device.yaml")) {
    context.complain({ErrorKind::bad_input, "there is no emulated device \"" + name + "\" in " + devices->string(), {}},
                     ExitCode::usage);
    return nullptr;
  }
  auto spec = read_part(context, folder / "device.yaml", load_device);
  const auto dut = read_source(folder / "dut.yaml");
  if (!spec || !dut) {
    if (!dut) {
      context.complain(dut.error(), ExitCode::usage);
    }
    return nullptr;
  }
  EmulationRequest request;
  request.name = name;
  request.spec = std::move(*spec);
  request.variant = variant;
  request.dut_template = dut->text;
  request.support = *devices / "support";
  request.isolation = enum_from<Isolation>(isolation);
  auto device = start_emulated(request);
  if (!device) {
    context.complain(device.error(), exit_code_for(device.error()));
    return nullptr;
  }
  return std::move(*device);
}

std::optional<Expectation> expectation_of(Context& context, const EmulatedDevice& device, const std::string& plan) {
  const auto devices = context.devices();
  const auto expected = devices
                            ? read_part(context, named(*devices, device.name()).folder / "expected.yaml", load_expected)
                            : std::nullopt;
  if (!expected) {
    return std::nullopt;
  }
  for (const auto& one : expected->expectations) {
    const bool mode =
        one.modes.empty() || std::find(one.modes.begin(), one.modes.end(), device.isolation()) != one.modes.end();
    const bool variant = one.variants.empty() ||
                         std::find(one.variants.begin(), one.variants.end(), device.variant()) != one.variants.end();
    if (one.plan == plan && mode && variant) {
      return one;
    }
  }
  return std::nullopt;
}

std::vector<std::string> differences(const Expectation& expected, const Verdicts& verdicts) {
  std::vector<std::string> found;
  const std::set<std::string> must_fail(expected.fail.begin(), expected.fail.end());
  std::set<std::string> seen;
  for (const auto& requirement : verdicts.requirements) {
    seen.insert(requirement.id);
    const bool failed = requirement.verdict == Verdict::fail;
    if (failed != must_fail.contains(requirement.id)) {
      found.push_back(requirement.id + " is " + std::string{word_for(requirement.verdict)} +
                      (failed ? ", and must not FAIL" : ", and must FAIL"));
    }
    const auto held = expected.hold.find(requirement.id);
    if (held != expected.hold.end() && held->second != requirement.verdict) {
      found.push_back(requirement.id + " is " + std::string{word_for(requirement.verdict)} + ", expected " +
                      std::string{word_for(held->second)});
    }
  }
  for (const auto& id : must_fail) {
    if (!seen.contains(id)) {
      found.push_back(id + " is expected to FAIL and is not in the plan");
    }
  }
  return found;
}

}  // namespace assay

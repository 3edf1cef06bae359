#include <iostream>
#include <memory>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "harness/cli/assess.hpp"
#include "harness/cli/emulated.hpp"

namespace assay {

namespace {

constexpr const char* kPlan = "cls-iot/1";
constexpr const char* kDevices[] = {"camera-weak", "hub-sound"};

/// Assesses one running device and compares with what it must give. Runs in a process of its own, since there is no way
/// back out of the device's network namespace.
ExitCode assess_device(Context& context, const EmulatedDevice& device, const std::filesystem::path& folder) {
  AssessOptions options;
  options.plan_id = kPlan;
  options.dut_file = device.dut_path().string();
  const auto prepared = prepare(context, options);
  const auto assessed = prepared ? assess(context, *prepared, folder, false) : std::nullopt;
  if (!assessed) {
    return context.exit_code;
  }
  print_assessment(context, *assessed);
  if (assessed->interrupted) {
    return ExitCode::interrupted;
  }
  const auto expected = expectation_of(context, device, kPlan);
  if (!expected) {
    context.complain({ErrorKind::bad_input, device.name() + " has no expected verdicts for " + kPlan, {}},
                     ExitCode::error);
    return context.exit_code;
  }
  const auto wrong = differences(*expected, assessed->verdicts);
  for (const auto& sentence : wrong) {
    context.complain({ErrorKind::internal, device.name() + ": " + sentence, {}}, ExitCode::failed);
  }
  if (wrong.empty() && !context.json) {
    std::cout << "As expected of " << device.name() << ": " << expected->fail.size()
              << " requirements FAIL, no other.\n\n";
  }
  return wrong.empty() ? ExitCode::passed : ExitCode::failed;
}

ExitCode in_child(Context& context, const EmulatedDevice& device, const std::filesystem::path& folder) {
  std::cout.flush();
  const pid_t child = fork();
  if (child == 0) {
    const auto code = assess_device(context, device, folder);
    std::cout.flush();
    _exit(static_cast<int>(code));
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) ? static_cast<ExitCode>(WEXITSTATUS(status)) : ExitCode::error;
}

void demo(Context& context, const std::string& out, const std::string& isolation) {
  for (const auto* name : kDevices) {
    const auto device = start_by_name(context, name, isolation);
    if (!device) {
      return;
    }
    if (!context.json) {
      std::cout << "== " << name << ": an emulated device at " << device->address() << " ("
                << enum_name(device->isolation()) << ")\n";
      for (const auto& sentence : device->cannot_show()) {
        std::cout << "   " << sentence << "\n";
      }
    }
    const auto code = in_child(context, *device, std::filesystem::path{out} / name);
    if (code != ExitCode::passed) {
      context.exit_code = code;
    }
    if (code == ExitCode::interrupted) {
      return;
    }
  }
  if (context.exit_code == ExitCode::passed && !context.json) {
    std::cout << "Both devices gave the verdicts they must. Open " << out << "/camera-weak/report.html\n";
  }
}

}  // namespace

void add_demo(CLI::App& app, Context& context) {
  struct Options {
    std::string out = "assay-demo";
    std::string isolation;
  };

  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand(
      "demo", "Assess two emulated devices, a weak camera and a sound hub: the main job, start to end");
  verb->add_option("-o,--out", options->out, "New folder for the two bundles and their reports")
      ->capture_default_str()
      ->type_name("DIR");
  verb->add_option("--isolation", options->isolation, "How the devices are kept apart from this machine")
      ->check(CLI::IsMember({"root_namespaces", "user_namespaces", "loopback"}));
  verb->callback([&context, options] { demo(context, options->out, options->isolation); });
}

}  // namespace assay

#include <ctime>
#include <iostream>
#include <memory>
#include <signal.h>

#include <CLI/CLI.hpp>

#include "harness/cli/emulated.hpp"

namespace assay {

namespace {

void list_devices(Context& context) {
  const auto devices = context.devices();
  if (!devices) {
    context.complain(devices.error(), ExitCode::usage);
    return;
  }
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*devices)) {
    if (entry.path().filename() == "device.yaml") {
      const auto name = entry.path().parent_path().lexically_relative(*devices).string();
      names.push_back(name);
      for (const auto& variant : variants_of(entry.path())) {
        names.push_back(name + "/" + variant);
      }
    }
  }
  std::sort(names.begin(), names.end());
  if (context.json) {
    context.print_json(to_json(names));
    return;
  }
  for (const auto& name : names) {
    std::cout << name << "\n";
  }
}

json::object facts_of(const EmulatedDevice& device) {
  json::object facts;
  facts["name"] = device.name();
  facts["isolation"] = to_json(device.isolation());
  facts["cannot_show"] = to_json(device.cannot_show());
  facts["address"] = device.address();
  facts["address6"] = device.address6();
  facts["endpoints"] = to_json(device.endpoints());
  facts["tester"] = device.tester();
  facts["tester_ports"] = to_json(device.tester_ports());
  facts["netns"] = device.netns_path();
  facts["userns"] = device.userns_path();
  facts["dut"] = device.dut_path().string();
  facts["folder"] = device.folder().string();
  return facts;
}

/// Until Ctrl-C, SIGTERM, or the device's own end.
void hold(EmulatedDevice& device, const sigset_t& signals) {
  const timespec tick{0, 200'000'000};
  while (device.running() && sigtimedwait(&signals, nullptr, &tick) < 0) {
  }
}

void emulate(Context& context, const std::string& name, const std::string& isolation) {
  // Blocked from the start, so that a signal while the device comes up is not lost and all of it is taken down.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&signals, one);
  }
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const auto device = start_by_name(context, name, isolation);
  if (!device) {
    return;
  }
  if (context.json) {
    context.print_json(facts_of(*device));
  } else {
    std::cout << "# " << device->dut_path().string() << "\n" << device->dut_yaml() << "\n" << describe(*device) << "\n";
    std::cout << "Assess it from another terminal: assay run --plan cls-iot/1 --dut " << device->dut_path().string()
              << "\nCtrl-C stops it.\n";
  }
  std::cout.flush();
  hold(*device, signals);
}

}  // namespace

void add_emulate(CLI::App& app, Context& context) {
  struct Options {
    std::string name;
    std::string isolation;
  };

  auto options = std::make_shared<Options>();
  auto* verb =
      app.add_subcommand("emulate", "Start an emulated device and print its DUT file; without a name, list them");
  verb->add_option("name", options->name, "Name of the device")->type_name("NAME");
  verb->add_option("--isolation", options->isolation,
                   "How it is kept apart from this machine; the best that works by itself")
      ->check(CLI::IsMember({"root_namespaces", "user_namespaces", "loopback"}));
  verb->callback([&context, options] {
    if (options->name.empty()) {
      list_devices(context);
    } else {
      emulate(context, options->name, options->isolation);
    }
  });
}

}  // namespace assay

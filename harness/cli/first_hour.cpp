#include "harness/cli/first_hour.hpp"

#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <unistd.h>

#include "harness/cli/assess.hpp"
#include "harness/evidence/bundle.hpp"

namespace assay {

namespace {

std::string asked(const char* question) {
  std::cerr << question << " [unknown]: " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer.empty() ? "unknown" : answer;
}

std::string fact_text(const Observation& observation, std::string_view key) {
  const auto* value = observation.facts.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{std::string_view{value->get_string()}} : std::string{};
}

struct Seen {
  std::string interfaces;  // IXIT 15 rows
  std::string logins;      // IXIT 1 rows
};

/// One IXIT 15 row for each identified service, one IXIT 1 row for each login offered.
Seen seen_in(const Bundle& bundle) {
  Seen seen;
  int interfaces = 0;
  int logins = 0;
  for (const auto& service : seen_services(bundle)) {
    if (service.protocol.empty()) {
      continue;
    }
    const auto id = "IF-" + std::to_string(++interfaces);
    seen.interfaces += "    - {id: " + id + ", kind: logical, port: " + service.endpoint +
                       ", service: " + yaml_quoted(service.protocol) +
                       ", status: enabled, purpose: \"\", observed: true}   # say what it is for, or switch it off\n";
    if (service.login) {
      seen.logins += "    - {id: AM-" + std::to_string(++logins) + ", interface: " + id +
                     ", port: " + service.endpoint +
                     ", kind: password, user_defined: null, attempts: \"\", observed: true}   # complete it, if it is "
                     "meant to be there\n";
    }
  }
  return seen;
}

std::string dut_text(const Bundle& bundle) {
  const auto& dut = bundle.run_plan().dut;
  const auto seen = seen_in(bundle);
  std::ostringstream out;
  out << "# Written by `assay run --target` from what was seen. Complete it, then: assay run --plan "
      << bundle.run_plan().plan.id << " --dut FILE\n"
      << "assay: dut/1\n"
      << "device: {vendor: " << yaml_quoted(dut.device.vendor) << ", model: " << yaml_quoted(dut.device.model)
      << ", hardware: " << yaml_quoted(dut.device.hardware) << ", firmware: " << yaml_quoted(dut.device.firmware)
      << "}\n"
      << "samples:\n";
  for (const auto& sample : dut.samples) {
    for (const auto& [vantage, addresses] : sample.at) {
      out << "  - {id: " << yaml_quoted(sample.id) << ", at: {" << vantage << ": " << yaml_quoted(addresses.front())
          << "}}   # add serial and mac\n";
    }
  }
  out << "scope: [" << yaml_quoted(dut.scope.front()) << "]   # nothing outside is ever contacted\n"
      << "pace: " << dut.pace.profile << "   # gentle, normal, fast\n"
      << "standard: " << yaml_quoted(bundle.run_plan().plan.method) << "\n"
      << "ics: {}   # \"5.1-2\": {support: N/A, because: no pre-installed passwords}\n";
  if (seen.interfaces.empty() && seen.logins.empty()) {
    out << "ixit: {}\n";
    return out.str();
  }
  out << "# What was seen is not declared: an entry counts once its maker has taken `observed: true` away.\nixit:\n";
  if (!seen.logins.empty()) {
    out << "  1-AuthMech:   # every login that was seen\n" << seen.logins;
  }
  if (!seen.interfaces.empty()) {
    out << "  15-Intf:   # every service that was seen\n" << seen.interfaces;
  }
  return out.str();
}

}  // namespace

std::vector<SeenService> seen_services(const Bundle& bundle) {
  std::map<Endpoint, SeenService> seen;
  for (const auto& observation : bundle.observations()) {
    const auto& endpoint = observation.invocation.endpoint;
    const auto* reachable = observation.facts.if_contains("service.reachable");
    if (observation.invocation.probe != "services" || !endpoint || reachable == nullptr ||
        *reachable != json::value(true)) {
      continue;
    }
    auto& service = seen[*endpoint];
    service.endpoint = endpoint->text();
    if (service.protocol.empty()) {
      service.protocol = fact_text(observation, "service.protocol");
    }
    const auto* offered = observation.facts.if_contains("service.logins");
    service.login = service.login || (offered != nullptr && offered->is_array() && !offered->get_array().empty());
  }
  std::vector<SeenService> out;
  for (auto& [endpoint, service] : seen) {
    out.push_back(std::move(service));
  }
  return out;
}

bool person_at_terminal() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

Dut undeclared_device(const std::string& address, bool ask) {
  Dut dut;
  if (ask) {
    dut.device.vendor = asked("Vendor of the device");
    dut.device.model = asked("Model");
    dut.device.firmware = asked("Firmware version");
  }
  Sample sample;
  sample.id = "A";
  sample.at["lan"] = {address};
  dut.samples.push_back(sample);
  dut.scope = {address};
  return dut;
}

void write_first_dut(Context& context, const std::filesystem::path& folder) {
  const auto bundle = Bundle::open(bundle_in(folder));
  if (!bundle) {
    context.complain(bundle.error(), ExitCode::error);
    return;
  }
  const auto path = folder / "dut.yaml";
  std::ofstream file(path, std::ios::binary);
  file << dut_text(*bundle);
  if (!file.flush()) {
    context.complain({ErrorKind::io, "could not write " + path.string(), {}}, ExitCode::error);
    return;
  }
  if (!context.json) {
    std::cout << "Written to go on from: " << path.string() << " (nothing is declared until you do)\n";
  }
}

}  // namespace assay

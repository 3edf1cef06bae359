#include "harness/engine/device_names.hpp"

#include <set>

namespace assay {

std::map<std::string, std::string> device_names(const Dut& dut) {
  std::map<std::string, std::string> names;
  for (const auto& sample : dut.samples) {
    std::set<std::string> shared;  // devices that have one of its addresses already
    for (const auto& [vantage, addresses] : sample.at) {
      for (const auto& address : addresses) {
        if (const auto known = names.find(address); known != names.end()) {
          shared.insert(known->second);
        }
        names[address] = sample.id;
      }
    }
    for (auto& [address, device] : names) {
      device = shared.contains(device) ? sample.id : device;
    }
  }
  return names;
}

}  // namespace assay

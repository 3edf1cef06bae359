#include "probes/uniqueness/identifiers.hpp"

#include <algorithm>

namespace assay::probes::uniqueness {

namespace {

const std::string& either(const std::string& one, const std::string& other) {
  return one.empty() ? other : one;
}

}  // namespace

std::vector<Identifier> identifiers_of(const Dut& dut, const PasswordSample& given) {
  static const Sample kNone;
  const auto is_it = [&](const Sample& sample) { return !given.sample.empty() && sample.id == given.sample; };
  const auto found = std::find_if(dut.samples.begin(), dut.samples.end(), is_it);
  const auto& sample = found == dut.samples.end() ? kNone : *found;
  std::vector<Identifier> out;
  const auto give = [&out](const std::string& kind, const std::string& text) {
    if (!text.empty() && text != "unknown") {
      out.push_back({kind, text});
    }
  };
  give("serial", either(given.serial, sample.serial));
  give("mac", either(given.mac, sample.mac));
  give("ssid", given.ssid);
  give("model", either(given.model, dut.device.model));
  give("vendor", dut.device.vendor);
  give("date", given.date);
  give("username", given.username);
  return out;
}

}  // namespace assay::probes::uniqueness

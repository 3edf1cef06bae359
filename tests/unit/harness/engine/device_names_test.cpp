#include "harness/engine/device_names.hpp"

#include "tests/support/catch.hpp"

namespace assay {
namespace {

TEST_CASE("engine: all addresses of a sample are one device, and so are samples that share one") {
  Dut dut;
  dut.samples = {{"A", "", "", {{"lan", {"192.0.2.7", "2001:db8::7"}}, {"wan", {"198.51.100.7"}}}, false},
                 {"B", "", "", {{"lan", {"192.0.2.8"}}}, false}};
  const std::map<std::string, std::string> apart{
      {"192.0.2.7", "A"}, {"2001:db8::7", "A"}, {"198.51.100.7", "A"}, {"192.0.2.8", "B"}};
  CHECK(device_names(dut) == apart);
  dut.samples.push_back({"C", "", "", {{"lan", {"192.0.2.8"}}, {"wan", {"198.51.100.7"}}}, false});
  for (const auto& [address, device] : device_names(dut)) {
    CHECK(device == "C");
  }
}

}  // namespace
}  // namespace assay

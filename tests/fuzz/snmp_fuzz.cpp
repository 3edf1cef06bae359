#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/snmp.hpp"

using namespace assay::wire;

/// Nothing longer than its bound comes out, and a question of ours is never taken for an answer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto parse = parse_snmp_response(bytes);
  if (parse.response.text.size() > 4096 || parse.response.community.size() > 4096) {
    std::abort();
  }
  if (parse_snmp_report(bytes).engine.size() > 32 ||
      parse_snmp_report(snmp_v3_discovery(static_cast<std::uint32_t>(size))).state != Parse::malformed) {
    std::abort();
  }
  if (snmp_object(bytes).size() > 64 * 5) {
    std::abort();
  }
  const auto community = bytes.substr(0, 300);
  const auto question = snmp_get_sysdescr(SnmpVersion::v1, community, static_cast<std::uint32_t>(size));
  if (parse_snmp_response(question).state != Parse::malformed) {
    std::abort();
  }
  return 0;
}

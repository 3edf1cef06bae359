#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/dns.hpp"

using namespace assay::wire;

/// Every name that was read can be asked for, and is read again as the same name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parse = parse_dns({reinterpret_cast<const char*>(data), size});
  if (parse.state != Parse::complete) {
    return 0;
  }
  for (const auto& record : parse.message.records) {
    const auto again = parse_dns(dns_query(1, {{record.name, kDnsPtr, kDnsInternet}}));
    if (again.state != Parse::complete || again.message.questions.size() != 1 ||
        again.message.questions[0].name != record.name || record.name.size() > 2 * 255 || record.texts.size() > 64) {
      std::abort();
    }
  }
  return 0;
}

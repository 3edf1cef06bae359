#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/ber.hpp"
#include "probes/wire/database_logins.hpp"
#include "probes/wire/ipmi.hpp"
#include "probes/wire/onvif.hpp"
#include "probes/wire/snmp_user.hpp"

using namespace assay::wire;

namespace {

void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void look_at_databases(std::string_view bytes) {
  must(parse_postgres_head(bytes).body <= kLargestDatabaseMessage);
  must(parse_mysql_head(bytes).body <= kLargestDatabaseMessage);
  must(parse_postgres_asks(bytes).mechanisms.size() <= 8);
  for (const char c : parse_postgres_error(bytes).message + parse_mysql_reply(bytes).message) {
    must(c >= 0x20 && c <= 0x7e);
  }
  if (const auto value = postgres_value(bytes)) {
    must(value->size() <= 256);
  }
  if (const auto value = mysql_value(bytes)) {
    must(value->size() <= 250);
  }
  const auto challenge = parse_scram_challenge(bytes, "abc");
  must(!challenge.sound || (challenge.nonce.starts_with("abc") && challenge.iterations > 0));
}

void look_at_agents(std::string_view bytes) {
  const auto answer = parse_snmp_user_answer(bytes);
  if (answer.state == Parse::complete) {
    must(answer.digest_at + answer.digest.size() <= bytes.size());
    must(answer.digest.empty() || bytes.substr(answer.digest_at, answer.digest.size()) == answer.digest);
    must(answer.engine.id.size() <= 32);
  }
  Reader reader{bytes};
  std::string_view body;
  must(ber::any_element(reader, body) == 0 || body.size() + 2 <= bytes.size());
  must(parse_snmp_scoped(bytes).text.size() <= bytes.size());
  must(parse_snmp_scoped(snmp_scoped_get({})).state == Parse::malformed);
}

void look_at_controllers(std::string_view bytes) {
  for (const auto& part : ipmi_keyed_parts(bytes)) {
    must(part.size() >= 12 && part.size() < bytes.size());
  }
  const auto opening = parse_ipmi_opening(bytes);
  must(opening.code.size() <= 32 && opening.random.size() <= 16 && opening.guid.size() <= 16);
  must(parse_ipmi_capabilities(bytes).state != Parse::need_more);
}

void look_at_cameras(std::string_view bytes) {
  for (const char c : read_onvif_users(bytes).reason) {
    must(c >= 0x20 && c <= 0x7e);
  }
  if (const auto time = onvif_utc(bytes)) {
    must(onvif_time_text(*time).size() == 20);
  }
}

}  // namespace

/// The first byte chooses the parsers; every bound and every escape holds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 4) {
    case 0:
      look_at_databases(bytes);
      break;
    case 1:
      look_at_agents(bytes);
      break;
    case 2:
      look_at_controllers(bytes);
      break;
    default:
      look_at_cameras(bytes);
  }
  return 0;
}

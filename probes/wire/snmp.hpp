#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/wire/bytes.hpp"

/// SNMP v1 and v2c (RFC 1157, RFC 3416): a GetRequest for sysDescr.0 and its response, in BER.
namespace assay::wire {

enum class SnmpVersion : std::uint8_t { v1 = 0, v2c = 1 };

std::string snmp_get_sysdescr(SnmpVersion version, std::string_view community, std::uint32_t request_id);

struct SnmpResponse {
  SnmpVersion version = SnmpVersion::v1;
  std::string community;
  std::uint32_t request_id = 0;
  std::uint32_t error_status = 0;
  bool has_text = false;  // sysDescr came as an octet string
  std::string sysdescr;
};

struct SnmpParse {
  Parse state = Parse::malformed;
  SnmpResponse response;
};

/// A message of SNMP v3 that asks an engine for its name and needs no user (RFC 3414, 4): whoever speaks v3 reports.
std::string snmp_v3_discovery(std::uint32_t message_id);

/// The report to it.
struct SnmpReport {
  Parse state = Parse::malformed;
  std::uint32_t message_id = 0;
  std::string engine;  // at most 32 bytes
};

SnmpReport parse_snmp_report(std::string_view datagram);

/// One datagram; malformed unless it is a GetResponse whose lengths agree. At most 4 KiB of text are kept.
SnmpParse parse_snmp_response(std::string_view datagram);

}  // namespace assay::wire

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/wire/bytes.hpp"

/// SNMP v1 and v2c (RFC 1157, RFC 3416): a GetRequest for one object whose value is text, and its response, in BER.
namespace assay::wire {

enum class SnmpVersion : std::uint8_t { v1 = 0, v2c = 1 };

/// sysDescr.0, 1.3.6.1.2.1.1.1.0, as the content of an OBJECT IDENTIFIER.
constexpr std::string_view kSnmpSysDescr{"\x2b\x06\x01\x02\x01\x01\x01\x00", 8};

/// The same of an object in dotted form (X.690, 8.19); empty when it is none.
std::string snmp_object(std::string_view dotted);

std::string snmp_get(SnmpVersion version, std::string_view community, std::uint32_t request_id,
                     std::string_view object);
std::string snmp_get_sysdescr(SnmpVersion version, std::string_view community, std::uint32_t request_id);

struct SnmpResponse {
  SnmpVersion version = SnmpVersion::v1;
  std::string community;
  std::uint32_t request_id = 0;
  std::uint32_t error_status = 0;
  bool has_text = false;  // the object came as an octet string
  std::string text;
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
SnmpParse parse_snmp_response(std::string_view datagram, std::string_view object = kSnmpSysDescr);

}  // namespace assay::wire

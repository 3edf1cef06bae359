#include "probes/wire/snmp.hpp"

#include "harness/model/object_id.hpp"
#include "probes/wire/ber.hpp"

namespace assay::wire {

namespace {

using namespace ber;

constexpr std::uint8_t kGetRequest = 0xa0;
constexpr std::uint8_t kGetResponse = 0xa2;
constexpr std::uint8_t kReport = 0xa8;
constexpr std::uint32_t kVersion3 = 3;
constexpr std::uint32_t kUserSecurity = 3;  // RFC 3414
constexpr std::uint32_t kLargestMessage = 65507;
constexpr std::size_t kMaximumText = 4096;
constexpr std::size_t kMaximumEngine = 32;

/// In base 128, every octet but the last one marked (X.690, 8.19.2).
std::string subidentifier(std::uint64_t value) {
  std::string out{static_cast<char>(value & 0x7f)};
  for (value >>= 7U; value > 0; value >>= 7U) {
    out.insert(out.begin(), static_cast<char>(0x80 | (value & 0x7f)));
  }
  return out;
}

}  // namespace

std::string snmp_object(std::string_view dotted) {
  const auto arcs = parse_object_id(dotted);
  if (!arcs) {
    return {};
  }
  auto out = subidentifier(std::uint64_t{(*arcs)[0]} * 40 + (*arcs)[1]);
  for (std::size_t i = 2; i < arcs->size(); ++i) {
    out += subidentifier((*arcs)[i]);
  }
  return out;
}

std::string snmp_get_sysdescr(SnmpVersion version, std::string_view community, std::uint32_t request_id) {
  return snmp_get(version, community, request_id, kSnmpSysDescr);
}

std::string snmp_get(SnmpVersion version, std::string_view community, std::uint32_t request_id,
                     std::string_view object) {
  const auto binding = tlv(kSequence, tlv(kOid, object) + tlv(kNull, {}));
  const auto pdu = tlv(kGetRequest, integer(request_id) + integer(0) + integer(0) + tlv(kSequence, binding));
  return tlv(kSequence, integer(static_cast<std::uint32_t>(version)) + tlv(kOctets, community) + pdu);
}

std::string snmp_v3_discovery(std::uint32_t message_id) {
  const auto flags = tlv(kOctets, "\x04");  // a report is wanted; neither authentication nor privacy
  const auto header = tlv(kSequence, integer(message_id) + integer(kLargestMessage) + flags + integer(kUserSecurity));
  const auto nobody = tlv(kOctets, {});
  const auto security = tlv(kSequence, nobody + integer(0) + integer(0) + nobody + nobody + nobody);
  const auto pdu = tlv(kGetRequest, integer(message_id) + integer(0) + integer(0) + tlv(kSequence, {}));
  const auto scoped = tlv(kSequence, nobody + nobody + pdu);
  return tlv(kSequence, integer(kVersion3) + header + tlv(kOctets, security) + scoped);
}

SnmpReport parse_snmp_report(std::string_view datagram) {
  SnmpReport report;
  Reader outer{datagram};
  Reader message{element(outer, kSequence)};
  const auto version = integer_of(message);
  Reader header{element(message, kSequence)};
  const auto id = integer_of(header);
  Reader wrapped{element(message, kOctets)};
  Reader security{element(wrapped, kSequence)};
  const auto engine = element(security, kOctets);
  Reader scoped{element(message, kSequence)};
  element(scoped, kOctets);
  element(scoped, kOctets);
  element(scoped, kReport);
  const bool whole = !outer.failed() && !message.failed() && !header.failed() && !security.failed() && !scoped.failed();
  if (whole && version == kVersion3 && engine.size() <= kMaximumEngine) {
    report.state = Parse::complete;
    report.message_id = id;
    report.engine = engine;
  }
  return report;
}

SnmpParse parse_snmp_response(std::string_view datagram, std::string_view object) {
  SnmpParse parse;
  Reader outer{datagram};
  Reader message{element(outer, kSequence)};
  const auto version = integer_of(message);
  const auto community = element(message, kOctets);
  Reader pdu{element(message, kGetResponse)};
  if (outer.failed() || message.failed() || version > 1) {
    return parse;
  }
  auto& response = parse.response;
  response.version = version == 0 ? SnmpVersion::v1 : SnmpVersion::v2c;
  response.community = community.substr(0, kMaximumText);
  response.request_id = integer_of(pdu);
  response.error_status = integer_of(pdu);
  integer_of(pdu);
  Reader bindings{element(pdu, kSequence)};
  if (pdu.failed()) {
    return parse;
  }
  parse.state = Parse::complete;
  Reader binding{element(bindings, kSequence)};
  const auto name = element(binding, kOid);
  const auto text = element(binding, kOctets);
  if (!bindings.failed() && !binding.failed() && name == object) {
    response.has_text = true;
    response.text = text.substr(0, kMaximumText);
  }
  return parse;
}

}  // namespace assay::wire

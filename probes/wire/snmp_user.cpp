#include "probes/wire/snmp_user.hpp"

#include "probes/wire/ber.hpp"

namespace assay::wire {

namespace {

using namespace ber;

constexpr std::uint8_t kGetRequest = 0xa0;
constexpr std::uint8_t kGetResponse = 0xa2;
constexpr std::uint8_t kReport = 0xa8;
constexpr std::uint32_t kVersion3 = 3;
constexpr std::uint32_t kUserSecurity = 3;
constexpr std::uint32_t kLargestMessage = 65507;
constexpr std::uint8_t kAuthenticated = 0x01;
constexpr std::uint8_t kEncrypted = 0x02;
constexpr std::uint8_t kReportable = 0x04;
constexpr std::size_t kLongestEngine = 32;
constexpr std::size_t kLongestUser = 32;
constexpr std::size_t kLongestDigest = 64;
constexpr std::size_t kLargestScoped = 4096;
// 1.3.6.1.6.3.15.1.1, usmStats
constexpr std::string_view kUsmStats{"\x2b\x06\x01\x06\x03\x0f\x01\x01", 8};

}  // namespace

std::string snmp_scoped_get(const SnmpUserQuestion& question) {
  const auto binding = tlv(kSequence, tlv(kOid, question.object) + tlv(kNull, {}));
  const auto pdu = tlv(kGetRequest, integer(question.id) + integer(0) + integer(0) + tlv(kSequence, binding));
  return tlv(kSequence, tlv(kOctets, question.engine.id) + tlv(kOctets, {}) + pdu);
}

SnmpUserMessage snmp_user_message(const SnmpUserQuestion& question, std::string_view scoped) {
  std::string flags;
  put_u8(flags, static_cast<std::uint32_t>(kReportable | (question.digest > 0 ? kAuthenticated : 0) |
                                           (question.salt.empty() ? 0 : kEncrypted)));
  const auto header =
      tlv(kSequence, integer(question.id) + integer(kLargestMessage) + tlv(kOctets, flags) + integer(kUserSecurity));
  const auto salt = tlv(kOctets, question.salt);
  const auto security =
      tlv(kSequence, tlv(kOctets, question.engine.id) + integer(question.engine.boots) + integer(question.engine.time) +
                         tlv(kOctets, question.user) + tlv(kOctets, std::string(question.digest, '\0')) + salt);
  const auto data = question.salt.empty() ? std::string{scoped} : tlv(kOctets, scoped);
  SnmpUserMessage message;
  message.bytes = tlv(kSequence, integer(kVersion3) + header + tlv(kOctets, security) + data);
  message.digest_at = message.bytes.size() - data.size() - salt.size() - question.digest;
  return message;
}

SnmpUserAnswer parse_snmp_user_answer(std::string_view datagram) {
  SnmpUserAnswer answer;
  Reader outer{datagram};
  Reader message{element(outer, kSequence)};
  const auto version = integer_of(message);
  Reader header{element(message, kSequence)};
  answer.id = integer_of(header);
  integer_of(header);
  const auto flags = element(header, kOctets);
  const auto model = integer_of(header);
  Reader wrapped{element(message, kOctets)};
  Reader security{element(wrapped, kSequence)};
  const auto engine = element(security, kOctets);
  answer.engine.boots = integer_of(security);
  answer.engine.time = integer_of(security);
  const auto user = element(security, kOctets);
  const auto digest = element(security, kOctets);
  const auto salt = element(security, kOctets);
  const bool whole = !outer.failed() && !message.failed() && !header.failed() && !security.failed();
  const bool fits = version == kVersion3 && model == kUserSecurity && flags.size() == 1 &&
                    engine.size() <= kLongestEngine && user.size() <= kLongestUser && digest.size() <= kLongestDigest &&
                    salt.size() <= kLongestDigest && message.rest().size() <= kLargestScoped;
  if (!whole || !fits) {
    return answer;
  }
  answer.engine.id = engine;
  answer.authenticated = (static_cast<unsigned char>(flags[0]) & kAuthenticated) != 0;
  answer.encrypted = (static_cast<unsigned char>(flags[0]) & kEncrypted) != 0;
  answer.digest = digest;
  answer.digest_at = digest.empty() ? 0 : static_cast<std::size_t>(digest.data() - datagram.data());
  answer.salt = salt;
  answer.scoped = answer.encrypted ? element(message, kOctets) : message.rest();
  answer.state = message.failed() ? Parse::malformed : Parse::complete;
  return answer;
}

SnmpScoped parse_snmp_scoped(std::string_view scoped, std::string_view object) {
  SnmpScoped out;
  Reader outer{scoped};
  Reader inner{element(outer, kSequence)};
  element(inner, kOctets);
  element(inner, kOctets);
  std::string_view body;
  const auto tag = any_element(inner, body);
  Reader pdu{body};
  integer_of(pdu);
  out.error_status = integer_of(pdu);
  integer_of(pdu);
  Reader bindings{element(pdu, kSequence)};
  if (outer.failed() || inner.failed() || pdu.failed() || (tag != kReport && tag != kGetResponse)) {
    return out;
  }
  out.state = Parse::complete;
  out.kind = tag == kReport ? SnmpScoped::Kind::report : SnmpScoped::Kind::response;
  Reader binding{element(bindings, kSequence)};
  const auto name = element(binding, kOid);
  std::string_view value;
  const auto type = any_element(binding, value);
  if (bindings.failed() || binding.failed()) {
    return out;
  }
  out.has_text = name == object && type == kOctets;
  out.text = out.has_text ? value.substr(0, kLargestScoped) : std::string_view{};
  if (name.size() == kUsmStats.size() + 2 && name.starts_with(kUsmStats)) {
    out.counter = static_cast<unsigned char>(name[kUsmStats.size()]);
  }
  return out;
}

}  // namespace assay::wire

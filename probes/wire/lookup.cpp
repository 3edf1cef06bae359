#include "probes/wire/lookup.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumMessage = 16U << 10U;
constexpr std::size_t kDnsHeader = 12;
constexpr std::string_view kVersionQuestion{
    "\x07version\x04"
    "bind\x00\x00\x10\x00\x03",
    18};
constexpr std::uint8_t kEntry = 0x64;
constexpr std::uint8_t kDone = 0x65;
constexpr std::uint8_t kExtended = 0x78;

/// Passes over a name, compressed or not.
void skip_name(Reader& reader) {
  constexpr int kMaximumLabels = 128;
  for (int i = 0; i < kMaximumLabels && !reader.failed(); ++i) {
    const auto length = reader.u8();
    if (length == 0) {
      return;
    }
    if ((length & 0xc0U) == 0xc0) {
      reader.u8();
      return;
    }
    reader.take(length);
  }
}

std::string tlv(std::uint8_t tag, std::string_view body) {
  std::string out;
  put_u8(out, tag);
  put_u8(out, static_cast<std::uint32_t>(body.size()));  // our own messages are short
  return out.append(body);
}

struct Element {
  std::uint8_t tag = 0;
  std::string_view body;
};

/// BER with definite lengths of at most four bytes. Fails the reader when the element is not whole.
Element element(Reader& reader) {
  Element out;
  out.tag = reader.u8();
  std::size_t length = reader.u8();
  if (length > 0x84 || length == 0x80) {
    reader.take(reader.rest().size() + 1);
    return out;
  }
  if (length > 0x80) {
    std::size_t bytes = length - 0x80;
    for (length = 0; bytes > 0; --bytes) {
      length = length << 8U | reader.u8();
    }
  }
  out.body = reader.take(length);
  return out;
}

void read_entry(std::string_view body, LdapParse& parse) {
  Reader entry{body};
  element(entry);  // the name
  Reader attributes{element(entry).body};
  while (!attributes.rest().empty() && !attributes.failed()) {
    Reader attribute{element(attributes).body};
    const auto name = element(attribute).body;
    Reader values{element(attribute).body};
    const auto value = element(values).body;
    if (equal_ignoring_case(name, "vendorName")) {
      parse.vendor_name = printable(value, 128);
    } else if (equal_ignoring_case(name, "vendorVersion")) {
      parse.vendor_version = printable(value, 64);
    }
  }
}

}  // namespace

std::string dns_version_query(std::uint16_t id) {
  std::string message;
  put_u16(message, id);
  for (const std::uint32_t word : {0x0000U, 1U, 0U, 0U, 0U}) {
    put_u16(message, word);
  }
  message.append(kVersionQuestion);
  std::string out;
  put_u16(out, static_cast<std::uint32_t>(message.size()));
  return out + message;
}

DnsVersionParse parse_dns_version(std::string_view bytes, std::uint16_t id) {
  DnsVersionParse parse;
  Reader reader{bytes};
  const std::size_t length = reader.u16();
  const auto echoed = reader.u16();
  const auto flags = reader.u16();
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  if (length < kDnsHeader || length > kMaximumMessage || echoed != id || (flags & 0x8000U) == 0 ||
      (flags & 0x7800U) != 0) {
    return parse;
  }
  if (bytes.size() < length + 2) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader body{bytes.substr(6, length - 4)};
  const auto questions = body.u16();
  const auto answers = body.u16();
  body.take(4);
  parse.rcode = flags & 0x0f;
  parse.recursion = (flags & 0x0080U) != 0;
  if (questions > 1 || (questions == 1 && !equal_ignoring_case(body.take(kVersionQuestion.size()), kVersionQuestion))) {
    return parse;
  }
  parse.state = body.failed() ? Parse::malformed : Parse::complete;
  if (answers > 0) {
    skip_name(body);
    const auto type = body.u16();
    body.take(6);
    Reader data{body.take(body.u16())};
    if (type == 16 && !body.failed()) {
      parse.version = printable(data.take(data.u8()), 128);
    }
  }
  return parse;
}

std::string ldap_root_search() {
  std::string request = tlv(0x04, "");
  request += tlv(0x0a, std::string(1, '\0'));  // the base object only
  request += tlv(0x0a, std::string(1, '\0'));
  request += tlv(0x02, "\x01");  // one entry
  request += tlv(0x02, "\x05");  // five seconds
  request += tlv(0x01, std::string(1, '\0'));
  request += tlv(0x87, "objectClass");
  request += tlv(0x30, tlv(0x04, "vendorName") + tlv(0x04, "vendorVersion"));
  return tlv(0x30, tlv(0x02, std::string(1, static_cast<char>(kLdapSearchId))) + tlv(0x63, request));
}

std::string ldap_starttls() {
  const auto request = tlv(0x80, "1.3.6.1.4.1.1466.20037");
  return tlv(0x30, tlv(0x02, std::string(1, static_cast<char>(kLdapStartTlsId))) + tlv(0x77, request));
}

LdapParse parse_ldap(std::string_view bytes, std::uint8_t message_id) {
  LdapParse parse;
  if (!bytes.empty() && bytes[0] != 0x30) {
    return parse;
  }
  Reader reader{bytes};
  const auto message = element(reader);
  if (reader.failed()) {
    parse.state = bytes.size() < kMaximumMessage ? Parse::need_more : Parse::malformed;
    return parse;
  }
  Reader body{message.body};
  const auto id = element(body);
  const auto operation = element(body);
  if (body.failed() || id.tag != 0x02 || id.body != std::string_view{reinterpret_cast<const char*>(&message_id), 1}) {
    return parse;
  }
  parse.operation = operation.tag;
  if (operation.tag == kEntry) {
    read_entry(operation.body, parse);
    parse.state = Parse::complete;
  } else if (operation.tag == kDone || operation.tag == kExtended) {
    Reader result{operation.body};
    const auto code = element(result);
    if (!result.failed() && code.tag == 0x0a && code.body.size() == 1) {
      parse.result = static_cast<unsigned char>(code.body[0]);
      parse.state = Parse::complete;
    }
  }
  return parse;
}

}  // namespace assay::wire

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "probes/wire/databases.hpp"
#include "probes/wire/documents.hpp"
#include "probes/wire/industrial.hpp"
#include "probes/wire/lookup.hpp"
#include "probes/wire/mail.hpp"
#include "probes/wire/messaging.hpp"
#include "probes/wire/remote.hpp"

using namespace assay::wire;

namespace {

Parse parse_as(unsigned which, std::string_view bytes) {
  switch (which % 17) {
    case 0:
      return parse_modbus(bytes, 0x1234).state;
    case 1:
      return parse_opcua(bytes).state;
    case 2:
      return parse_amqp(bytes).state;
    case 3:
      return parse_xmpp(bytes).state;
    case 4:
      return parse_redis(bytes).state;
    case 5:
      return parse_mysql(bytes).state;
    case 6:
      return parse_postgres(bytes).state;
    case 7:
      return parse_rfb_security(bytes).state;
    case 8:
      return parse_rdp(bytes).state;
    case 9:
      return parse_smb2(bytes).state;
    case 10:
      return parse_adb(bytes).state;
    case 11:
      return parse_dns_version(bytes, 0x0102).state;
    case 12:
      return parse_ldap(bytes, kLdapSearchId).state;
    case 13:
      return parse_imap_capability(bytes, "a1").state;
    case 14:
      return parse_pop3_capabilities(bytes).state;
    case 15:
      return imap_result(bytes);
    default:
      return parse_sip(bytes).state;
  }
}

}  // namespace

/// The first byte chooses the parser. Nothing is whole that is empty, and the documents stay printable.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  if (parse_as(data[0], bytes) == Parse::complete && bytes.empty()) {
    std::abort();
  }
  static_cast<void>(parse_ipp(bytes, 7));
  static_cast<void>(is_onvif(bytes));
  static_cast<void>(hnap_settings(bytes));
  if (const auto document = upnp_description(bytes)) {
    for (const char c : document->name + document->maker + document->model + document->version) {
      if (c < 0x20 || c > 0x7e) {
        std::abort();
      }
    }
  }
  return 0;
}

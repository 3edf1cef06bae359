#pragma once

#include <optional>
#include <string>

#include "harness/model/json.hpp"
#include "harness/probe/network.hpp"

namespace assay::probes::services {

/// What the ladder has learnt about one endpoint.
struct Sighting {
  std::string protocol;  // empty: open but not identified
  std::string product;
  std::string version;
  std::string banner;  // raw bytes that the device said first, or its first answer that nobody understood
  json::array logins;
  json::object details;
  std::optional<bool> redirects_to_tls;

  bool tls = false;                   // the device answered in TLS records
  bool tls_refused = false;           // it answered a ClientHello with something else
  std::optional<TlsSession> session;  // the handshake finished
  std::string tls_failure;            // why it did not

  bool identified() const { return !protocol.empty(); }
};

/// Adds one login that the service offers; the same one is kept once.
void add_login(Sighting& sighting, std::string_view dialect, bool clear, std::string_view realm = {},
               std::string_view path = {});

}  // namespace assay::probes::services

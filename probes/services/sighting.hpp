#pragma once

#include <optional>
#include <string>

#include "harness/model/json.hpp"
#include "harness/probe/network.hpp"

namespace assay::probes::services {

/// How TLS is begun on a connection that already speaks (STARTTLS).
struct Upgrade {
  std::string say;                                    // empty: the device has agreed already
  bool (*agreed)(std::string_view answer) = nullptr;  // null when nothing is said
  std::string inside;                                 // first words inside, for a protocol not yet shown; often empty
};

/// What the ladder has learnt about one endpoint.
struct Sighting {
  std::string protocol;  // empty: open but not identified
  std::string product;
  std::string version;
  std::string banner;  // raw bytes that the device said first, or its first answer that nobody understood
  json::array logins;
  std::string logins_doubt;  // why there may be one where none is named
  json::object details;
  std::optional<bool> redirects_to_tls;

  std::string proof;          // the bytes whose parsing named the protocol
  bool greeted = false;       // they came unasked; otherwise they answer a question of ours
  std::optional<bool> shell;  // a command interpreter without login

  std::optional<Upgrade> upgrade;
  std::optional<TlsSession> upgraded;  // the session it gave
  std::string upgrade_failure;

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

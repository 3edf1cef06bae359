#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/fake_network.hpp"

/// A TLS server of script: it chooses as a real one does, and has defects that no packaged stack can be given any more.
namespace assay::fake {

struct TlsServer {
  std::map<std::uint16_t, std::vector<std::uint16_t>> suites;  // version -> suites, in the server's order
  std::vector<std::uint16_t> groups{29, 23};
  std::vector<std::uint16_t> signatures{0x0804, 0x0401};
  bool own_order = true;
  std::optional<std::uint16_t> curve;  // of its ECDSA certificate: refuses ECDSA where this is not among the groups
  std::string certificate;             // DER; "" sends a message of none
  std::string dh_prime = std::string(128, '\xff');  // 1024 bits
  std::vector<std::uint16_t> answers;               // extensions it answers when they are offered
  std::string psk_hint;
  std::uint8_t compression = 0;  // method it chooses when it is offered
  bool ssl2 = false;
  bool closes_instead = false;                  // ends the connection where others send an alert
  std::optional<std::uint16_t> always_chooses;  // whatever was offered
  std::size_t longest_hello = 16384;            // a longer one gets no answer at all
  bool fallback_scsv = true;
  bool knows_future = true;  // takes a version above its own as its own

  std::string beyond_session_id;  // what follows a short session id that comes back beside a ticket (CVE-2016-9244)

  /// What is said after the flight, for each connection anew; null: silence.
  using Then = std::function<void(std::string_view written, Line& line)>;
  std::function<Then()> then;

  /// The peers of all connections to a port.
  PeerMaker peer() const;
};

/// The same over datagrams; the suites are those of versions of DTLS.
struct DtlsServer {
  TlsServer tls;
  std::size_t cookie_length = 16;           // 0: no cookie is asked for
  bool binds_cookie = false;                // to the random of the hello
  bool endless = false;                     // no cookie is ever good enough
  std::size_t fragment = 4096;              // bytes of a message in one datagram
  bool backwards = false;                   // the datagrams of a flight come in the wrong order
  bool doubled = false;                     // each comes twice
  std::optional<std::size_t> answers_only;  // hellos with so many suites; others are dropped

  /// The peer of every socket of ours.
  UdpPeer peer() const;
};

/// A certificate of an RSA or EC key, made for these tests; DER.
std::string test_certificate();

}  // namespace assay::fake

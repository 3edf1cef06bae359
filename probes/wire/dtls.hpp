#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "probes/wire/tls_build.hpp"
#include "probes/wire/tls_flight.hpp"

/// The frames of DTLS (RFC 6347, 4.1 and 4.2; RFC 9147, 4 and 5): records with epoch and number, messages in fragments,
/// and the cookie by which a server sees that an address is the client's own.
namespace assay::wire {

/// A record in clear; `number` counts the records of one client in epoch 0, up to 2^48 - 1.
std::string dtls_record(std::uint8_t type, std::uint16_t version, std::uint64_t number, std::string_view body);

/// A ClientHello as its first one (`sequence` 0, no cookie) or as the answer to a HelloVerifyRequest.
struct DtlsTurn {
  std::string cookie;          // at most 255 bytes
  std::uint16_t sequence = 0;  // of the message
  std::uint64_t number = 0;    // of the record
};

/// One datagram with the whole message. The cookie stands between session id and suites (RFC 6347, 4.2.1).
std::string dtls_hello_datagram(const TlsHello& hello, const DtlsTurn& turn);

/// The same message in two fragments, one datagram each; `turn.number` and the next are used.
std::pair<std::string, std::string> dtls_hello_fragments(const TlsHello& hello, const DtlsTurn& turn);

std::string dtls_alert_datagram(std::uint16_t version, std::uint64_t number, std::uint8_t level, std::uint8_t alert);

/// The datagram with another number in its first record; one too short for a record stays as it is.
std::string dtls_renumbered(std::string datagram, std::uint64_t number);

struct HelloVerify {
  std::uint16_t version = 0;  // says nothing on the version that will be chosen
  std::string cookie;
};

/// Puts the messages of a server together from datagrams in any order, doubled or cut in fragments, and hands them to a
/// `TlsFlight` in their order. Bounded: messages beyond the next sixteen and messages of more than 64 KiB are thrown
/// away.
class DtlsReader {
 public:
  static constexpr std::size_t kLargestMessage = 64 * 1024;
  static constexpr std::uint16_t kMostAhead = 16;

  /// Takes one datagram; false when it cannot be DTLS, with the flight or `fault()` saying why. What was read before
  /// stays.
  bool feed(std::string_view datagram, TlsFlight& flight);

  /// The last HelloVerifyRequest.
  const std::optional<HelloVerify>& verify() const { return verify_; }

  /// How many came, doubled ones counted.
  int verifies() const { return verifies_; }

  /// Fragments of messages that were whole already: what a server sends again when it hears nothing.
  int repeated() const { return repeated_; }

  /// Version of the last record, and how many records were well-formed.
  std::uint16_t version() const { return version_; }

  int records() const { return records_; }

  const std::string& fault() const { return fault_; }

 private:
  struct Message {
    std::uint8_t type = 0;
    std::string body;
    std::string have;  // one byte for each of the body: 0 or 1
    std::size_t missing = 0;
  };

  bool take_record(std::uint8_t type, std::string_view body, TlsFlight& flight);
  bool take_fragment(Reader& reader, TlsFlight& flight);
  bool take_verify(std::string_view body);
  bool hand_over(TlsFlight& flight);
  bool fail(std::string why);

  std::map<std::uint16_t, Message> messages_;
  std::optional<std::uint16_t>
      next_;  // message that the flight waits for; nothing: for a ServerHello, however numbered
  std::optional<HelloVerify> verify_;
  int verifies_ = 0;
  int repeated_ = 0;
  int records_ = 0;
  std::uint16_t version_ = 0;
  std::string fault_;
};

}  // namespace assay::wire

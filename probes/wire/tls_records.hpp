#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/tls_flight.hpp"

/// What is said after a server's flight in TLS 1.2 and before, and what comes back, record by record.
namespace assay::wire {

namespace record {
inline constexpr std::uint8_t kChangeCipherSpec = 20;
inline constexpr std::uint8_t kAlert = 21;
inline constexpr std::uint8_t kHandshake = 22;
inline constexpr std::uint8_t kHeartbeat = 24;  // RFC 6520
}  // namespace record

/// Records by type and length alone: what is in them may be memory of the device that nobody is to see, so no body is
/// kept but the two bytes of an alert in clear. Fed piece by piece (RFC 5246, 6.2.1).
class TlsRecordLog {
 public:
  static constexpr std::size_t kMostRecords = 32;

  struct Record {
    std::uint8_t type = 0;
    std::size_t length = 0;
    bool operator==(const Record&) const = default;
  };

  /// Takes the next bytes; false when they cannot be TLS. What was read before stays.
  bool feed(std::string_view bytes);

  /// Records in their order, at most `kMostRecords`; `whole()` of them have come to their end.
  const std::vector<Record>& records() const { return records_; }

  std::size_t whole() const { return whole_; }

  /// The first alert in clear that ends a connection: fatal, or any close_notify.
  const std::optional<TlsAlert>& alert() const { return alert_; }

  bool sound() const { return sound_; }

 private:
  void end_record();

  std::string head_;         // of the record that is being read
  std::string alert_bytes_;  // of an alert in clear
  std::size_t left_ = 0;     // bytes of its body that have not come yet
  std::vector<Record> records_;
  std::size_t whole_ = 0;
  std::optional<TlsAlert> alert_;
  bool sound_ = true;
};

/// A record in whole; `body` is a part of what it was read from.
struct TlsRecord {
  std::uint8_t type = 0;
  std::uint16_t version = 0;
  std::string_view body;
};

/// The records that stand whole at the beginning of `bytes`, at most `TlsRecordLog::kMostRecords`.
std::vector<TlsRecord> whole_records(std::string_view bytes);

/// A message of the handshake, without a record around it.
std::string tls_message(std::uint8_t type, std::string_view body);

std::string change_cipher_spec_record(std::uint16_t version);

/// A heartbeat request (RFC 6520, 4) that says it has `claimed` bytes of payload, whatever it has.
std::string heartbeat_record(std::uint16_t version, std::uint16_t claimed, std::string_view payload,
                             std::size_t padding);

/// The ClientKeyExchange of RSA key transport (RFC 5246, 7.4.7.1).
std::string rsa_key_exchange_message(std::string_view encrypted);

}  // namespace assay::wire

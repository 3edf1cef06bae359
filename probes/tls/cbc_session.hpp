#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "probes/wire/tls_flight.hpp"

/// Sessions of TLS 1.0 to 1.2 whose keys are ours, with suites of CBC: records that no library makes, right but for one
/// thing, and what a server answers to them (RFC 5246, 6.2.3.2, 6.3, 7.4.9; RFC 2246, 6.2.3.2; RFC 8422, 5.7).
namespace assay::probes::tls {

struct CbcSuite {
  std::uint16_t code = 0;
  const char* cipher = nullptr;  // as OpenSSL names it, and the digests
  std::size_t key_size = 0;
  std::size_t block_size = 0;
  const char* mac = nullptr;
  std::size_t mac_size = 0;
  const char* prf = nullptr;
};

/// Nothing when the suite cannot be spoken here: other ciphers, or a key exchange other than RSA and ECDHE.
std::optional<CbcSuite> cbc_suite(std::uint16_t code, std::uint16_t version);

/// What is wrong with a record.
enum class Flaw : std::uint8_t {
  none,
  mac,            // every byte of the MAC
  padding,        // every byte of the padding but the last, which says how long it is: right in SSL 3.0
  first_padding,  // one byte of the padding, the first
  both,           // MAC and padding
};
inline constexpr std::size_t kFlaws = 5;

std::string_view flaw_name(Flaw flaw);

/// One direction of a session, from its ChangeCipherSpec on.
class CbcDirection {
 public:
  CbcDirection(const CbcSuite& suite, std::uint16_t version, std::string mac_key, std::string key, std::string iv)
      : suite_(suite), version_(version), mac_key_(std::move(mac_key)), key_(std::move(key)), iv_(std::move(iv)) {}

  /// The next record; "" when the library fails.
  std::string seal(std::uint8_t type, std::string_view content, Flaw flaw = Flaw::none);

  /// Content, MAC and padding of the next record; nothing when it has no whole blocks.
  std::optional<std::string> decrypt(std::string_view body);

  /// The content of the next record; nothing when padding or MAC are wrong.
  std::optional<std::string> open(std::uint8_t type, std::string_view body);

  /// The MAC of what `decrypt` gave last, had it this content.
  std::string mac_of(std::uint8_t type, std::string_view content) const;

 private:
  bool explicit_iv() const;
  std::optional<std::string> crypt(bool encrypt, std::string_view iv, std::string_view in) const;

  CbcSuite suite_;
  std::uint16_t version_;
  std::string mac_key_;
  std::string key_;
  std::string iv_;              // of the next record in TLS 1.0
  std::uint64_t sequence_ = 0;  // of the next record
};

struct CbcKeys {
  std::string master;
  CbcDirection client;
  CbcDirection server;
};

std::optional<CbcKeys> cbc_keys(const CbcSuite& suite, std::uint16_t version, std::string_view premaster,
                                std::string_view client_random, std::string_view server_random);

/// The Finished message of a side, over all messages of the handshake before it.
std::string finished_message(const CbcSuite& suite, std::uint16_t version, std::string_view master, bool client,
                             std::string_view messages);

/// The client's part of a key exchange.
struct ClientKey {
  std::string message;  // ClientKeyExchange
  std::string premaster;
};

/// For the flight of a server; `offered` is the version of the hello. Nothing when the key exchange is another one, or
/// the key or the point is none.
std::optional<ClientKey> client_key(const wire::TlsFlight& flight, std::uint16_t offered);

}  // namespace assay::probes::tls

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

/// SHA-256 over bytes that come in pieces, and the wall clock as the bundle writes it.
namespace assay::evidence {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::string_view bytes);

  /// Lower case hex of all that was added. The object is spent afterwards.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Lower case hex digits, two for each byte.
std::string hex_text(std::span<const unsigned char> bytes);

/// Lower case hex digits and nothing else.
bool is_hex(std::string_view text);

/// 64 lower case hex digits.
bool is_sha256(std::string_view text);

/// "2026-11-23T18:00:00.000000000Z" and nothing else: fixed width, so that text order is time order.
bool is_utc_time(std::string_view text);

/// RFC 3339 UTC with nanoseconds, from nanoseconds since the epoch.
std::string utc_text(std::int64_t nanoseconds);

/// Bytes of a stranger for a message: printable ASCII as it is, everything else as \xNN, cut after 200.
std::string printable(std::string_view bytes);

}  // namespace assay::evidence

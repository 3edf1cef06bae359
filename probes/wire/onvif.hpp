#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The login of ONVIF's device service (ONVIF Core, 5.9.2; OASIS WS-Security UsernameToken Profile 1.0). What
/// it says to anybody is in documents.hpp.
namespace assay::wire {

struct OnvifToken {
  std::string username;
  std::string digest;   // base64 of SHA-1 over nonce, time and password
  std::string nonce;    // base64
  std::string created;  // "2026-01-31T12:00:00Z"
};

/// GetUsers, with a token or as a visitor (null).
std::string onvif_users_request(const OnvifToken* token);

struct OnvifUsers {
  bool given = false;           // a GetUsersResponse
  int users = 0;                // listed in it
  bool not_authorised = false;  // a fault that says so in one of the usual words
  std::string reason;           // of a fault, printable
};

OnvifUsers read_onvif_users(std::string_view body);

/// Seconds since 1970 of the UTC in a GetSystemDateAndTimeResponse; nothing when it has none.
std::optional<std::int64_t> onvif_utc(std::string_view body);

/// "2026-01-31T12:00:00Z"
std::string onvif_time_text(std::int64_t seconds);

}  // namespace assay::wire

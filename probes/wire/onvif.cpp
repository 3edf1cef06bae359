#include "probes/wire/onvif.hpp"

#include <array>
#include <charconv>
#include <chrono>

#include "probes/wire/bytes.hpp"
#include "probes/wire/xml.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kLongestReason = 256;
constexpr int kMostUsers = 1000;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// The code of a fault stands with the prefix of its sender's choice: "ter:NotAuthorized".
bool is_refusal(std::string_view text) {
  for (const std::string_view word :
       {"NotAuthorized", "FailedAuthentication", "FailedCheck", "InvalidSecurity", "Sender not Authorized",
        "not authorized", "Unauthorized", "OperationProhibited"}) {
    if (contains_ignoring_case(text, word)) {
      return true;
    }
  }
  return false;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto trimmed = trim(text);
  const auto [end, failed] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), value);
  return failed == std::errc{} && end == trimmed.data() + trimmed.size() ? std::optional{value} : std::nullopt;
}

std::string two(unsigned value) {
  return {static_cast<char>('0' + value / 10 % 10), static_cast<char>('0' + value % 10)};
}

}  // namespace

std::string onvif_users_request(const OnvifToken* token) {
  const std::string security = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-";
  std::string head;
  if (token != nullptr) {
    head = "<s:Header><Security s:mustUnderstand=\"1\" xmlns=\"" + security +
           "wssecurity-secext-1.0.xsd\"><UsernameToken><Username>" + escaped(token->username) +
           "</Username><Password Type=\"" + security + "username-token-profile-1.0#PasswordDigest\">" + token->digest +
           "</Password><Nonce EncodingType=\"" + security + "soap-message-security-1.0#Base64Binary\">" + token->nonce +
           "</Nonce><Created xmlns=\"" + security + "wssecurity-utility-1.0.xsd\">" + token->created +
           "</Created></UsernameToken></Security></s:Header>";
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\">" +
         head + "<s:Body><GetUsers xmlns=\"http://www.onvif.org/ver10/device/wsdl\"/></s:Body></s:Envelope>";
}

OnvifUsers read_onvif_users(std::string_view body) {
  OnvifUsers out;
  bool fault = false;
  for (const auto& event : xml_events(body)) {
    if (event.open && event.name == "GetUsersResponse") {
      out.given = true;
    } else if (event.open && event.name == "Fault") {
      fault = true;
    } else if (event.open && event.name == "User" && out.users < kMostUsers) {
      ++out.users;
    } else if (!event.open && fault &&
               (event.name == "Value" || event.name == "Text" || event.name == "faultcode" ||
                event.name == "faultstring")) {
      out.not_authorised = out.not_authorised || is_refusal(event.text);
      out.reason = printable(trim(event.text), kLongestReason);
    }
  }
  out.given = out.given && !fault;
  return out;
}

std::optional<std::int64_t> onvif_utc(std::string_view body) {
  bool utc = false;
  std::array<std::optional<int>, 6> parts{};
  constexpr std::array<std::string_view, 6> kNames{"Year", "Month", "Day", "Hour", "Minute", "Second"};
  for (const auto& event : xml_events(body)) {
    if (event.name == "UTCDateTime") {
      utc = event.open;
    }
    for (std::size_t i = 0; utc && !event.open && i < kNames.size(); ++i) {
      if (event.name == kNames[i]) {
        parts[i] = number(event.text);
      }
    }
  }
  for (const auto& part : parts) {
    if (!part) {
      return std::nullopt;
    }
  }
  const bool fits = *parts[0] >= 1970 && *parts[0] <= 9999 && *parts[1] >= 1 && *parts[1] <= 12 && *parts[2] >= 1 &&
                    *parts[2] <= 31 && *parts[3] >= 0 && *parts[3] < 24 && *parts[4] >= 0 && *parts[4] < 60 &&
                    *parts[5] >= 0 && *parts[5] <= 60;
  if (!fits) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{*parts[0]},
                                         std::chrono::month{static_cast<unsigned>(*parts[1])},
                                         std::chrono::day{static_cast<unsigned>(*parts[2])}};
  const auto days = std::chrono::sys_days{date}.time_since_epoch().count();
  return static_cast<std::int64_t>(days) * 86400 + *parts[3] * 3600 + *parts[4] * 60 + *parts[5];
}

std::string onvif_time_text(std::int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds{seconds}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const auto rest = static_cast<unsigned>((time - day).count());
  return std::to_string(static_cast<int>(date.year())) + "-" + two(static_cast<unsigned>(date.month())) + "-" +
         two(static_cast<unsigned>(date.day())) + "T" + two(rest / 3600) + ":" + two(rest / 60 % 60) + ":" +
         two(rest % 60) + "Z";
}

}  // namespace assay::wire

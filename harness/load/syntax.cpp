#include "harness/load/syntax.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <chrono>

#include "harness/model/endpoint.hpp"
#include "harness/model/object_id.hpp"
#include "harness/model/payload.hpp"

namespace assay {

namespace {

constexpr std::size_t kLongestId = 128;

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool digit(char c) {
  return c >= '0' && c <= '9';
}

bool all_of(std::string_view text, std::string_view extra) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return letter(c) || digit(c) || extra.find(c) != std::string_view::npos; });
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestId && letter(text[0]) && all_of(text, "_-");
}

bool is_identifier(std::string_view text) {
  return !text.empty() && text.size() <= kLongestId && (letter(text[0]) || digit(text[0])) && all_of(text, "._-");
}

/// Digits with single dots between.
bool is_version(std::string_view text) {
  bool want_digit = true;
  for (const char c : text) {
    if (c == '.' && want_digit) {
      return false;
    }
    if (c != '.' && !digit(c)) {
      return false;
    }
    want_digit = c == '.';
  }
  return !want_digit;
}

bool is_edition(std::string_view text) {
  const auto at = text.find('@');
  return text.size() <= kLongestId && at != std::string_view::npos && at > 0 && letter(text[0]) &&
         all_of(text.substr(0, at), "_-") && is_version(text.substr(at + 1));
}

bool is_clause(std::string_view text) {
  return !text.empty() && text.size() <= kLongestId && (letter(text[0]) || digit(text[0])) && all_of(text, "._-");
}

bool is_qualified(std::string_view text) {
  const auto colon = text.find(':');
  return colon != std::string_view::npos && is_edition(text.substr(0, colon)) && is_clause(text.substr(colon + 1));
}

/// Digits, dots, then "-" and a number: "5.1-2", "4-1", "5.3-6A".
bool is_short_provision(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || !is_version(text.substr(0, dash))) {
    return false;
  }
  const auto number = text.substr(dash + 1);
  return !number.empty() && number.size() < 8 && digit(number[0]) && all_of(number, "-");
}

bool is_table_name(std::string_view text) {
  const auto dash = text.find('-');
  return dash != std::string_view::npos && dash > 0 && dash < 4 && is_version(text.substr(0, dash)) &&
         is_name(text.substr(dash + 1));
}

bool is_plan_id(std::string_view text) {
  const auto slash = text.find('/');
  return slash != std::string_view::npos && is_name(text.substr(0, slash)) && is_identifier(text.substr(slash + 1));
}

bool is_fact_key(std::string_view text) {
  const auto dot = text.find('.');
  return dot != std::string_view::npos && is_name(text.substr(0, dot)) && is_identifier(text.substr(dot + 1));
}

bool is_pattern(std::string_view text) {
  return parse_pattern(text).has_value();
}

bool is_hex(std::string_view text) {
  return text.find('.') == std::string_view::npos && is_pattern(text);
}

bool is_endpoint(std::string_view text) {
  return Endpoint::parse(text).has_value();
}

bool is_address(std::string_view text) {
  return text.find('/') == std::string_view::npos && parse_network(text).has_value();
}

bool is_network(std::string_view text) {
  return parse_network(text).has_value();
}

bool is_duration(std::string_view text) {
  return parse_duration(text).has_value();
}

bool is_object_id(std::string_view text) {
  return parse_object_id(text).has_value();
}

bool is_mac(std::string_view text) {
  if (text.size() != 17) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool hex = digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (i % 3 == 2 ? c != ':' : !hex) {
      return false;
    }
  }
  return true;
}

/// Below its folder, and a name that a bundle takes.
bool is_relative_path(std::string_view text) {
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const auto end = std::min(text.find('/', begin), text.size());
    const auto part = text.substr(begin, end - begin);
    if (part.empty() || part.front() == '.') {
      return false;
    }
    begin = end + 1;
  }
  return text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.' ||
                  c == '-' || c == '_';
         });
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
    return false;
  }
  const auto number = [&](std::size_t at, std::size_t count) {
    int out = 0;
    for (const char c : text.substr(at, count)) {
      out = c >= '0' && c <= '9' ? out * 10 + (c - '0') : -10000000;
    }
    return out;
  };
  const std::chrono::year_month_day date{std::chrono::year{number(0, 4)},
                                         std::chrono::month{static_cast<unsigned>(number(5, 2))},
                                         std::chrono::day{static_cast<unsigned>(number(8, 2))}};
  return number(0, 4) >= 0 && date.ok();
}

/// A year, a month or a day of ISO 8601 that is in the calendar.
bool is_partial_date(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00";
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kShape[i] == '0' ? !digit(text[i]) : text[i] != kShape[i]) {
      return false;
    }
  }
  const auto number = [&](std::size_t at, std::size_t size) {
    unsigned out = 0;
    std::from_chars(text.data() + at, text.data() + at + size, out);
    return out;
  };
  const std::chrono::year_month_day day{std::chrono::year{static_cast<int>(number(0, 4))},
                                        std::chrono::month{text.size() < 7 ? 1 : number(5, 2)},
                                        std::chrono::day{text.size() < 10 ? 1 : number(8, 2)}};
  return day.ok();
}

bool is_end_date(std::string_view text) {
  return text == "undated" || is_partial_date(text);
}

bool is_namespace(std::string_view text) {
  return is_identifier(text) || (text.size() > 1 && text[0] == '/');
}

/// What the kernel takes as a name (dev_valid_name), but for bytes that would not show on a terminal.
bool is_interface(std::string_view text) {
  constexpr std::size_t kLongest = 15;
  return !text.empty() && text.size() <= kLongest && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~' && c != '/' && c != ':'; });
}

}  // namespace

constinit const Syntax kName{"name", "^[A-Za-z][A-Za-z0-9_-]*$",
                             "a word of letters, digits, - and _, beginning with a letter", &is_name, "services"};
constinit const Syntax kIdentifier{"identifier", "^[A-Za-z0-9][A-Za-z0-9._-]*$",
                                   "a word of letters, digits, dots, - and _, such as A or unit-2", &is_identifier,
                                   "A"};
constinit const Syntax kHexText{"hexadecimal", "^ *([0-9A-Fa-f]{2} *)+$", "bytes in hexadecimal, such as 0a ff 00",
                                &is_hex, "0a ff 00"};
constinit const Syntax kPatternText{
    "byte pattern", "^ *([0-9A-Fa-f.]{2} *)+$",
    "bytes in hexadecimal with dots for half bytes that may be anything, such as 0a 8. ..", &is_pattern, "0a 8. .."};
constinit const Syntax kEdition{"edition", "^[A-Za-z][A-Za-z0-9_-]*@[0-9]+(\\.[0-9]+)*$",
                                "a document with its edition, such as TS103701@1.1.1", &is_edition, "TS103701@1.1.1"};
constinit const Syntax kQualifiedId{
    "qualified id", "^[A-Za-z][A-Za-z0-9_-]*@[0-9]+(\\.[0-9]+)*:[A-Za-z0-9][A-Za-z0-9._-]*$",
    "an id with its edition, such as EN303645@2.1.1:5.1-1", &is_qualified, "EN303645@2.1.1:5.1-1"};
constinit const Syntax kShortProvision{"provision", "^[0-9]+(\\.[0-9]+)*-[0-9][A-Za-z0-9-]*$",
                                       "a provision without its edition, such as 5.1-2", &is_short_provision, "5.1-2"};
constinit const Syntax kTableName{"IXIT table", "^[0-9]+-[A-Za-z][A-Za-z0-9_-]*$",
                                  "an IXIT table by number and name, such as 15-Intf", &is_table_name, "15-Intf"};
constinit const Syntax kPlanId{"plan id", "^[A-Za-z][A-Za-z0-9_-]*/[A-Za-z0-9][A-Za-z0-9._-]*$",
                               "a scheme and a level, such as cls-iot/1", &is_plan_id, "cls-iot/1"};
constinit const Syntax kFactKey{"fact", "^[A-Za-z][A-Za-z0-9_-]*\\.[A-Za-z0-9][A-Za-z0-9._-]*$",
                                "a fact of a probe, such as service.protocol", &is_fact_key, "service.protocol"};
constinit const Syntax kEndpointText{"endpoint", "^(tcp|udp)/[1-9][0-9]{0,4}$", "an endpoint such as tcp/443",
                                     &is_endpoint, "tcp/443"};
constinit const Syntax kAddress{"address", "^[0-9A-Fa-f:.]+$", "a numeric IPv4 or IPv6 address such as 10.20.0.5",
                                &is_address, "10.20.0.5"};
constinit const Syntax kNetwork{"network", "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$",
                                "a numeric address or a range such as 10.20.0.0/28", &is_network, "10.20.0.0/28"};
constinit const Syntax kDuration{"duration", "^[0-9]{1,8}(ms|s|min)$",
                                 "a time of at most one day, such as 500ms, 30s or 2min", &is_duration, "30s"};
constinit const Syntax kMac{"MAC address", "^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$",
                            "a MAC address such as 02:00:00:00:00:01", &is_mac, "02:00:00:00:00:01"};
constinit const Syntax kObjectId{"object identifier", "^[0-2](\\.(0|[1-9][0-9]{0,9})){1,63}$",
                                 "an object identifier in dotted form such as 1.3.6.1.2.1.1.1.0", &is_object_id,
                                 "1.3.6.1.2.1.1.1.0"};
constinit const Syntax kPartialDate{"partial date", "^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$",
                                    "a day, month or year such as 2025-01-01, 2025-01 or 2025", &is_partial_date,
                                    "2025-01-01"};
constinit const Syntax kEndDate{"date or undated",
                                "^(undated|[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?)$",
                                "a day, month or year such as 2025-01-01, or undated", &is_end_date, "2025-01-01"};
constinit const Syntax kNamespace{"namespace", "^(/.+|[A-Za-z0-9][A-Za-z0-9._-]*)$",
                                  "a path that begins with / or a name below /run/netns, such as wan", &is_namespace,
                                  "/run/netns/wan"};
constinit const Syntax kInterface{"interface", "^[!-.0-9;-~]{1,15}$",
                                  "the name of an interface, at most 15 letters, such as eth1", &is_interface, "eth1"};
constinit const Syntax kRelativePath{
    "relative path", "^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$",
    "a path below the DUT file's folder, of letters, digits, -, _ and ., such as certificates/module.pdf",
    &is_relative_path, "certificates/module.pdf"};
constinit const Syntax kDate{"date", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "a day such as 2026-11-24", &is_date,
                             "2026-11-24"};

std::optional<std::uint32_t> parse_duration(std::string_view text) {
  constexpr std::uint64_t kLongestMs = 24ULL * 3600 * 1000;
  std::uint32_t number = 0;
  const auto* last = text.data() + text.size();
  const auto [end, failed] = std::from_chars(text.data(), last, number);
  if (failed != std::errc{} || end - text.data() > 8) {
    return std::nullopt;
  }
  const std::string_view unit(end, static_cast<std::size_t>(last - end));
  const std::uint64_t factor = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "min" ? 60000 : 0;
  const auto result = number * factor;
  if (factor == 0 || result > kLongestMs) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(result);
}

std::optional<Network> parse_network(std::string_view text) {
  if (text.size() > 64) {
    return std::nullopt;
  }
  const auto slash = text.find('/');
  const std::string address{text.substr(0, slash)};
  Network out;
  out.v6 = address.find(':') != std::string::npos;
  if (inet_pton(out.v6 ? AF_INET6 : AF_INET, address.c_str(), out.bytes.data()) != 1) {
    return std::nullopt;
  }
  out.prefix = out.width();
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), out.prefix);
    if (failed != std::errc{} || end != digits.data() + digits.size() || out.prefix > out.width()) {
      return std::nullopt;
    }
  }
  return out;
}

Network Network::masked() const {
  Network out = *this;
  for (unsigned bit = prefix; bit < width(); ++bit) {
    const auto keep = static_cast<unsigned>(~(0x80U >> (bit % 8U))) & 0xFFU;
    out.bytes[bit / 8U] = static_cast<std::uint8_t>(out.bytes[bit / 8U] & keep);
  }
  return out;
}

bool Network::contains(const Network& other) const {
  if (v6 != other.v6 || other.prefix < prefix) {
    return false;
  }
  Network cut = other;
  cut.prefix = prefix;
  return cut.masked().bytes == masked().bytes;
}

std::string Network::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), buffer.data(), buffer.size());
  const std::string address = buffer.data();
  return prefix == width() ? address : address + "/" + std::to_string(prefix);
}

}  // namespace assay

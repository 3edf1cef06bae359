#include <algorithm>

#include "harness/model/base_encodings.hpp"
#include "harness/model/concealed.hpp"

namespace assay {

namespace {

constexpr std::size_t kShortestPart = 6;      // characters of a form that says only a part
constexpr std::size_t kShortestCoded = 4;     // characters of what hex and UTF-16 are made of
constexpr std::size_t kShortestCapitals = 4;  // characters of what is looked for with other capitals
constexpr std::size_t kLongestCapitals = 256;
constexpr std::size_t kLongestSecret = 4096;  // memory that a device gave away is longer, and nobody codes it

unsigned char byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

/// The characters of base64 that a text sets by itself, whatever stands `before` (0 to 2 bytes) and behind it.
std::string base64_inside(std::string_view text, std::size_t before) {
  const auto encoded = base64(std::string(before, '\0') + std::string{text});
  const auto first = (before * 8 + 5) / 6;
  const auto last = (before + text.size()) * 8 / 6;
  return last > first ? encoded.substr(first, last - first) : std::string{};
}

/// RFC 4648, 5.
std::string url_safe(std::string text) {
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string hex(std::string_view text, std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += digits[byte_at(text, i) >> 4U];
    out += digits[byte_at(text, i) & 15U];
  }
  return out;
}

constexpr std::string_view kUpper = "0123456789ABCDEF";
constexpr std::string_view kLower = "0123456789abcdef";

/// As those who look at bytes write them: "68 75 6e", "68:75:6e".
std::string hex_apart(std::string_view text, char between, std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i > 0) {
      out += between;
    }
    out += hex(text.substr(i, 1), digits);
  }
  return out;
}

bool is_upper(char raw) {
  return raw >= 'A' && raw <= 'Z';
}

bool is_letter(char raw) {
  return is_upper(raw) || (raw >= 'a' && raw <= 'z');
}

/// What nobody has reason to escape.
bool is_plain(char raw) {
  return is_letter(raw) || (raw >= '0' && raw <= '9');
}

std::string in_lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char raw) { return is_upper(raw) ? static_cast<char>(raw - 'A' + 'a') : raw; });
  return text;
}

std::string in_upper_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char raw) { return is_letter(raw) && !is_upper(raw) ? static_cast<char>(raw - 'a' + 'A') : raw; });
  return text;
}

/// As devices write it that know no small letters, or no others, or begin with a capital. Binary texts have none.
std::vector<std::string> with_other_capitals(std::string_view secret) {
  const bool binary = std::any_of(secret.begin(), secret.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (binary || secret.size() < kShortestCapitals || secret.size() > kLongestCapitals) {
    return {};
  }
  const auto lower = in_lower_case(std::string{secret});
  return {lower, in_upper_case(lower), in_upper_case(lower.substr(0, 1)) + lower.substr(1)};
}

/// RFC 3986, 2.1, with a blank as `blank`, and all but letters, digits and `kept` encoded.
std::string percent_encoded(std::string_view text, std::string_view kept, std::string_view blank,
                            std::string_view digits) {
  std::string out;
  for (const char raw : text) {
    if (is_plain(raw) || kept.find(raw) != std::string_view::npos) {
      out += raw;
    } else if (raw == ' ') {
      out += blank;
    } else {
      out += "%" + hex({&raw, 1}, digits);
    }
  }
  return out;
}

/// The same with every character encoded.
std::string percent_encoded_all(std::string_view text, std::string_view digits) {
  std::string out;
  for (const char raw : text) {
    out += "%" + hex({&raw, 1}, digits);
  }
  return out;
}

/// RFC 8259, 7: what must be escaped, and the solidus where a writer does that.
std::string json_escaped(std::string_view text, bool solidus) {
  constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  std::string out;
  for (const char raw : text) {
    if (const auto at = kEscaped.find(raw); at != std::string_view::npos) {
      out += {'\\', kLetters[at]};
    } else if (raw == '/' && solidus) {
      out += "\\/";
    } else if (static_cast<unsigned char>(raw) < 0x20) {
      out += "\\u00" + hex({&raw, 1}, kLower);
    } else {
      out += raw;
    }
  }
  return out;
}

/// The same with what HTML has a meaning for escaped too, for scripts in pages.
std::string json_for_html(std::string_view text, std::string_view escaped, std::string_view digits) {
  std::string out;
  for (const char raw : text) {
    out +=
        escaped.find(raw) != std::string_view::npos ? "\\u00" + hex({&raw, 1}, digits) : json_escaped({&raw, 1}, false);
  }
  return out;
}

/// The same with every character escaped; of ASCII, as UTF-16 below.
std::string json_escaped_all(std::string_view text, std::string_view digits) {
  std::string out;
  for (const char raw : text) {
    out += "\\u00" + hex({&raw, 1}, digits);
  }
  return out;
}

std::string html_escaped(std::string_view text, std::string_view apostrophe, std::string_view quote) {
  std::string out;
  for (const char raw : text) {
    switch (raw) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += quote;
        break;
      case '\'':
        out += apostrophe;
        break;
      default:
        out += raw;
    }
  }
  return out;
}

/// Every character as a reference by its number, of ASCII.
std::string html_numbers(std::string_view text, bool in_hex) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += in_hex ? "&#x" + hex(text.substr(i, 1), kLower) + ";" : "&#" + std::to_string(byte_at(text, i)) + ";";
  }
  return out;
}

/// Of ASCII; other characters have other forms there, which are not known here.
std::string utf16(std::string_view text, bool little) {
  std::string out;
  for (const char raw : text) {
    out += little ? std::string{raw, '\0'} : std::string{'\0', raw};
  }
  return out;
}

void add_base64(std::string_view secret, std::vector<std::string>& out) {
  out.push_back(base64(secret));
  out.push_back(url_safe(out.back()));
  for (std::size_t before = 0; before < 3; ++before) {
    auto inside = base64_inside(secret, before);
    if (inside.size() >= kShortestPart) {
      out.push_back(url_safe(inside));
      out.push_back(std::move(inside));
    }
  }
}

void add_coded(std::string_view secret, Capitals capitals, std::vector<std::string>& out) {
  out.push_back(hex(secret, kUpper));
  out.push_back(hex(secret, kLower));
  for (const auto digits : {kLower, kUpper}) {
    if (digits == kLower || capitals == Capitals::any) {
      out.push_back(hex_apart(secret, ' ', digits));
      out.push_back(hex_apart(secret, ':', digits));
      out.push_back(json_escaped_all(secret, digits));
    }
  }
  // Of lists of thousands of words the rarest forms would take a quarter more time.
  if (capitals == Capitals::any) {
    out.push_back(percent_encoded_all(secret, kLower));
    out.push_back(percent_encoded_all(secret, kUpper));
    out.push_back(base32(secret));
    out.push_back(in_lower_case(base32(secret)));
    out.push_back(html_numbers(secret, false));
    out.push_back(html_numbers(secret, true));
  }
  out.push_back(utf16(secret, true));
  out.push_back(utf16(secret, false));
}

/// As addresses, forms, scripts and pages write what is not all letters and digits. Writers differ in what they keep:
/// RFC 3986, forms, encodeURIComponent, encodeURI, and paths.
void add_escaped(std::string_view secret, std::vector<std::string>& out) {
  for (const auto digits : {kUpper, kLower}) {
    for (const std::string_view kept : {"-._~", "-_.!~*'()", "-_.!~*'();/?:@&=+$,#", "-._~/"}) {
      out.push_back(percent_encoded(secret, kept, "%20", digits));
    }
    out.push_back(percent_encoded(secret, "-._*", "+", digits));
    for (const std::string_view escaped : {"<>&", "<>&'", "<>&'\""}) {
      out.push_back(json_for_html(secret, escaped, digits));
    }
  }
  out.push_back(percent_encoded(percent_encoded(secret, "-._~", "%20", kUpper), "-._~", "", kUpper));
  for (const bool solidus : {false, true}) {
    out.push_back(json_escaped(secret, solidus));
  }
  for (const std::string_view apostrophe : {"&#39;", "&#x27;", "&#039;", "&apos;", "'"}) {
    for (const std::string_view quote : {"&quot;", "&#34;", "\""}) {
      out.push_back(html_escaped(secret, apostrophe, quote));
    }
  }
}

/// All forms of a text; of the digits in them the usual ones, or any.
void add_forms(std::string_view secret, Capitals capitals, std::vector<std::string>& out) {
  out.emplace_back(secret);
  add_base64(secret, out);
  if (!std::all_of(secret.begin(), secret.end(), is_plain)) {
    add_escaped(secret, out);
  }
  if (secret.size() >= kShortestCoded) {
    add_coded(secret, capitals, out);
  }
  if (secret.size() >= kShortestPart) {
    out.emplace_back(secret.rbegin(), secret.rend());
  }
}

}  // namespace

bool may_be_word(std::string_view secret) {
  constexpr std::string_view kJoins = " -_./";
  return std::all_of(secret.begin(), secret.end(),
                     [&](char raw) { return is_letter(raw) || kJoins.find(raw) != std::string_view::npos; });
}

std::vector<std::string> forms_of(std::string_view secret, Capitals capitals) {
  std::vector<std::string> out;
  if (secret.empty()) {
    return out;
  }
  if (secret.size() > kLongestSecret) {
    out.emplace_back(secret);
    return out;
  }
  add_forms(secret, capitals, out);
  if (capitals == Capitals::any) {
    for (const auto& other : with_other_capitals(secret)) {
      add_forms(other, capitals, out);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void conceal_in(Concealed& concealed, std::string_view secret, std::string_view name, std::size_t shortest,
                Capitals capitals) {
  if (secret.size() < shortest) {
    return;
  }
  const auto shown = "{" + std::string{name} + "}";
  for (auto& form : forms_of(secret, capitals)) {
    concealed.emplace(std::move(form), shown);
  }
}

}  // namespace assay

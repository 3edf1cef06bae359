#include "probes/wire/mender.hpp"

#include <algorithm>
#include <vector>

#include "harness/model/json.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kMostText = 200;
constexpr std::size_t kMostKey = 8192;
constexpr std::size_t kMostLog = 400;
constexpr std::size_t kMostMessages = 3;

json::value read(std::string_view body) {
  boost::system::error_code failed;
  auto out = json::parse(json::string_view{body.data(), body.size()}, failed);
  return failed ? json::value(nullptr) : out;
}

std::string text_at(const json::value& value, const char* pointer) {
  boost::system::error_code missing;
  const auto* found = value.find_pointer(pointer, missing);
  return found != nullptr && found->is_string() ? printable(std::string_view{found->get_string()}, kMostText)
                                                : std::string{};
}

int hex_digit(char c) {
  const auto lower = static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
  return lower >= '0' && lower <= '9' ? lower - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// A value of a query (RFC 3986, 2.1), with + for a blank as forms have it.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size() && out.size() < kMostText; ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return printable(out, kMostText);
}

std::string in_query(std::string_view target, std::string_view key) {
  const auto mark = target.find('?');
  auto rest = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (const auto equals = part.find('='); equals != std::string_view::npos && part.substr(0, equals) == key) {
      return decoded(part.substr(equals + 1));
    }
  }
  return {};
}

}  // namespace

std::string mender_identity(std::string_view body) {
  return text_at(read(body), "/id_data");
}

std::string mender_key(std::string_view body) {
  boost::system::error_code missing;
  const auto value = read(body);
  const auto* found = value.find_pointer("/pubkey", missing);
  const bool fits = found != nullptr && found->is_string() && found->get_string().size() <= kMostKey;
  return fits ? std::string{std::string_view{found->get_string()}} : std::string{};
}

MenderDevice mender_device(std::string_view body) {
  const auto value = read(body);
  return {text_at(value, "/device_provides/artifact_name"), text_at(value, "/device_provides/device_type")};
}

MenderDevice mender_device_of_query(std::string_view target) {
  return {in_query(target, "artifact_name"), in_query(target, "device_type")};
}

MenderStatus mender_status(std::string_view body) {
  const auto value = read(body);
  return {text_at(value, "/status"), text_at(value, "/substate")};
}

std::string mender_log(std::string_view body) {
  const auto value = read(body);
  boost::system::error_code missing;
  const auto* messages = value.find_pointer("/messages", missing);
  if (messages == nullptr || !messages->is_array()) {
    return {};
  }
  std::vector<std::string> errors, all;
  for (const auto& one : messages->get_array()) {
    auto text = text_at(one, "/message");
    if (text.empty()) {
      continue;
    }
    if (text_at(one, "/level") == "error") {
      errors.push_back(text);
    }
    all.push_back(std::move(text));
  }
  auto& chosen = errors.empty() ? all : errors;
  std::string out;
  for (auto i = chosen.size() - std::min(chosen.size(), kMostMessages); i < chosen.size(); ++i) {
    out += (out.empty() ? "" : "; ") + chosen[i];
  }
  return out.substr(0, kMostLog);
}

}  // namespace assay::wire

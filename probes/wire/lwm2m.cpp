#include "probes/wire/lwm2m.hpp"

#include <charconv>

namespace assay::wire {

namespace {

constexpr std::size_t kMostLinks = 2048;  // bytes
constexpr std::size_t kMostName = 256;

/// The content of the first resource (LwM2M 1.1, 7.4.3): kind, identifier, length, value.
std::optional<std::string_view> first_resource(std::string_view bytes) {
  Reader reader{bytes};
  const std::uint32_t head = reader.u8();
  if (head >> 6U != 3) {  // a resource with one value
    return std::nullopt;
  }
  reader.take((head & 0x20U) != 0 ? 2 : 1);
  std::uint32_t length = head & 7U;
  switch (head >> 3U & 3U) {
    case 1:
      length = reader.u8();
      break;
    case 2:
      length = reader.u16();
      break;
    case 3:
      length = reader.u24();
      break;
    default:
      break;
  }
  const auto value = reader.take(length);
  return reader.failed() ? std::nullopt : std::optional{value};
}

/// Two's complement, the highest byte first.
std::optional<std::string> number_text(std::string_view value) {
  if (value.size() != 1 && value.size() != 2 && value.size() != 4 && value.size() != 8) {
    return std::nullopt;
  }
  std::uint64_t number = (static_cast<unsigned char>(value[0]) & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
  for (const char byte : value) {
    number = number << 8U | static_cast<unsigned char>(byte);
  }
  return std::to_string(static_cast<std::int64_t>(number));
}

}  // namespace

Lwm2mRegistration read_lwm2m_registration(const CoapMessage& request) {
  Lwm2mRegistration out;
  out.objects = request.payload.substr(0, kMostLinks);
  for (const auto& option : request.options) {
    if (option.number != kCoapUriQuery) {
      continue;
    }
    const auto equals = option.value.find('=');
    const auto key = option.value.substr(0, equals);
    const auto value = equals == std::string::npos ? std::string{} : option.value.substr(equals + 1, kMostName);
    if (key == "ep") {
      out.endpoint = value;
    } else if (key == "lwm2m") {
      out.version = value;
    } else if (key == "b") {
      out.binding = value;
    } else if (key == "lt") {
      std::from_chars(value.data(), value.data() + value.size(), out.lifetime_s);
    }
  }
  return out;
}

std::string lwm2m_root(std::string_view links) {
  const auto mark = links.find("rt=\"oma.lwm2m\"");
  const auto begin = mark == std::string_view::npos ? mark : links.substr(0, mark).rfind('<');
  const auto end = begin == std::string_view::npos ? begin : links.find('>', begin);
  if (end == std::string_view::npos || end > mark) {
    return {};
  }
  auto path = links.substr(begin + 1, end - begin - 1);
  while (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  return std::string{path};
}

bool has_lwm2m_object(std::string_view links, unsigned object) {
  const auto path = "<" + lwm2m_root(links) + "/" + std::to_string(object);
  for (auto at = links.find(path); at != std::string_view::npos; at = links.find(path, at + 1)) {
    const auto after = links.substr(at + path.size());
    if (after.starts_with('>') || after.starts_with('/')) {
      return true;
    }
  }
  return false;
}

std::optional<std::string> lwm2m_value(const CoapMessage& answer, bool number) {
  const auto* option = find_option(answer, kCoapContentFormat);
  const auto format = option == nullptr ? kPlainText : coap_number_of(option->value).value_or(kCoapBadRequest);
  if (format == kPlainText) {
    return answer.payload;
  }
  const auto value = format == kLwm2mTlv ? first_resource(answer.payload) : std::nullopt;
  if (!value) {
    return std::nullopt;
  }
  return number ? number_text(*value) : std::optional{std::string{*value}};
}

}  // namespace assay::wire

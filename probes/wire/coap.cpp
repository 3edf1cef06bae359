#include "probes/wire/coap.hpp"

#include <algorithm>

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumFrame = 64U << 10U;
constexpr std::size_t kMaximumOptions = 64;
constexpr std::uint8_t kPayloadMarker = 0xff;

std::uint32_t nibble_of(std::uint32_t value) {
  return value < 13 ? value : value < 269 ? 13U : 14U;
}

void put_extended(std::string& out, std::uint32_t value) {
  if (value >= 269) {
    put_u16(out, value - 269);
  } else if (value >= 13) {
    put_u8(out, value - 13);
  }
}

bool read_extended(Reader& reader, std::uint32_t nibble, std::uint32_t& value) {
  value = nibble;
  if (nibble == 13) {
    value = 13U + reader.u8();
  } else if (nibble == 14) {
    value = 269U + reader.u16();
  }
  return nibble != 15 && !reader.failed();
}

std::string options_and_payload(const CoapMessage& message) {
  std::string out;
  std::uint32_t last = 0;
  for (const auto& option : message.options) {
    const auto delta = option.number - last;
    const auto length = static_cast<std::uint32_t>(option.value.size());
    last = option.number;
    put_u8(out, nibble_of(delta) << 4U | nibble_of(length));
    put_extended(out, delta);
    put_extended(out, length);
    out += option.value;
  }
  if (!message.payload.empty()) {
    put_u8(out, kPayloadMarker);
    out += message.payload;
  }
  return out;
}

bool read_options(Reader& reader, CoapMessage& message) {
  std::uint32_t number = 0;
  while (!reader.rest().empty()) {
    const std::uint32_t head = reader.u8();
    if (head == kPayloadMarker) {
      message.payload = reader.rest();
      return !message.payload.empty();
    }
    std::uint32_t delta = 0;
    std::uint32_t length = 0;
    if (!read_extended(reader, head >> 4U, delta) || !read_extended(reader, head & 15U, length)) {
      return false;
    }
    number += delta;
    const auto value = reader.take(length);
    if (reader.failed() || number > 65535 || message.options.size() >= kMaximumOptions) {
      return false;
    }
    message.options.push_back({number, std::string{value}});
  }
  return true;
}

bool known_class(std::uint8_t code) {
  const auto group = code >> 5U;
  return group == 0 || group == 2 || group == 4 || group == 5 || group == 7;
}

}  // namespace

std::string coap_code(std::uint8_t code) {
  const auto detail = std::to_string(code & 31U);
  return std::to_string(code >> 5U) + "." + (detail.size() == 1 ? "0" : "") + detail;
}

CoapMessage coap_get(std::string_view path, std::uint16_t id, std::string_view token) {
  auto message = coap_request(kCoapGet, path);
  message.id = id;
  message.token = token;
  return message;
}

CoapMessage coap_request(std::uint8_t code, std::string_view path) {
  CoapMessage message;
  message.code = code;
  path.remove_prefix(path.starts_with('/') ? 1 : 0);
  while (!path.empty()) {
    const auto slash = path.find('/');
    message.options.push_back({kCoapUriPath, std::string{path.substr(0, slash)}});
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return message;
}

std::string coap_path(const CoapMessage& message) {
  std::string out;
  for (const auto& option : message.options) {
    if (option.number == kCoapUriPath) {
      out += "/" + option.value;
    }
  }
  return out.empty() ? "/" : out;
}

const CoapOption* find_option(const CoapMessage& message, std::uint32_t number) {
  const auto found = std::find_if(message.options.begin(), message.options.end(),
                                  [&](const auto& option) { return option.number == number; });
  return found == message.options.end() ? nullptr : &*found;
}

void add_option(CoapMessage& message, std::uint32_t number, std::string value) {
  const auto after = std::find_if(message.options.begin(), message.options.end(),
                                  [&](const auto& option) { return option.number > number; });
  message.options.insert(after, {number, std::move(value)});
}

std::string coap_number(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const auto byte = value >> static_cast<unsigned>(shift) & 0xffU;
    if (byte != 0 || !out.empty()) {
      put_u8(out, byte);
    }
  }
  return out;
}

std::optional<std::uint32_t> coap_number_of(std::string_view value) {
  if (value.size() > 4) {
    return std::nullopt;
  }
  std::uint32_t out = 0;
  for (const char byte : value) {
    out = out << 8U | static_cast<unsigned char>(byte);
  }
  return out;
}

std::string coap_block(const CoapBlock& block) {
  return coap_number(block.number << 4U | (block.more ? 8U : 0U) | block.exponent);
}

std::optional<CoapBlock> coap_block_of(std::string_view value) {
  const auto number = coap_number_of(value);
  if (!number || value.size() > 3 || (*number & 7U) == 7) {
    return std::nullopt;
  }
  return CoapBlock{*number >> 4U, (*number & 8U) != 0, static_cast<std::uint8_t>(*number & 7U)};
}

std::string encode_coap(const CoapMessage& message) {
  std::string out;
  put_u8(out,
         0x40U | static_cast<std::uint32_t>(message.type) << 4U | static_cast<std::uint32_t>(message.token.size()));
  put_u8(out, message.code);
  put_u16(out, message.id);
  return out + message.token + options_and_payload(message);
}

std::string encode_coap_tcp(const CoapMessage& message) {
  const auto body = options_and_payload(message);
  const auto token = static_cast<std::uint32_t>(message.token.size());
  const auto length = static_cast<std::uint32_t>(body.size());
  std::string out;
  put_u8(out, nibble_of(length) << 4U | token);
  put_extended(out, length);
  put_u8(out, message.code);
  return out + message.token + body;
}

CoapParse parse_coap(std::string_view datagram) {
  CoapParse parse;
  Reader reader{datagram};
  const std::uint32_t first = reader.u8();
  auto& message = parse.message;
  message.type = static_cast<std::uint8_t>(first >> 4U & 3U);
  message.code = reader.u8();
  message.id = reader.u16();
  const auto token = first & 15U;
  if (reader.failed() || first >> 6U != 1 || token > 8 || !known_class(message.code)) {
    return parse;
  }
  message.token = reader.take(token);
  if (reader.failed() || (message.code == 0 && datagram.size() != 4) || !read_options(reader, message)) {
    return parse;
  }
  parse.state = Parse::complete;
  parse.used = datagram.size();
  return parse;
}

CoapParse parse_coap_tcp(std::string_view bytes) {
  CoapParse parse;
  Reader reader{bytes};
  const std::uint32_t first = reader.u8();
  const auto token = first & 15U;
  std::uint32_t length = first >> 4U;
  if (length == 13) {
    length = 13U + reader.u8();
  } else if (length == 14) {
    length = 269U + reader.u16();
  } else if (length == 15) {
    length = reader.u32();
    length = length > kMaximumFrame ? length : length + 65805U;
  }
  if (!reader.failed() && (length > kMaximumFrame || token > 8)) {
    return parse;
  }
  parse.message.code = reader.u8();
  if (!reader.failed() && !known_class(parse.message.code)) {
    return parse;
  }
  parse.message.token = reader.take(token);
  Reader body{reader.take(length)};
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  if (read_options(body, parse.message)) {
    parse.state = Parse::complete;
    parse.used = bytes.size() - reader.rest().size();
  }
  return parse;
}

}  // namespace assay::wire

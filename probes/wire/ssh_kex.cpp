#include "probes/wire/ssh_kex.hpp"

#include <bit>

#include "probes/wire/ssh.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumSsh1Packet = 16U << 10U;
constexpr std::uint8_t kSsh1PublicKey = 2;

std::string_view without_zeros(std::string_view number) {
  const auto first = number.find_first_not_of('\0');
  return first == std::string_view::npos ? std::string_view{} : number.substr(first);
}

bool is_message(std::string_view payload, SshMessage message) {
  return !payload.empty() && static_cast<std::uint8_t>(payload.front()) == static_cast<std::uint8_t>(message);
}

/// A number of protocol 1: its length in bits, then its bytes.
std::string_view ssh1_number(Reader& reader) {
  const std::size_t bits = reader.u16();
  return without_zeros(reader.take((bits + 7) / 8));
}

}  // namespace

std::int64_t bit_length(std::string_view number) {
  const auto digits = without_zeros(number);
  if (digits.empty()) {
    return 0;
  }
  const auto top = static_cast<std::uint8_t>(digits.front());
  return static_cast<std::int64_t>((digits.size() - 1) * 8) + std::bit_width(top);
}

std::string ssh_kex_init(SshMessage message, std::string_view value, SshValue form) {
  std::string out;
  put_u8(out, static_cast<std::uint32_t>(message));
  if (form == SshValue::bytes) {
    put_ssh_string(out, value);
    return out;
  }
  std::string number{without_zeros(value)};
  if (!number.empty() && static_cast<std::uint8_t>(number.front()) >= 0x80) {
    number.insert(number.begin(), '\0');  // RFC 4251 section 5: else it would be negative
  }
  put_ssh_string(out, number);
  return out;
}

std::string ssh_group_request(std::uint32_t least, std::uint32_t wanted, std::uint32_t most) {
  std::string out;
  put_u8(out, static_cast<std::uint32_t>(SshMessage::group_exchange_request));
  put_u32(out, least);
  put_u32(out, wanted);
  put_u32(out, most);
  return out;
}

SshKexReply parse_ssh_kex_reply(std::string_view payload) {
  SshKexReply reply;
  if (!is_message(payload, SshMessage::kex_reply) && !is_message(payload, SshMessage::group_exchange_reply)) {
    return reply;
  }
  Reader reader{payload.substr(1)};
  reply.host_key = reader.take(reader.u32());
  reader.take(reader.u32());  // the public value
  Reader signature{reader.take(reader.u32())};
  reply.signature_algorithm = printable(signature.take(signature.u32()), 64);
  reply.state = reader.failed() || signature.failed() || reply.host_key.empty() ? Parse::malformed : Parse::complete;
  return reply;
}

SshGroup parse_ssh_group(std::string_view payload) {
  SshGroup group;
  if (!is_message(payload, SshMessage::kex_reply)) {
    return group;
  }
  Reader reader{payload.substr(1)};
  group.prime = without_zeros(reader.take(reader.u32()));
  group.generator = without_zeros(reader.take(reader.u32()));
  group.bits = bit_length(group.prime);
  group.state = reader.failed() || group.prime.empty() || group.generator.empty() ? Parse::malformed : Parse::complete;
  return group;
}

SshDisconnect parse_ssh_disconnect(std::string_view payload) {
  SshDisconnect out;
  if (!is_message(payload, SshMessage::disconnect)) {
    return out;
  }
  Reader reader{payload.substr(1)};
  out.reason = reader.u32();
  out.text = printable(reader.take(reader.u32()), 256);
  out.state = reader.failed() ? Parse::malformed : Parse::complete;
  return out;
}

Ssh1Keys parse_ssh1_keys(std::string_view bytes) {
  Ssh1Keys keys;
  Reader reader{bytes};
  const std::size_t length = reader.u32();
  if (reader.failed()) {
    keys.state = Parse::need_more;
    return keys;
  }
  constexpr std::size_t kChecksum = 4;
  if (length < kChecksum + 1 || length > kMaximumSsh1Packet) {
    return keys;
  }
  const auto padded = reader.take(8 - length % 8 + length);
  if (reader.failed()) {
    keys.state = Parse::need_more;
    return keys;
  }
  Reader packet{padded.substr(8 - length % 8)};
  if (packet.u8() != kSsh1PublicKey) {
    return keys;
  }
  packet.take(8);  // cookie
  packet.u32();    // the bits as the server counts them; ours are those of the modulus
  ssh1_number(packet);
  keys.server_key_bits = bit_length(ssh1_number(packet));
  packet.u32();
  ssh1_number(packet);
  keys.host_key = std::string{ssh1_number(packet)};
  keys.host_key_bits = bit_length(keys.host_key);
  packet.u32();  // flags
  keys.ciphers = packet.u32();
  keys.auths = packet.u32();
  keys.state = packet.failed() || keys.host_key.empty() ? Parse::malformed : Parse::complete;
  return keys;
}

}  // namespace assay::wire

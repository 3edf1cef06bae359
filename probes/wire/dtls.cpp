#include "probes/wire/dtls.hpp"

#include <algorithm>

namespace assay::wire {

namespace {

constexpr std::uint8_t kChangeCipherSpec = 20;
constexpr std::uint8_t kAlert = 21;
constexpr std::uint8_t kHandshake = 22;
constexpr std::uint8_t kApplicationData = 23;
constexpr std::uint8_t kHeartbeat = 24;
constexpr std::uint8_t kAck = 26;  // RFC 9147, 7
constexpr std::uint8_t kClientHello = 1;
constexpr std::uint8_t kServerHello = 2;
constexpr std::uint8_t kHelloVerifyRequest = 3;
constexpr std::size_t kLargestRecord = (1U << 14U) + 2048;

/// RFC 9147, 4: the first byte of an encrypted record is 001CSLEE.
bool is_unified(std::string_view datagram) {
  return !datagram.empty() && (static_cast<unsigned char>(datagram.front()) & 0xe0U) == 0x20;
}

/// Body of the message: that of TLS with the cookie put in after the session id.
std::string hello_body(const TlsHello& hello, std::string_view cookie) {
  constexpr std::size_t kMessageHeader = 4;
  constexpr std::size_t kVersionAndRandom = 34;
  auto body = tls_hello_message(hello).substr(kMessageHeader);
  body.insert(kVersionAndRandom + 1 + hello.session_id.size(), sized8(cookie));
  return body;
}

std::string fragment(std::string_view body, std::uint16_t sequence, std::size_t offset, std::size_t length) {
  std::string out;
  put_u8(out, kClientHello);
  put_u24(out, static_cast<std::uint32_t>(body.size()));
  put_u16(out, sequence);
  put_u24(out, static_cast<std::uint32_t>(offset));
  put_u24(out, static_cast<std::uint32_t>(length));
  return out.append(body.substr(offset, length));
}

/// A message as TLS frames it.
std::string tls_message(std::uint8_t type, std::string_view body) {
  std::string out;
  put_u8(out, type);
  put_u24(out, static_cast<std::uint32_t>(body.size()));
  return out.append(body);
}

}  // namespace

std::string dtls_record(std::uint8_t type, std::uint16_t version, std::uint64_t number, std::string_view body) {
  std::string record;
  put_u8(record, type);
  put_u16(record, version);
  put_u16(record, 0);  // epoch
  put_u16(record, static_cast<std::uint32_t>(number >> 32U) & 0xffffU);
  put_u32(record, static_cast<std::uint32_t>(number & 0xffffffffU));
  return record + sized16(body);
}

std::string dtls_hello_datagram(const TlsHello& hello, const DtlsTurn& turn) {
  const auto body = hello_body(hello, turn.cookie);
  return dtls_record(kHandshake, hello.record_version, turn.number, fragment(body, turn.sequence, 0, body.size()));
}

std::pair<std::string, std::string> dtls_hello_fragments(const TlsHello& hello, const DtlsTurn& turn) {
  const auto body = hello_body(hello, turn.cookie);
  const auto half = body.size() / 2;
  return {dtls_record(kHandshake, hello.record_version, turn.number, fragment(body, turn.sequence, 0, half)),
          dtls_record(kHandshake, hello.record_version, turn.number + 1,
                      fragment(body, turn.sequence, half, body.size() - half))};
}

std::string dtls_alert_datagram(std::uint16_t version, std::uint64_t number, std::uint8_t level, std::uint8_t alert) {
  return dtls_record(kAlert, version, number, std::string{static_cast<char>(level), static_cast<char>(alert)});
}

std::string dtls_renumbered(std::string datagram, std::uint64_t number) {
  constexpr std::size_t kNumberAt = 5;
  constexpr std::size_t kNumberSize = 6;
  if (datagram.size() < kNumberAt + kNumberSize) {
    return datagram;
  }
  std::string bytes;
  put_u16(bytes, static_cast<std::uint32_t>(number >> 32U) & 0xffffU);
  put_u32(bytes, static_cast<std::uint32_t>(number & 0xffffffffU));
  return datagram.replace(kNumberAt, kNumberSize, bytes);
}

bool DtlsReader::fail(std::string why) {
  fault_ = std::move(why);
  return false;
}

bool DtlsReader::feed(std::string_view datagram, TlsFlight& flight) {
  if (is_unified(datagram) && flight.hello()) {
    return flight.feed_record(kApplicationData, datagram);
  }
  Reader reader{datagram};
  do {
    const auto type = reader.u8();
    const auto version = reader.u16();
    const auto epoch = reader.u16();
    reader.take(6);
    const std::size_t length = reader.u16();
    const bool known = (type >= kChangeCipherSpec && type <= kHeartbeat) || type == kAck;
    if (reader.failed() || !known || !is_dtls(version)) {
      return fail("bytes that are no DTLS record");
    }
    const auto body = reader.take(length);
    if (reader.failed() || length > kLargestRecord) {
      return fail("a DTLS record of " + std::to_string(length) + " bytes, more than the datagram has");
    }
    ++records_;
    version_ = version;
    // What comes in a later epoch is encrypted.
    const bool clear = epoch == 0;
    if (!(clear ? take_record(type, body, flight) : flight.feed_record(kApplicationData, body))) {
      return false;
    }
  } while (!reader.rest().empty());
  return true;
}

bool DtlsReader::take_record(std::uint8_t type, std::string_view body, TlsFlight& flight) {
  if (type != kHandshake) {
    return flight.feed_record(type, body) || fail(flight.fault());
  }
  Reader reader{body};
  do {
    if (!take_fragment(reader, flight)) {
      return false;
    }
  } while (!reader.rest().empty());
  return true;
}

bool DtlsReader::take_verify(std::string_view body) {
  Reader reader{body};
  HelloVerify verify;
  verify.version = reader.u16();
  verify.cookie = reader.take(reader.u8());
  if (reader.failed() || !is_dtls(verify.version)) {
    return fail("a HelloVerifyRequest that is malformed");
  }
  ++verifies_;
  verify_ = std::move(verify);
  return true;
}

bool DtlsReader::take_fragment(Reader& reader, TlsFlight& flight) {
  const auto type = reader.u8();
  const std::size_t length = reader.u24();
  const auto sequence = reader.u16();
  const std::size_t offset = reader.u24();
  const std::size_t size = reader.u24();
  const auto part = reader.take(size);
  if (reader.failed() || offset > length || size > length - offset) {
    return fail("a fragment that does not fit its message");
  }
  if (length > kLargestMessage) {
    return fail("a handshake message of " + std::to_string(length) + " bytes, more than is read here");
  }
  if (type == kHelloVerifyRequest && size == length) {
    return take_verify(part);
  }
  if (next_ && sequence < *next_) {
    ++repeated_;
    return true;
  }
  // Without a ServerHello the beginning is not known: its message may have any number.
  if ((next_ && sequence - *next_ >= kMostAhead) || (!messages_.contains(sequence) && messages_.size() >= kMostAhead)) {
    return true;
  }
  auto [found, is_new] = messages_.try_emplace(sequence);
  auto& message = found->second;
  if (is_new) {
    message = {type, std::string(length, '\0'), std::string(length, '\0'), length};
  }
  if (message.type != type || message.body.size() != length) {
    return fail("fragments of message " + std::to_string(sequence) + " that contradict each other");
  }
  for (std::size_t at = 0; at < size; ++at) {
    auto& have = message.have[offset + at];
    message.missing -= have == 0 ? 1 : 0;
    have = 1;
    message.body[offset + at] = part[at];
  }
  return hand_over(flight);
}

bool DtlsReader::hand_over(TlsFlight& flight) {
  if (!next_) {
    const auto hello = std::find_if(messages_.begin(), messages_.end(), [](const auto& entry) {
      return entry.second.type == kServerHello && entry.second.missing == 0;
    });
    if (hello == messages_.end()) {
      return true;
    }
    next_ = hello->first;
    messages_.erase(messages_.begin(), hello);
  }
  for (auto found = messages_.find(*next_); found != messages_.end() && found->second.missing == 0;
       found = messages_.find(*next_)) {
    const auto message = tls_message(found->second.type, found->second.body);
    messages_.erase(found);
    ++*next_;
    if (!flight.feed_record(kHandshake, message)) {
      return fail(flight.fault());
    }
  }
  return true;
}

}  // namespace assay::wire

#include "probes/wire/dns.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

namespace assay::wire {

namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestName = 255;  // on the wire, with the lengths
constexpr std::size_t kMostQuestions = 32;
constexpr std::size_t kMostRecords = 256;
constexpr std::size_t kMostTexts = 64;
constexpr std::uint8_t kPointer = 0xc0;

void add_label(std::string& name, std::string_view label) {
  name += name.empty() ? "" : ".";
  for (const char c : label) {
    if (c == '.' || c == '\\') {
      name += '\\';
    }
    name += c;
  }
}

/// Reads a name at `place` and moves behind it. Each pointer must lead before the place where it stands and before any
/// pointer followed earlier, so the walk ends.
bool read_name(std::string_view message, std::size_t& place, std::string& name) {
  std::size_t at = place;
  std::size_t lowest = place;
  std::size_t length = 1;
  bool jumped = false;
  for (;;) {
    if (at >= message.size()) {
      return false;
    }
    const auto size = static_cast<std::uint8_t>(message[at]);
    if ((size & kPointer) == kPointer) {
      if (at + 1 >= message.size()) {
        return false;
      }
      const std::size_t target = (size & 0x3fU) << 8U | static_cast<std::uint8_t>(message[at + 1]);
      if (!jumped) {
        place = at + 2;
        jumped = true;
      }
      if (target >= lowest || target < kHeader) {
        return false;
      }
      lowest = target;
      at = target;
      continue;
    }
    if (size == 0) {
      if (!jumped) {
        place = at + 1;
      }
      return true;
    }
    length += size + 1U;
    if (size > kLongestLabel || length > kLongestName || at + 1 + size > message.size()) {
      return false;
    }
    add_label(name, message.substr(at + 1, size));
    at += 1U + size;
  }
}

std::uint16_t u16_at(std::string_view message, std::size_t& place) {
  Reader reader{message.substr(std::min(place, message.size()))};
  place += 2;
  return reader.u16();
}

std::string address_text(std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

bool read_texts(std::string_view data, std::vector<std::string>& texts) {
  while (!data.empty()) {
    const auto size = static_cast<std::uint8_t>(data[0]);
    if (size + 1U > data.size()) {
      return false;
    }
    if (size > 0 && texts.size() < kMostTexts) {
      texts.emplace_back(data.substr(1, size));
    }
    data.remove_prefix(size + 1U);
  }
  return true;
}

/// `end` is where the record's data ends; names in it may point back into the whole message.
bool read_data(std::string_view message, std::size_t place, std::size_t end, DnsRecord& record) {
  const auto data = message.substr(place, end - place);
  switch (record.type) {
    case kDnsPtr:
      return read_name(message, place, record.target) && place == end;
    case kDnsSrv:
      if (data.size() < 7) {
        return false;
      }
      place += 4;  // priority and weight
      record.port = u16_at(message, place);
      return read_name(message, place, record.target) && place == end;
    case kDnsTxt:
      return read_texts(data, record.texts);
    case kDnsA:
    case kDnsAaaa:
      if (data.size() != (record.type == kDnsA ? 4U : 16U)) {
        return false;
      }
      record.address = address_text(data);
      return true;
    default:
      return true;
  }
}

bool read_record(std::string_view message, std::size_t& place, DnsRecord& record) {
  constexpr std::size_t kFixed = 10;  // type, class, time to live, length
  if (!read_name(message, place, record.name) || place + kFixed > message.size()) {
    return false;
  }
  Reader reader{message.substr(place)};
  record.type = reader.u16();
  record.klass = reader.u16();
  record.ttl = reader.u32();
  const std::size_t size = reader.u16();
  place += kFixed;
  if (place + size > message.size() || !read_data(message, place, place + size, record)) {
    return false;
  }
  place += size;
  return true;
}

bool put_name(std::string& out, std::string_view name) {
  std::size_t length = 1;
  std::string encoded;
  for (const auto& label : dns_labels(name)) {
    length += label.size() + 1;
    if (label.empty() || label.size() > kLongestLabel || length > kLongestName) {
      return false;
    }
    put_u8(encoded, static_cast<std::uint32_t>(label.size()));
    encoded += label;
  }
  put_u8(encoded, 0);
  out += encoded;
  return true;
}

}  // namespace

std::vector<std::string> dns_labels(std::string_view name) {
  std::vector<std::string> labels;
  if (name.empty()) {
    return labels;
  }
  labels.emplace_back();
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '.') {
      labels.emplace_back();
    } else {
      i += name[i] == '\\' && i + 1 < name.size() ? 1 : 0;
      labels.back() += name[i];
    }
  }
  return labels;
}

std::string dns_query(std::uint16_t id, const std::vector<DnsQuestion>& questions) {
  std::string body;
  std::uint32_t count = 0;
  for (const auto& question : questions) {
    if (count < kMostQuestions && put_name(body, question.name)) {
      put_u16(body, question.type);
      put_u16(body, question.klass);
      ++count;
    }
  }
  std::string out;
  put_u16(out, id);
  put_u16(out, 0);
  put_u16(out, count);
  out += std::string(6, '\0');
  return out + body;
}

DnsParse parse_dns(std::string_view datagram) {
  DnsParse parse;
  Reader reader{datagram};
  auto& message = parse.message;
  message.id = reader.u16();
  message.flags = reader.u16();
  const std::size_t questions = reader.u16();
  std::size_t records = 0;
  for (int section = 0; section < 3; ++section) {
    records += reader.u16();
  }
  if (reader.failed() || questions > kMostQuestions || records > kMostRecords) {
    return parse;
  }
  std::size_t place = kHeader;
  for (std::size_t i = 0; i < questions; ++i) {
    DnsQuestion question;
    if (!read_name(datagram, place, question.name) || place + 4 > datagram.size()) {
      return parse;
    }
    question.type = u16_at(datagram, place);
    question.klass = u16_at(datagram, place);
    message.questions.push_back(std::move(question));
  }
  for (std::size_t i = 0; i < records; ++i) {
    DnsRecord record;
    if (!read_record(datagram, place, record)) {
      return parse;
    }
    message.records.push_back(std::move(record));
  }
  parse.state = Parse::complete;
  return parse;
}

std::optional<std::string> dns_reverse_name(std::string_view address) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::string text{address};
  std::array<std::uint8_t, 16> bytes{};
  std::string name;
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    for (std::size_t i = 4; i-- > 0;) {
      name += std::to_string(bytes[i]) + ".";
    }
    return name + "in-addr.arpa";
  }
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) {
    return std::nullopt;
  }
  for (std::size_t i = bytes.size(); i-- > 0;) {
    name += {kDigits[bytes[i] & 15U], '.', kDigits[bytes[i] >> 4U], '.'};
  }
  return name + "ip6.arpa";
}

}  // namespace assay::wire

#include "probes/wire/messaging.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumFrame = 64U << 10U;
constexpr std::size_t kHeader = 8;
constexpr std::uint8_t kSaslId = 3;
constexpr std::uint8_t kFrameEnd = 0xce;
constexpr std::size_t kMaximumNames = 32;

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty() && out.size() < kMaximumNames) {
    const auto space = text.find(' ');
    if (space != 0) {
      out.push_back(printable(text.substr(0, space), 64));
    }
    text = space == std::string_view::npos ? std::string_view{} : text.substr(space + 1);
  }
  return out;
}

/// Long strings of the table are kept, tables and booleans passed over; anything else ends the reading.
void read_properties(Reader table, AmqpReply& reply) {
  while (!table.rest().empty() && !table.failed()) {
    const auto name = table.take(table.u8());
    const auto type = table.u8();
    if (type == 't') {
      table.u8();
    } else if (type == 'S' || type == 'F') {
      const auto text = table.take(table.u32());
      if (type == 'S' && name == "product") {
        reply.product = printable(text, 128);
      } else if (type == 'S' && name == "version") {
        reply.product_version = printable(text, 64);
      }
    } else {
      return;
    }
  }
}

/// Behind the SASL header, which a mere echo would repeat too, stands the frame with the server's mechanisms.
AmqpParse parse_sasl(Reader reader) {
  constexpr std::string_view kMechanisms{"\x00\x53\x40", 3};
  AmqpParse parse;
  const std::size_t size = reader.u32();
  const auto offset = reader.u8();
  const auto type = reader.u8();
  reader.u16();
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  if (size < 11 || size > kMaximumFrame || offset != 2 || type != 1) {
    return parse;
  }
  if (reader.rest().size() < size - 8) {
    parse.state = Parse::need_more;
    return parse;
  }
  auto body = reader.take(size - 8);
  if (!body.starts_with(kMechanisms)) {
    return parse;
  }
  constexpr std::uint8_t kShortSymbol = 0xa3;
  for (Reader list{body.substr(kMechanisms.size())}; !list.rest().empty() && !list.failed();) {
    const auto mark = list.u8();
    if (mark == kShortSymbol) {
      const auto symbol = list.take(list.u8());
      if (!symbol.empty() && parse.reply.mechanisms.size() < kMaximumNames) {
        parse.reply.mechanisms.push_back(printable(symbol, 64));
      }
    } else if (mark == 0xe0) {
      list.take(2);  // an array of 8 bit sizes: its items carry no marks of their own but the first
      if (list.u8() == kShortSymbol) {
        while (!list.rest().empty() && !list.failed() && parse.reply.mechanisms.size() < kMaximumNames) {
          parse.reply.mechanisms.push_back(printable(list.take(list.u8()), 64));
        }
      }
    }
  }
  parse.reply.version = "1.0";
  parse.state = Parse::complete;
  return parse;
}

AmqpParse parse_header(std::string_view bytes) {
  AmqpParse parse;
  if (bytes.size() < kHeader) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader reader{bytes.substr(4)};
  const auto id = reader.u8();
  const auto major = reader.u8();
  const auto minor = reader.u8();
  const auto revision = reader.u8();
  if (id == kSaslId && major == 1 && minor == 0 && revision == 0) {
    return parse_sasl(reader);
  }
  const bool first = id == 0 && major == 0 && minor == 9 && revision == 1;
  const bool second = (id == 0 || id == 2) && major == 1 && minor == 0 && revision == 0;
  const bool older = id == 1 && major <= 1;
  if (!first && !second && !older) {
    return parse;
  }
  parse.reply.version = first ? "0-9-1" : second ? "1.0" : "0-" + std::to_string(minor);
  parse.reply.other_version = true;
  parse.state = Parse::complete;
  return parse;
}

/// The text between two marks behind `from`, or nothing.
std::string_view between(std::string_view text, std::string_view open, std::string_view close) {
  const auto start = text.find(open);
  if (start == std::string_view::npos) {
    return {};
  }
  const auto rest = text.substr(start + open.size());
  const auto end = rest.find(close);
  return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
}

void read_features(std::string_view features, XmppReply& reply) {
  reply.starttls = features.find("urn:ietf:params:xml:ns:xmpp-tls") != std::string_view::npos;
  constexpr std::string_view kOpen = "<mechanism>";
  for (auto at = features.find(kOpen); at != std::string_view::npos && reply.mechanisms.size() < kMaximumNames;
       at = features.find(kOpen, at + 1)) {
    reply.mechanisms.push_back(printable(between(features.substr(at), kOpen, "</mechanism>"), 64));
  }
}

}  // namespace

std::string amqp091_header() {
  return std::string{"AMQP\x00\x00\x09\x01", kHeader};
}

std::string amqp10_header(bool sasl) {
  return sasl ? std::string{"AMQP\x03\x01\x00\x00", kHeader} : std::string{"AMQP\x00\x01\x00\x00", kHeader};
}

AmqpParse parse_amqp(std::string_view bytes) {
  const auto mark = bytes.substr(0, 4);
  if (std::string_view{"AMQP"}.starts_with(mark)) {
    return parse_header(bytes);
  }
  AmqpParse parse;
  Reader reader{bytes};
  const auto type = reader.u8();
  const auto channel = reader.u16();
  const std::size_t size = reader.u32();
  if (type != 1 || channel != 0 || size < 12 || size > kMaximumFrame) {
    parse.state = type == 1 && reader.failed() ? Parse::need_more : Parse::malformed;
    return parse;
  }
  if (reader.rest().size() < size + 1) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader body{reader.take(size)};
  if (reader.u8() != kFrameEnd || body.u16() != 10 || body.u16() != 10 || body.u8() != 0 || body.u8() != 9) {
    return parse;
  }
  parse.reply.version = "0-9-1";
  read_properties(Reader{body.take(body.u32())}, parse.reply);
  parse.reply.mechanisms = words(body.take(body.u32()));
  body.take(body.u32());
  parse.state = body.failed() ? Parse::malformed : Parse::complete;
  return parse;
}

std::string xmpp_open(std::string_view domain) {
  return "<?xml version='1.0'?><stream:stream to='" + std::string{domain} +
         "' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
}

std::string xmpp_starttls() {
  return "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
}

XmppParse parse_xmpp(std::string_view bytes) {
  XmppParse parse;
  const auto text = trim(bytes);
  constexpr std::string_view kProlog = "<?xml";
  constexpr std::string_view kStream = "<stream:stream";
  const bool may_be = kProlog.starts_with(text.substr(0, kProlog.size())) || text.starts_with(kProlog) ||
                      kStream.starts_with(text.substr(0, kStream.size())) || text.starts_with(kStream);
  if (!may_be || bytes.size() > kMaximumFrame) {
    return parse;
  }
  parse.state = Parse::need_more;
  const auto start = text.find(kStream);
  if (start == std::string_view::npos) {
    return parse;
  }
  const auto header = between(text.substr(start), kStream, ">");
  if (header.empty()) {
    return parse;
  }
  if (header.find("http://etherx.jabber.org/streams") == std::string_view::npos) {
    parse.state = Parse::malformed;
    return parse;
  }
  const auto from = between(header, "from='", "'");
  parse.reply.from = printable(from.empty() ? between(header, "from=\"", "\"") : from, 128);
  const auto features = between(text, "<stream:features", "</stream:features>");
  const auto error = between(text, "<stream:error", "</stream:error>");
  if (!features.empty()) {
    read_features(features, parse.reply);
    parse.state = Parse::complete;
  } else if (!error.empty()) {
    parse.reply.error = printable(error, 256);
    parse.state = Parse::complete;
  }
  return parse;
}

}  // namespace assay::wire

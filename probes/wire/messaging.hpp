#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// First exchanges of message brokers: AMQP 0-9-1 (4.2), AMQP 1.0 (2.2, 5.3) and XMPP (RFC 6120).
namespace assay::wire {

/// Protocol headers: what a client says first.
std::string amqp091_header();
std::string amqp10_header(bool sasl);

struct AmqpReply {
  std::string version;  // "0-9-1", "1.0"
  std::string product;  // Connection.Start only
  std::string product_version;
  std::vector<std::string> mechanisms;
  bool other_version = false;  // the server answered with the header that it would rather see
};

struct AmqpParse {
  Parse state = Parse::malformed;
  AmqpReply reply;
};

/// A protocol header, or Connection.Start of AMQP 0-9-1.
AmqpParse parse_amqp(std::string_view bytes);

std::string xmpp_open(std::string_view domain);
std::string xmpp_starttls();

struct XmppReply {
  std::string from;
  bool starttls = false;
  std::vector<std::string> mechanisms;
  std::string error;  // of a stream error
};

struct XmppParse {
  Parse state = Parse::malformed;
  XmppReply reply;
};

/// A stream header with its features, or with a stream error.
XmppParse parse_xmpp(std::string_view bytes);

}  // namespace assay::wire

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// Mailboxes (IMAP, RFC 3501; POP3, RFC 1939 and 2449) and SIP over a stream (RFC 3261), as far as the first question.
namespace assay::wire {

/// An untagged greeting "* OK …", "* PREAUTH …" or "* BYE …".
Parse parse_imap_greeting(std::string_view bytes);

struct LineReply {
  Parse state = Parse::malformed;
  bool good = false;               // OK of IMAP, +OK of POP3
  std::vector<std::string> words;  // capabilities in capitals
};

/// The reply to "a CAPABILITY": untagged capabilities and the tagged result.
LineReply parse_imap_capability(std::string_view bytes, std::string_view tag);

/// The reply to a command with the tag "a1" to "a9": untagged lines, then the tagged result. At most 16 KiB.
Parse imap_result(std::string_view bytes);

/// The word of that result in capitals: "OK", "NO", "BAD"; empty while it is not whole.
std::string imap_result_word(std::string_view bytes);

/// The greeting of POP3: "+OK …" or "-ERR …" in one line.
LineReply parse_pop3_greeting(std::string_view bytes);
/// The reply to CAPA: a list ended by a dot, or -ERR.
LineReply parse_pop3_capabilities(std::string_view bytes);

std::string sip_options(std::string_view host, std::string_view branch);

struct SipParse {
  Parse state = Parse::malformed;
  int status = 0;
  std::string agent;  // of Server or User-Agent
};

/// A response "SIP/2.0 200 OK" with its header lines, at most 16 KiB.
SipParse parse_sip(std::string_view bytes);

}  // namespace assay::wire

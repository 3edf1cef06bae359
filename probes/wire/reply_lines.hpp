#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// Replies of FTP (RFC 959) and SMTP (RFC 5321): three digits, continued lines with a dash.
namespace assay::wire {

struct ReplyLines {
  int code = 0;
  std::vector<std::string> lines;  // without the code, as sent
};

struct ReplyLinesParse {
  Parse state = Parse::malformed;
  ReplyLines reply;
  std::size_t used = 0;
};

/// One reply, at most 64 lines of 512 bytes.
ReplyLinesParse parse_reply_lines(std::string_view bytes);

/// "(vsFTPd 3.0.3)" -> {"vsFTPd", "3.0.3"}: the first word that a version number follows.
std::pair<std::string, std::string> greeting_product(std::string_view greeting);

}  // namespace assay::wire

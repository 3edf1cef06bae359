#include "probes/wire/mail.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumReply = 16U << 10U;
constexpr std::size_t kMaximumWords = 64;

/// The next line without its end, taken from `rest`; nothing while it is not whole.
bool next_line(std::string_view& rest, std::string_view& line) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) {
    return false;
  }
  line = trim(rest.substr(0, end));
  rest.remove_prefix(end + 1);
  return true;
}

std::string capitals(std::string_view text) {
  std::string out = printable(text, 64);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

void split(std::string_view text, std::vector<std::string>& words) {
  while (!text.empty() && words.size() < kMaximumWords) {
    const auto space = std::min(text.find(' '), text.size());
    if (space > 0) {
      words.push_back(capitals(text.substr(0, space)));
    }
    text.remove_prefix(std::min(text.size(), space + 1));
  }
}

/// Bytes so far could still become one of the beginnings.
bool begins_like(std::string_view bytes, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](auto word) { return bytes.substr(0, word.size()) == word.substr(0, bytes.size()); });
}

}  // namespace

Parse parse_imap_greeting(std::string_view bytes) {
  if (!begins_like(bytes, {"* OK", "* PREAUTH", "* BYE"}) || bytes.size() > kMaximumReply) {
    return Parse::malformed;
  }
  return bytes.find("\r\n") == std::string_view::npos ? Parse::need_more : Parse::complete;
}

LineReply parse_imap_capability(std::string_view bytes, std::string_view tag) {
  LineReply reply;
  if (bytes.size() > kMaximumReply) {
    return reply;
  }
  std::string_view line;
  constexpr std::string_view kUntagged = "* CAPABILITY ";
  while (next_line(bytes, line)) {
    if (line.starts_with(kUntagged)) {
      split(line.substr(kUntagged.size()), reply.words);
    } else if (line.starts_with(std::string{tag} + " ")) {
      reply.good = line.substr(tag.size() + 1).starts_with("OK");
      const bool imap = std::any_of(reply.words.begin(), reply.words.end(),
                                    [](const auto& word) { return word.starts_with("IMAP4"); });
      reply.state = imap || !reply.good ? Parse::complete : Parse::malformed;
      return reply;
    } else if (!line.starts_with("* ")) {
      return reply;
    }
  }
  reply.state = Parse::need_more;
  return reply;
}

std::string imap_result_word(std::string_view bytes) {
  std::string_view line;
  while (next_line(bytes, line)) {
    if (line.size() > 3 && line[0] == 'a' && line[1] >= '1' && line[1] <= '9' && line[2] == ' ') {
      const auto word = line.substr(3);
      return capitals(word.substr(0, word.find(' ')));
    }
  }
  return {};
}

Parse imap_result(std::string_view bytes) {
  if (bytes.size() > kMaximumReply || !begins_like(bytes, {"* ", "a", "+"})) {
    return Parse::malformed;
  }
  return imap_result_word(bytes).empty() ? Parse::need_more : Parse::complete;
}

LineReply parse_pop3_greeting(std::string_view bytes) {
  LineReply reply;
  if (!begins_like(bytes, {"+OK", "-ERR"}) || bytes.size() > kMaximumReply) {
    return reply;
  }
  reply.good = bytes.starts_with("+");
  reply.state = bytes.find("\r\n") == std::string_view::npos ? Parse::need_more : Parse::complete;
  return reply;
}

LineReply parse_pop3_capabilities(std::string_view bytes) {
  auto reply = parse_pop3_greeting(bytes);
  if (reply.state != Parse::complete || !reply.good) {
    return reply;
  }
  std::string_view line;
  next_line(bytes, line);
  while (next_line(bytes, line)) {
    if (line == ".") {
      return reply;
    }
    if (reply.words.size() < kMaximumWords) {
      reply.words.push_back(capitals(line));
    }
  }
  reply.state = Parse::need_more;
  return reply;
}

std::string sip_options(std::string_view host, std::string_view branch) {
  const std::string at{host};
  const std::string mark{branch};
  return "OPTIONS sip:" + at + " SIP/2.0\r\nVia: SIP/2.0/TCP assay.invalid;branch=z9hG4bK" + mark +
         "\r\nMax-Forwards: 1\r\nFrom: <sip:assay@assay.invalid>;tag=" + mark + "\r\nTo: <sip:" + at +
         ">\r\nCall-ID: " + mark + "@assay.invalid\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
}

SipParse parse_sip(std::string_view bytes) {
  SipParse parse;
  constexpr std::string_view kVersion = "SIP/2.0 ";
  if (!begins_like(bytes, {kVersion}) || bytes.size() > kMaximumReply) {
    return parse;
  }
  parse.state = Parse::need_more;
  if (bytes.find("\r\n\r\n") == std::string_view::npos) {
    return parse;
  }
  const auto code = bytes.substr(kVersion.size(), 3);
  const auto [end, failed] = std::from_chars(code.data(), code.data() + code.size(), parse.status);
  const bool number = failed == std::errc{} && end == code.data() + 3 && parse.status >= 100 && parse.status < 700;
  bool sequence = false;
  std::string_view line;
  next_line(bytes, line);
  while (next_line(bytes, line) && !line.empty()) {
    const auto colon = std::min(line.find(':'), line.size());
    const auto name = trim(line.substr(0, colon));
    const auto value = trim(line.substr(std::min(line.size(), colon + 1)));
    sequence = sequence || equal_ignoring_case(name, "CSeq");
    if (equal_ignoring_case(name, "Server") || (equal_ignoring_case(name, "User-Agent") && parse.agent.empty())) {
      parse.agent = printable(value, 128);
    }
  }
  parse.state = number && sequence ? Parse::complete : Parse::malformed;
  return parse;
}

}  // namespace assay::wire

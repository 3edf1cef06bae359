#include "probes/wire/databases.hpp"

#include <charconv>

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumMessage = 64U << 10U;
constexpr std::size_t kMaximumLine = 1024;
constexpr std::uint8_t kMysqlProtocol = 10;
constexpr std::uint8_t kMysqlError = 0xff;
constexpr std::uint16_t kMysqlSsl = 0x0800;
constexpr std::uint16_t kMysqlPluginAuth = 0x0008;  // in the upper half of the capabilities
constexpr std::uint32_t kPostgresSsl = 80877103;
constexpr std::uint32_t kPostgresProtocol = 0x00030000;

std::string_view terminated(Reader& reader) {
  const auto end = reader.rest().find('\0');
  if (end == std::string_view::npos) {
    reader.take(reader.rest().size() + 1);
    return {};
  }
  const auto text = reader.take(end);
  reader.u8();
  return text;
}

bool capital_word(std::string_view line) {
  const auto word = line.substr(0, line.find(' '));
  return word.size() >= 2 && word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
}

std::uint32_t little16(Reader& reader) {
  const std::uint32_t low = reader.u8();
  return low | static_cast<std::uint32_t>(reader.u8()) << 8U;
}

void read_mysql_error(Reader& body, MysqlParse& parse) {
  little16(body);
  parse.greeting.refused = true;
  parse.greeting.reason = printable(body.rest(), 256);
  // "Host ... is not allowed to connect" comes before any capability is agreed, so no SQL state stands in it.
  parse.state =
      !body.failed() && text_share(body.rest()) == 100 && !body.rest().empty() ? Parse::complete : Parse::malformed;
}

}  // namespace

std::string redis_ping() {
  return "*1\r\n$4\r\nPING\r\n";
}

std::string redis_info() {
  return "*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n";
}

RedisParse parse_redis(std::string_view bytes) {
  RedisParse parse;
  if (bytes.empty()) {
    parse.state = Parse::need_more;
    return parse;
  }
  const auto end = bytes.find("\r\n");
  const char kind = bytes[0];
  if ((kind != '+' && kind != '-' && kind != '$') || (end == std::string_view::npos && bytes.size() > kMaximumLine)) {
    return parse;
  }
  if (end == std::string_view::npos) {
    parse.state = Parse::need_more;
    return parse;
  }
  const auto line = bytes.substr(1, end - 1);
  if (kind == '$') {
    std::size_t length = 0;
    const auto [last, failed] = std::from_chars(line.data(), line.data() + line.size(), length);
    if (failed != std::errc{} || last != line.data() + line.size() || length > kMaximumMessage) {
      return parse;
    }
    parse.reply.kind = RedisReply::Kind::bulk;
    parse.reply.text = bytes.substr(end + 2, length);
    parse.state = bytes.size() >= end + 2 + length + 2 ? Parse::complete : Parse::need_more;
    return parse;
  }
  parse.reply.kind = kind == '+' ? RedisReply::Kind::status : RedisReply::Kind::error;
  parse.reply.text = line;
  parse.state = capital_word(line) ? Parse::complete : Parse::malformed;
  return parse;
}

std::string redis_field(std::string_view info, std::string_view name) {
  const auto wanted = std::string{name} + ":";
  for (std::size_t at = 0; at < info.size();) {
    const auto end = std::min(info.find('\n', at), info.size());
    const auto line = trim(info.substr(at, end - at));
    if (line.starts_with(wanted)) {
      return printable(line.substr(wanted.size()), 128);
    }
    at = end + 1;
  }
  return {};
}

MysqlParse parse_mysql(std::string_view bytes) {
  MysqlParse parse;
  Reader reader{bytes};
  std::size_t length = little16(reader);
  length |= static_cast<std::size_t>(reader.u8()) << 16U;
  const auto sequence = reader.u8();
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  if (length < 4 || length > kMaximumLine || sequence > 1) {
    return parse;
  }
  if (reader.rest().size() < length) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader body{reader.take(length)};
  const auto protocol = body.u8();
  if (protocol == kMysqlError) {
    read_mysql_error(body, parse);
    return parse;
  }
  const auto version = terminated(body);
  body.take(4);
  const auto challenge = body.take(8);
  const bool filler = body.u8() == 0;
  const auto low = little16(body);
  body.take(3);
  const auto high = little16(body);
  const std::size_t salt = body.u8();
  body.take(10);
  if (protocol != kMysqlProtocol || !filler || body.failed() || version.empty() || text_share(version) != 100) {
    return parse;
  }
  parse.greeting.version = printable(version, 64);
  parse.greeting.tls = (low & kMysqlSsl) != 0;
  parse.greeting.salt = challenge;
  if ((high & kMysqlPluginAuth) != 0) {
    const auto rest = body.take(std::max<std::size_t>(13, salt > 8 ? salt - 8 : 0));
    parse.greeting.salt.append(rest.substr(0, 12));  // the thirteenth is a zero
    parse.greeting.plugin = printable(body.rest().substr(0, body.rest().find('\0')), 64);
  }
  parse.state = Parse::complete;
  return parse;
}

std::string postgres_ssl_request() {
  std::string out;
  put_u32(out, 8);
  put_u32(out, kPostgresSsl);
  return out;
}

std::string postgres_startup(std::string_view user) {
  std::string body;
  put_u32(body, kPostgresProtocol);
  for (const std::string_view text : {std::string_view{"user"}, user, std::string_view{"database"}, user}) {
    body.append(text);
    put_u8(body, 0);
  }
  put_u8(body, 0);
  std::string out;
  put_u32(out, static_cast<std::uint32_t>(body.size() + 4));
  return out + body;
}

PostgresParse parse_postgres(std::string_view bytes) {
  PostgresParse parse;
  Reader reader{bytes};
  parse.reply.kind = static_cast<char>(reader.u8());
  const std::size_t length = reader.u32();
  const bool kind_fits = parse.reply.kind == 'R' || parse.reply.kind == 'E';
  if (!bytes.empty() && !kind_fits) {
    return parse;
  }
  if (reader.failed()) {
    parse.state = Parse::need_more;
    return parse;
  }
  if (length < 8 || length > kMaximumMessage) {
    return parse;
  }
  if (reader.rest().size() < length - 4) {
    parse.state = Parse::need_more;
    return parse;
  }
  Reader body{reader.take(length - 4)};
  if (parse.reply.kind == 'R') {
    parse.reply.asked = body.u32();
    parse.state = parse.reply.asked <= 16 ? Parse::complete : Parse::malformed;
    return parse;
  }
  while (!body.failed() && !body.rest().empty()) {
    const auto field = body.u8();
    if (field == 0) {
      break;
    }
    const auto text = terminated(body);
    if (field == 'M') {
      parse.reply.message = printable(text, 256);
    } else if (field == 'C') {
      parse.reply.sqlstate = printable(text, 8);
    }
  }
  parse.state = !body.failed() && parse.reply.sqlstate.size() == 5 ? Parse::complete : Parse::malformed;
  return parse;
}

}  // namespace assay::wire

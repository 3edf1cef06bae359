#include "probes/wire/database_logins.hpp"

#include <algorithm>
#include <charconv>

namespace assay::wire {

namespace {

constexpr std::uint32_t kPostgresProtocol = 0x00030000;
constexpr std::size_t kMostMechanisms = 8;
constexpr std::size_t kLongestText = 256;

// Capabilities of a MySQL client: long password, protocol 4.1, answers of any length below 256, plugins, TLS.
constexpr std::uint32_t kMysqlClient = 0x0000'0001U | 0x0000'0200U | 0x0000'8000U | 0x0008'0000U;
constexpr std::uint32_t kMysqlTls = 0x0000'0800U;
constexpr std::uint32_t kMysqlLargest = 1U << 24U;
constexpr std::uint8_t kMysqlUtf8 = 33;

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

std::string message_of(char kind, std::string_view body) {
  std::string out(1, kind);
  put_u32(out, static_cast<std::uint32_t>(body.size() + 4));
  return out.append(body);
}

void put_little(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    put_u8(out, value >> (8U * static_cast<unsigned>(i)) & 0xffU);
  }
}

std::string mysql_client(bool tls) {
  std::string out;
  put_little(out, kMysqlClient | (tls ? kMysqlTls : 0U), 4);
  put_little(out, kMysqlLargest, 4);
  put_u8(out, kMysqlUtf8);
  return out.append(23, '\0');
}

}  // namespace

PostgresHead parse_postgres_head(std::string_view bytes) {
  PostgresHead head;
  Reader reader{bytes};
  head.kind = static_cast<char>(reader.u8());
  const std::size_t length = reader.u32();
  head.sound =
      !reader.failed() && length >= 4 && length <= kLargestDatabaseMessage && head.kind >= '1' && head.kind <= 'z';
  head.body = head.sound ? length - 4 : 0;
  return head;
}

PostgresAsks parse_postgres_asks(std::string_view body) {
  PostgresAsks asks;
  Reader reader{body};
  asks.what = reader.u32();
  asks.sound = !reader.failed();
  asks.data = reader.rest();
  while (asks.what == kPostgresSasl && !reader.rest().empty() && asks.mechanisms.size() < kMostMechanisms) {
    const auto name = terminated(reader);
    if (name.empty()) {
      break;
    }
    asks.mechanisms.emplace_back(name);
  }
  return asks;
}

PostgresError parse_postgres_error(std::string_view body) {
  PostgresError error;
  Reader reader{body};
  while (!reader.failed() && !reader.rest().empty()) {
    const auto field = reader.u8();
    if (field == 0) {
      break;
    }
    const auto text = terminated(reader);
    if (field == 'M') {
      error.message = printable(text, kLongestText);
    } else if (field == 'C') {
      error.sqlstate = printable(text, 8);
    }
  }
  return error;
}

std::optional<std::string> postgres_value(std::string_view body) {
  Reader reader{body};
  const auto columns = reader.u16();
  const std::size_t length = reader.u32();
  const auto value = reader.take(length);
  return reader.failed() || columns == 0 ? std::nullopt : std::optional{std::string{value.substr(0, kLongestText)}};
}

std::string postgres_login(std::string_view user, std::string_view database) {
  std::string body;
  put_u32(body, kPostgresProtocol);
  for (const std::string_view text : {std::string_view{"user"}, user, std::string_view{"database"}, database}) {
    body.append(text);
    put_u8(body, 0);
  }
  put_u8(body, 0);
  std::string out;
  put_u32(out, static_cast<std::uint32_t>(body.size() + 4));
  return out + body;
}

std::string postgres_password(std::string_view text) {
  return message_of('p', std::string{text} + '\0');
}

std::string postgres_sasl_first(std::string_view mechanism, std::string_view words) {
  std::string body{mechanism};
  put_u8(body, 0);
  put_u32(body, static_cast<std::uint32_t>(words.size()));
  return message_of('p', body.append(words));
}

std::string postgres_sasl_next(std::string_view words) {
  return message_of('p', words);
}

std::string postgres_query(std::string_view sql) {
  return message_of('Q', std::string{sql} + '\0');
}

std::string postgres_goodbye() {
  return message_of('X', {});
}

std::optional<std::string> from_base64(std::string_view text) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  unsigned have = 0;
  const auto end = text.find('=');
  const auto padding = end == std::string_view::npos ? std::string_view{} : text.substr(end);
  for (const char c : text.substr(0, end)) {
    const auto value = kAlphabet.find(c);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    have += 6;
    if (have >= 8) {
      have -= 8;
      put_u8(out, bits >> have & 0xffU);
    }
  }
  const bool whole = text.size() % 4 == 0 && padding.size() <= 2 && padding.find_first_not_of('=') == padding.npos;
  return whole ? std::optional{out} : std::nullopt;
}

ScramChallenge parse_scram_challenge(std::string_view words, std::string_view our_nonce) {
  ScramChallenge challenge;
  for (std::size_t at = 0; at < words.size();) {
    const auto end = std::min(words.find(',', at), words.size());
    const auto part = words.substr(at, end - at);
    const auto value = part.substr(std::min<std::size_t>(part.size(), 2));
    if (part.starts_with("r=")) {
      challenge.nonce = value.substr(0, kLongestText);
    } else if (part.starts_with("s=")) {
      challenge.salt = from_base64(value.substr(0, kLongestText)).value_or(std::string{});
    } else if (part.starts_with("i=")) {
      std::from_chars(value.data(), value.data() + value.size(), challenge.iterations);
    }
    at = end + 1;
  }
  challenge.sound = challenge.nonce.size() > our_nonce.size() && challenge.nonce.starts_with(our_nonce) &&
                    !challenge.salt.empty() && challenge.iterations > 0;
  return challenge;
}

MysqlHead parse_mysql_head(std::string_view bytes) {
  MysqlHead head;
  Reader reader{bytes};
  const std::size_t low = reader.u8();
  const std::size_t middle = reader.u8();
  const std::size_t high = reader.u8();
  head.sequence = reader.u8();
  const std::size_t length = low | middle << 8U | high << 16U;
  head.sound = !reader.failed() && length > 0 && length <= kLargestDatabaseMessage;
  head.body = head.sound ? length : 0;
  return head;
}

std::string mysql_packet(std::uint8_t sequence, std::string_view body) {
  std::string out;
  put_little(out, static_cast<std::uint32_t>(body.size()), 3);
  put_u8(out, sequence);
  return out.append(body);
}

std::string mysql_ssl_request() {
  return mysql_packet(1, mysql_client(true));
}

std::string mysql_login(std::string_view user, std::string_view answer, std::string_view plugin, bool tls) {
  auto body = mysql_client(tls);
  body.append(user);
  put_u8(body, 0);
  put_u8(body, static_cast<std::uint32_t>(std::min<std::size_t>(answer.size(), 250)));
  body.append(answer.substr(0, 250));
  body.append(plugin);
  put_u8(body, 0);
  return mysql_packet(tls ? 2 : 1, body);
}

std::string mysql_query(std::string_view sql) {
  return mysql_packet(0, '\x03' + std::string{sql});
}

MysqlReply parse_mysql_reply(std::string_view body) {
  using Kind = MysqlReply::Kind;
  MysqlReply reply;
  Reader reader{body};
  const auto first = reader.u8();
  if (reader.failed()) {
    return reply;
  }
  if (first == 0xff) {
    reply.kind = Kind::error;
    reply.code = reader.u8();
    reply.code |= static_cast<std::uint32_t>(reader.u8()) << 8U;
    const auto text = reader.rest();
    reply.message =
        printable(text.starts_with('#') ? text.substr(std::min<std::size_t>(text.size(), 6)) : text, kLongestText);
  } else if (first == 0xfe && body.size() == 1) {
    reply.kind = Kind::old_password;
  } else if (first == 0xfe) {
    reply.plugin = printable(terminated(reader), 64);
    reply.kind = reader.failed() ? Kind::data : Kind::other_plugin;
    reply.data = reader.rest().substr(0, kLongestText);
  } else if (first == 0x01) {
    reply.kind = Kind::more;
    reply.data = reader.rest().substr(0, 4096);
  } else {
    reply.kind = first == 0 ? Kind::ok : Kind::data;
    reply.data = body.substr(0, kLongestText);
  }
  return reply;
}

std::optional<std::string> mysql_value(std::string_view body) {
  Reader reader{body};
  const std::size_t length = reader.u8();
  const auto value = reader.take(length);
  return reader.failed() || length > 250 ? std::nullopt : std::optional{std::string{value}};
}

}  // namespace assay::wire

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/wire/bytes.hpp"

/// The messages of a login to PostgreSQL (protocol 3, SCRAM of RFC 5802) and to MySQL (client protocol 4.1). First
/// words are in databases.hpp; digests are the caller's.
namespace assay::wire {

constexpr std::size_t kLargestDatabaseMessage = 64U << 10U;

/// The five bytes before each message of a PostgreSQL server.
struct PostgresHead {
  bool sound = false;
  char kind = 0;
  std::size_t body = 0;  // bytes that follow
};

constexpr std::size_t kPostgresHead = 5;

PostgresHead parse_postgres_head(std::string_view bytes);

constexpr std::uint32_t kPostgresOk = 0;
constexpr std::uint32_t kPostgresClear = 3;
constexpr std::uint32_t kPostgresMd5 = 5;
constexpr std::uint32_t kPostgresSasl = 10;
constexpr std::uint32_t kPostgresSaslGoesOn = 11;
constexpr std::uint32_t kPostgresSaslEnds = 12;

/// Body of a message 'R'.
struct PostgresAsks {
  bool sound = false;
  std::uint32_t what = 0;
  std::string data;                     // salt of MD5, words of SASL
  std::vector<std::string> mechanisms;  // of SASL, at most 8
};

PostgresAsks parse_postgres_asks(std::string_view body);

/// Body of a message 'E', printable.
struct PostgresError {
  std::string sqlstate;
  std::string message;
};

PostgresError parse_postgres_error(std::string_view body);

/// First value of a message 'D'; nothing when there is none.
std::optional<std::string> postgres_value(std::string_view body);

std::string postgres_login(std::string_view user, std::string_view database);
std::string postgres_password(std::string_view text);
std::string postgres_sasl_first(std::string_view mechanism, std::string_view words);
std::string postgres_sasl_next(std::string_view words);
std::string postgres_query(std::string_view sql);
std::string postgres_goodbye();

/// The server's first words of SCRAM (RFC 5802, 5.1).
struct ScramChallenge {
  bool sound = false;  // the nonce goes on with ours
  std::string nonce;
  std::string salt;
  std::uint32_t iterations = 0;
};

ScramChallenge parse_scram_challenge(std::string_view words, std::string_view our_nonce);

/// Nothing for what is no base64.
std::optional<std::string> from_base64(std::string_view text);

/// The four bytes before each packet of MySQL.
struct MysqlHead {
  bool sound = false;
  std::size_t body = 0;
  std::uint8_t sequence = 0;
};

constexpr std::size_t kMysqlHead = 4;

MysqlHead parse_mysql_head(std::string_view bytes);

std::string mysql_packet(std::uint8_t sequence, std::string_view body);

/// What a client is, before TLS begins; the same numbers begin its login.
std::string mysql_ssl_request();

/// `answer` is what the plugin makes of the password, less than 251 bytes.
std::string mysql_login(std::string_view user, std::string_view answer, std::string_view plugin, bool tls);

std::string mysql_query(std::string_view sql);

struct MysqlReply {
  enum class Kind : std::uint8_t { ok, error, other_plugin, more, old_password, data };

  Kind kind = Kind::data;
  std::uint32_t code = 0;  // of an error
  std::string message;     // of an error, printable
  std::string plugin;      // of other_plugin
  std::string data;        // challenge of other_plugin, words of more, or the body
};

/// Body of one packet during a login; one of data otherwise. Errors have a number of two bytes.
MysqlReply parse_mysql_reply(std::string_view body);

/// First value of a row of text; nothing for what is none.
std::optional<std::string> mysql_value(std::string_view body);

}  // namespace assay::wire

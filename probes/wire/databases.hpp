#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/wire/bytes.hpp"

/// First exchanges of databases: Redis (RESP), MySQL (handshake version 10) and PostgreSQL (protocol 3).
namespace assay::wire {

std::string redis_ping();
std::string redis_info();

struct RedisReply {
  enum class Kind : std::uint8_t { status, error, bulk };

  Kind kind = Kind::status;
  std::string text;
};

struct RedisParse {
  Parse state = Parse::malformed;
  RedisReply reply;
};

/// A status, an error in capitals, or a bulk of at most 64 KiB.
RedisParse parse_redis(std::string_view bytes);

/// The value of "name:value" in a Redis INFO text.
std::string redis_field(std::string_view info, std::string_view name);

struct MysqlGreeting {
  std::string version;
  std::string plugin;  // of authentication
  std::string salt;    // its challenge, 8 or 20 bytes
  bool tls = false;
  bool refused = false;  // an error packet instead: this host is not let in
  std::string reason;
};

struct MysqlParse {
  Parse state = Parse::malformed;
  MysqlGreeting greeting;
};

MysqlParse parse_mysql(std::string_view bytes);

std::string postgres_ssl_request();
std::string postgres_startup(std::string_view user);

struct PostgresReply {
  char kind = 0;            // 'R' asks for authentication, 'E' is an error
  std::uint32_t asked = 0;  // 0: none is needed
  std::string message;
  std::string sqlstate;
};

struct PostgresParse {
  Parse state = Parse::malformed;
  PostgresReply reply;
};

/// The first message after a startup message.
PostgresParse parse_postgres(std::string_view bytes);

}  // namespace assay::wire

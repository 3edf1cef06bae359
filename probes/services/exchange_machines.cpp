#include "probes/services/exchange.hpp"
#include "probes/wire/databases.hpp"
#include "probes/wire/industrial.hpp"
#include "probes/wire/remote.hpp"

/// Databases, remote control, file sharing and automation.
namespace assay::probes::services {

namespace {

using wire::Parse;

constexpr std::uint16_t kRedisPorts[] = {6379};
constexpr std::uint16_t kPostgresPorts[] = {5432};
constexpr std::uint16_t kMysqlPorts[] = {3306};
constexpr std::uint16_t kRfbPorts[] = {5900, 5901};
constexpr std::uint16_t kRdpPorts[] = {3389};
constexpr std::uint16_t kSmbPorts[] = {445};
constexpr std::uint16_t kAdbPorts[] = {5555};
constexpr std::uint16_t kModbusPorts[] = {502, 802};
constexpr std::uint16_t kOpcuaPorts[] = {4840};
constexpr std::string_view kNobody = "assay";

Turn hear_redis(const Heard& heard, Sighting& sighting) {
  using Kind = wire::RedisReply::Kind;
  const auto parse = wire::parse_redis(heard.bytes);
  const auto& reply = parse.reply;
  if (parse.state != Parse::complete) {
    return {parse.state, {}};
  }
  if (heard.turn == 0) {
    const bool locked = reply.kind == Kind::error && reply.text.starts_with("NOAUTH");
    const bool shut = reply.kind == Kind::error && reply.text.starts_with("DENIED");
    if (!locked && !shut && !(reply.kind == Kind::status && reply.text == "PONG")) {
      return {};
    }
    sighting.protocol = "redis";
    sighting.details["anonymous"] = !locked && !shut;
    if (locked) {
      add_login(sighting, "redis", heard.place.clear());
    }
    return {Parse::complete, locked || shut ? std::string{} : wire::redis_info()};
  }
  if (reply.kind == Kind::bulk) {
    sighting.product = "Redis";
    sighting.version = wire::redis_field(reply.text, "redis_version");
    sighting.details["os"] = wire::redis_field(reply.text, "os");
  }
  return {Parse::complete, {}};
}

/// 'S' or 'N' to the request for TLS is one byte, and names nobody: only the next message does.
Turn hear_postgres(const Heard& heard, Sighting& sighting) {
  if (heard.turn == 0) {
    if (heard.bytes == "N") {
      return {Parse::complete, wire::postgres_startup(kNobody)};
    }
    if (heard.bytes == "S") {
      sighting.upgrade = Upgrade{{}, nullptr, wire::postgres_startup(kNobody)};
      return {Parse::complete, {}};
    }
  }
  const auto parse = wire::parse_postgres(heard.bytes);
  if (parse.state == Parse::complete) {
    sighting.protocol = "postgresql";
    sighting.details["anonymous"] = parse.reply.kind == 'R' && parse.reply.asked == 0;
    if (!parse.reply.message.empty()) {
      sighting.details["message"] = parse.reply.message;
    }
    constexpr std::uint32_t kClearPassword = 3;
    if (parse.reply.kind == 'R' && parse.reply.asked != 0) {
      add_login(sighting, "postgresql", heard.place.clear() && parse.reply.asked == kClearPassword);
    }
  }
  return {parse.state, {}};
}

Turn hear_mysql(const Heard& heard, Sighting& sighting) {
  const auto parse = wire::parse_mysql(heard.bytes);
  // An error packet alone is too little to name anybody, except where MySQL is usual.
  if (parse.state == Parse::complete && parse.greeting.refused && heard.place.endpoint.port != kMysqlPorts[0]) {
    return {};
  }
  if (parse.state == Parse::complete) {
    sighting.protocol = "mysql";
    sighting.details["tls_offered"] = parse.greeting.tls;
    if (parse.greeting.refused) {
      sighting.details["refusal"] = parse.greeting.reason;
    } else {
      const bool maria = wire::contains_ignoring_case(parse.greeting.version, "mariadb");
      sighting.product = maria ? "MariaDB" : "MySQL";
      const std::string_view version{parse.greeting.version};
      const auto fork = version.starts_with("5.5.5-") && maria ? version.substr(6) : version;
      sighting.version = fork.substr(0, fork.find('-'));
      sighting.details["server"] = parse.greeting.version;
      add_login(sighting, "mysql", false);
    }
  }
  return {parse.state, {}};
}

Turn hear_rfb(const Heard& heard, Sighting& sighting) {
  if (heard.turn == 0) {
    const auto parse = wire::parse_rfb_version(heard.bytes);
    if (parse.state != Parse::complete) {
      return {parse.state, {}};
    }
    sighting.protocol = "vnc";
    sighting.details["rfb_version"] = std::to_string(parse.major) + "." + std::to_string(parse.minor);
    const bool listed = parse.major == 3 && parse.minor >= 7;
    return {Parse::complete, listed ? std::string{heard.bytes.substr(0, 12)} : std::string{}};
  }
  const auto security = wire::parse_rfb_security(heard.bytes);
  if (security.state == Parse::complete) {
    json::array types;
    bool open = false;
    for (const auto type : security.types) {
      types.emplace_back(type);
      open = open || type == 1;
    }
    sighting.details["security_types"] = std::move(types);
    sighting.details["anonymous"] = open;
    if (!open && !security.types.empty()) {
      add_login(sighting, "vnc", false);
    }
  }
  return {security.state, {}};
}

Turn hear_rdp(const Heard& heard, Sighting& sighting) {
  const auto parse = wire::parse_rdp(heard.bytes);
  if (parse.state == Parse::complete) {
    sighting.protocol = "rdp";
    sighting.details["security"] = parse.failure != 0    ? "refused " + std::to_string(parse.failure)
                                   : parse.protocol == 0 ? std::string{"rdp"}
                                   : parse.protocol == 1 ? std::string{"tls"}
                                                         : std::string{"credssp"};
    add_login(sighting, "rdp", false);
  }
  return {parse.state, {}};
}

Turn hear_smb(const Heard& heard, Sighting& sighting) {
  const auto parse = wire::parse_smb2(heard.bytes);
  if (parse.state == Parse::complete) {
    std::string dialect;
    wire::put_u16(dialect, parse.dialect);
    sighting.protocol = "smb";
    sighting.details["dialect"] = "0x" + wire::hex(dialect);
    sighting.details["signing_required"] = parse.signing_required;
    add_login(sighting, "smb", false);
  }
  return {parse.state, {}};
}

Turn hear_adb(const Heard& heard, Sighting& sighting) {
  const auto parse = wire::parse_adb(heard.bytes);
  // A device names itself in its CNXN; "host" is what we said.
  if (parse.command == "CNXN" && parse.banner.starts_with("host")) {
    return {};
  }
  if (parse.state == Parse::complete) {
    sighting.protocol = "adb";
    sighting.details["anonymous"] = parse.command == "CNXN";
    if (!parse.banner.empty()) {
      sighting.details["banner"] = parse.banner;
    }
  }
  return {parse.state, {}};
}

Turn hear_modbus(const Heard& heard, Sighting& sighting) {
  const auto parse = wire::parse_modbus(heard.bytes, nonce_number(heard.nonce));
  if (parse.state == Parse::complete) {
    sighting.protocol = "modbus";
    sighting.details["unit"] = parse.reply.unit;
    if (parse.reply.exception != 0) {
      sighting.details["exception"] = parse.reply.exception;
    } else {
      sighting.details["vendor"] = wire::printable(parse.reply.object(0), 128);
      sighting.product = wire::printable(parse.reply.object(1), 128);
      sighting.version = wire::printable(parse.reply.object(2), 64);
    }
  }
  return {parse.state, {}};
}

Turn hear_opcua(const Heard& heard, Sighting& sighting) {
  const auto parse = wire::parse_opcua(heard.bytes);
  if (parse.state == Parse::complete) {
    sighting.protocol = "opcua";
    sighting.details["acknowledged"] = parse.reply.acknowledged;
    if (!parse.reply.reason.empty()) {
      sighting.details["reason"] = wire::printable(parse.reply.reason, 256);
    }
  }
  return {parse.state, {}};
}

std::string open_opcua(const Place& place, std::string_view) {
  return wire::opcua_hello("opc.tcp://" + sessions::host_header(place.address, place.endpoint.port, false));
}

bool redis_hint(std::string_view bytes) {
  const auto parse = wire::parse_redis(bytes);
  return parse.state == Parse::complete && parse.reply.kind == wire::RedisReply::Kind::error;
}

bool mysql_hint(std::string_view bytes) {
  return wire::parse_mysql(bytes).state == Parse::complete;
}

bool postgres_hint(std::string_view bytes) {
  return wire::parse_postgres(bytes).state == Parse::complete;
}

bool rfb_hint(std::string_view bytes) {
  return wire::parse_rfb_version(bytes).state == Parse::complete;
}

bool adb_hint(std::string_view bytes) {
  return wire::parse_adb(bytes).state == Parse::complete;
}

}  // namespace

const Exchange kRedis{"redis",     kRedisPorts,
                      false,       [](const Place&, std::string_view) { return wire::redis_ping(); },
                      &hear_redis, &redis_hint};
const Exchange kPostgres{"postgresql",   kPostgresPorts,
                         false,          [](const Place&, std::string_view) { return wire::postgres_ssl_request(); },
                         &hear_postgres, &postgres_hint};
const Exchange kMysql{"mysql", kMysqlPorts, true, nullptr, &hear_mysql, &mysql_hint};
const Exchange kRfb{"vnc", kRfbPorts, true, nullptr, &hear_rfb, &rfb_hint};
const Exchange kRdp{"rdp",     kRdpPorts, false, [](const Place&, std::string_view) { return wire::rdp_request(); },
                    &hear_rdp, nullptr};
const Exchange kSmb{"smb",     kSmbPorts,
                    false,     [](const Place&, std::string_view nonce) { return wire::smb2_negotiate(nonce); },
                    &hear_smb, nullptr};
const Exchange kAdb{"adb",     kAdbPorts, false, [](const Place&, std::string_view) { return wire::adb_connect(); },
                    &hear_adb, &adb_hint};
const Exchange kModbus{
    "modbus",     kModbusPorts,
    false,        [](const Place&, std::string_view nonce) { return wire::modbus_identify(nonce_number(nonce)); },
    &hear_modbus, nullptr};
const Exchange kOpcua{"opcua", kOpcuaPorts, false, &open_opcua, &hear_opcua, nullptr};

}  // namespace assay::probes::services

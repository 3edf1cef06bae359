#pragma once

#include <memory>
#include <string>

#include "probes/credentials/dialect.hpp"

/// The dialects by name. Each `detect_…` asks on connections of its own what the server of that protocol offers, and
/// gives a dialect, an open door, or the name of a login that it does not know.
namespace assay::probes::credentials {

/// Telnet (RFC 854), whose prompts are in any words, and a line of text without negotiation that asks for a login.
asio::awaitable<Result<Detection>> detect_telnet(Door& door);

/// FTP (RFC 959), its implicit TLS when `tls`, AUTH TLS (RFC 4217) where a name is refused without it.
asio::awaitable<Result<Detection>> detect_ftp(Door& door, bool tls);

/// IMAP LOGIN (RFC 3501), POP3 USER and PASS (RFC 1939), SMTP AUTH PLAIN and LOGIN (RFC 4954); with STARTTLS where
/// the login is not offered without it.
asio::awaitable<Result<Detection>> detect_imap(Door& door, bool tls);
asio::awaitable<Result<Detection>> detect_pop3(Door& door, bool tls);
asio::awaitable<Result<Detection>> detect_smtp(Door& door, bool tls);

/// SSH password and keyboard-interactive (RFC 4252, RFC 4256), and servers that let in by the request "none".
asio::awaitable<Result<Detection>> detect_ssh(Door& door);

/// MQTT 3.1.1 and 5; a broker that takes a client without credentials is open.
asio::awaitable<Result<Detection>> detect_mqtt(Door& door, bool tls);

/// Brokers behind TLS with pre-shared keys; nothing found where no such key is asked for.
asio::awaitable<Result<Detection>> detect_mqtt_psk(Door& door);

/// RTSP Basic and Digest (RFC 2326).
asio::awaitable<Result<Detection>> detect_rtsp(Door& door, bool tls);

/// RFB: security types None and VNC Authentication (RFC 6143, 7.2).
asio::awaitable<Result<Detection>> detect_vnc(Door& door, bool tls);

/// Redis AUTH (RESP).
asio::awaitable<Result<Detection>> detect_redis(Door& door, bool tls);

/// PostgreSQL: passwords in clear, MD5 and SCRAM-SHA-256 (RFC 7677), with TLS where a name is refused without it.
asio::awaitable<Result<Detection>> detect_postgres(Door& door, bool tls);

/// MySQL and MariaDB: mysql_native_password and caching_sha2_password, with TLS where it is offered.
asio::awaitable<Result<Detection>> detect_mysql(Door& door);

/// The device service of ONVIF: WS-Security UsernameToken with a digest.
asio::awaitable<Result<Detection>> detect_onvif(Door& door, bool tls);

/// DTLS with pre-shared keys before CoAP (RFC 7252, 9.1.3.1).
asio::awaitable<Result<Detection>> detect_coaps(Door& door);

/// IPMI 2.0 over RMCP: RAKP with SHA-1 and SHA-256, sessions of cipher suite zero.
asio::awaitable<Result<Detection>> detect_ipmi(Door& door);

/// Users of SNMP v3 (RFC 3414), with a socket of their own.
asio::awaitable<Result<std::unique_ptr<Dialect>>> make_snmp_user(Door& door);

/// Communities of SNMP v1 and v2c (RFC 1157, RFC 3416), and users where SNMP v3 is spoken.
asio::awaitable<Result<Detection>> detect_snmp(Door& door);

/// Any of the logins over UDP.
asio::awaitable<Result<Detection>> detect_datagrams(Door& door);

/// TFTP (RFC 1350) has no login: whether a file is given to anybody.
asio::awaitable<Result<Detection>> detect_tftp(Door& door);

/// The recipe of the DUT file for this door, or null.
const LoginRecipe* recipe_for(const Door& door);

/// A JSON login of a programming interface; the recipe outlives it.
std::unique_ptr<Dialect> make_recipe(Door& door, bool tls, const LoginRecipe& recipe);

/// The login form of a page of HTTP that came for `path`.
std::unique_ptr<Dialect> make_form(Door& door, bool tls, std::string path, const std::string& page);

}  // namespace assay::probes::credentials

#include <algorithm>
#include <array>
#include <optional>
#include <sys/time.h>
#include <thread>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "harness/model/freer.hpp"
#include "tests/support/own_network.hpp"
#include "tests/unit/harness/net/loopback.hpp"

using namespace assay;
using namespace std::chrono_literals;
using assay::loopback::Bench;
using assay::loopback::Peer;

namespace {

constexpr auto kWithin = 5000ms;

using Key = std::unique_ptr<EVP_PKEY, assay::Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, assay::Freer<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, assay::Freer<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, assay::Freer<SSL_free>>;

Certificate self_signed(EVP_PKEY* key) {
  Certificate certificate{X509_new()};
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  auto* name = X509_get_subject_name(certificate.get());
  const std::array<unsigned char, 6> text{'d', 'e', 'v', 'i', 'c', 'e'};
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text.data(), static_cast<int>(text.size()), -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  REQUIRE(X509_sign(certificate.get(), key, EVP_sha256()) > 0);
  return certificate;
}

int choose_http(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char*, unsigned, void*) {
  static constexpr std::array<unsigned char, 8> kHttp{'h', 't', 't', 'p', '/', '1', '.', '1'};
  *chosen = kHttp.data();
  *size = kHttp.size();
  return SSL_TLSEXT_ERR_OK;
}

Context server_context(int version, const SSL_METHOD* method = TLS_server_method()) {
  Context context{SSL_CTX_new(method)};
  const Key key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
  const auto certificate = self_signed(key.get());
  // The server plays an old device too, so it must not be held to the policy of this machine.
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_http, nullptr);
  REQUIRE(SSL_CTX_use_certificate(context.get(), certificate.get()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1);
  return context;
}

/// Echoes one message and says goodbye; `prelude` is exchanged in clear before (STARTTLS).
void serve(const Peer& peer, SSL_CTX* context, const std::string& prelude) {
  const auto accepted = peer.accept();
  std::array<char, 64> buffer{};
  if (!prelude.empty()) {
    (void)!::recv(accepted.get(), buffer.data(), buffer.size(), 0);
    (void)!::send(accepted.get(), prelude.data(), prelude.size(), MSG_NOSIGNAL);
  }
  const Session session{SSL_new(context)};
  SSL_set_fd(session.get(), accepted.get());
  if (SSL_accept(session.get()) != 1) {
    return;
  }
  const int size = SSL_read(session.get(), buffer.data(), static_cast<int>(buffer.size()));
  if (size > 0) {
    SSL_write(session.get(), buffer.data(), size);
  }
  SSL_shutdown(session.get());
  // The client's close_notify may still come; an early close would cut what it has not read yet.
  SSL_read(session.get(), buffer.data(), static_cast<int>(buffer.size()));
}

struct Heard {
  TlsSession session;
  std::string echo;
  std::string end;
  std::string error;
};

std::string text_of(const Result<std::size_t>& size, std::span<const std::byte> buffer) {
  return size ? std::string{reinterpret_cast<const char*>(buffer.data()), *size}
              : std::string{name_of(size.error().kind)};
}

asio::awaitable<void> converse(TlsStream& stream, Heard& heard) {
  heard.session = stream.session();
  const std::string hello = "hello";
  const auto bytes = std::as_bytes(std::span{hello});
  const auto written = co_await stream.write_all(bytes, kWithin);
  CHECK(written);
  std::array<std::byte, 64> buffer{};
  const std::span<std::byte> into{buffer};
  const auto echoed = co_await stream.read_some(into, kWithin);
  heard.echo = text_of(echoed, buffer);
  stream.shutdown_send();
  const auto ended = co_await stream.read_some(into, kWithin);
  heard.end = text_of(ended, buffer);
}

asio::awaitable<void> visit(Network& network, std::uint16_t port, const TlsOptions& options, Heard& heard) {
  const Endpoint to{Transport::tcp, port};
  const auto stream = co_await network.connect_tls(to, options, kWithin);
  if (!stream) {
    heard.error = name_of(stream.error().kind);
    co_return;
  }
  co_await converse(**stream, heard);
}

asio::awaitable<void> upgrade(Network& network, std::uint16_t port, const TlsOptions& options, Heard& heard) {
  const Endpoint to{Transport::tcp, port};
  auto clear = co_await network.connect_tcp(to, kWithin);
  REQUIRE(clear);
  const std::string ask = "STARTTLS\r\n";
  const auto bytes = std::as_bytes(std::span{ask});
  const auto asked = co_await (*clear)->write_all(bytes, kWithin);
  CHECK(asked);
  std::array<std::byte, 64> buffer{};
  const std::span<std::byte> into{buffer};
  const auto ready = co_await (*clear)->read_some(into, kWithin);
  CHECK(text_of(ready, buffer) == "220 go\r\n");
  const auto stream = co_await network.start_tls(std::move(*clear), options, kWithin);
  REQUIRE(stream);
  co_await converse(**stream, heard);
}

/// Serves so many sessions one after the other; whatever else a client wants of one is OpenSSL's answer.
void serve_sessions(const Peer& peer, SSL_CTX* context, int count) {
  for (int number = 0; number < count; ++number) {
    const auto accepted = peer.accept();
    std::array<char, 64> buffer{};
    const Session session{SSL_new(context)};
    SSL_set_fd(session.get(), accepted.get());
    if (SSL_accept(session.get()) == 1) {
      SSL_read(session.get(), buffer.data(), static_cast<int>(buffer.size()));
      SSL_shutdown(session.get());
    }
  }
}

struct Kept {
  TlsSession session;
  std::optional<TlsResumption> given;
  Error error;
  Error renegotiated;
};

/// What a session gives to resume it by and, where that is wanted, a new handshake within it.
asio::awaitable<void> keep(TlsStream& stream, bool renegotiate, Kept& kept) {
  const auto given = co_await stream.resumption(kWithin);
  if (given) {
    kept.given = *given;
  } else {
    kept.error = given.error();
  }
  if (renegotiate) {
    const auto agreed = co_await stream.renegotiate(kWithin);
    kept.renegotiated = agreed ? Error{} : agreed.error();
  }
  kept.session = stream.session();
  stream.shutdown_send();
  std::array<std::byte, 64> buffer{};
  const std::span<std::byte> into{buffer};
  const auto end = co_await stream.read_some(into, kWithin);
  CHECK_FALSE(end);
}

asio::awaitable<void> keep(Network& network, std::uint16_t port, const TlsOptions& options, bool renegotiate,
                           Kept& kept) {
  const Endpoint to{Transport::tcp, port};
  const auto stream = co_await network.connect_tls(to, options, kWithin);
  if (!stream) {
    kept.error = stream.error();
    co_return;
  }
  co_await keep(**stream, renegotiate, kept);
}

/// The same over datagrams.
asio::awaitable<void> keep_by_datagrams(Network& network, std::uint16_t port, const TlsOptions& options,
                                        milliseconds within, Kept& kept) {
  const Endpoint to{Transport::udp, port};
  auto socket = co_await network.open_udp(to);
  REQUIRE(socket);
  const auto stream = co_await network.start_dtls(std::move(*socket), options, within);
  if (!stream) {
    kept.error = stream.error();
    co_return;
  }
  co_await keep(**stream, true, kept);
}

int give_cookie(SSL*, unsigned char* cookie, unsigned* size) {
  *size = 16;
  std::fill_n(cookie, *size, static_cast<unsigned char>('c'));
  return 1;
}

int take_cookie(SSL*, const unsigned char* cookie, unsigned size) {
  return size == 16 && cookie[15] == 'c' ? 1 : 0;
}

/// The server of so many sessions over datagrams, each behind a cookie. The first datagrams are lost: `lost` holds them
/// afterwards. Whoever waits for a client waits 5 s at most.
void serve_datagrams(const Peer& peer, SSL_CTX* context, int count, std::vector<std::string>& lost) {
  const timeval longest{5, 0};
  ::setsockopt(peer.socket.get(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  std::array<char, 2048> buffer{};
  for (auto& datagram : lost) {
    const auto size = ::recv(peer.socket.get(), buffer.data(), buffer.size(), 0);
    datagram.assign(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  }
  SSL_CTX_set_options(context, SSL_OP_COOKIE_EXCHANGE);
  SSL_CTX_set_cookie_generate_cb(context, give_cookie);
  SSL_CTX_set_cookie_verify_cb(context, take_cookie);
  for (int number = 0; number < count; ++number) {
    const Session session{SSL_new(context)};
    BIO* bio = BIO_new_dgram(peer.socket.get(), BIO_NOCLOSE);
    SSL_set_bio(session.get(), bio, bio);
    int done = 0;
    for (int turn = 0; turn < 20 && done != 1; ++turn) {
      done = SSL_accept(session.get());
    }
    if (done == 1) {
      SSL_read(session.get(), buffer.data(), static_cast<int>(buffer.size()));
      SSL_shutdown(session.get());
    }
  }
}

}  // namespace

TEST_CASE("A session is resumed by a ticket, by its id, and by the ticket of TLS 1.3") {
  struct Kind {
    int version;
    bool tickets;
  };

  for (const auto& kind : {Kind{TLS1_3_VERSION, true}, Kind{TLS1_2_VERSION, true}, Kind{TLS1_2_VERSION, false}}) {
    INFO(kind.version << " with tickets: " << kind.tickets);
    Bench bench;
    const Peer peer{"127.0.0.1", SOCK_STREAM, 1};
    const auto context = server_context(kind.version);
    SSL_CTX_set_max_early_data(context.get(), 1234);
    std::thread device{[&] { serve_sessions(peer, context.get(), 2); }};
    TlsOptions options;
    options.tickets = kind.tickets;
    Kept first;
    bench.run(keep(*bench.network, peer.port, options, false, first));
    Kept second;
    if (first.given) {
      options.resume = first.given->session;
    }
    bench.run(keep(*bench.network, peer.port, options, false, second));
    device.join();
    INFO(first.error.what << second.error.what);
    REQUIRE(first.given);
    CHECK_FALSE(first.session.resumed);
    CHECK(second.session.resumed);
    CHECK(first.given->version == first.session.version);
    CHECK(first.given->ticket.empty() != kind.tickets);
    CHECK(first.given->session_id.empty() == kind.tickets);
    CHECK((first.given->lifetime_s > 0) == kind.tickets);
    CHECK(first.given->max_early_data == (kind.version == TLS1_3_VERSION ? 1234U : 0U));
    CHECK(first.given->extended_master_secret == (kind.version == TLS1_2_VERSION));
  }
}

TEST_CASE("A server that keeps no sessions gives nothing to resume one by") {
  Bench bench;
  const Peer peer{"127.0.0.1", SOCK_STREAM, 1};
  const auto context = server_context(TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  std::thread device{[&] { serve_sessions(peer, context.get(), 1); }};
  Kept kept;
  const TlsOptions options;
  bench.run(keep(*bench.network, peer.port, options, false, kept));
  device.join();
  CHECK_FALSE(kept.given);
  CHECK(kept.error.kind == ErrorKind::unsupported);
}

TEST_CASE("A client's renegotiation is accepted, refused by an alert, or not a thing of TLS 1.3") {
  for (const std::string how : {"accepted", "refused", "none"}) {
    INFO(how);
    Bench bench;
    const Peer peer{"127.0.0.1", SOCK_STREAM, 1};
    const auto context = server_context(how == "none" ? TLS1_3_VERSION : TLS1_2_VERSION);
    if (how == "accepted") {
      SSL_CTX_set_options(context.get(), SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    }
    std::thread device{[&] { serve_sessions(peer, context.get(), 1); }};
    Kept kept;
    const TlsOptions options;
    bench.run(keep(*bench.network, peer.port, options, true, kept));
    device.join();
    CHECK(kept.session.secure_renegotiation == (how != "none"));
    CHECK(kept.renegotiated.what.empty() == (how == "accepted"));
    if (how == "refused") {
      CHECK(kept.renegotiated.kind == ErrorKind::protocol);
      CHECK(kept.renegotiated.what.find("no renegotiation") != std::string::npos);
    }
    CHECK(kept.session.chain_der.size() == 1);
  }
}

TEST_CASE("A session over datagrams is finished behind a cookie, resumed, and not begun anew for the client") {
  Bench bench;
  const Peer peer{"127.0.0.1", SOCK_DGRAM, -1};
  const auto context = server_context(DTLS1_2_VERSION, DTLS_server_method());
  std::vector<std::string> lost;
  std::thread device{[&] { serve_datagrams(peer, context.get(), 2, lost); }};
  TlsOptions options;
  Kept first;
  bench.run(keep_by_datagrams(*bench.network, peer.port, options, kWithin, first));
  if (first.given) {
    options.resume = first.given->session;
  }
  Kept second;
  bench.run(keep_by_datagrams(*bench.network, peer.port, options, kWithin, second));
  device.join();
  INFO(first.error.what << second.error.what);
  REQUIRE(first.given);
  CHECK(first.session.version == "DTLSv1.2");
  CHECK(first.session.extended_master_secret);
  CHECK(first.session.secure_renegotiation);
  CHECK(first.session.chain_der.size() == 1);
  CHECK_FALSE(first.session.resumed);
  CHECK_FALSE(first.given->ticket.empty());
  CHECK(second.session.resumed);
  CHECK(first.renegotiated.what.find("the alert \"no renegotiation\"") != std::string::npos);
}

TEST_CASE("A hello over datagrams that is lost is sent again, numbered on from where it was wanted") {
  Bench bench;
  const Peer peer{"127.0.0.1", SOCK_DGRAM, -1};
  const auto context = server_context(DTLS1_VERSION, DTLS_server_method());
  std::vector<std::string> lost(1);
  std::thread device{[&] { serve_datagrams(peer, context.get(), 1, lost); }};
  TlsOptions options;
  options.first_record = 0x0102;
  Kept kept;
  bench.run(keep_by_datagrams(*bench.network, peer.port, options, kWithin, kept));
  device.join();
  INFO(kept.error.what);
  CHECK(kept.session.version == "DTLSv1");
  REQUIRE(lost[0].size() > 13);
  CHECK(lost[0].substr(3, 8) == std::string("\0\0\0\0\0\0\x01\x02", 8));  // epoch 0 and the number
}

TEST_CASE("A silence over datagrams ends a handshake in its time, and a closed port at once") {
  Bench bench;
  const TlsOptions options;
  Kept silent;
  Kept closed;
  {
    const Peer peer{"127.0.0.1", SOCK_DGRAM, -1};
    bench.run(keep_by_datagrams(*bench.network, peer.port, options, 200ms, silent));
  }
  CHECK(silent.error.kind == ErrorKind::timed_out);
  if (in_network_of_our_own()) {
    bench.run(keep_by_datagrams(*bench.network, 9, options, kWithin, closed));
    CHECK(closed.error.kind == ErrorKind::refused);
  }
}

TEST_CASE("A certificate that the server asks of the client shows, with the names it would take") {
  for (const auto version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool required : {false, true}) {
      INFO(version << " required: " << required);
      Bench bench;
      const Peer peer{"127.0.0.1", SOCK_STREAM, 1};
      const auto context = server_context(version);
      SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
      SSL_CTX_add_client_CA(context.get(), SSL_CTX_get0_certificate(context.get()));
      const std::array<unsigned char, 4> name{'t', 'e', 's', 't'};
      SSL_CTX_set_session_id_context(context.get(), name.data(), name.size());
      std::thread device{[&] { serve_sessions(peer, context.get(), 1); }};
      Kept kept;
      const TlsOptions options;
      bench.run(keep(*bench.network, peer.port, options, false, kept));
      device.join();
      CHECK(kept.given.has_value() != required);
      if (required) {
        CHECK(kept.error.kind == ErrorKind::protocol);
        CHECK(kept.error.what.find(version == TLS1_3_VERSION ? "number 116" : "handshake failure") !=
              std::string::npos);
      }
      if (!required || version == TLS1_3_VERSION) {
        CHECK(kept.session.certificate_asked);
        REQUIRE(kept.session.authorities.size() == 1);
        CHECK(kept.session.authorities[0].find("device") != std::string::npos);
      }
    }
  }
}

TEST_CASE("A TLS session shows its version, suite, protocol and certificate, old versions included") {
  for (const auto& [version, name] :
       {std::pair{TLS1_3_VERSION, "TLSv1.3"}, std::pair{TLS1_2_VERSION, "TLSv1.2"}, std::pair{TLS1_VERSION, "TLSv1"}}) {
    INFO(name);
    Bench bench;
    const Peer peer{"127.0.0.1", SOCK_STREAM, 1};
    const auto context = server_context(version);
    std::thread device{[&] { serve(peer, context.get(), {}); }};
    Heard heard;
    TlsOptions options;
    options.server_name = "device.example";
    options.alpn = {"http/1.1"};
    bench.run(visit(*bench.network, peer.port, options, heard));
    device.join();
    CHECK(heard.error.empty());
    CHECK(heard.session.version == name);
    CHECK_FALSE(heard.session.cipher.empty());
    CHECK(heard.session.alpn == "http/1.1");
    REQUIRE(heard.session.chain_der.size() == 1);
    CHECK(heard.session.chain_der[0].find("device") != std::string::npos);
    CHECK(heard.echo == "hello");
    CHECK(heard.end == "closed");
    CHECK(bench.governor.numbers().sockets_in_flight == 0);
  }
}

TEST_CASE("TLS begins on a stream that already spoke") {
  Bench bench;
  const Peer peer{"127.0.0.1", SOCK_STREAM, 1};
  const auto context = server_context(TLS1_2_VERSION);
  std::thread device{[&] { serve(peer, context.get(), "220 go\r\n"); }};
  Heard heard;
  const TlsOptions options;
  bench.run(upgrade(*bench.network, peer.port, options, heard));
  device.join();
  CHECK(heard.session.version == "TLSv1.2");
  CHECK(heard.echo == "hello");
  CHECK(heard.end == "closed");
}

TEST_CASE("A device that cuts, closes or says nothing in the handshake is reported as that") {
  for (const std::string how : {"reset", "closed", "timed_out"}) {
    INFO(how);
    Bench bench{"127.0.0.1", how == "timed_out" ? 200ms : 20000ms};
    const Peer peer{"127.0.0.1", SOCK_STREAM, 1};
    std::thread device{[&] {
      auto accepted = peer.accept();
      std::array<char, 4096> hello{};
      (void)!::recv(accepted.get(), hello.data(), hello.size(), 0);
      if (how == "reset") {
        const linger at_once{1, 0};
        ::setsockopt(accepted.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      }
      if (how == "timed_out") {
        (void)!::recv(accepted.get(), hello.data(), hello.size(), 0);
      }
    }};
    Heard heard;
    const TlsOptions options;
    bench.run(visit(*bench.network, peer.port, options, heard));
    device.join();
    CHECK(heard.error == how);
  }
}

#pragma once

#include <memory>
#include <optional>
#include <string>

#include <openssl/ssl.h>

#include "harness/net/tls_stream.hpp"

/// Inside of tls_stream.cpp and tls_server.cpp.
namespace assay {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

/// TLS between two memory BIOs: OpenSSL never sees the socket, so that pace, deadline and capture stay with the
/// stream below, and STARTTLS is the same as TLS from the start.
class TlsOverStream final : public TlsStream {
 public:
  TlsOverStream(TlsContext context, std::unique_ptr<Stream> over, TimePoint deadline, bool by_datagrams)
      : context_(std::move(context)), over_(std::move(over)), deadline_(deadline), by_datagrams_(by_datagrams) {}

  Result<> prepare(const TlsOptions& options);
  Result<> prepare_server();
  asio::awaitable<Result<>> handshake(milliseconds within);

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into, milliseconds within) override;
  asio::awaitable<Result<>> write_all(std::span<const std::byte> from, milliseconds within) override;
  void shutdown_send() override;

  const TlsSession& session() const override { return session_; }

  asio::awaitable<Result<TlsResumption>> resumption(milliseconds within) override;
  asio::awaitable<Result<>> renegotiate(milliseconds within) override;

  /// OpenSSL has a session that could be resumed.
  static int on_new_session(SSL* ssl, SSL_SESSION* session);

 private:
  asio::awaitable<Result<>> flush(TimePoint until);
  asio::awaitable<Result<>> feed(TimePoint until);
  asio::awaitable<Result<>> advance(int error, TimePoint until);
  milliseconds until_resend() const;
  Result<> resend();
  bool old() const;
  Error protocol_error(std::string_view doing) const;
  void note_session();
  void note_chain();
  void note_authorities();
  Result<> apply(const TlsOptions& options);
  Result<> make_session();
  static void on_event(const SSL* ssl, int where, int value);
  static int on_certificate_asked(SSL* ssl, void* self);

  TlsContext context_;
  std::unique_ptr<Stream> over_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  TimePoint deadline_;
  bool by_datagrams_;
  TlsSession session_;
  std::optional<TlsResumption> resumption_;  // the last one that was given
  std::string alert_;                        // the last one the device sent, in words
  bool certificate_asked_ = false;
  bool finish_ = false;
};

}  // namespace assay

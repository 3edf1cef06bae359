#include "harness/net/tls_stream.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <sys/time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "harness/net/record_datagrams.hpp"
#include "harness/net/tls_over_stream.hpp"
#include "harness/net/waiting.hpp"

namespace assay {

namespace {

constexpr std::size_t kChunk = 16 * 1024;
constexpr std::size_t kMostAlpnBytes = 255;
constexpr int kMostCertificates = 32;
constexpr int kLargestCertificate = 64 * 1024;
constexpr int kMostAuthorities = 64;
constexpr int kLargestName = 16 * 1024;
constexpr long kLargestRecord = 1200;  // of DTLS, bytes: fits every link

milliseconds left(TimePoint until) {
  return std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
}

/// Length-prefixed list as RFC 7301, 3.1 has it on the wire.
std::optional<std::string> alpn_wire(const std::vector<std::string>& names) {
  std::string wire;
  for (const auto& name : names) {
    if (name.empty() || name.size() > kMostAlpnBytes) {
      return std::nullopt;
    }
    wire += static_cast<char>(name.size());
    wire += name;
  }
  return wire;
}

}  // namespace

/// Before TLS 1.3; DTLS counts its versions downwards, and its 1.3 is not in the library.
bool TlsOverStream::old() const {
  return by_datagrams_ || SSL_version(ssl_.get()) < TLS1_3_VERSION;
}

void TlsOverStream::on_event(const SSL* ssl, int where, int value) {
  if ((where & SSL_CB_ALERT) != 0 && (where & SSL_CB_READ) != 0) {
    auto* self = static_cast<TlsOverStream*>(SSL_get_app_data(ssl));
    const std::string_view words = SSL_alert_desc_string_long(value);
    self->alert_ = words == "unknown" ? "number " + std::to_string(value & 0xff) : std::string{words};
  }
}

int TlsOverStream::on_certificate_asked(SSL*, void* self) {
  static_cast<TlsOverStream*>(self)->certificate_asked_ = true;
  return 1;  // go on without one
}

int TlsOverStream::on_new_session(SSL* ssl, SSL_SESSION* session) {
  // A copy: OpenSSL takes a session for broken whose connection was not closed in its own way.
  const std::shared_ptr<SSL_SESSION> copy{SSL_SESSION_dup(session), &SSL_SESSION_free};
  auto* self = static_cast<TlsOverStream*>(SSL_get_app_data(ssl));
  if (self == nullptr || !copy) {
    return 0;
  }
  TlsResumption given;
  given.version = SSL_get_version(ssl);
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  SSL_SESSION_get0_ticket(copy.get(), &bytes, &size);
  if (bytes != nullptr && size > 0) {
    given.ticket.assign(reinterpret_cast<const char*>(bytes), size);
    given.lifetime_s = static_cast<std::uint32_t>(SSL_SESSION_get_ticket_lifetime_hint(copy.get()));
  } else {
    // With a ticket the id is one that OpenSSL made up.
    unsigned length = 0;
    bytes = SSL_SESSION_get_id(copy.get(), &length);
    given.session_id.assign(reinterpret_cast<const char*>(bytes), length);
  }
  given.max_early_data = SSL_SESSION_get_max_early_data(copy.get());
  given.session = copy;
  self->resumption_ = std::move(given);
  return 0;  // OpenSSL keeps its own
}

Result<> TlsOverStream::make_session() {
  ssl_.reset(SSL_new(context_.get()));
  BIO* incoming = BIO_new(BIO_s_mem());
  BIO* outgoing = BIO_new(BIO_s_mem());
  if (!ssl_ || incoming == nullptr || outgoing == nullptr) {
    BIO_free(incoming);
    BIO_free(outgoing);
    return Error{ErrorKind::internal, "no memory for a TLS session", {}};
  }
  SSL_set_bio(ssl_.get(), incoming, outgoing);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_info_callback(ssl_.get(), &TlsOverStream::on_event);
  return {};
}

Result<> TlsOverStream::prepare_server() {
  if (auto made = make_session(); !made) {
    return made;
  }
  SSL_set_accept_state(ssl_.get());
  return {};
}

Result<> TlsOverStream::prepare(const TlsOptions& options) {
  if (auto made = make_session(); !made) {
    return made;
  }
  SSL_set_connect_state(ssl_.get());
  SSL_set_cert_cb(ssl_.get(), &TlsOverStream::on_certificate_asked, this);
  if (by_datagrams_) {
    SSL_set_options(ssl_.get(), SSL_OP_NO_QUERY_MTU);
    SSL_ctrl(ssl_.get(), SSL_CTRL_SET_MTU, kLargestRecord, nullptr);  // what the macro SSL_set_mtu stands for
  }
  return apply(options);
}

Result<> TlsOverStream::apply(const TlsOptions& options) {
  // What the macro SSL_set_tlsext_host_name stands for, without its C cast.
  if (!options.server_name.empty() && SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                               const_cast<char*>(options.server_name.c_str())) != 1) {
    return Error{ErrorKind::bad_input, "the TLS server name is too long", {}};
  }
  const auto wire = alpn_wire(options.alpn);
  if (!wire) {
    return Error{ErrorKind::bad_input, "an ALPN name has 1 to 255 bytes", {}};
  }
  // 0 means success here, unlike nearly everywhere else in OpenSSL.
  if (!wire->empty() && SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wire->data()),
                                            static_cast<unsigned>(wire->size())) != 0) {
    return Error{ErrorKind::internal, "no memory for a TLS session", {}};
  }
  if (options.newest != 0 && SSL_set_max_proto_version(ssl_.get(), options.newest) != 1) {
    return Error{ErrorKind::unsupported, "the TLS library does not know this version", {}};
  }
  if (!options.tickets) {
    SSL_set_options(ssl_.get(), SSL_OP_NO_TICKET);
  }
  if (options.resume && SSL_set_session(ssl_.get(), static_cast<SSL_SESSION*>(options.resume.get())) != 1) {
    return Error{ErrorKind::internal, "the TLS library does not take the session to resume", {}};
  }
  return {};
}

Error TlsOverStream::protocol_error(std::string_view doing) const {
  std::string what{doing};
  if (!alert_.empty()) {
    what += ": the device sent the alert \"" + alert_ + "\"";
  } else if (const char* reason = ERR_reason_error_string(ERR_peek_last_error()); reason != nullptr) {
    what += std::string{": "} + reason;
  } else {
    what += ": bytes that are not TLS";
  }
  ERR_clear_error();
  return {ErrorKind::protocol, std::move(what), {}};
}

/// Sends what OpenSSL has ready.
asio::awaitable<Result<>> TlsOverStream::flush(TimePoint until) {
  BIO* outgoing = SSL_get_wbio(ssl_.get());
  Bytes ready(BIO_ctrl_pending(outgoing));
  if (!ready.empty()) {  // whole, so that records of DTLS stay together
    const int size = BIO_read(outgoing, ready.data(), static_cast<int>(ready.size()));
    ready.resize(static_cast<std::size_t>(std::max(size, 0)));
    const std::span<const std::byte> bytes{ready};
    const auto written = co_await over_->write_all(bytes, left(until));
    if (!written) {
      co_return written;
    }
  }
  if (finish_) {
    over_->shutdown_send();
  }
  co_return Result<>{};
}

/// Hands OpenSSL the next bytes of the device.
asio::awaitable<Result<>> TlsOverStream::feed(TimePoint until) {
  std::array<std::byte, kChunk> chunk;
  const std::span<std::byte> space{chunk};
  const auto within = by_datagrams_ ? std::min(left(until), until_resend()) : left(until);
  const auto size = co_await over_->read_some(space, within);
  if (!size && by_datagrams_ && size.error().kind == ErrorKind::timed_out && left(until).count() > 0) {
    co_return resend();
  }
  if (!size) {
    co_return size.error();
  }
  BIO_write(SSL_get_rbio(ssl_.get()), chunk.data(), static_cast<int>(*size));
  co_return Result<>{};
}

/// Time until the last flight counts as lost (DTLSv1_get_timeout); without one on its way there is no such time.
milliseconds TlsOverStream::until_resend() const {
  timeval time{};
  if (SSL_ctrl(ssl_.get(), DTLS_CTRL_GET_TIMEOUT, 0, &time) != 1) {
    return milliseconds::max();
  }
  return milliseconds{time.tv_sec * 1000 + time.tv_usec / 1000 + 1};
}

/// Puts a lost flight into the outgoing BIO again, if it is lost (DTLSv1_handle_timeout).
Result<> TlsOverStream::resend() {
  if (SSL_ctrl(ssl_.get(), DTLS_CTRL_HANDLE_TIMEOUT, 0, nullptr) >= 0) {
    return {};
  }
  ERR_clear_error();
  return Error{ErrorKind::timed_out, "TLS: a flight was sent again and again, and nothing came", {}};
}

/// Does what an SSL call that did not finish asks for.
asio::awaitable<Result<>> TlsOverStream::advance(int error, TimePoint until) {
  if (error == SSL_ERROR_ZERO_RETURN) {
    co_return Error{ErrorKind::closed, "TLS: the device closed the session", {}};
  }
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
    auto failure = protocol_error("TLS");
    // Our own alert, on a best-effort basis: the failure is known already.
    const auto told = co_await flush(until);
    if (!told && told.error().kind == ErrorKind::cancelled) {
      co_return told;
    }
    co_return failure;
  }
  const auto flushed = co_await flush(until);
  if (!flushed && flushed.error().kind != ErrorKind::reset) {
    co_return flushed;
  }
  // After a reset of our writing side an alert may still lie in the receive buffer.
  const auto fed = co_await feed(until);
  if (!flushed && !fed) {
    co_return flushed;
  }
  co_return fed;
}

asio::awaitable<Result<>> TlsOverStream::handshake(milliseconds within) {
  const auto until = time_limit(within, deadline_);
  while (true) {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_.get());
    if (done == 1) {
      break;
    }
    if (by_datagrams_ && alert_ == "no renegotiation") {
      co_return protocol_error("TLS");  // a warning, which ends this handshake and not the session
    }
    const auto advanced = co_await advance(SSL_get_error(ssl_.get(), done), until);
    if (!advanced) {
      co_return advanced;
    }
  }
  const auto flushed = co_await flush(until);
  if (!flushed) {
    co_return flushed;
  }
  note_session();
  co_return Result<>{};
}

void TlsOverStream::note_session() {
  session_ = {};
  session_.version = SSL_get_version(ssl_.get());
  const char* cipher = SSL_get_cipher_name(ssl_.get());
  session_.cipher = cipher == nullptr ? "" : cipher;
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &chosen, &size);
  if (chosen != nullptr) {
    session_.alpn.assign(reinterpret_cast<const char*>(chosen), size);
  }
  session_.resumed = SSL_session_reused(ssl_.get()) == 1;
  // What the macros SSL_get_secure_renegotiation_support and SSL_get_extms_support stand for.
  session_.secure_renegotiation = old() && SSL_ctrl(ssl_.get(), SSL_CTRL_GET_RI_SUPPORT, 0, nullptr) == 1;
  session_.extended_master_secret = old() && SSL_ctrl(ssl_.get(), SSL_CTRL_GET_EXTMS_SUPPORT, 0, nullptr) == 1;
  session_.certificate_asked = certificate_asked_;
  note_chain();
  note_authorities();
}

void TlsOverStream::note_chain() {
  const auto* chain = SSL_get_peer_cert_chain(ssl_.get());
  const int count = std::min(chain == nullptr ? 0 : sk_X509_num(chain), kMostCertificates);
  for (int index = 0; index < count; ++index) {
    unsigned char* der = nullptr;
    const int length = i2d_X509(sk_X509_value(chain, index), &der);
    if (length > 0 && length <= kLargestCertificate) {
      session_.chain_der.emplace_back(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
    }
    OPENSSL_free(der);
  }
}

void TlsOverStream::note_authorities() {
  const auto* names = SSL_get0_peer_CA_list(ssl_.get());
  const int count = std::min(names == nullptr ? 0 : sk_X509_NAME_num(names), kMostAuthorities);
  for (int index = 0; index < count; ++index) {
    unsigned char* der = nullptr;
    const int length = i2d_X509_NAME(sk_X509_NAME_value(names, index), &der);
    if (length > 0 && length <= kLargestName) {
      session_.authorities.emplace_back(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
    }
    OPENSSL_free(der);
  }
}

asio::awaitable<Result<TlsResumption>> TlsOverStream::resumption(milliseconds within) {
  const auto until = time_limit(within, deadline_);
  while (!resumption_) {
    if (old()) {
      co_return Error{ErrorKind::unsupported, "TLS: the device gave nothing to resume the session by", {}};
    }
    ERR_clear_error();
    char first = 0;
    std::size_t size = 0;
    const int done = SSL_peek_ex(ssl_.get(), &first, 1, &size);
    if (resumption_) {
      break;
    }
    if (done == 1) {
      co_return Error{ErrorKind::protocol, "TLS: the device spoke before it gave a ticket", {}};
    }
    const auto advanced = co_await advance(SSL_get_error(ssl_.get(), done), until);
    if (!advanced) {
      co_return advanced.error();
    }
  }
  resumption_->extended_master_secret = session_.extended_master_secret;
  co_return *resumption_;
}

asio::awaitable<Result<>> TlsOverStream::renegotiate(milliseconds within) {
  ERR_clear_error();
  alert_.clear();
  if (!old() || SSL_renegotiate(ssl_.get()) != 1) {
    ERR_clear_error();
    co_return Error{ErrorKind::unsupported, "TLS: this session cannot be renegotiated", {}};
  }
  auto agreed = co_await handshake(within);
  co_return agreed;
}

asio::awaitable<Result<std::size_t>> TlsOverStream::read_some(std::span<std::byte> into, milliseconds within) {
  const auto until = time_limit(within, deadline_);
  if (into.empty()) {
    co_return Error{ErrorKind::internal, "read into an empty buffer", {}};
  }
  while (true) {
    ERR_clear_error();
    std::size_t size = 0;
    const int done = SSL_read_ex(ssl_.get(), into.data(), into.size(), &size);
    if (done == 1) {
      co_return size;
    }
    const auto advanced = co_await advance(SSL_get_error(ssl_.get(), done), until);
    if (!advanced) {
      co_return advanced.error();
    }
  }
}

asio::awaitable<Result<>> TlsOverStream::write_all(std::span<const std::byte> from, milliseconds within) {
  const auto until = time_limit(within, deadline_);
  while (!from.empty()) {
    ERR_clear_error();
    std::size_t size = 0;
    const auto part = from.first(std::min(from.size(), kChunk));
    const int done = SSL_write_ex(ssl_.get(), part.data(), part.size(), &size);
    if (done == 1) {
      from = from.subspan(size);
      const auto flushed = co_await flush(until);
      if (!flushed) {
        co_return flushed;
      }
      continue;
    }
    const auto advanced = co_await advance(SSL_get_error(ssl_.get(), done), until);
    if (!advanced) {
      co_return advanced;
    }
  }
  co_return Result<>{};
}

void TlsOverStream::shutdown_send() {
  // Puts close_notify into the outgoing BIO; the next read sends it and then ends the direction below.
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  finish_ = true;
}

namespace {

TlsContext make_context(const SSL_METHOD* method) {
  TlsContext context{SSL_CTX_new(method), [](SSL_CTX* used) { SSL_CTX_free(used); }};
  if (!context) {
    return nullptr;
  }
  SSL_CTX* raw = context.get();
  // Security level 0, the lowest version and every suite on purpose: the harness has to reach the device as it is, and
  // a refusal by our own library would be recorded as one by the device. Judging what was agreed is not done here.
  SSL_CTX_set_security_level(raw, 0);
  SSL_CTX_set_min_proto_version(raw, 0);
  SSL_CTX_set_max_proto_version(raw, 0);
  // Suites without authentication or encryption last, so that a server that follows our order shows a certificate.
  SSL_CTX_set_cipher_list(raw, "ALL:COMPLEMENTOFALL:+aNULL:+eNULL:@SECLEVEL=0");
  SSL_CTX_set_ciphersuites(raw,
                           "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:"
                           "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256");
  SSL_CTX_set_options(raw, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
  SSL_CTX_set_verify(raw, SSL_VERIFY_NONE, nullptr);
  // OpenSSL caches nothing; a stream hears of its own sessions.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(raw, &TlsOverStream::on_new_session);
  return context;
}

asio::awaitable<Result<std::unique_ptr<TlsStream>>> finish(std::unique_ptr<TlsOverStream> stream,
                                                           const TlsOptions& options, milliseconds within) {
  const auto prepared = stream->prepare(options);
  if (!prepared) {
    co_return prepared.error();
  }
  const auto agreed = co_await stream->handshake(within);
  if (!agreed) {
    co_return agreed.error();
  }
  std::unique_ptr<TlsStream> result = std::move(stream);
  co_return result;
}

}  // namespace

TlsContext make_tls_context() {
  return make_context(TLS_client_method());
}

TlsContext make_dtls_context() {
  return make_context(DTLS_client_method());
}

asio::awaitable<Result<std::unique_ptr<TlsStream>>> shake_hands(TlsContext context, std::unique_ptr<Stream> over,
                                                                const TlsOptions& options, milliseconds within,
                                                                TimePoint deadline) {
  auto stream = std::make_unique<TlsOverStream>(std::move(context), std::move(over), deadline, false);
  co_return co_await finish(std::move(stream), options, within);
}

asio::awaitable<Result<std::unique_ptr<TlsStream>>> shake_hands(TlsContext context, std::unique_ptr<Datagrams> over,
                                                                const TlsOptions& options, milliseconds within,
                                                                TimePoint deadline) {
  auto records = record_datagrams(std::move(over), options.first_record);
  auto stream = std::make_unique<TlsOverStream>(std::move(context), std::move(records), deadline, true);
  co_return co_await finish(std::move(stream), options, within);
}

}  // namespace assay

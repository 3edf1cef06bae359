#include "probes/update/servers/dtls_session.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "probes/images/crypto.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/dtls.hpp"
#include "probes/wire/dtls_datagrams.hpp"

namespace assay::probes::update {

namespace dtls {

namespace {

constexpr int kMtu = 1200;
constexpr std::size_t kLongestPayload = 1200;  // of a datagram, unless a single record is longer
constexpr std::size_t kLongestIdentity = 128;
constexpr std::size_t kMostRecords = 16;
constexpr std::size_t kLargestRecord = std::size_t{16} << 10U;
constexpr int kMostInChain = 32;
constexpr std::uint16_t kDtls12 = 0xFEFD;
constexpr std::uint64_t kBehindAll = 0x10000;  // number of a record that no record of ours had before
constexpr std::uint8_t kFatal = 2;
constexpr std::uint8_t kHandshakeFailure = 40;

using Context = std::unique_ptr<SSL_CTX, Freer<&SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Freer<&SSL_free>>;

std::string_view name_of(unsigned version) {
  return version == kDtls12 ? "DTLSv1.2" : version == 0xFEFF ? "DTLSv1" : version == 0xFEFC ? "DTLSv1.3" : "";
}

/// The chain and its key into the context, and whether they belong together.
bool take_identity(SSL_CTX* context, const TlsIdentity& identity) {
  const images::Bio chain{BIO_new_mem_buf(identity.chain_pem.data(), static_cast<int>(identity.chain_pem.size()))};
  const images::Bio secret{BIO_new_mem_buf(identity.key_pem.data(), static_cast<int>(identity.key_pem.size()))};
  const images::Key key{PEM_read_bio_PrivateKey(secret.get(), nullptr, nullptr, nullptr)};
  for (int count = 0; count < kMostInChain; ++count) {
    const images::Certificate one{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)};
    if (!one) {
      break;
    }
    // What the macro SSL_CTX_add1_chain_cert stands for, without its C cast.
    const bool taken = count == 0 ? SSL_CTX_use_certificate(context, one.get()) == 1
                                  : SSL_CTX_ctrl(context, SSL_CTRL_CHAIN_CERT, 1, one.get()) == 1;
    if (!taken) {
      return false;
    }
  }
  const bool fits = key && SSL_CTX_use_PrivateKey(context, key.get()) == 1 && SSL_CTX_check_private_key(context) == 1;
  ERR_clear_error();
  return fits;
}

/// The library holds a pointer to it, so it stays where it is.
class OpenSslSession final : public DtlsSession {
 public:
  OpenSslSession(Context context, const DtlsProof& proof)
      : key_(proof.key), expected_(proof.identity), context_(std::move(context)) {}

  bool begin() {
    session_.reset(SSL_new(context_.get()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    if (!session_ || in_ == nullptr || out_ == nullptr) {
      BIO_free(in_);
      BIO_free(out_);
      return false;
    }
    BIO_set_mem_eof_return(in_, -1);
    BIO_set_mem_eof_return(out_, -1);
    SSL_set_bio(session_.get(), in_, out_);
    SSL_set_app_data(session_.get(), this);
    SSL_set_options(session_.get(), SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(session_.get(), kMtu);
    SSL_set_info_callback(session_.get(), &OpenSslSession::on_event);
    SSL_set_accept_state(session_.get());
    return true;
  }

  std::vector<std::string> take(std::string_view datagram) override {
    std::vector<std::string> out;
    if (ended_) {
      return out;
    }
    ERR_clear_error();
    BIO_write(in_, datagram.data(), static_cast<int>(datagram.size()));
    if (!visit_.finished && !shake_hands()) {
      return out;
    }
    std::string record(kLargestRecord, '\0');
    while (out.size() < kMostRecords) {
      ERR_clear_error();
      std::size_t size = 0;
      const int done = SSL_read_ex(session_.get(), record.data(), record.size(), &size);
      if (done != 1) {
        note_end(SSL_get_error(session_.get(), done));
        break;
      }
      out.emplace_back(record, 0, size);
    }
    return out;
  }

  void write(std::string_view inside) override {
    std::size_t size = 0;
    if (visit_.finished && !ended_ && !inside.empty()) {
      ERR_clear_error();
      SSL_write_ex(session_.get(), inside.data(), inside.size(), &size);
    }
  }

  std::vector<std::string> written() override {
    std::string all(BIO_ctrl_pending(out_), '\0');
    const int got = all.empty() ? 0 : BIO_read(out_, all.data(), static_cast<int>(all.size()));
    all.resize(static_cast<std::size_t>(std::max(got, 0)));
    return wire::dtls_datagrams(all, kLongestPayload);
  }

  std::optional<std::chrono::milliseconds> until_resend() override {
    timeval time{};
    if (ended_ || SSL_ctrl(session_.get(), DTLS_CTRL_GET_TIMEOUT, 0, &time) != 1) {
      return std::nullopt;
    }
    return std::chrono::milliseconds{time.tv_sec * 1000 + time.tv_usec / 1000 + 1};
  }

  void resend() override {
    ERR_clear_error();
    if (!ended_ && SSL_ctrl(session_.get(), DTLS_CTRL_HANDLE_TIMEOUT, 0, nullptr) < 0) {
      ended_ = true;
      reason_ = "nothing more came";
      ERR_clear_error();
    }
  }

  void end() override {
    if (!ended_) {
      ERR_clear_error();
      SSL_shutdown(session_.get());
      ended_ = true;
    }
  }

  const TlsVisit& visit() const override { return visit_; }

  bool ended() const override { return ended_; }

  const std::string& reason() const override { return reason_; }

  const std::string& identity() const override { return identity_; }

  static int on_hello(SSL* ssl, int*, void*) {
    auto& visit = static_cast<OpenSslSession*>(SSL_get_app_data(ssl))->visit_;
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    constexpr std::size_t kNameAt = 5;  // list length, kind and name length before it (RFC 6066, 3)
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) == 1 && size > kNameAt) {
      visit.server_name.assign(reinterpret_cast<const char*>(bytes) + kNameAt, size - kNameAt);
    }
    unsigned newest = SSL_client_hello_get0_legacy_version(ssl);
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &bytes, &size) == 1) {
      for (std::size_t at = 1; at + 1 < size; at += 2) {
        const unsigned one = static_cast<unsigned>(bytes[at] << 8U | bytes[at + 1]);
        newest = !name_of(one).empty() ? std::min(newest, one) : newest;  // DTLS counts downwards
      }
    }
    visit.offered = name_of(newest);
    return SSL_CLIENT_HELLO_SUCCESS;
  }

  static unsigned int find_key(SSL* ssl, const char* identity, unsigned char* key, unsigned int most) {
    auto& self = *static_cast<OpenSslSession*>(SSL_get_app_data(ssl));
    self.identity_ = identity != nullptr ? std::string{identity}.substr(0, kLongestIdentity) : std::string{};
    const bool ours = self.expected_.empty() || self.expected_ == self.identity_;
    if (!ours || self.key_.empty() || self.key_.size() > most) {
      return 0;
    }
    std::memcpy(key, self.key_.data(), self.key_.size());
    return static_cast<unsigned int>(self.key_.size());
  }

 private:
  /// Whether it is finished.
  bool shake_hands() {
    const int done = SSL_do_handshake(session_.get());
    if (done != 1) {
      note_end(SSL_get_error(session_.get(), done));
      return false;
    }
    visit_.finished = true;
    visit_.version = SSL_get_version(session_.get());
    const char* cipher = SSL_get_cipher_name(session_.get());
    visit_.cipher = cipher == nullptr ? "" : cipher;
    return true;
  }

  void note_end(int error) {
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      return;
    }
    ended_ = true;
    const char* why = ERR_reason_error_string(ERR_peek_last_error());
    reason_ = !alert_.empty()                  ? "the device sent the alert \"" + alert_ + "\""
              : error == SSL_ERROR_ZERO_RETURN ? "the device closed the session"
              : why != nullptr                 ? why
                                               : "bytes that are not DTLS";
    ERR_clear_error();
  }

  static void on_event(const SSL* ssl, int where, int value) {
    constexpr int kCloseNotify = 0;
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (value & 0xFF) != kCloseNotify) {
      static_cast<OpenSslSession*>(SSL_get_app_data(ssl))->alert_ = SSL_alert_desc_string_long(value);
    }
  }

  std::string key_, expected_;
  Context context_;
  Ssl session_;
  BIO* in_ = nullptr;   // the session's
  BIO* out_ = nullptr;  // the session's
  TlsVisit visit_;
  std::string alert_, reason_, identity_;
  bool ended_ = false;
};

/// Every version and suite the library has, for what the device is ready to do shows only where we would do it too. No
/// cookie is asked for: the listener hears one address alone.
Context make_context(const DtlsProof& proof) {
  Context context{SSL_CTX_new(DTLS_server_method())};
  if (!context) {
    return nullptr;
  }
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), 0);
  SSL_CTX_set_cipher_list(context.get(), "ALL:!aNULL:!eNULL:@SECLEVEL=0");
  SSL_CTX_set_dh_auto(context.get(), 1);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_client_hello_cb(context.get(), &OpenSslSession::on_hello, nullptr);
  if (!proof.key.empty()) {
    SSL_CTX_set_psk_server_callback(context.get(), &OpenSslSession::find_key);
  }
  return !proof.certificate || take_identity(context.get(), *proof.certificate) ? std::move(context) : nullptr;
}

}  // namespace

}  // namespace dtls

Result<std::unique_ptr<DtlsSession>> DtlsSession::make(const DtlsProof& proof) {
  auto context = dtls::make_context(proof);
  if (!context) {
    return Error{ErrorKind::bad_input, "the certificate and key of our server cannot be used together", {}};
  }
  auto made = std::make_unique<dtls::OpenSslSession>(std::move(context), proof);
  if (!made->begin()) {
    return Error{ErrorKind::internal, "no memory for a session of DTLS", {}};
  }
  return std::unique_ptr<DtlsSession>{std::move(made)};
}

std::string dtls_refusal() {
  return wire::dtls_alert_datagram(dtls::kDtls12, dtls::kBehindAll, dtls::kFatal, dtls::kHandshakeFailure);
}

}  // namespace assay::probes::update

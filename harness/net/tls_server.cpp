#include "harness/net/tls_server.hpp"

#include <algorithm>
#include <memory>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "harness/net/tls_over_stream.hpp"

namespace assay {

namespace {

constexpr int kMostInChain = 32;

/// Says nothing to the client; only remembers what it asked for. The extension of a name: RFC 6066, 3.
int on_hello(SSL* ssl, int*, void* seen) {
  auto& visit = *static_cast<TlsVisit*>(seen);
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  constexpr std::size_t kNameAt = 5;  // list length, kind and name length before it
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) == 1 && size > kNameAt) {
    visit.server_name.assign(reinterpret_cast<const char*>(bytes) + kNameAt, size - kNameAt);
  }
  unsigned newest = SSL_client_hello_get0_legacy_version(ssl);
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &bytes, &size) == 1) {
    for (std::size_t at = 1; at + 1 < size; at += 2) {
      const unsigned one = static_cast<unsigned>(bytes[at] << 8U | bytes[at + 1]);
      newest = one >> 8U == 3 ? std::max(newest, one) : newest;  // others are there to be ignored (RFC 8701)
    }
  }
  visit.offered = newest == TLS1_3_VERSION   ? "TLSv1.3"
                  : newest == TLS1_2_VERSION ? "TLSv1.2"
                  : newest == TLS1_1_VERSION ? "TLSv1.1"
                  : newest == TLS1_VERSION   ? "TLSv1"
                                             : "SSLv3";
  return SSL_CLIENT_HELLO_SUCCESS;
}

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

/// The chain and the key into the context, and whether they belong together.
bool take_identity(SSL_CTX* context, const TlsIdentity& identity) {
  const Bio chain{BIO_new_mem_buf(identity.chain_pem.data(), static_cast<int>(identity.chain_pem.size())), &BIO_free};
  const Bio key{BIO_new_mem_buf(identity.key_pem.data(), static_cast<int>(identity.key_pem.size())), &BIO_free};
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> secret{
      PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
  for (int count = 0; count < kMostInChain; ++count) {
    const std::unique_ptr<X509, decltype(&X509_free)> one{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr),
                                                          &X509_free};
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
  const bool fits =
      secret && SSL_CTX_use_PrivateKey(context, secret.get()) == 1 && SSL_CTX_check_private_key(context) == 1;
  ERR_clear_error();
  return fits;
}

}  // namespace

TlsContext make_server_context(const TlsIdentity& identity, TlsVisit& visit) {
  TlsContext context{SSL_CTX_new(TLS_server_method()), [](SSL_CTX* used) { SSL_CTX_free(used); }};
  if (!context) {
    return nullptr;
  }
  // As for the client: what the device is ready to do shows only where we would do it too.
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), 0);
  SSL_CTX_set_cipher_list(context.get(), "ALL:!aNULL:!eNULL:@SECLEVEL=0");
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);  // one hello, while `visit` is there
  SSL_CTX_set_client_hello_cb(context.get(), &on_hello, &visit);
  return take_identity(context.get(), identity) ? context : nullptr;
}

asio::awaitable<Result<std::unique_ptr<Stream>>> receive_handshake(std::unique_ptr<Stream> over,
                                                                   const TlsIdentity& identity, TlsVisit& visit,
                                                                   milliseconds within, TimePoint deadline) {
  auto context = make_server_context(identity, visit);
  if (!context) {
    co_return Error{ErrorKind::bad_input, "the certificate and key of our server cannot be used together", {}};
  }
  auto stream = std::make_unique<TlsOverStream>(std::move(context), std::move(over), deadline, false);
  const auto prepared = stream->prepare_server();
  if (!prepared) {
    co_return prepared.error();
  }
  const auto agreed = co_await stream->handshake(within);
  if (!agreed) {
    co_return agreed.error();
  }
  visit.version = stream->session().version;
  visit.cipher = stream->session().cipher;
  visit.finished = true;
  std::unique_ptr<Stream> result = std::move(stream);
  co_return result;
}

}  // namespace assay

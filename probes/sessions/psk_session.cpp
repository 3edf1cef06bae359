#include "probes/sessions/psk_session.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "harness/model/freer.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::sessions {

namespace psk {

namespace {

constexpr int kMtu = 1280;
constexpr int kMostReads = 64;
constexpr std::size_t kLongestHint = 128;
constexpr std::string_view kRandomName = "random of the client";

using Context = std::unique_ptr<SSL_CTX, Freer<&SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freer<&SSL_free>>;
using Key = std::unique_ptr<SSL_SESSION, Freer<&SSL_SESSION_free>>;

Error no_keys() {
  return {ErrorKind::unsupported, "the TLS library has no pre-shared keys", {}};
}

/// One client and what it saw. The library holds a pointer to it, so it stays where it is.
class Client {
 public:
  Client(PskOffer offer, bool datagrams)
      : offer_(std::move(offer)), context_(SSL_CTX_new(datagrams ? DTLS_client_method() : TLS_client_method())) {
    const bool ready = context_ && (offer_.version13 ? offer_early() : offer_when_asked(datagrams));
    if (!ready) {
      return;
    }
    SSL_CTX_set_info_callback(context_.get(), &Client::hear_alert);
    session_.reset(SSL_new(context_.get()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    if (!session_ || in_ == nullptr || out_ == nullptr) {
      BIO_free(in_);
      BIO_free(out_);
      session_.reset();
      return;
    }
    BIO_set_mem_eof_return(in_, -1);
    BIO_set_mem_eof_return(out_, -1);
    SSL_set_bio(session_.get(), in_, out_);
    SSL_set_app_data(session_.get(), this);
    SSL_set_options(session_.get(), SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(session_.get(), kMtu);
    SSL_set_connect_state(session_.get());
  }

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() = default;

  bool ready() const { return session_ != nullptr; }

  /// 1: finished, 0: more is to be read, -1: over.
  int step() {
    ERR_clear_error();
    const int done = SSL_do_handshake(session_.get());
    if (done == 1) {
      return 1;
    }
    return SSL_get_error(session_.get(), done) == SSL_ERROR_WANT_READ ? 0 : -1;
  }

  /// Of our hello, once it is made.
  void conceal_random(Transcript& transcript) const {
    std::array<unsigned char, SSL3_RANDOM_SIZE> bytes{};
    const auto size = SSL_get_client_random(session_.get(), bytes.data(), bytes.size());
    const std::string random{reinterpret_cast<const char*>(bytes.data()), size};
    transcript.conceal(random, kRandomName);
    if (offer_.conceal) {
      offer_.conceal(random);
    }
  }

  /// What is to be sent, as one datagram: its records stand one behind the other (RFC 6347, 4.1.1).
  std::string written() {
    std::string out(BIO_ctrl_pending(out_), '\0');
    const int size = out.empty() ? 0 : BIO_read(out_, out.data(), static_cast<int>(out.size()));
    out.resize(static_cast<std::size_t>(std::max(size, 0)));
    return out;
  }

  void feed(std::string_view datagram) {
    heard_ = true;
    BIO_write(in_, datagram.data(), static_cast<int>(datagram.size()));
  }

  /// How long the other side may be silent before the last flight is sent again.
  void repeat_after(milliseconds patience) {
    patience_ = patience;
    if (SSL_is_dtls(session_.get())) {
      DTLS_set_timer_cb(session_.get(), &Client::time_to_repeat);
    }
  }

  void repeat() { DTLSv1_handle_timeout(session_.get()); }

  bool asked() const { return asked_; }

  void took(milliseconds answer) { slowest_ = std::max(slowest_, answer); }

  void write(std::string_view bytes) { SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size())); }

  std::string read() {
    std::array<char, 2048> buffer{};
    ERR_clear_error();
    const int size = SSL_read(session_.get(), buffer.data(), static_cast<int>(buffer.size()));
    over_ = size <= 0 && SSL_get_error(session_.get(), size) != SSL_ERROR_WANT_READ;
    return {buffer.data(), static_cast<std::size_t>(std::max(size, 0))};
  }

  /// The last read found the end of the session.
  bool over() const { return over_; }

  std::string next(std::string_view reply) const { return offer_.next ? offer_.next(reply) : std::string{}; }

  bool settles(std::string_view reply) const { return !offer_.settles || offer_.settles(reply); }

  void end() { SSL_shutdown(session_.get()); }

  PskLogin told() const {
    PskLogin out;
    out.alert = alert_;
    out.alert_number = alert_number_;
    out.hint = hint_;
    const auto* suite = SSL_get_current_cipher(session_.get());
    out.suite = suite != nullptr ? SSL_CIPHER_get_name(suite) : "";
    out.answer = answer();
    out.slowest = slowest_;
    return out;
  }

 private:
  bool offer_when_asked(bool datagrams) {
    auto* context = context_.get();
    SSL_CTX_set_psk_client_callback(context, &Client::give_key);
    return SSL_CTX_set_cipher_list(context, "PSK:@SECLEVEL=0") == 1 &&
           SSL_CTX_set_min_proto_version(context, datagrams ? DTLS1_VERSION : TLS1_VERSION) == 1 &&
           (datagrams || SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) == 1);
  }

  bool offer_early() {
    SSL_CTX_set_psk_use_session_callback(context_.get(), &Client::give_session);
    return SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION) == 1;
  }

  /// The key as a session of the one hash that keys from elsewhere have by default (RFC 8446, 4.2.11).
  static int give_session(SSL* session, const EVP_MD* /*hash*/, const unsigned char** identity, size_t* length,
                          SSL_SESSION** out) {
    constexpr unsigned char kAes128GcmSha256[] = {0x13, 0x01};
    auto& offer = static_cast<Client*>(SSL_get_app_data(session))->offer_;
    *out = nullptr;
    if (offer.key.empty()) {
      return 1;
    }
    Key made{SSL_SESSION_new()};
    const auto* suite = SSL_CIPHER_find(session, kAes128GcmSha256);
    const auto* key = reinterpret_cast<const unsigned char*>(offer.key.data());
    if (!made || suite == nullptr || SSL_SESSION_set1_master_key(made.get(), key, offer.key.size()) != 1 ||
        SSL_SESSION_set_cipher(made.get(), suite) != 1 ||
        SSL_SESSION_set_protocol_version(made.get(), TLS1_3_VERSION) != 1) {
      return 0;
    }
    *identity = reinterpret_cast<const unsigned char*>(offer.identity.data());
    *length = offer.identity.size();
    *out = made.release();
    return 1;
  }

  PskLogin::Answer answer() const {
    using Answer = PskLogin::Answer;
    const bool finished = SSL_is_init_finished(session_.get()) == 1;
    if (offer_.version13) {
      const bool by_key = finished && SSL_session_reused(session_.get()) == 1;
      return by_key ? Answer::accepted : says_no_key() ? Answer::refused : heard_ ? Answer::no_key : Answer::unheard;
    }
    return finished && asked_ ? Answer::accepted
           : asked_           ? (alert_.empty() ? Answer::silent : Answer::refused)
           : heard_           ? Answer::no_key
                              : Answer::unheard;
  }

  /// Before ServerHello: a server without keys that could not agree with us says so as well, but one that speaks
  /// TLS 1.3 has a suite and a group in common with us. One that knows no TLS 1.3 may say it too: whoever asks has to
  /// know before that it does.
  bool says_no_key() const {
    constexpr int kRefusals[] = {SSL_AD_HANDSHAKE_FAILURE, SSL_AD_ILLEGAL_PARAMETER, SSL_AD_DECRYPT_ERROR,
                                 SSL_AD_MISSING_EXTENSION, SSL_AD_UNKNOWN_PSK_IDENTITY};
    const bool before = SSL_get_current_cipher(session_.get()) == nullptr;
    return before && std::find(std::begin(kRefusals), std::end(kRefusals), alert_number_) != std::end(kRefusals);
  }

  static unsigned int give_key(SSL* session, const char* hint, char* identity, unsigned int longest_identity,
                               unsigned char* key, unsigned int longest_key) {
    auto& self = *static_cast<Client*>(SSL_get_app_data(session));
    self.asked_ = true;
    self.hint_ = hint != nullptr ? std::string{hint}.substr(0, kLongestHint) : std::string{};
    const auto& offer = self.offer_;
    if (offer.key.empty() || offer.key.size() > longest_key || offer.identity.size() >= longest_identity) {
      return 0;
    }
    std::memcpy(identity, offer.identity.c_str(), offer.identity.size() + 1);
    std::memcpy(key, offer.key.data(), offer.key.size());
    return static_cast<unsigned int>(offer.key.size());
  }

  /// In microseconds; the same each time, and a little less than what is waited. OpenSSL's own begins with a second.
  static unsigned int time_to_repeat(SSL* session, unsigned int /*last*/) {
    const auto& self = *static_cast<Client*>(SSL_get_app_data(session));
    return static_cast<unsigned int>(self.patience_.count()) * 900U;
  }

  static void hear_alert(const SSL* session, int where, int value) {
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT) {
      auto& self = *static_cast<Client*>(SSL_get_app_data(session));
      self.alert_ = SSL_alert_desc_string_long(value);
      self.alert_number_ = value & 0xff;
    }
  }

  PskOffer offer_;
  Context context_;
  Session session_;
  BIO* in_ = nullptr;   // the session's
  BIO* out_ = nullptr;  // the session's
  bool heard_ = false;
  bool asked_ = false;
  bool over_ = false;
  std::string alert_;
  int alert_number_ = -1;
  std::string hint_;
  milliseconds patience_{0};
  milliseconds slowest_{0};
};

asio::awaitable<Result<>> send(Client& client, PskCarrier& carrier) {
  auto records = client.written();
  Result<> sent;
  if (!records.empty()) {
    sent = co_await carrier.send(std::move(records));
  }
  co_return sent;
}

/// Takes what comes, or notes that nothing came. True: something came.
asio::awaitable<Result<bool>> receive(Client& client, PskCarrier& carrier, milliseconds patience) {
  auto received = co_await carrier.receive(patience);
  if (!received) {
    co_return received.error();
  }
  if (!*received) {
    client.repeat();
    co_return false;
  }
  client.feed(**received);
  co_return true;
}

/// Until the handshake is over either way.
asio::awaitable<Result<>> shake_hands(Client& client, PskCarrier& carrier, Transcript& transcript,
                                      milliseconds patience) {
  std::optional<std::chrono::steady_clock::time_point> until;
  int silences = 0;
  for (int reads = 0; reads < kMostReads && silences < carrier.most_silences(); ++reads) {
    const int state = client.step();
    if (reads == 0) {
      client.conceal_random(transcript);
    }
    auto sent = co_await send(client, carrier);
    if (!sent) {
      co_return sent;
    }
    if (state != 0) {
      break;
    }
    const auto since = std::chrono::steady_clock::now();
    const bool keyed = client.asked() && carrier.datagrams();
    // A server that threw our last flight away says its own again and again, which is no answer.
    until = keyed && !until ? since + carrier.most_silences() * patience : until;
    if (until && since >= *until) {
      break;
    }
    auto heard = co_await receive(client, carrier, patience);
    if (!heard) {
      co_return heard.error();
    }
    if (*heard && !keyed) {
      client.took(std::chrono::ceil<milliseconds>(std::chrono::steady_clock::now() - since));
    }
    silences = *heard ? 0 : silences + 1;
  }
  co_return Result<>{};
}

/// What is answered inside; empty: nothing was. The question goes out again after silence.
asio::awaitable<Result<std::string>> ask(Client& client, PskCarrier& carrier, std::string question,
                                         milliseconds patience) {
  std::string reply;
  int silences = 0;
  bool asks = true;
  for (int reads = 0; reads < kMostReads && silences < carrier.most_silences() && reply.empty(); ++reads) {
    if (asks) {
      client.write(question);
    }
    auto sent = co_await send(client, carrier);
    if (!sent) {
      co_return sent.error();
    }
    auto heard = co_await receive(client, carrier, patience);
    if (!heard) {
      co_return heard.error();
    }
    asks = !*heard;
    silences += asks ? 1 : 0;
    reply = *heard ? client.read() : std::string{};
    // An acknowledgement alone is no answer yet.
    if (!client.settles(reply)) {
      reply.clear();
    }
  }
  co_return reply;
}

/// The last answer to the questions inside. What was proved before stays proved.
asio::awaitable<std::string> talk(Client& client, PskCarrier& carrier, std::string question, milliseconds patience) {
  std::string last;
  for (std::uint32_t questions = 0; !question.empty() && questions < kMostPskQuestions; ++questions) {
    auto reply = co_await ask(client, carrier, std::move(question), patience);
    last = reply ? *reply : std::string{};
    question = client.next(last);
  }
  co_return last;
}

/// A session that is finished, as a stream over the one that carries it.
class SessionStream final : public Stream {
 public:
  SessionStream(std::unique_ptr<Client> client, std::unique_ptr<Stream> under)
      : client_(std::move(client)), under_(std::move(under)) {}

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into, milliseconds within) override {
    const auto until = std::chrono::steady_clock::now() + within;
    for (;;) {
      if (pending_.empty()) {
        pending_ = client_->read();
      }
      if (!pending_.empty() || client_->over()) {
        break;
      }
      const auto left = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
      if (left <= milliseconds{0}) {
        co_return Error{ErrorKind::timed_out, "no whole record came", {}};
      }
      std::array<std::byte, 4096> buffer{};
      const std::span<std::byte> space{buffer};
      auto size = co_await under_->read_some(space, left);
      if (!size) {
        co_return size.error();
      }
      client_->feed(wire::text_of(space.first(*size)));
    }
    if (pending_.empty()) {
      co_return Error{ErrorKind::closed, "the device ended the session", {}};
    }
    const auto size = std::min(into.size(), pending_.size());
    std::memcpy(into.data(), pending_.data(), size);
    pending_.erase(0, size);
    co_return size;
  }

  asio::awaitable<Result<>> write_all(std::span<const std::byte> from, milliseconds within) override {
    client_->write(wire::text_of(from));
    const auto records = client_->written();
    const auto view = wire::bytes_of(records);
    auto sent = co_await under_->write_all(view, within);
    co_return sent;
  }

  void shutdown_send() override { under_->shutdown_send(); }

 private:
  std::unique_ptr<Client> client_;
  std::unique_ptr<Stream> under_;
  std::string pending_;  // read, and not yet taken
};

/// One handshake on a connection of its own.
asio::awaitable<Result<PskChannel>> open(Network& network, Endpoint to, Transcript& transcript, PskOffer offer,
                                         milliseconds patience) {
  auto opened = co_await open_channel(network, std::move(to), transcript);
  if (!opened) {
    co_return opened.error();
  }
  auto client = std::make_unique<Client>(std::move(offer), false);
  if (!client->ready()) {
    co_return no_keys();
  }
  PskOverChannel carrier{**opened};
  auto done = co_await shake_hands(*client, carrier, transcript, patience);
  if (!done) {
    co_return done.error();
  }
  PskChannel out;
  out.told = client->told();
  if (out.told.answer == PskLogin::Answer::accepted) {
    auto inside = std::make_unique<SessionStream>(std::move(client), (*opened)->release());
    out.channel = std::make_unique<Channel>(std::move(inside), transcript, network.reply_timeout());
  }
  co_return out;
}

}  // namespace

}  // namespace psk

asio::awaitable<Result<>> PskOverChannel::send(std::string records) {
  auto sent = co_await channel_.send(std::move(records));
  co_return !sent && ends_probe(sent.error().kind) ? sent : Result<>{};
}

asio::awaitable<Result<std::optional<std::string>>> PskOverChannel::receive(milliseconds within) {
  std::optional<std::string> out;
  auto heard = co_await channel_.receive(within);
  if (heard) {
    out = std::move(*heard);
  } else if (ends_probe(heard.error().kind)) {
    co_return heard.error();
  }
  co_return out;
}

asio::awaitable<Result<>> PskOverDatagrams::send(std::string records) {
  const auto view = wire::bytes_of(records);
  transcript_.sent(view);
  auto sent = co_await socket_.send(view);
  co_return sent;
}

asio::awaitable<Result<std::optional<std::string>>> PskOverDatagrams::receive(milliseconds within) {
  std::optional<std::string> out;
  auto received = co_await socket_.receive(within);
  if (received) {
    transcript_.received(received->payload);
    out = std::string{wire::text_of(received->payload)};
  } else if (received.error().kind != ErrorKind::timed_out) {
    co_return received.error();
  }
  co_return out;
}

asio::awaitable<Result<PskLogin>> log_in_psk(PskCarrier& carrier, Transcript& transcript, PskOffer offer,
                                             milliseconds patience) {
  auto question = offer.question;
  psk::Client client{std::move(offer), carrier.datagrams()};
  if (!client.ready()) {
    co_return psk::no_keys();
  }
  client.repeat_after(patience);
  auto done = co_await psk::shake_hands(client, carrier, transcript, patience);
  if (!done) {
    co_return done.error();
  }
  auto told = client.told();
  if (told.answer == PskLogin::Answer::accepted) {
    told.reply = co_await psk::talk(client, carrier, std::move(question), patience);
    client.end();
    auto last = co_await psk::send(client, carrier);
    if (!last) {
      transcript.note("the last word was not sent: " + last.error().what);
    }
  }
  co_return told;
}

asio::awaitable<Result<PskChannel>> open_psk_channel(Network& network, Endpoint to, Transcript& transcript,
                                                     PskOffer offer, milliseconds patience) {
  offer.version13 = false;
  auto older = co_await psk::open(network, to, transcript, offer, patience);
  if (!older || older->told.alert_number != kAlertProtocolVersion) {
    co_return older;
  }
  offer.version13 = true;
  auto newer = co_await psk::open(network, std::move(to), transcript, std::move(offer), patience);
  co_return newer;
}

}  // namespace assay::sessions

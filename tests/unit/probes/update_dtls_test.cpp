#include <array>
#include <cstring>
#include <deque>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <openssl/ssl.h>

#include "harness/model/freer.hpp"
#include "probes/update/servers/coap_server.hpp"
#include "probes/update/servers/dtls_listener.hpp"
#include "probes/update/servers/server.hpp"
#include "probes/wire/dtls_datagrams.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

/// The server's side of DTLS against OpenSSL's client, in memory: certificates, shared keys, and what is seen of both.
namespace assay {
namespace {

using probes::update::DtlsListener;
using probes::update::DtlsProof;
using probes::update::DtlsSession;
using probes::update::DtlsTerms;

/// A client that verifies nothing, or that has a key.
class DtlsClient {
 public:
  explicit DtlsClient(std::string identity = {}, std::string key = {})
      : identity_(std::move(identity)), key_(std::move(key)), context_(SSL_CTX_new(DTLS_client_method())) {
    if (!key_.empty()) {
      SSL_CTX_set_cipher_list(context_.get(), "PSK");
      SSL_CTX_set_psk_client_callback(context_.get(), &DtlsClient::give_key);
    }
    session_.reset(SSL_new(context_.get()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in_, -1);
    BIO_set_mem_eof_return(out_, -1);
    SSL_set_bio(session_.get(), in_, out_);
    SSL_set_app_data(session_.get(), this);
    SSL_set_options(session_.get(), SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(session_.get(), 1200);
    static char name[] = "updates.example";
    SSL_ctrl(session_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name);
    SSL_set_connect_state(session_.get());
  }

  std::vector<std::string> take(std::string_view datagram) {
    if (!datagram.empty()) {
      BIO_write(in_, datagram.data(), static_cast<int>(datagram.size()));
    }
    std::array<char, 4096> buffer{};
    const int size = SSL_read(session_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (size > 0) {
      heard.emplace_back(buffer.data(), static_cast<std::size_t>(size));
    }
    return written();
  }

  std::vector<std::string> say(std::string_view text) {
    SSL_write(session_.get(), text.data(), static_cast<int>(text.size()));
    return written();
  }

  std::vector<std::string> leave() {
    SSL_shutdown(session_.get());
    return written();
  }

  std::string shown() const {
    const std::unique_ptr<X509, Freer<&X509_free>> certificate{SSL_get1_peer_certificate(session_.get())};
    char name[128] = {};
    if (certificate) {
      X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
    }
    return name;
  }

  bool finished() const { return SSL_is_init_finished(session_.get()) == 1; }

  std::vector<std::string> heard;

 private:
  std::vector<std::string> written() {
    std::string all(BIO_ctrl_pending(out_), '\0');
    if (!all.empty()) {
      BIO_read(out_, all.data(), static_cast<int>(all.size()));
    }
    return wire::dtls_datagrams(all, 1200);
  }

  static unsigned give_key(SSL* ssl, const char*, char* identity, unsigned, unsigned char* key, unsigned) {
    const auto& self = *static_cast<DtlsClient*>(SSL_get_app_data(ssl));
    std::memcpy(identity, self.identity_.c_str(), self.identity_.size() + 1);
    std::memcpy(key, self.key_.data(), self.key_.size());
    return static_cast<unsigned>(self.key_.size());
  }

  std::string identity_, key_;
  std::unique_ptr<SSL_CTX, Freer<&SSL_CTX_free>> context_;
  std::unique_ptr<SSL, Freer<&SSL_free>> session_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
};

/// Until both are silent; what lay inside for the server.
std::vector<std::string> converse(DtlsClient& client, DtlsSession& server, std::vector<std::string> said) {
  std::vector<std::string> inside;
  for (int turns = 0; turns < 16 && !said.empty(); ++turns) {
    std::vector<std::string> next;
    for (const auto& datagram : said) {
      for (auto& one : server.take(datagram)) {
        inside.push_back(std::move(one));
      }
    }
    for (const auto& datagram : server.written()) {
      for (auto& one : client.take(datagram)) {
        next.push_back(std::move(one));
      }
    }
    said = std::move(next);
  }
  return inside;
}

DtlsProof dtls_certificate(const std::string& name) {
  DtlsProof out;
  out.certificate = *probes::update::false_identity(name, false, {});
  return out;
}

DtlsProof dtls_key(std::string identity, std::string key) {
  DtlsProof out;
  out.identity = std::move(identity);
  out.key = std::move(key);
  return out;
}

TEST_CASE("update, DTLS: a certificate is shown, and both sides speak inside") {
  const auto server = DtlsSession::make(dtls_certificate("updates.example"));
  REQUIRE(server);
  DtlsClient client;
  CHECK(converse(client, **server, client.take({})).empty());
  REQUIRE(client.finished());
  CHECK(client.shown() == "updates.example");
  const auto& visit = (*server)->visit();
  CHECK(visit.finished);
  CHECK(visit.version == "DTLSv1.2");
  CHECK(visit.offered == "DTLSv1.2");
  CHECK(visit.server_name == "updates.example");
  CHECK_FALSE(visit.cipher.empty());
  CHECK(converse(client, **server, client.say("question")) == std::vector<std::string>{"question"});
  (*server)->write(std::string(1100, 'a'));
  const auto answer = (*server)->written();
  REQUIRE(answer.size() == 1);
  client.take(answer[0]);
  CHECK(client.heard == std::vector<std::string>{std::string(1100, 'a')});
  CHECK_FALSE((*server)->ended());
  converse(client, **server, client.leave());
  CHECK((*server)->ended());
  CHECK((*server)->reason() == "the device closed the session");
}

TEST_CASE("update, DTLS: a key that both know, and what is wrong about one") {
  const auto meet = [](const DtlsProof& proof, const char* identity, const char* key) {
    auto server = *DtlsSession::make(proof);
    DtlsClient client(identity, key);
    converse(client, *server, client.take({}));
    CHECK(client.finished() == server->visit().finished);
    return server;
  };
  const auto right = meet(dtls_key("hub", "secret"), "hub", "secret");
  CHECK(right->visit().finished);
  CHECK(right->identity() == "hub");
  CHECK_FALSE(meet(dtls_key("hub", "secret"), "hub", "other")->visit().finished);
  const auto other_name = meet(dtls_key("hub", "secret"), "plug", "secret");
  CHECK_FALSE(other_name->visit().finished);
  CHECK(other_name->ended());
  CHECK(other_name->identity() == "plug");
  CHECK_FALSE(meet(dtls_certificate("a"), "hub", "secret")->visit().finished);  // it has no key at all
}

TEST_CASE("update, DTLS: an identity that cannot be used is told, and garbage ends in nothing") {
  auto proof = dtls_certificate("a");
  proof.certificate->key_pem = probes::update::false_identity("b", false, {})->key_pem;
  const auto made = DtlsSession::make(proof);
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::bad_input);
  const auto server = *DtlsSession::make(dtls_certificate("a"));
  for (const auto* garbage :
       {"", "\x16", "\x16\xfe\xfd garbage that is long enough for a header", "GET / HTTP/1.1\r\n"}) {
    CHECK(server->take(garbage).empty());
  }
  CHECK_FALSE(server->visit().finished);
}

/// What the listener below is given, and what it was told to send.
struct DtlsWire {
  std::deque<std::pair<std::uint16_t, std::string>> to_us;
  std::vector<std::pair<std::uint16_t, std::string>> to_device;
};

class DtlsWireListener final : public DatagramListener {
 public:
  explicit DtlsWireListener(DtlsWire& wire) : wire_(wire) {}

  std::string address() const override { return "192.0.2.1"; }

  std::uint16_t port() const override { return 5684; }

  std::int64_t strangers() const override { return 3; }

  asio::awaitable<Result<Datagrams::Received>> receive(milliseconds) override {
    if (wire_.to_us.empty()) {
      co_return Error{ErrorKind::closed, "the script is over", {}};
    }
    const auto [port, text] = wire_.to_us.front();
    wire_.to_us.pop_front();
    const auto span = wire::bytes_of(text);
    co_return Datagrams::Received{Bytes{span.begin(), span.end()}, port};
  }

  asio::awaitable<Result<>> send(std::uint16_t to_port, std::span<const std::byte> payload) override {
    co_return answer(to_port, payload);
  }

  Result<> answer(std::uint16_t to_port, std::span<const std::byte> payload) override {
    wire_.to_device.emplace_back(to_port, std::string{wire::text_of(payload)});
    return {};
  }

 private:
  DtlsWire& wire_;
};

/// A listener with a script below it. What came from inside is read until the script is over.
struct DtlsStage {
  fake::FakeNetwork clock;
  DtlsWire wire;
  std::vector<std::string> notes;
  DtlsListener listener{clock, std::make_unique<DtlsWireListener>(wire),
                        [this](std::string_view line) { notes.emplace_back(line); }};

  std::vector<std::string> read() {
    std::vector<std::string> out;
    asio::io_context context;
    const auto course = [&]() -> asio::awaitable<void> {
      const milliseconds within{1000};
      while (true) {
        const auto got = co_await listener.receive(within);
        if (!got) {
          co_return;
        }
        out.emplace_back(wire::text_of(got->payload));
      }
    };
    asio::co_spawn(context, course(), asio::detached);
    context.run();
    return out;
  }

  /// What a client says, and what that led to, until both are silent.
  std::vector<std::string> run(DtlsClient& client, std::uint16_t port, std::vector<std::string> said) {
    std::vector<std::string> inside;
    for (int turns = 0; turns < 16 && !said.empty(); ++turns) {
      for (auto& one : said) {
        wire.to_us.emplace_back(port, std::move(one));
      }
      said.clear();
      for (auto& one : read()) {
        inside.push_back(std::move(one));
      }
      for (const auto& [to, datagram] : wire.to_device) {
        CHECK(to == port);
        for (auto& one : client.take(datagram)) {
          said.push_back(std::move(one));
        }
      }
      wire.to_device.clear();
    }
    return inside;
  }
};

TEST_CASE("update, DTLS: a port with a session for each port of the device, until other terms hold") {
  DtlsStage stage;
  auto terms = DtlsTerms{dtls_certificate("updates.example"), false};
  stage.listener.agree(terms);
  DtlsClient client;
  CHECK(stage.run(client, 40000, client.take({})).empty());
  REQUIRE(client.finished());
  CHECK(stage.run(client, 40000, client.say("hello")) == std::vector<std::string>{"hello"});
  CHECK(stage.listener.over(40000) == "DTLSv1.2");
  CHECK(stage.listener.over(40001) == "coap");
  CHECK(stage.listener.seen().sessions == 1);
  CHECK(stage.listener.seen().handshakes == 1);
  CHECK(stage.listener.strangers() == 3);
  stage.listener.agree(terms);  // the same: the session stays, and only the counting begins anew
  CHECK(stage.listener.seen().sessions == 0);
  CHECK(stage.listener.seen().handshakes == 0);
  CHECK(stage.listener.seen().visit.version == "DTLSv1.2");  // it is what the device speaks all the same
  CHECK(stage.run(client, 40000, client.say("again")) == std::vector<std::string>{"again"});
  DtlsClient anew;  // the device started anew and comes from the same port
  stage.run(anew, 40000, anew.take({}));
  CHECK(anew.finished());
  CHECK(stage.listener.seen().sessions == 1);
  stage.listener.agree({dtls_certificate("other.example"), false});
  CHECK(stage.listener.over(40000) == "coap");
  CHECK_FALSE(stage.listener.seen().visit.finished);
  CHECK_FALSE(stage.wire.to_device.empty());  // a goodbye
}

TEST_CASE("update, DTLS: what a session showed is forgotten with it") {
  DtlsStage stage;
  const auto terms = DtlsTerms{dtls_certificate("updates.example"), false};
  stage.listener.agree(terms);
  DtlsClient client;
  stage.run(client, 40000, client.take({}));
  stage.run(client, 40000, client.leave());
  CHECK(stage.listener.seen().visit.finished);
  stage.listener.agree(terms);
  CHECK_FALSE(stage.listener.seen().visit.finished);
}

TEST_CASE("update, DTLS: a port is answered as it spoke last, in clear or in its session") {
  DtlsStage stage;
  const std::string ping{"\x40\x00\x12\x34", 4};
  const auto proof = dtls_certificate("updates.example");
  stage.listener.agree({proof, true});
  DtlsClient client;
  stage.run(client, 40000, client.take({}));
  REQUIRE(client.finished());
  stage.wire.to_us.emplace_back(40000, ping);
  CHECK(stage.read() == std::vector<std::string>{ping});
  CHECK(stage.listener.over(40000) == "coap");
  CHECK(stage.listener.answer(40000, wire::bytes_of(ping)));
  REQUIRE(stage.wire.to_device.size() == 1);
  CHECK(stage.wire.to_device.back().second == ping);
  stage.wire.to_device.clear();
  CHECK(stage.run(client, 40000, client.say("inside")) == std::vector<std::string>{"inside"});
  CHECK(stage.listener.over(40000) == "DTLSv1.2");
  CHECK(stage.listener.answer(40000, wire::bytes_of(ping)));
  REQUIRE(stage.wire.to_device.size() == 1);
  CHECK(stage.wire.to_device.back().second != ping);
  stage.wire.to_us.emplace_back(40000, ping);
  CHECK(stage.read().size() == 1);
  stage.listener.agree({proof, false});  // not in clear any more: the session has not ended by that
  CHECK(stage.listener.over(40000) == "DTLSv1.2");
  stage.wire.to_us.emplace_back(40000, ping);
  CHECK(stage.read().empty());
  stage.wire.to_device.clear();
  CHECK(stage.run(client, 40000, client.say("still inside")) == std::vector<std::string>{"still inside"});
}

TEST_CASE("update, DTLS: who leaves without a question refused us, and CoAP in clear passes where that is meant") {
  DtlsStage stage;
  const std::string ping{"\x40\x00\x12\x34", 4};
  stage.listener.agree({dtls_certificate("a"), false});
  stage.wire.to_us.emplace_back(40000, ping);
  CHECK(stage.read().empty());
  DtlsClient client;
  stage.run(client, 40001, client.take({}));
  stage.run(client, 40001, client.leave());
  CHECK(stage.listener.seen().refusal == "the device closed the session");
  stage.listener.agree({std::nullopt, true});
  stage.wire.to_device.clear();
  stage.wire.to_us.emplace_back(40000, ping);
  CHECK(stage.read() == std::vector<std::string>{ping});
  CHECK(stage.listener.answer(40000, wire::bytes_of(ping)));
  CHECK(stage.wire.to_device.back().second == ping);
  stage.wire.to_device.clear();
  DtlsClient refused;
  stage.run(refused, 40002, refused.take({}));
  CHECK_FALSE(refused.finished());
  CHECK(stage.listener.seen().refusal == "there was no DTLS to be had");
}

}  // namespace
}  // namespace assay

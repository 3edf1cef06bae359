#include <deque>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "harness/net/tls_stream.hpp"
#include "tests/support/catch.hpp"

using namespace assay;
using namespace std::chrono_literals;

namespace {

/// A peer that says what it was given and then ends as told; keeps what it was sent.
class ScriptedStream final : public Stream {
 public:
  ScriptedStream(std::deque<std::string> answers, ErrorKind end, std::string& sent)
      : answers_(std::move(answers)), end_(end), sent_(sent) {}

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into, milliseconds) override {
    if (answers_.empty()) {
      co_return Error{end_, "scripted", {}};
    }
    auto& answer = answers_.front();
    const auto size = std::min(into.size(), answer.size());
    std::copy_n(std::as_bytes(std::span{answer}).begin(), size, into.begin());
    answer.erase(0, size);
    if (answer.empty()) {
      answers_.pop_front();
    }
    co_return size;
  }

  asio::awaitable<Result<>> write_all(std::span<const std::byte> from, milliseconds) override {
    sent_.append(reinterpret_cast<const char*>(from.data()), from.size());
    co_return Result<>{};
  }

  void shutdown_send() override {}

 private:
  std::deque<std::string> answers_;
  ErrorKind end_;
  std::string& sent_;
};

struct Outcome {
  Error error;
  std::string sent;
};

asio::awaitable<void> attempt(std::deque<std::string> answers, ErrorKind end, const TlsOptions& options,
                              Outcome& outcome) {
  std::unique_ptr<Stream> stream = std::make_unique<ScriptedStream>(std::move(answers), end, outcome.sent);
  const auto context = make_tls_context();
  const auto deadline = std::chrono::steady_clock::now() + 1h;
  const auto result = co_await shake_hands(context, std::move(stream), options, 1000ms, deadline);
  if (!result) {
    outcome.error = result.error();
  }
}

Outcome handshake(std::deque<std::string> answers, ErrorKind end, const TlsOptions& options = {}) {
  asio::io_context io;
  Outcome outcome;
  asio::co_spawn(io, attempt(std::move(answers), end, options, outcome),
                 [](std::exception_ptr failed) { CHECK_FALSE(failed); });
  io.run();
  return outcome;
}

const std::string kHandshakeFailureAlert{"\x15\x03\x01\x00\x02\x02\x28", 7};

}  // namespace

TEST_CASE("A TLS alert is a protocol answer with its name") {
  const auto outcome = handshake({kHandshakeFailureAlert}, ErrorKind::closed);
  CHECK(outcome.error.kind == ErrorKind::protocol);
  CHECK(outcome.error.what.find("handshake failure") != std::string::npos);
}

TEST_CASE("An alert in pieces is the same alert") {
  std::deque<std::string> bytes;
  for (const char byte : kHandshakeFailureAlert) {
    bytes.emplace_back(1, byte);
  }
  const auto outcome = handshake(bytes, ErrorKind::closed);
  CHECK(outcome.error.kind == ErrorKind::protocol);
  CHECK(outcome.error.what.find("handshake failure") != std::string::npos);
}

TEST_CASE("Bytes that are not TLS are a protocol error") {
  const auto outcome = handshake({"HTTP/1.0 400 Bad Request\r\n\r\n"}, ErrorKind::closed);
  CHECK(outcome.error.kind == ErrorKind::protocol);
  CHECK_FALSE(outcome.error.what.empty());
}

TEST_CASE("How the stream ends in a handshake is how the handshake ends") {
  for (const auto end : {ErrorKind::closed, ErrorKind::reset, ErrorKind::timed_out, ErrorKind::cancelled}) {
    CHECK(handshake({}, end).error.kind == end);
  }
}

TEST_CASE("The hello carries the server name and the protocols in their order") {
  TlsOptions options;
  options.server_name = "device.example";
  options.alpn = {"h2", "http/1.1"};
  const auto sent = handshake({}, ErrorKind::closed, options).sent;
  CHECK(sent.find("device.example") != std::string::npos);
  CHECK(sent.find(std::string{"\x02h2\x08http/1.1"}) != std::string::npos);
}

TEST_CASE("The hello offers old versions and weak suites, for the device is to be seen as it is") {
  const auto sent = handshake({}, ErrorKind::closed).sent;
  // Handshake record and ClientHello with TLS 1.2 inside; the suites TLS_RSA_WITH_AES_128_CBC_SHA and _NULL_SHA.
  CHECK(sent.starts_with(std::string{"\x16\x03\x01", 3}));
  CHECK(sent.find(std::string{"\x00\x2f", 2}) != std::string::npos);
  CHECK(sent.find(std::string{"\x00\x02", 2}) != std::string::npos);
  CHECK(sent.find(std::string{"\x03\x02", 2}) != std::string::npos);
}

TEST_CASE("Names that do not fit into a hello are refused before anything is sent") {
  TlsOptions long_name;
  long_name.server_name = std::string(300, 'x');
  const auto named = handshake({}, ErrorKind::closed, long_name);
  CHECK(named.error.kind == ErrorKind::bad_input);
  CHECK(named.sent.empty());
  TlsOptions no_name;
  no_name.alpn = {""};
  CHECK(handshake({}, ErrorKind::closed, no_name).error.kind == ErrorKind::bad_input);
}

#include "probes/wire/http_request.hpp"

#include "tests/support/catch.hpp"

namespace assay::wire {
namespace {

using State = HttpAskedReader::State;

HttpAsked read(std::string_view bytes) {
  HttpAskedReader reader;
  REQUIRE(reader.feed(bytes) == State::done);
  return reader.request();
}

TEST_CASE("http request: the parts of a plain request") {
  const auto asked =
      read("GET /v1/update.json?model=hub HTTP/1.1\r\nHost: updates.example\r\nUser-Agent: hub/2\r\n\r\n");
  CHECK(asked.method == "GET");
  CHECK(asked.target == "/v1/update.json?model=hub");
  CHECK(asked.path() == "/v1/update.json");
  CHECK(asked.version == "1.1");
  REQUIRE(asked.header("user-agent") != nullptr);
  CHECK(*asked.header("user-agent") == "hub/2");
  CHECK(asked.keeps_open);
  CHECK(asked.deviations.empty());
}

TEST_CASE("http request: what small clients write is taken, and kept as a deviation") {
  const auto bare = read("\n\nGET /a b HTTP/1.0\nHost : x\n folded\nnonsense\n\n");
  CHECK(bare.target == "/a b");
  CHECK_FALSE(bare.keeps_open);
  CHECK(bare.deviations.size() == 5);
  CHECK(read("GET /\r\n\r\n").version.empty());
  CHECK(read("GET http://host:80/x?y HTTP/1.1\r\n\r\n").path() == "/x");
}

TEST_CASE("http request: a body by length and by chunks, and the request behind it") {
  HttpAskedReader reader;
  CHECK(reader.feed("POST /f HTTP/1.1\r\nContent-Length: 4\r\n\r\nab") == State::body);
  CHECK(reader.feed("cdPUT /g HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n") == State::done);
  CHECK(reader.request().body == "abcd");
  CHECK(reader.next() == State::done);
  CHECK(reader.request().method == "PUT");
  CHECK(reader.request().body == "xyz");
  CHECK(reader.next() == State::head);
}

TEST_CASE("http request: what cannot be a request, and what is too large") {
  HttpAskedReader tls;
  CHECK(tls.feed(std::string_view{"\x16\x03\x01\x02\x00\x01\x00\n\n", 9}) == State::malformed);
  HttpAskedReader length;
  CHECK(length.feed("POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n") == State::malformed);
  HttpAskedReader endless;
  const std::string line = "X: " + std::string(1000, 'a') + "\r\n";
  endless.feed("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 100; ++i) {
    endless.feed(line);
  }
  CHECK(endless.state() == State::malformed);
  HttpAskedReader body;
  body.feed("POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
  for (int i = 0; i < 1000; ++i) {
    body.feed(std::string(1000, 'b'));
  }
  REQUIRE(body.state() == State::done);
  CHECK(body.request().body.size() == (256U << 10U));
  CHECK(body.request().body_cut);
}

TEST_CASE("http request: ranges") {
  CHECK(byte_range("bytes=0-9", 100) == ByteRange{0, 9});
  CHECK(byte_range("bytes=90-", 100) == ByteRange{90, 99});
  CHECK(byte_range("bytes=-10", 100) == ByteRange{90, 99});
  CHECK(byte_range("bytes=50-1000", 100) == ByteRange{50, 99});
  CHECK_FALSE(byte_range("bytes=100-", 100));
  CHECK_FALSE(byte_range("bytes=9-3", 100));
  CHECK_FALSE(byte_range("bytes=0-1,4-5", 100));
  CHECK_FALSE(byte_range("items=0-1", 100));
  CHECK_FALSE(byte_range("bytes=0-9", 0));
}

}  // namespace
}  // namespace assay::wire

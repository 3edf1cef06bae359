#include "probes/wire/http_coding.hpp"

#include "probes/images/packed.hpp"
#include "probes/wire/http.hpp"
#include "tests/support/catch.hpp"

using namespace assay::wire;
using assay::images::pack_gzip;

namespace {

constexpr std::size_t kMost = std::size_t{256} << 10U;
constexpr std::size_t kGzipHeader = 10;
constexpr std::size_t kGzipTrailer = 8;

/// The stream within gzip, as servers send it that take "deflate" at its word.
std::string bare(std::string_view text) {
  const auto whole = pack_gzip(text);
  return whole.substr(kGzipHeader, whole.size() - kGzipHeader - kGzipTrailer);
}

HttpResponse read(const std::string& headers, const std::string& body) {
  HttpReader reader;
  reader.feed("HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  reader.finish();
  return reader.response();
}

}  // namespace

TEST_CASE("Bodies that come as gzip or deflate are read, with the wrapper of zlib and without") {
  // printf hello | zlib-flate -compress
  const std::string zlib{"\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15", 13};
  CHECK(unpack_body("deflate", zlib, kMost)->text == "hello");
  CHECK(unpack_body("deflate", bare("hello"), kMost)->text == "hello");
  CHECK(unpack_body("GZIP", pack_gzip("hello"), kMost)->text == "hello");
  CHECK(unpack_body("x-gzip", pack_gzip("hello"), kMost)->whole);
  CHECK_FALSE(unpack_body("gzip", zlib, kMost));
  CHECK_FALSE(unpack_body("gzip", "hello", kMost));
  CHECK_FALSE(unpack_body("br", pack_gzip("hello"), kMost));
}

TEST_CASE("What a stream lacks, has too much of or holds beyond the limit makes it no whole one") {
  const auto whole = pack_gzip(std::string(1000, 'a') + "end");
  CHECK(unpack_body("gzip", whole, kMost)->whole);
  const auto part = unpack_body("gzip", whole.substr(0, whole.size() - 1), kMost);
  REQUIRE(part);
  CHECK_FALSE(part->whole);
  CHECK_FALSE(part->cut);
  CHECK_FALSE(unpack_body("gzip", whole + "more", kMost)->whole);
  const auto bomb = unpack_body("gzip", pack_gzip(std::string(std::size_t{8} << 20U, '\0')), kMost);
  REQUIRE(bomb);
  CHECK(bomb->text.size() == kMost);
  CHECK(bomb->cut);
  CHECK_FALSE(bomb->whole);
  CHECK(unpack_body("gzip", pack_gzip(std::string(kMost, 'a')), kMost)->whole);
}

TEST_CASE("A response has the body that its compressed one holds") {
  const auto packed = pack_gzip("<form>");
  const auto response = read("Content-Encoding: gzip\r\n", packed);
  CHECK(response.body == "<form>");
  CHECK(response.complete);
  CHECK_FALSE(response.packed);
  CHECK(response.unpacked_from == packed.size());
  CHECK(response.deviations.empty());

  const auto bomb = read("content-encoding: deflate\r\n", bare(std::string(std::size_t{1} << 20U, 'b')));
  CHECK(bomb.body == std::string(kMost, 'b'));
  CHECK(bomb.body_cut);
  CHECK_FALSE(bomb.complete);

  CHECK_FALSE(read("Content-Encoding: gzip\r\n", packed.substr(0, packed.size() - 1)).complete);
  for (const std::string coding : {"br", "gzip, gzip", "gzip\r\nContent-Encoding: gzip"}) {
    const auto other = read("Content-Encoding: " + coding + "\r\n", packed);
    CHECK(other.packed);
    CHECK(other.body == packed);
  }
  CHECK_FALSE(read("Content-Encoding: identity\r\n", "text").packed);
  CHECK_FALSE(read("Content-Encoding: gzip\r\n", "").packed);  // as the answer to a HEAD has none
}

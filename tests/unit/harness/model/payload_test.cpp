#include "harness/model/payload.hpp"

#include "tests/support/catch.hpp"

using namespace assay;

TEST_CASE("A pattern compares the half bytes that it names, and no others") {
  const auto pattern = parse_pattern("41 .. 8. .4");
  REQUIRE(pattern);
  CHECK(pattern->matches("\x41\x01\x81\xf4"));
  CHECK(pattern->matches("\x41\xff\x8f\x04 and more"));
  CHECK_FALSE(pattern->matches("\x42\xff\x8f\x04"));
  CHECK_FALSE(pattern->matches("\x41\xff\x7f\x04"));
  CHECK_FALSE(pattern->matches("\x41\xff\x8f\x05"));
}

TEST_CASE("A datagram that is shorter than the pattern does not match, whatever it holds") {
  const auto pattern = parse_pattern("41 ..");
  REQUIRE(pattern);
  CHECK_FALSE(pattern->matches("A"));
  CHECK_FALSE(pattern->matches(""));
  CHECK_FALSE(BytePattern{"AB", "\xff"}.matches("AB"));
}

TEST_CASE("What is no pattern is refused") {
  for (const char* text : {"", " ", "4", "41 4", "4 1", "xx", "0x41", "41,42"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_pattern(text));
  }
}

TEST_CASE("A payload recognises any of its answers, and without answers none") {
  Payload payload;
  CHECK_FALSE(payload.recognises("anything"));
  payload.answers = {*parse_pattern("01 02"), *parse_pattern("03")};
  CHECK(payload.recognises("\x03"));
  CHECK(payload.recognises("\x01\x02"));
  CHECK_FALSE(payload.recognises("\x01\x03"));
}

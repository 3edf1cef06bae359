#include "probes/wire/coap_body.hpp"

#include "tests/support/catch.hpp"

using namespace assay::wire;

namespace {

CoapMessage block(std::uint32_t number, bool more, std::uint8_t exponent, std::string payload) {
  CoapMessage out;
  out.code = kCoapContent;
  out.payload = std::move(payload);
  add_option(out, kCoapBlock2, coap_block({number, more, exponent}));
  return out;
}

std::string of(std::size_t size, char letter) {
  return std::string(size, letter);
}

}  // namespace

TEST_CASE("An answer of CoAP without blocks is whole") {
  CoapBody body;
  CoapMessage answer;
  answer.payload = "all";
  CHECK(body.take(answer) == CoapBody::State::whole);
  CHECK(body.text() == "all");
}

TEST_CASE("Blocks of CoAP are put together, and each is asked for without the payload") {
  CoapBody body;
  REQUIRE(body.take(block(0, true, 1, of(32, 'a'))) == CoapBody::State::more);
  auto request = coap_get("/name", 1, "t");
  request.payload = "x";
  const auto next = body.ask_next(request);
  CHECK(next.payload.empty());
  CHECK(coap_path(next) == "/name");
  CHECK(coap_block_of(find_option(next, kCoapBlock2)->value) == CoapBlock{1, false, 1});
  CHECK(body.take(block(1, true, 1, of(32, 'b'))) == CoapBody::State::more);
  CHECK(coap_block_of(find_option(body.ask_next(next), kCoapBlock2)->value) == CoapBlock{2, false, 1});
  CHECK(body.take(block(2, false, 1, "c")) == CoapBody::State::whole);
  CHECK(body.text() == of(32, 'a') + of(32, 'b') + "c");
}

TEST_CASE("A server of CoAP may go on with smaller blocks, counted in their own size") {
  CoapBody body;
  CHECK(body.take(block(0, true, 2, of(64, 'a'))) == CoapBody::State::more);
  CHECK(body.take(block(4, false, 0, "b")) == CoapBody::State::whole);
  CHECK(body.text() == of(64, 'a') + "b");
}

TEST_CASE("Blocks of CoAP that do not go on where the last ended are no body") {
  const auto after_first = [](const CoapMessage& second) {
    CoapBody body;
    CHECK(body.take(block(0, true, 1, of(32, 'a'))) == CoapBody::State::more);
    return body.take(second);
  };
  CHECK(after_first(block(2, false, 1, "b")) == CoapBody::State::broken);
  CHECK(after_first(block(1, true, 1, "short")) == CoapBody::State::broken);
  auto other = block(1, false, 1, "b");
  other.code = kCoapNotFound;
  CHECK(after_first(other) == CoapBody::State::broken);
  other = block(1, false, 1, "b");
  add_option(other, kCoapEtag, "new");
  CHECK(after_first(other) == CoapBody::State::broken);
  CoapMessage none;
  none.code = kCoapContent;
  CHECK(after_first(none) == CoapBody::State::broken);
  CoapBody late;
  CHECK(late.take(block(1, false, 1, "b")) == CoapBody::State::broken);
}

TEST_CASE("Blocks of CoAP that do not end are given up") {
  CoapBody body;
  std::uint32_t number = 0;
  auto state = CoapBody::State::more;
  while (state == CoapBody::State::more && number < 100'000) {
    state = body.take(block(number++, true, 0, of(16, 'a')));
  }
  CHECK(state == CoapBody::State::too_long);
  CHECK(number == CoapBody::kMostBlocks + 1);
}

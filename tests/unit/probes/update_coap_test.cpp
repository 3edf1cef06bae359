#include "probes/update/servers/coap_site.hpp"
#include "probes/update/servers/lwm2m_registrar.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

/// What our CoAP server decides, asked by a device of script with a clock that stands still until it is moved.
namespace assay {
namespace {

using namespace probes::update;
using wire::CoapBlock;
using wire::CoapMessage;

struct CoapShop {
  fake::FakeNetwork clock;
  Journal journal{clock};
  std::string content = std::string(5000, 'n');
  int power_cuts = 0;
  int holds = 0;
  std::unique_ptr<CoapSite> site;

  explicit CoapShop(const Behaviour& behaviour = {}) {
    CoapSite::Inputs inputs;
    inputs.offer.genuine = std::make_shared<images::MemorySource>(std::string(5000, 'g'));
    inputs.offer.image = std::make_shared<images::MemorySource>(content);
    inputs.offer.behaviour = behaviour;
    inputs.image_path = "/image";
    inputs.pages.push_back({"/update", "{\"version\": \"2.5.0\"}"});
    inputs.hold = milliseconds{12000};
    inputs.on_loss = [this] { ++power_cuts; };
    inputs.on_holding = [this] { ++holds; };
    site = std::make_unique<CoapSite>(clock, journal, std::move(inputs));
  }

  CoapReply ask(const char* path, std::uint32_t number, std::uint8_t exponent = 5) {
    auto request = wire::coap_request(wire::kCoapGet, path);
    request.token = "tok";
    wire::add_option(request, wire::kCoapBlock2, wire::coap_block({number, false, exponent}));
    return site->answer(request, 40000);
  }

  /// Block by block, as a client would; the code that ended it when it is no content.
  std::string fetch(std::uint8_t& code, std::size_t most = 100) {
    std::string out;
    CoapBlock at{0, true, 5};
    for (std::size_t asked = 0; at.more && asked < most; ++asked) {
      const auto reply = ask("/image", at.number, at.exponent);
      code = reply.message.code;
      if (reply.way != CoapReply::Way::answer || code != wire::kCoapContent) {
        break;
      }
      out += reply.message.payload;
      at = *wire::coap_block_of(wire::find_option(reply.message, wire::kCoapBlock2)->value);
      ++at.number;
    }
    return out;
  }
};

Behaviour coap_behaviour(void (*change)(Behaviour&)) {
  Behaviour out;
  change(out);
  return out;
}

TEST_CASE("update by CoAP: a manifest, and an image in blocks that is counted") {
  CoapShop shop;
  const auto manifest = shop.ask("/update", 0);
  CHECK(manifest.message.payload == "{\"version\": \"2.5.0\"}");
  CHECK_FALSE(shop.site->fetched().whole);
  std::uint8_t code = 0;
  CHECK(shop.fetch(code) == shop.content);
  CHECK(shop.site->fetched().whole);
  CHECK(shop.site->fetched().bytes == 5000);
  CHECK(shop.site->fetched().downloads == 1);
  CHECK(shop.site->fetched().connections == 1);
  CHECK(shop.site->asked_for("/update"));
  CHECK(shop.ask("/other", 0).message.code == wire::kCoapNotFound);
  CHECK(shop.ask("/image", 10).message.code == wire::kCoapBadRequest);  // behind its end
  CHECK(shop.site->answer(wire::coap_request(wire::kCoapPut, "/image"), 40000).message.code == wire::kCoapNotAllowed);
}

TEST_CASE("update by CoAP: an image that is interrupted, and one whose power is cut once") {
  CoapShop cut(coap_behaviour([](Behaviour& one) { one.cut_at = 50; }));
  std::uint8_t code = 0;
  CHECK(cut.fetch(code) == std::string(2560, 'n'));
  CHECK(code == wire::kCoapUnavailable);
  CHECK_FALSE(cut.site->fetched().whole);
  CoapShop late(coap_behaviour([](Behaviour& one) { one.cut_at = 90; }));
  CHECK(late.ask("/image", 3, 6).message.code == wire::kCoapContent);
  CHECK(late.ask("/image", 4, 6).message.code == wire::kCoapUnavailable);  // the last block, though less was to be cut
  CHECK_FALSE(late.site->fetched().whole);
  CoapShop power(coap_behaviour([](Behaviour& one) { one.loss_at = 10; }));
  CHECK(power.fetch(code).size() == 512);
  CHECK(power.power_cuts == 1);
  CHECK(power.site->fetched().cutting);
  power.site->end_cut(Error{ErrorKind::io, "the relay is stuck", {}});
  CHECK_FALSE(power.site->fetched().cutting);
  CHECK_FALSE(power.site->fetched().lost);
  CHECK(power.site->fetched().trouble == "the power was not cut: the relay is stuck");
  CHECK(power.fetch(code) == power.content);
  CHECK(power.power_cuts == 1);
  CoapShop link(coap_behaviour([](Behaviour& one) {
    one.loss_at = 50;
    one.loss = probes::update::Loss::link;
  }));
  CHECK(link.fetch(code).size() == 2560);
  link.site->end_cut({});
  CHECK(link.site->fetched().lost);
  CHECK(link.ask("/image", 5).message.code == wire::kCoapContent);  // what was asked for is asked for again
  CHECK(link.power_cuts == 1);
}

TEST_CASE("update by CoAP: the next block is promised, and whether the device still waits shows at the end") {
  for (const bool waits : {true, false}) {
    CoapShop shop(coap_behaviour([](Behaviour& one) { one.stall_at = 50; }));
    std::uint8_t code = 0;
    CHECK(shop.fetch(code).size() == 2560);
    CHECK(shop.ask("/image", 5).way == CoapReply::Way::promise);
    CHECK(shop.holds == 1);
    CHECK(shop.site->holding());
    CHECK_FALSE(shop.site->look());
    shop.clock.passed += milliseconds{12000};
    const auto due = shop.site->look();
    REQUIRE(due);
    CHECK(due->from == 40000);
    CHECK(due->token == "tok");
    shop.site->learn(waits);
    CHECK_FALSE(shop.site->holding());
    CHECK(shop.site->fetched().held_to_the_end == waits);
  }
}

TEST_CASE("update by CoAP: a device that begins anew has given up") {
  CoapShop shop(coap_behaviour([](Behaviour& one) { one.stall_at = 50; }));
  std::uint8_t code = 0;
  shop.fetch(code);
  shop.clock.passed += milliseconds{5000};
  shop.ask("/update", 0);
  CHECK_FALSE(shop.site->holding());
  CHECK_FALSE(shop.site->fetched().held_to_the_end);
  CHECK(shop.site->fetched().gave_up_after == milliseconds{5000});
}

TEST_CASE("update by CoAP: an endless image is taken to the bound, or given up by silence") {
  CoapShop shop(coap_behaviour([](Behaviour& one) { one.endless = true; }));
  std::uint8_t code = 0;
  const auto taken = shop.fetch(code, 10000);
  CHECK(code == wire::kCoapUnavailable);
  CHECK(taken.size() > 256U << 10U);
  CHECK(shop.site->fetched().held_to_the_end);
  CHECK_FALSE(shop.site->holding());
  CoapShop bounded(coap_behaviour([](Behaviour& one) { one.endless = true; }));
  CHECK(bounded.fetch(code, 30).size() == 30U * 512U);
  bounded.clock.passed += milliseconds{4500};
  CHECK_FALSE(bounded.site->look());
  CHECK_FALSE(bounded.site->fetched().held_to_the_end);
  CHECK(bounded.site->fetched().gave_up_after == milliseconds{0});
}

TEST_CASE("update by CoAP: slow in the smallest blocks, and a size that is a lie") {
  CoapShop slow(coap_behaviour([](Behaviour& one) { one.drip = true; }));
  const auto drop = slow.ask("/image", 0);
  CHECK(drop.message.payload.size() == 16);
  CHECK(drop.after > milliseconds{0});
  slow.clock.passed += milliseconds{12000};
  slow.ask("/image", 1, 0);
  CHECK_FALSE(slow.site->look());
  CHECK(slow.site->fetched().held_to_the_end);
  CoapShop lie(coap_behaviour([](Behaviour& one) { one.length = 16; }));
  const auto first = lie.ask("/image", 0);
  CHECK(wire::coap_number_of(wire::find_option(first.message, wire::kCoapSize2)->value) == 80000);
  std::uint8_t code = 0;
  CHECK(lie.fetch(code).size() == 5000);
  CHECK_FALSE(lie.site->holding());
}

TEST_CASE("update by CoAP: the first download is genuine, and a server may be out of order") {
  CoapShop turns(coap_behaviour([](Behaviour& one) { one.second = true; }));
  std::uint8_t code = 0;
  CHECK(turns.fetch(code) == std::string(5000, 'g'));
  CHECK(turns.fetch(code) == std::string(5000, 'n'));
  CoapShop broken(coap_behaviour([](Behaviour& one) { one.status = 503; }));
  CHECK(broken.ask("/update", 0).message.code == wire::kCoapUnavailable);
}

CoapMessage lwm2m_registration(const char* endpoint, const char* links) {
  auto request = wire::coap_request(wire::kCoapPost, "rd");
  wire::add_option(request, wire::kCoapUriQuery, std::string{"ep="} + endpoint);
  request.payload = links;
  return request;
}

TEST_CASE("update by LwM2M: who registers is known until it goes") {
  fake::FakeNetwork clock;
  Journal journal{clock};
  Registrar registrar(clock, journal, "hub");
  CHECK_FALSE(registrar.answer(wire::coap_request(wire::kCoapGet, "/image"), 5683));
  CHECK(registrar.answer(lwm2m_registration("plug", "</5/0>"), 5683)->message.code == 0x83);
  CHECK(registrar.answer(lwm2m_registration("hub", "</3/0>"), 5683)->message.code == wire::kCoapBadRequest);
  CHECK_FALSE(registrar.client());
  const auto made = registrar.answer(lwm2m_registration("hub", "</3/0>,</5/0>"), 5683);
  REQUIRE(made);
  CHECK(made->message.code == wire::kCoapCreated);
  CHECK(made->message.options.size() == 2);
  REQUIRE(registrar.client());
  CHECK(registrar.client()->port == 5683);
  CHECK(registrar.answer(wire::coap_request(wire::kCoapPost, "/rd/1"), 5690)->message.code == wire::kCoapChanged);
  CHECK(registrar.client()->port == 5690);
  CHECK(registrar.answer(wire::coap_request(wire::kCoapPost, "/rd/7"), 5690)->message.code == wire::kCoapNotFound);
  CHECK(registrar.answer(wire::coap_request(wire::kCoapDelete, "/rd/1"), 5690)->message.code == wire::kCoapDeleted);
  CHECK_FALSE(registrar.client());
}

}  // namespace
}  // namespace assay

#include <deque>

#include "probes/sessions/bell.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/coap.hpp"
#include "tests/unit/probes/update_campaign.hpp"

/// A campaign against an LwM2M client of script that images are written into: what its state and result mean together,
/// and a start that shows by its registration alone.
namespace assay {
namespace {

using wire::CoapMessage;

constexpr std::uint16_t kClientPort = 40000;

struct FirmwareClient {
  fake::FakeNetwork network;
  std::string version = "2.4.0";
  bool installs_what_it_refused = false;
  bool takes_same = false;
  bool comes_to_no_end = false;  // with an image that is not the genuine one
  std::deque<CoapMessage> to_us;
  sessions::Bell* bell = nullptr;

  FirmwareClient() { come(); }

  void come() {
    auto request = wire::coap_request(wire::kCoapPost, "rd");
    wire::add_option(request, wire::kCoapUriQuery, "ep=hub");
    request.payload = "</3/0>,</5/0>";
    request.id = static_cast<std::uint16_t>(1000 + ++starts_);
    request.token = "R";
    to_us.push_back(std::move(request));
  }

  void hear(const CoapMessage& heard) {
    if (heard.code == 0 || heard.code >> 5U != 0) {
      return;  // an answer to its registration
    }
    CoapMessage out;
    out.type = CoapMessage::Type::acknowledgement;
    out.id = heard.id;
    out.token = heard.token;
    out.code = wire::kCoapChanged;
    const auto path = wire::coap_path(heard);
    if (heard.code == wire::kCoapGet) {
      out.code = wire::kCoapContent;
      out.payload = path == "/3/0/3"   ? version
                    : path == "/5/0/9" ? "1"  // images are written into it
                                       : std::to_string(path == "/5/0/3" ? state_ : result_);
      to_us.push_back(std::move(out));
      if (path == "/5/0/3" || path == "/5/0/5") {
        go_on();
      }
      return;
    }
    if (path == "/5/0/0") {
      take(heard, out);
    } else if (path == "/5/0/2") {
      state_ = 3;
      left_ = comes_to_no_end && becomes_ != "2.5.0" ? 0 : kReads;
    } else {
      state_ = result_ = 0;
    }
    to_us.push_back(std::move(out));
  }

  void restore() {
    version = "2.4.0";
    state_ = result_ = left_ = 0;
    come();
    bell->ring();
  }

 private:
  static constexpr int kReads = 4;  // of its state and result, until what is there is installed

  void take(const CoapMessage& heard, CoapMessage& out) {
    const auto* option = wire::find_option(heard, wire::kCoapBlock1);
    REQUIRE(option != nullptr);
    const auto block = *wire::coap_block_of(option->value);
    taken_ = block.number == 0 ? heard.payload : taken_ + heard.payload;
    wire::add_option(out, wire::kCoapBlock1, option->value);
    if (!block.more) {
      const std::string wanted = taken_[0] == 'n' ? "2.5.0" : "2.3.0";
      const bool good = taken_[0] == 'n' && (wanted != version || takes_same);
      becomes_ = wanted;
      result_ = good ? 0 : 5;
      state_ = good || installs_what_it_refused ? 2 : 0;
    }
  }

  /// It shows the result of before until it has started anew.
  void go_on() {
    if (left_ > 0 && --left_ == 0) {
      version = becomes_;
      state_ = 0;
      result_ = 1;
      come();
    }
  }

  std::string taken_, becomes_;
  int state_ = 0;
  int result_ = 0;
  int left_ = 0;
  int starts_ = 0;
};

class FirmwareWire final : public DatagramListener {
 public:
  explicit FirmwareWire(FirmwareClient& client) : client_(client) { client_.bell = &bell_; }

  std::string address() const override { return "192.0.2.1"; }

  std::uint16_t port() const override { return 5683; }

  std::int64_t strangers() const override { return 0; }

  asio::awaitable<Result<Datagrams::Received>> receive(milliseconds within) override {
    while (client_.to_us.empty()) {
      const auto waited = co_await bell_.wait(within);
      if (!waited) {
        co_return waited.error();
      }
    }
    const auto bytes = wire::encode_coap(client_.to_us.front());
    client_.to_us.pop_front();
    const auto span = wire::bytes_of(bytes);
    co_return Datagrams::Received{Bytes{span.begin(), span.end()}, kClientPort};
  }

  asio::awaitable<Result<>> send(std::uint16_t to_port, std::span<const std::byte> payload) override {
    co_return answer(to_port, payload);
  }

  Result<> answer(std::uint16_t, std::span<const std::byte> payload) override {
    const auto parse = wire::parse_coap(wire::text_of(payload));
    REQUIRE(parse.state == wire::Parse::complete);
    client_.hear(parse.message);
    bell_.ring();
    return {};
  }

 private:
  FirmwareClient& client_;
  sessions::Bell bell_;
};

struct FirmwareCampaign : update_tests::Campaign {
  FirmwareClient client;
  json::value control;

  FirmwareCampaign() {
    mechanism().transport = UpdateTransport::lwm2m;
    mechanism().serve = UpdateServer{};
    mechanism().client = UpdateClient{};
    mechanism().client->deliver = UpdateDelivery::push;
    mechanism().version_at.exec.reset();
    mechanism().version_at.resource = "/3/0/3";
    mechanism().takes_ms = 2000;
    add("older", {"older"}).image = {{"kind", "older"}};
    add("same").image = {{"kind", "same"}};
    library.attack_lists["update"].attacks.back().after_update = true;
  }

  fake::Run run(const char* attack, std::int64_t watch_s = 0, bool restore = true) {
    fake::FakeBench bench;
    bench.outcome = [this](const Recipe&, const RecipeUse&) {
      client.restore();
      return Result<RecipeDone>{RecipeDone{}};
    };
    client.network.listening = [this](std::uint16_t) {
      std::unique_ptr<DatagramListener> made = std::make_unique<FirmwareWire>(client);
      return Result<std::unique_ptr<DatagramListener>>{std::move(made)};
    };
    return observe(client.network, bench, {{"attacks", attack}, {"watch_s", watch_s}, {"restore", restore}});
  }

  json::value tried(const char* attack, bool accepted = true) {
    const auto ran = run(attack);
    const auto attempts = ran.record.value("update.attempts");
    CAPTURE(json::serialize(ran.record.value("update.not_tried")), json::serialize(ran.record.value("update.control")));
    REQUIRE(attempts.as_array().size() == 1);
    control = ran.record.value("update.control").as_array().at(0);
    CHECK(control.at("accepted") == accepted);
    return attempts.as_array().at(0);
  }
};

TEST_CASE("update by LwM2M: a result from before the update that is going on is no end of it") {
  FirmwareCampaign sound;
  const auto refused = sound.tried("older");
  CHECK(refused.at("refused") == "after download");
  CHECK(refused.at("installed") == false);
  CHECK(refused.at("reported") == "result 5 (integrity check failed)");
  FirmwareCampaign flawed;
  flawed.client.installs_what_it_refused = true;
  const auto taken = flawed.tried("older");
  CHECK(taken.at("installed") == true);
  CHECK(taken.at("version_after") == "2.3.0");
}

TEST_CASE("update by LwM2M: what a device says that is still updating is no refusal of the next image") {
  FirmwareCampaign stuck;
  stuck.client.installs_what_it_refused = stuck.client.comes_to_no_end = true;
  stuck.tried("older", false);
  const auto& last = stuck.control.at("last");
  CHECK(last.at("offered") == false);
  CHECK(last.at("trouble") == "the device is still updating with what it was offered before");
}

TEST_CASE("update by LwM2M: that a device registers is no question for an update, so that it is not watched for one") {
  FirmwareCampaign campaign;
  campaign.mechanism().client->deliver = UpdateDelivery::as_told;
  const auto seen = campaign.run("none", 5).record.value("update.passive").as_array().at(0);
  CHECK(seen.at("transport") == "lwm2m");
  CHECK(seen.at("unprompted").is_null());
  CHECK(seen.at("watched_ms").is_null());
}

TEST_CASE("update by LwM2M: what a device does not fetch is not tried, also where it tells so when it is offered") {
  FirmwareCampaign campaign;
  campaign.mechanism().client->deliver = UpdateDelivery::as_told;
  campaign.add("link-50").server = {{"link_at", 50}};
  const auto ran = campaign.run("link-50", 0, false);  // so that no genuine update comes before
  CHECK(ran.record.value("update.attempts").as_array().empty());
  std::string why;
  const auto not_tried = ran.record.value("update.not_tried");
  for (const auto& one : not_tried.as_array()) {
    why = one.at("attack") == "link-50" ? std::string{std::string_view{one.at("why").as_string()}} : why;
  }
  CHECK(why == "the image is written into the device: it fetches nothing that could be kept from it");
  CHECK(ran.record.value("update.control").as_array().at(0).at("accepted") == true);
}

TEST_CASE("update by LwM2M: another registration after a success is a start, and a refusal is none") {
  FirmwareCampaign sound;
  CHECK(sound.tried("same").at("restarted") == false);
  FirmwareCampaign flawed;
  flawed.client.takes_same = true;
  const auto again = flawed.tried("same");
  CHECK(again.at("says_success") == true);
  CHECK(again.at("restarted") == true);
  CHECK(again.at("version_after") == "2.5.0");
}

}  // namespace
}  // namespace assay

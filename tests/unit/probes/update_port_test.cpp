#include <algorithm>
#include <deque>
#include <functional>

#include "probes/sessions/bell.hpp"
#include "probes/update/servers/coap_port.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

/// Messages of CoAP both ways on one port: a device of script answers what it is sent, and time does not pass.
namespace assay {
namespace {

using probes::update::CoapPort;
using probes::update::CoapReply;
using wire::CoapMessage;

/// What the device says to each datagram that it gets.
using DeviceTalk = std::function<std::vector<CoapMessage>(const CoapMessage& heard)>;

struct TalkingWire {
  std::deque<CoapMessage> to_us;
  std::vector<CoapMessage> to_device;
  DeviceTalk device;
};

class TalkingListener final : public DatagramListener {
 public:
  explicit TalkingListener(TalkingWire& talk) : talk_(talk) {}

  std::string address() const override { return "192.0.2.1"; }

  std::uint16_t port() const override { return 5683; }

  std::int64_t strangers() const override { return 0; }

  asio::awaitable<Result<Datagrams::Received>> receive(milliseconds within) override {
    while (talk_.to_us.empty()) {
      const auto waited = co_await bell_.wait(within);
      if (!waited) {
        co_return waited.error();
      }
    }
    const auto bytes = wire::encode_coap(talk_.to_us.front());
    talk_.to_us.pop_front();
    const auto span = wire::bytes_of(bytes);
    co_return Datagrams::Received{Bytes{span.begin(), span.end()}, 40000};
  }

  asio::awaitable<Result<>> send(std::uint16_t to_port, std::span<const std::byte> payload) override {
    co_return answer(to_port, payload);
  }

  Result<> answer(std::uint16_t to_port, std::span<const std::byte> payload) override {
    CHECK(to_port == 40000);
    const auto parse = wire::parse_coap(wire::text_of(payload));
    REQUIRE(parse.state == wire::Parse::complete);
    talk_.to_device.push_back(parse.message);
    for (auto& said : talk_.device ? talk_.device(parse.message) : std::vector<CoapMessage>{}) {
      talk_.to_us.push_back(said);
    }
    bell_.ring();
    return {};
  }

 private:
  TalkingWire& talk_;
  sessions::Bell bell_;  // its timer is of the context that the port lives in
};

struct TalkingNetwork {
  fake::FakeNetwork network;
  TalkingWire talk;

  TalkingNetwork() {
    network.listening = [this](std::uint16_t) {
      std::unique_ptr<DatagramListener> made = std::make_unique<TalkingListener>(talk);
      return Result<std::unique_ptr<DatagramListener>>{std::move(made)};
    };
  }
};

/// What is done with the port while it is open; it is closed afterwards.
using PortCourse = asio::awaitable<void> (*)(CoapPort& port);

struct PortStage {
  CoapPort::Handler handler;
  PortCourse course = nullptr;
};

PortStage port_stage;

class PortUser final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    CoapPort port(context, port_stage.handler);
    const std::uint16_t number = 5683;
    const auto opened = co_await port.open(number);
    CHECK(opened.has_value());
    co_await port_stage.course(port);
    co_await port.close();
    co_return Result<>{};
  }
};

std::unique_ptr<Probe> make_port_user() {
  return std::make_unique<PortUser>();
}

const ProbeDescriptor kPortUser{
    .id = "port_user", .summary = "Uses a port.", .parameters = {}, .facts = {}, .make = &make_port_user};

void use_port(TalkingNetwork& network, CoapPort::Handler handler, PortCourse course) {
  port_stage = {std::move(handler), course};
  const auto ran = fake::observe(kPortUser, network.network, "tcp/80");
  CHECK(ran.ended.has_value());
}

CoapMessage coap_said(CoapMessage::Type type, std::uint8_t code, std::uint16_t id, std::string token = {}) {
  CoapMessage out;
  out.type = type;
  out.code = code;
  out.id = id;
  out.token = std::move(token);
  return out;
}

asio::awaitable<void> ask_state(CoapPort& port) {
  auto request = wire::coap_request(wire::kCoapGet, "/5/0/3");
  const milliseconds within{1000};
  const auto answer = co_await port.ask(40000, std::move(request), within);
  REQUIRE(answer);
  CHECK(answer->code == wire::kCoapContent);
}

asio::awaitable<void> ask_refused(CoapPort& port) {
  auto request = wire::coap_request(wire::kCoapGet, "/5/0/3");
  const milliseconds within{1000};
  const auto answer = co_await port.ask(40000, std::move(request), within);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::reset);
}

TEST_CASE("CoAP port: an answer in the acknowledgement, and one that comes apart and is acknowledged") {
  TalkingNetwork network;
  network.talk.device = [](const CoapMessage& heard) {
    return std::vector{coap_said(CoapMessage::acknowledgement, wire::kCoapContent, heard.id, heard.token)};
  };
  use_port(network, {}, &ask_state);
  CHECK(network.talk.to_device.size() == 1);
  TalkingNetwork apart;
  apart.talk.device = [](const CoapMessage& heard) {
    return heard.code == 0 ? std::vector<CoapMessage>{}
                           : std::vector{coap_said(CoapMessage::acknowledgement, 0, heard.id),
                                         coap_said(CoapMessage::confirmable, wire::kCoapContent, 77, heard.token)};
  };
  use_port(apart, {}, &ask_state);
  REQUIRE(apart.talk.to_device.size() == 2);
  CHECK(apart.talk.to_device[1].type == CoapMessage::acknowledgement);
  CHECK(apart.talk.to_device[1].id == 77);
}

TEST_CASE("CoAP port: a Reset refuses, and answers that nobody asked for are told so") {
  TalkingNetwork network;
  network.talk.device = [](const CoapMessage& heard) {
    return heard.code == 0 ? std::vector<CoapMessage>{}
                           : std::vector{coap_said(CoapMessage::confirmable, wire::kCoapContent, 9, "no"),
                                         coap_said(CoapMessage::reset, 0, heard.id)};
  };
  use_port(network, {}, &ask_refused);
  REQUIRE(network.talk.to_device.size() == 2);
  CHECK(network.talk.to_device[1].type == CoapMessage::reset);
  CHECK(network.talk.to_device[1].id == 9);
}

TEST_CASE("CoAP port: a request that comes twice is handled once and answered twice, and a ping is answered") {
  TalkingNetwork network;
  int handled = 0;
  const auto get = [] {
    auto out = wire::coap_request(wire::kCoapGet, "/update");
    out.id = 5;
    return out;
  };
  for (const auto& one : {get(), get(), coap_said(CoapMessage::confirmable, 0, 6)}) {
    network.talk.to_us.push_back(one);
  }
  network.talk.device = [](const CoapMessage& heard) {
    return heard.code == wire::kCoapGet
               ? std::vector{coap_said(CoapMessage::acknowledgement, wire::kCoapContent, heard.id, heard.token)}
               : std::vector<CoapMessage>{};
  };
  const auto handler = [&](const CoapMessage&, std::uint16_t) {
    ++handled;
    CoapReply reply;
    reply.message.code = wire::kCoapContent;
    return reply;
  };
  use_port(network, handler, &ask_state);  // which is answered behind what waits
  CHECK(handled == 1);
  REQUIRE(network.talk.to_device.size() == 4);
  const auto answers = std::count_if(network.talk.to_device.begin(), network.talk.to_device.end(),
                                     [](const auto& one) { return one.id == 5 && one.code == wire::kCoapContent; });
  CHECK(answers == 2);
  CHECK(std::any_of(network.talk.to_device.begin(), network.talk.to_device.end(),
                    [](const auto& one) { return one.type == CoapMessage::reset && one.id == 6; }));
}

}  // namespace
}  // namespace assay

#include <deque>
#include <string>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "probes/sessions/bell.hpp"
#include "probes/update/servers/tftp_server.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

/// What our TFTP server decides: a device of script asks and acknowledges, and the clock moves only while somebody
/// waits.
namespace assay {
namespace {

using probes::update::Behaviour;
using probes::update::Fetched;
using probes::update::Offer;
using probes::update::TftpServer;
using wire::TftpPacket;

constexpr std::uint16_t kAsker = 40000;

/// The device: its requests in order, and how it takes what it is sent.
struct AskingDevice {
  fake::FakeNetwork network;
  std::deque<std::string> requests;
  std::size_t most = 1000000;  // bytes that it takes before it falls silent
  std::string taken;
  std::vector<std::string> agreed;  // "name=value" of every option
  std::vector<std::string> errors;  // "code words"
  std::uint16_t last = 0;
  std::uint16_t comes_from = kAsker;  // a request beside a transfer
  std::string beside;                 // what it asks for while nothing more comes
  sessions::Bell* asking = nullptr;   // … which is heard then

  std::string hear(const TftpPacket& packet) {
    if (packet.kind == TftpPacket::Kind::error) {
      errors.push_back(std::to_string(packet.number) + " " + packet.message);
      return {};
    }
    if (packet.kind == TftpPacket::Kind::options) {
      for (const auto& option : packet.options) {
        agreed.push_back(option.name + "=" + option.value);
      }
      last = 0;
      return wire::tftp_acknowledgement(0);
    }
    if (taken.size() >= most) {
      return {};
    }
    if (packet.number == static_cast<std::uint16_t>(last + 1)) {
      taken += packet.data;
      last = packet.number;
    }
    return wire::tftp_acknowledgement(packet.number);
  }
};

/// The port that is asked (`asks`), or one of a transfer.
class AskedPort final : public DatagramListener {
 public:
  AskedPort(AskingDevice& device, bool asks) : device_(device), asks_(asks) {
    if (asks) {
      device.asking = &bell_;
    }
  }

  std::string address() const override { return "192.0.2.1"; }

  std::uint16_t port() const override { return 69; }

  std::int64_t strangers() const override { return 0; }

  asio::awaitable<Result<Datagrams::Received>> receive(milliseconds within) override {
    auto& waiting = asks_ ? device_.requests : said_;
    if (waiting.empty() && !asks_) {
      if (!device_.beside.empty()) {
        constexpr int kTurns = 20;  // until it was heard
        device_.requests.push_back(std::exchange(device_.beside, {}));
        device_.asking->ring();
        auto executor = co_await asio::this_coro::executor;
        for (int i = 0; i < kTurns; ++i) {
          co_await asio::post(executor, asio::use_awaitable);
        }
      }
      device_.network.passed += within;
      co_return Error{ErrorKind::timed_out, "silence", {}};
    }
    while (waiting.empty()) {
      const auto waited = co_await bell_.wait(within);
      if (!waited) {
        co_return waited.error();
      }
    }
    const auto text = waiting.front();
    waiting.pop_front();
    const auto span = wire::bytes_of(text);
    const bool later = asks_ && device_.taken.size() > 0;
    co_return Datagrams::Received{Bytes{span.begin(), span.end()}, later ? device_.comes_from : kAsker};
  }

  asio::awaitable<Result<>> send(std::uint16_t to_port, std::span<const std::byte> payload) override {
    co_return answer(to_port, payload);
  }

  Result<> answer(std::uint16_t to_port, std::span<const std::byte> payload) override {
    CHECK((to_port == kAsker || to_port == device_.comes_from));
    const auto packet = wire::parse_tftp_packet(wire::text_of(payload));
    REQUIRE(packet.state == wire::Parse::complete);
    if (auto words = device_.hear(packet); !words.empty()) {
      said_.push_back(std::move(words));
    }
    return {};
  }

 private:
  AskingDevice& device_;
  bool asks_;
  std::deque<std::string> said_;
  sessions::Bell bell_;
};

struct ServingStage {
  Offer offer;
  int power_cuts = 0;
  bool relay_sticks = false;
  Fetched fetched;
  std::string words;
};

ServingStage serving_stage;

asio::awaitable<Result<>> count_power_cut(probes::update::Loss) {
  if (serving_stage.relay_sticks) {
    co_return Error{ErrorKind::io, "the relay is stuck", {}};
  }
  ++serving_stage.power_cuts;
  co_return Result<>{};
}

class ServingUser final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    constexpr int kTurns = 2000;  // of what else is to be done
    TftpServer server(context);
    server.on_loss = &count_power_cut;
    server.serve({serving_stage.offer, "hub.bin", milliseconds{12000}});
    const std::uint16_t number = 69;
    const auto opened = co_await server.open(number);
    CHECK(opened);
    auto executor = co_await asio::this_coro::executor;
    for (int i = 0; i < kTurns; ++i) {
      co_await asio::post(executor, asio::use_awaitable);
    }
    serving_stage.fetched = server.fetched();
    serving_stage.words = server.words();
    co_await server.withdraw();
    co_await server.close();
    co_return Result<>{};
  }
};

std::unique_ptr<Probe> make_serving_user() {
  return std::make_unique<ServingUser>();
}

const ProbeDescriptor kServingUser{
    .id = "serving_user", .summary = "Serves.", .parameters = {}, .facts = {}, .make = &make_serving_user};

std::string read_of(std::string_view file, const std::vector<wire::TftpOption>& options = {}) {
  return wire::tftp_request(TftpPacket::Kind::read, file, options);
}

/// What of ours does not work.
struct BrokenServer {
  bool relay = false;
  int ports = 0;                   // for so many transfers there is none
  images::Source image = nullptr;  // that is not the usual one
};

/// A file that shrank meanwhile.
class ShrunkSource final : public images::ByteSource {
 public:
  std::uint64_t size() const override { return 5000; }

  Result<std::size_t> read_at(std::uint64_t, std::span<std::byte>) const override {
    return Error{ErrorKind::io, "the file shrank", {}};
  }
};

const Fetched& serve(AskingDevice& device, const Behaviour& behaviour = {}, BrokenServer broken = {}) {
  serving_stage = {};
  serving_stage.offer.genuine = std::make_shared<images::MemorySource>(std::string(5000, 'g'));
  serving_stage.offer.image =
      broken.image ? broken.image : std::make_shared<images::MemorySource>(std::string(5000, 'n'));
  serving_stage.offer.behaviour = behaviour;
  serving_stage.relay_sticks = broken.relay;
  device.network.listening = [&](std::uint16_t port) {
    if (port == 0 && broken.ports-- > 0) {
      return Result<std::unique_ptr<DatagramListener>>{Error{ErrorKind::io, "no port is left", {}}};
    }
    std::unique_ptr<DatagramListener> made = std::make_unique<AskedPort>(device, port != 0);
    return Result<std::unique_ptr<DatagramListener>>{std::move(made)};
  };
  const auto ran = fake::observe(kServingUser, device.network, "tcp/80");
  CHECK(ran.ended.has_value());
  return serving_stage.fetched;
}

}  // namespace

TEST_CASE("update at our TFTP server: the file in blocks of the size that was agreed to") {
  AskingDevice device;
  device.requests = {read_of("/hub.bin", {{"blksize", "9000"}, {"tsize", "0"}, {"timeout", "3"}, {"windowsize", "4"}})};
  const auto& fetched = serve(device);
  CHECK(device.taken == std::string(5000, 'n'));
  CHECK(device.agreed == std::vector<std::string>{"blksize=1428", "tsize=5000", "timeout=3"});
  CHECK(fetched.whole);
  CHECK(fetched.bytes == 5000);
  CHECK(fetched.downloads == 1);
  CHECK(fetched.over == "tftp");
  CHECK(fetched.agent == "blksize=9000 tsize=0 timeout=3 windowsize=4");
}

TEST_CASE("update at our TFTP server: what is not on offer is refused in words, and counted as a request alone") {
  AskingDevice device;
  device.requests = {read_of("other.bin"), wire::tftp_request(TftpPacket::Kind::write, "hub.bin", {}), "\x07nonsense"};
  const auto& fetched = serve(device);
  CHECK(device.errors == std::vector<std::string>{"1 no such file", "2 files are only read here"});
  CHECK(fetched.requests == 2);
  CHECK(fetched.downloads == 0);
  AskingDevice unlucky;
  unlucky.requests = {read_of("hub.bin")};
  Behaviour behaviour;
  behaviour.status = 503;
  CHECK(serve(unlucky, behaviour).downloads == 0);
  CHECK(unlucky.errors == std::vector<std::string>{"0 out of order"});
}

TEST_CASE("update at our TFTP server: an interrupted file, a wrong size, and the power that is cut once") {
  AskingDevice cut;
  cut.requests = {read_of("hub.bin", {{"tsize", "0"}})};
  Behaviour behaviour;
  behaviour.cut_at = 50;
  behaviour.length = 16;
  CHECK_FALSE(serve(cut, behaviour).whole);
  CHECK(cut.taken == std::string(2560, 'n'));
  CHECK(cut.agreed == std::vector<std::string>{"tsize=80000"});
  CHECK(cut.errors == std::vector<std::string>{"0 out of order"});
  AskingDevice dark;
  dark.requests = {read_of("hub.bin")};
  Behaviour power;
  power.loss_at = 10;
  CHECK_FALSE(serve(dark, power).whole);
  CHECK(serving_stage.power_cuts == 1);
  CHECK(dark.taken.size() == 512);
  CHECK(dark.errors.empty());  // nobody is there who says it
  CHECK(serving_stage.fetched.lost);
  CHECK_FALSE(serving_stage.fetched.cutting);
  CHECK(serving_stage.fetched.trouble.empty());
  AskingDevice away;
  away.requests = {read_of("hub.bin")};
  Behaviour link;
  link.loss_at = 10;
  link.loss = probes::update::Loss::link;
  CHECK(serve(away, link).whole);  // the rest follows when it is back
  CHECK(away.taken == std::string(5000, 'n'));
  CHECK(serving_stage.fetched.bytes == 5000);
  CHECK(serving_stage.fetched.lost);
}

TEST_CASE("update at our TFTP server: what fails at our side is no word of the device") {
  Behaviour power;
  power.loss_at = 10;
  AskingDevice lit;
  lit.requests = {read_of("hub.bin")};
  const auto& uncut = serve(lit, power, {true, 0, nullptr});
  CHECK_FALSE(uncut.lost);
  CHECK_FALSE(uncut.cutting);
  CHECK(uncut.trouble == "the power was not cut: the relay is stuck");
  AskingDevice patient;
  patient.requests = {read_of("hub.bin"), read_of("hub.bin")};  // the second one from the same port
  const auto& portless = serve(patient, {}, {false, 1, nullptr});
  CHECK(portless.trouble == "there was no port for a transfer: no port is left");
  CHECK(portless.downloads == 1);
  CHECK(patient.taken == std::string(5000, 'n'));
  AskingDevice left;
  left.requests = {read_of("hub.bin")};
  const auto& shrunk = serve(left, {}, {false, 0, std::make_shared<ShrunkSource>()});
  CHECK(shrunk.trouble == "the transfer failed at our side: the file shrank");
  CHECK(serving_stage.words.empty());
  CHECK_FALSE(shrunk.whole);
}

TEST_CASE("update at our TFTP server: an interrupted file is never whole, however large its blocks are") {
  for (const auto percent : {10, 90, 99}) {
    Behaviour behaviour;
    behaviour.cut_at = percent;
    AskingDevice device;
    device.requests = {read_of("hub.bin", {{"blksize", "1428"}})};
    CHECK_FALSE(serve(device, behaviour).whole);
    CHECK(device.taken.size() == (percent == 10 ? 1428 : 3 * 1428));
    AskingDevice small;
    small.requests = {read_of("hub.bin")};
    CHECK_FALSE(
        serve(small, behaviour, {false, 0, std::make_shared<images::MemorySource>(std::string(300, 'n'))}).whole);
    CHECK(small.taken.empty());
  }
}

TEST_CASE(
    "update at our TFTP server: a slow file that was taken before the time was over shows no patience without end") {
  AskingDevice device;
  device.requests = {read_of("hub.bin")};
  Behaviour behaviour;
  behaviour.drip = true;
  const auto& fetched = serve(device, behaviour);
  CHECK(device.taken == std::string(5000, 'n'));
  CHECK(fetched.released < milliseconds{12000});
  CHECK_FALSE(fetched.held_to_the_end);
  CHECK_FALSE(fetched.gave_up_after);
}

TEST_CASE("update at our TFTP server: nothing more comes, and the next block shows whether the device still waits") {
  for (const bool waits : {true, false}) {
    AskingDevice device;
    device.requests = {read_of("hub.bin")};
    device.most = waits ? 1000000 : 2560;
    Behaviour behaviour;
    behaviour.stall_at = 50;
    const auto& fetched = serve(device, behaviour);
    CHECK(fetched.held_to_the_end == waits);
    CHECK_FALSE(fetched.holding);
    CHECK(fetched.released >= milliseconds{12000});
    CHECK(device.taken.size() == (waits ? 3072 : 2560));
  }
}

TEST_CASE(
    "update at our TFTP server: who asks for another file meanwhile has not given up, who asks for the same one has") {
  for (const auto* file : {"boot.cfg", "hub.bin"}) {
    AskingDevice device;
    device.requests = {read_of("hub.bin")};
    device.beside = read_of(file);
    device.comes_from = kAsker + 1;
    Behaviour behaviour;
    behaviour.stall_at = 50;
    const auto& fetched = serve(device, behaviour);
    CHECK(fetched.requests == 2);
    CHECK(fetched.gave_up_after.has_value() == (std::string_view{file} == "hub.bin"));
    CHECK((fetched.held_to_the_end || fetched.gave_up_after));
  }
}

TEST_CASE("update at our TFTP server: an image without end is taken to the bound, or given up") {
  AskingDevice device;
  device.requests = {read_of("hub.bin", {{"blksize", "1428"}})};
  Behaviour behaviour;
  behaviour.endless = true;
  CHECK(serve(device, behaviour).held_to_the_end);
  CHECK(device.taken.size() > 256U << 10U);
  CHECK(device.errors == std::vector<std::string>{"0 out of order"});
  AskingDevice bounded;
  bounded.requests = {read_of("hub.bin")};
  bounded.most = 8192;
  const auto& fetched = serve(bounded, behaviour);
  CHECK_FALSE(fetched.held_to_the_end);
  CHECK(fetched.gave_up_after.has_value());
  CHECK_FALSE(fetched.whole);
}

TEST_CASE("update at our TFTP server: the first transfer is the genuine image, the next one is not") {
  AskingDevice device;
  device.requests = {read_of("hub.bin")};
  Behaviour behaviour;
  behaviour.second = true;
  serve(device, behaviour);
  CHECK(device.taken == std::string(5000, 'g'));
}

}  // namespace assay

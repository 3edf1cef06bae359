#include <deque>
#include <functional>
#include <string>

#include "probes/sessions/bell.hpp"
#include "probes/update/servers/tftp_sender.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

/// A file on its way by TFTP: a device of script acknowledges what it is sent, and time does not pass.
namespace assay {
namespace {

using probes::update::TftpSender;
using wire::TftpPacket;

constexpr std::uint16_t kDevicePort = 40000;

/// What the device says to each packet that it gets.
using TftpTalk = std::function<std::vector<std::string>(const TftpPacket& heard)>;

class TftpWire final : public DatagramListener {
 public:
  explicit TftpWire(TftpTalk device) : device_(std::move(device)) {}

  std::string address() const override { return "192.0.2.1"; }

  std::uint16_t port() const override { return 50000; }

  std::int64_t strangers() const override { return 0; }

  asio::awaitable<Result<Datagrams::Received>> receive(milliseconds within) override {
    if (to_us_.empty()) {
      passed += within;
      co_return Error{ErrorKind::timed_out, "silence", {}};
    }
    const auto said = to_us_.front();
    to_us_.pop_front();
    const auto span = wire::bytes_of(said);
    co_return Datagrams::Received{Bytes{span.begin(), span.end()}, from};
  }

  asio::awaitable<Result<>> send(std::uint16_t to_port, std::span<const std::byte> payload) override {
    co_return answer(to_port, payload);
  }

  Result<> answer(std::uint16_t to_port, std::span<const std::byte> payload) override {
    ++datagrams;
    last_to = to_port;
    const auto packet = wire::parse_tftp_packet(wire::text_of(payload));
    REQUIRE(packet.state == wire::Parse::complete);
    for (auto& said : device_(packet)) {
      to_us_.push_back(std::move(said));
    }
    return {};
  }

  std::uint16_t from = kDevicePort;
  std::uint16_t last_to = 0;
  int datagrams = 0;
  milliseconds passed{0};

 private:
  TftpTalk device_;
  std::deque<std::string> to_us_;
};

/// Takes everything, block after block, as RFC 1350 has it.
struct TakingDevice {
  std::string taken;
  std::uint16_t expected = 1;
  std::size_t last = 0;
  std::uint16_t highest = 0;

  std::vector<std::string> hear(const TftpPacket& packet) {
    if (packet.kind != TftpPacket::Kind::data) {
      return {};
    }
    if (packet.number == expected) {
      taken += packet.data;
      last = packet.data.size();
      highest = std::max(highest, packet.number);
      ++expected;
    }
    return {wire::tftp_acknowledgement(packet.number)};
  }
};

/// What is done with a sender.
using SendingCourse = asio::awaitable<void> (*)(TftpSender&);

struct SendingStage {
  TftpWire* line = nullptr;
  fake::FakeNetwork* network = nullptr;
  SendingCourse course = nullptr;
  TftpSender::Course file{};
  Result<> ended{};
  std::uint64_t sent = 0;
};

SendingStage sending_stage;

class SendingUser final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext&) override {
    TftpSender sender(*sending_stage.network, *sending_stage.line, kDevicePort, true);
    co_await sending_stage.course(sender);
    co_return Result<>{};
  }
};

const ProbeDescriptor kSendingUser{
    .id = "sending_user", .summary = "Sends a file.", .parameters = {}, .facts = {}, .make = [] {
      return std::unique_ptr<Probe>{std::make_unique<SendingUser>()};
    }};

void send_with(TftpWire& line, SendingCourse course, TftpSender::Course file = {}) {
  fake::FakeNetwork network;
  sending_stage = {&line, &network, course, std::move(file)};
  const auto ran = fake::observe(kSendingUser, network, "tcp/80");
  CHECK(ran.ended.has_value());
}

TftpSender::Course whole_file(std::size_t size, std::size_t block = wire::kTftpBlock) {
  TftpSender::Course out;
  out.image = std::make_shared<images::MemorySource>(std::string(size, 'n'));
  out.until = size;
  out.block = block;
  return out;
}

asio::awaitable<void> send_file(TftpSender& sender) {
  auto file = sending_stage.file;
  sending_stage.ended = co_await sender.send(std::move(file));
  sending_stage.sent = sender.sent();
}

asio::awaitable<void> write_file(TftpSender& sender) {
  auto request = wire::tftp_request(TftpPacket::Kind::write, "hub.bin", {{"blksize", "1024"}});
  const auto agreed = co_await sender.begin(std::move(request));
  REQUIRE(agreed);
  CHECK(wire::tftp_number(*agreed, "blksize") == 1024);
  co_await send_file(sender);
}

Result<> sent_with(TftpWire& line, TftpSender::Course course, std::uint64_t* sent = nullptr) {
  send_with(line, &send_file, std::move(course));
  if (sent != nullptr) {
    *sent = sending_stage.sent;
  }
  return sending_stage.ended;
}

}  // namespace

TEST_CASE("update by TFTP: a file in blocks, and one more that is empty where the last one is full") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{511}, std::size_t{512}, std::size_t{1300}}) {
    TakingDevice device;
    TftpWire line([&](const TftpPacket& packet) { return device.hear(packet); });
    CHECK(sent_with(line, whole_file(size)));
    CHECK(device.taken == std::string(size, 'n'));
    CHECK(device.last == size % 512);
    CHECK(line.datagrams == static_cast<int>(size / 512) + 1);
  }
}

TEST_CASE("update by TFTP: behind block 65535 comes block 0") {
  TakingDevice device;
  TftpWire line([&](const TftpPacket& packet) { return device.hear(packet); });
  const std::size_t size = 8 * 70000 + 3;
  CHECK(sent_with(line, whole_file(size, 8)));
  CHECK(device.taken.size() == size);
  CHECK(device.highest == 65535);
  CHECK(device.expected == 70001 - 65536 + 1);
}

TEST_CASE("update by TFTP: what is lost is sent again, a bounded number of times") {
  int lost = 3;
  TakingDevice device;
  TftpWire line(
      [&](const TftpPacket& packet) { return lost-- > 0 ? std::vector<std::string>{} : device.hear(packet); });
  TftpWire silent([](const TftpPacket&) { return std::vector<std::string>{}; });
  CHECK(sent_with(line, whole_file(100)));
  CHECK(line.datagrams == 4);
  const auto ended = sent_with(silent, whole_file(100));
  REQUIRE_FALSE(ended);
  CHECK(ended.error().kind == ErrorKind::timed_out);
  CHECK(silent.datagrams == 5);
}

TEST_CASE("update by TFTP: an acknowledgement that comes twice is not answered, so that nothing doubles") {
  TakingDevice device;
  TftpWire line([&](const TftpPacket& packet) {
    auto said = device.hear(packet);
    said.push_back(said.front());
    return said;
  });
  CHECK(sent_with(line, whole_file(5 * 512)));
  CHECK(line.datagrams == 6);
}

TEST_CASE("update by TFTP: the device's error ends it, in its own words") {
  TftpWire line([](const TftpPacket&) { return std::vector<std::string>{wire::tftp_error(3, "full\x1b[2J")}; });
  const auto ended = sent_with(line, whole_file(100));
  REQUIRE_FALSE(ended);
  CHECK(ended.error().kind == ErrorKind::refused);
  CHECK(ended.error().what == "error 3: full\\x1b[2J");
}

TEST_CASE("update by TFTP: it stops where it is told to, with zeros behind the image until then") {
  TakingDevice device;
  TftpWire line([&](const TftpPacket& packet) { return device.hear(packet); });
  auto course = whole_file(5000);
  course.until = 2500;
  std::uint64_t sent = 0;
  CHECK(sent_with(line, std::move(course), &sent));
  CHECK(sent == 2560);
  TakingDevice flooded;
  TftpWire endless([&](const TftpPacket& packet) { return flooded.hear(packet); });
  auto more = whole_file(700);
  more.behind = 100000;
  more.until = 100700;
  more.goes_on = [](std::uint64_t so_far) { return so_far < 5000; };
  const auto ended = sent_with(endless, std::move(more));
  REQUIRE_FALSE(ended);
  CHECK(ended.error().kind == ErrorKind::closed);
  CHECK(flooded.taken == std::string(700, 'n') + std::string(5120 - 700, '\0'));
}

TEST_CASE("update by TFTP: whoever answers a request is the one it goes on with") {
  TakingDevice device;
  TftpWire line([&](const TftpPacket& packet) {
    return packet.kind == TftpPacket::Kind::write
               ? std::vector<std::string>{wire::tftp_agreement({{"blksize", "1024"}})}
               : device.hear(packet);
  });
  line.from = 41111;
  send_with(line, &write_file, whole_file(2000, 1024));
  CHECK(sending_stage.ended);
  CHECK(line.last_to == 41111);
  CHECK(device.taken.size() == 2000);
}

TEST_CASE("update by TFTP: packets of another transfer are turned away and are no answer") {
  TakingDevice device;
  bool strange = true;
  TftpWire* wire_of = nullptr;
  TftpWire line([&](const TftpPacket& packet) {
    wire_of->from = strange ? 45000 : kDevicePort;
    if (packet.kind == TftpPacket::Kind::error) {
      CHECK(packet.number == wire::kTftpUnknownPort);
      return std::vector<std::string>{};
    }
    auto said = strange ? std::vector<std::string>{wire::tftp_acknowledgement(packet.number)} : device.hear(packet);
    strange = false;
    return said;
  });
  wire_of = &line;
  CHECK(sent_with(line, whole_file(10)));
  CHECK(device.taken.size() == 10);
}

}  // namespace assay

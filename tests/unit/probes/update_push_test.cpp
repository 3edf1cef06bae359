#include <deque>
#include <set>

#include "probes/wire/bytes.hpp"
#include "probes/wire/tftp.hpp"
#include "tests/unit/probes/update_campaign.hpp"

/// A campaign against a device of script that takes images at a TFTP server of its own and needs time to install them:
/// what was not offered in truth, and a power that stays on.
namespace assay {
namespace {

using wire::TftpPacket;

constexpr std::uint16_t kPushedPort = 40069;

struct PushedDevice {
  fake::FakeNetwork network;
  std::string version = "2.4.0";
  bool refuses = false;      // every request but the first
  std::string dies_on;       // what an image begins with that it falls silent on in the middle, …
  bool installs_it = false;  // … and installs all the same
  int reads_to_install = 8;  // of its version
  int reads_later = 8;       // … from the second image on
  int dark_from = 0;         // image from which on it does not answer while it installs; 0: it always does
  bool relay_sticks = false;
  int offers = 0;
  int cuts = 0;
  int cuts_in_the_middle = 0;
  std::vector<std::string> wire_events;

  std::vector<std::string> hear(const TftpPacket& packet) {
    if (packet.kind == TftpPacket::Kind::write) {
      wire_events.emplace_back("request");
      taken_.clear();
      last_ = 0;
      if (++offers > 1 && refuses) {
        return {wire::tftp_error(2, "not now")};
      }
      return {wire::tftp_acknowledgement(0)};
    }
    if (packet.kind != TftpPacket::Kind::data) {
      return {};
    }
    if (packet.number == static_cast<std::uint16_t>(last_ + 1)) {
      last_ = packet.number;
      taken_ += packet.data;
    }
    if (!dies_on.empty() && taken_.starts_with(dies_on) && taken_.size() > 2000) {
      install(installs_it);
      return {};
    }
    if (packet.data.size() < wire::kTftpBlock) {
      install(taken_ == std::string(5000, 'n'));
    }
    return {wire::tftp_acknowledgement(packet.number)};
  }

  Result<RecipeDone> does(const Recipe& recipe) {
    const auto& command = *recipe.exec;
    if (command == "version") {
      if (left_ > 0 && --left_ == 0) {
        version = "2.5.0";
      } else if (left_ > 0 && dark_from > 0 && installs_ >= dark_from) {
        return Error{ErrorKind::io, "it does not answer", {}};
      }
      return RecipeDone{version + "\n", {}};
    }
    if (command == "restore") {
      left_ = 0;
      version = "2.4.0";
      return RecipeDone{};
    }
    if (relay_sticks) {
      return Error{ErrorKind::io, "the relay is stuck", {}};
    }
    ++cuts;
    cuts_in_the_middle += left_ > 0 ? 1 : 0;
    left_ = 0;
    return RecipeDone{};
  }

 private:
  void install(bool good) {
    if (good && left_ == 0) {
      left_ = installs_++ == 0 ? reads_to_install : reads_later;
    }
  }

  std::string taken_;
  std::uint16_t last_ = 0;
  int left_ = 0;
  int installs_ = 0;
};

class PushedPort final : public DatagramListener {
 public:
  explicit PushedPort(PushedDevice& device) : device_(device) {}

  std::string address() const override { return "192.0.2.1"; }

  std::uint16_t port() const override { return 50000; }

  std::int64_t strangers() const override { return 0; }

  asio::awaitable<Result<Datagrams::Received>> receive(milliseconds within) override {
    if (said_.empty()) {
      device_.network.passed += within;
      co_return Error{ErrorKind::timed_out, "silence", {}};
    }
    const auto text = said_.front();
    said_.pop_front();
    const auto span = wire::bytes_of(text);
    co_return Datagrams::Received{Bytes{span.begin(), span.end()}, kPushedPort};
  }

  asio::awaitable<Result<>> send(std::uint16_t to_port, std::span<const std::byte> payload) override {
    co_return answer(to_port, payload);
  }

  Result<> answer(std::uint16_t, std::span<const std::byte> payload) override {
    const auto packet = wire::parse_tftp_packet(wire::text_of(payload));
    REQUIRE(packet.state == wire::Parse::complete);
    for (auto& said : device_.hear(packet)) {
      said_.push_back(std::move(said));
    }
    return {};
  }

 private:
  PushedDevice& device_;
  std::deque<std::string> said_;
};

struct PushCampaign : update_tests::Campaign {
  PushedDevice device;

  PushCampaign() {
    mechanism().transport = UpdateTransport::tftp;
    mechanism().recovery = UpdateRecovery{"hub.bin", RecoveryDelivery::push, Endpoint{Transport::udp, 69}};
    dut.lab.power_cycle = update_tests::command("power");
    add("older", {"older"}).image = {{"kind", "older"}};
    add("power-50", {"power", "server"}).server = {{"power_at", 50}};
    add("power-installing", {"power"}).server = {{"power_installing", true}};
  }

  fake::Run run(const char* attack, std::int64_t watch_s = 0) {
    fake::FakeBench bench;
    bench.outcome = [this](const Recipe& recipe, const RecipeUse&) { return device.does(recipe); };
    device.network.listening = [this](std::uint16_t) {
      std::unique_ptr<DatagramListener> made = std::make_unique<PushedPort>(device);
      return Result<std::unique_ptr<DatagramListener>>{std::move(made)};
    };
    return observe(device.network, bench, {{"attacks", attack}, {"watch_s", watch_s}});
  }
};

json::value only_attempt(const fake::Run& ran) {
  const auto attempts = ran.record.value("update.attempts");
  CAPTURE(json::serialize(ran.record.value("update.not_tried")), json::serialize(ran.record.value("update.control")));
  REQUIRE(attempts.as_array().size() == 1);
  return attempts.as_array().at(0);
}

TEST_CASE(
    "update, power: it is cut in the middle of an installation, and counts as cut only where the recipe succeeded") {
  PushCampaign campaign;
  const auto cut = only_attempt(campaign.run("power-installing"));
  CHECK(campaign.device.cuts_in_the_middle == 1);
  CHECK(cut.at("offered") == true);
  CHECK(cut.at("power_cut") == true);
  CHECK(cut.at("version_after") == "2.4.0");
  PushCampaign stuck;
  stuck.device.relay_sticks = true;
  const auto uncut = only_attempt(stuck.run("power-installing"));
  CHECK(uncut.at("offered") == false);
  CHECK(uncut.at("power_cut") == false);
  CHECK(uncut.at("trouble") == "the power was not cut: the relay is stuck");
  CHECK(uncut.at("alive") == true);
}

TEST_CASE("update, power: what is installed before the cut is not cut in the middle") {
  PushCampaign campaign;
  campaign.device.reads_later = 1;
  const auto late = only_attempt(campaign.run("power-installing"));
  CHECK(campaign.device.cuts == 0);
  CHECK(late.at("offered") == false);
  CHECK(late.at("trouble") == "it was installed before the power could be cut");
  PushCampaign fast;
  fast.device.reads_to_install = 1;
  const auto ran = fast.run("power-installing");
  CHECK(ran.record.value("update.attempts").as_array().empty());
  CHECK(fast.device.cuts == 0);
  CHECK(update_tests::why_untried(ran, "power-installing")
            .starts_with("the genuine image was installed as soon as it was seen"));
}

TEST_CASE(
    "update, power: silence is the installation where the genuine one was silent from the beginning, else it is over") {
  PushCampaign dark;
  dark.device.dark_from = 1;
  const auto cut = only_attempt(dark.run("power-installing"));
  CHECK(dark.device.cuts_in_the_middle == 1);
  CHECK(cut.at("offered") == true);
  PushCampaign starting;
  starting.device.dark_from = 2;
  const auto doubtful = only_attempt(starting.run("power-installing"));
  CHECK(starting.device.cuts == 0);
  CHECK(doubtful.at("offered") == false);
  CHECK(std::string_view{doubtful.at("trouble").as_string()}.starts_with("the device did not answer any more"));
}

TEST_CASE("update, power: a cut in the middle of the image that failed leaves the attack untried") {
  PushCampaign campaign;
  const auto cut = only_attempt(campaign.run("power-50"));
  CHECK(campaign.device.cuts == 1);
  CHECK(cut.at("offered") == true);
  CHECK(cut.at("power_cut") == true);
  CHECK(cut.at("fetched").at("bytes") == 2560);
  PushCampaign stuck;
  stuck.device.relay_sticks = true;
  const auto uncut = only_attempt(stuck.run("power-50"));
  CHECK(uncut.at("offered") == false);
  CHECK(uncut.at("trouble") == "the power was not cut: the relay is stuck");
}

TEST_CASE("update by TFTP, pushed: a request that is refused hands nothing over") {
  PushCampaign campaign;
  campaign.device.refuses = true;
  const auto installing = only_attempt(campaign.run("power-installing"));
  CHECK(campaign.device.cuts == 0);
  CHECK(installing.at("offered") == false);
  CHECK(installing.at("trouble") == "the image did not come to its end");
  PushCampaign other;
  other.device.refuses = true;
  const auto older = only_attempt(other.run("older"));
  CHECK(older.at("offered") == true);
  CHECK(older.at("seen") == true);
  CHECK(older.at("refused") == "before download");
  CHECK(older.at("fetched").at("handed_over") == false);
  CHECK(older.at("power_cut").is_null());
}

TEST_CASE("update by TFTP, pushed: silence in the middle is no refusal, and what is installed all the same is found") {
  PushCampaign campaign;
  campaign.device.dies_on = "o";
  const auto silent = only_attempt(campaign.run("older"));
  CHECK(silent.at("offered") == false);
  CHECK(std::string_view{silent.at("trouble").as_string()}.starts_with("the device fell silent after 1536 bytes"));
  PushCampaign installs;
  installs.device.dies_on = "o";
  installs.device.installs_it = true;
  const auto found = only_attempt(installs.run("older"));
  CHECK(found.at("offered") == true);
  CHECK(found.at("installed") == true);
}

TEST_CASE("update by TFTP, pushed: nothing is written while it is watched whether the device comes by itself") {
  PushCampaign campaign;
  campaign.dut.updates[0].serve = UpdateServer{};
  campaign.run("none", 5);
  const auto watched = campaign.device.wire_events.size();
  PushCampaign unwatched;
  unwatched.run("none");
  CHECK(watched > 0);
  CHECK(watched == unwatched.device.wire_events.size());
}

}  // namespace
}  // namespace assay

#include <deque>
#include <map>
#include <optional>

#include "probes/sessions/bell.hpp"
#include "probes/wire/bytes.hpp"
#include "probes/wire/tftp.hpp"
#include "tests/unit/probes/update_campaign.hpp"

/// A campaign against a device of script that reads images at our TFTP server and may install one long after it was
/// given: what comes into force while something else is on offer.
namespace assay {
namespace {

using wire::TftpPacket;

constexpr std::uint16_t kLatePort = 40001;

/// Looks for a file each time that it is told to, unless it has one to install. Its clock is the reading of its
/// version.
struct LateDevice {
  fake::FakeNetwork network;
  sessions::Bell* asked = nullptr;  // of the port that is asked
  std::deque<std::string> requests;
  std::string version = "2.4.0";
  bool takes_older = false;
  int reads_older = 12;             // of its version, until an older image is in force; a genuine one needs 3
  int comes_again = 0;              // so often it comes into force once more, for no restore clears it
  bool looks_when_started = false;  // when its version is read first
  int unread_from = 0;              // reading of its version from which on nobody may; 0: none
  std::size_t takes_late =
      0;  // bytes of the image that it installs `late_after` of its last block; it looks again when it starts
  std::size_t takes_at_once = 0;  // … that it installs with its last block
  milliseconds late_after{8000};
  int most_late = 1000;  // so often
  bool silent_while_it_reads = false;
  int polls_at = 0;          // look by which it asks for another file alone, for it knows the image
  int restore_fails_at = 0;  // restore that fails
  int looks = 0;
  int restores = 0;

  void look() {
    if (++looks == polls_at) {
      requests.push_back(wire::tftp_request(TftpPacket::Kind::read, "manifest", {}));
      asked->ring();
    } else if (due_) {
      told_ = true;
    } else if (left_ == 0) {
      reading_ = true;
      taken_.clear();
      last_ = 0;
      requests.push_back(wire::tftp_request(TftpPacket::Kind::read, "hub.bin", {}));
      asked->ring();
    }
  }

  std::string hear(const TftpPacket& packet) {
    if (packet.kind != TftpPacket::Kind::data) {
      return {};
    }
    if (packet.number == static_cast<std::uint16_t>(last_ + 1)) {
      last_ = packet.number;
      taken_ += packet.data;
    }
    if (packet.data.size() < wire::kTftpBlock && left_ == 0) {
      reading_ = false;
      begin();
    }
    return wire::tftp_acknowledgement(packet.number);
  }

  Result<RecipeDone> does(const Recipe& recipe) {
    const auto& command = *recipe.exec;
    if (command == "look") {
      look();
    } else if (command == "restore") {
      if (++restores == restore_fails_at) {
        return Error{ErrorKind::io, "it is stuck", {}};
      }
      version = "2.4.0";
      due_.reset();
      left_ = next_ == "2.3.0" && comes_again-- > 0 ? 4 : 0;
      starts_ = true;
    } else if (unread_from > 0 && ++readings_ >= unread_from) {
      return Error{ErrorKind::denied, "nobody may", {}};
    } else {
      if (looks_when_started && std::exchange(starts_, false)) {
        look();
      }
      version = left_ > 0 && --left_ == 0 ? next_ : version;
      start_when_due();
      if (reading_ && silent_while_it_reads) {
        return Error{ErrorKind::io, "it starts", {}};
      }
    }
    return RecipeDone{version + "\n", {}};
  }

 private:
  void start_when_due() {
    if (due_ && network.elapsed() >= *due_) {
      due_.reset();
      version = "2.5.0";
      if (std::exchange(told_, false)) {
        --looks;
        look();
      }
    }
  }

  void begin() {
    if (taken_.size() == takes_late && most_late-- > 0) {
      due_ = network.elapsed() + late_after;
    } else if (taken_.size() == takes_at_once) {
      version = "2.5.0";
    }
    const bool genuine = taken_ == std::string(5000, 'n');
    if (genuine || (takes_older && taken_ == std::string(5000, 'o'))) {
      next_ = genuine ? "2.5.0" : "2.3.0";
      left_ = genuine ? 3 : reads_older;
    }
  }

  std::string taken_, next_;
  std::uint16_t last_ = 0;
  int left_ = 0;
  int readings_ = 0;
  bool starts_ = true;
  bool reading_ = false;  // an image
  bool told_ = false;     // to look, when it had something to install
  std::optional<milliseconds> due_;
};

/// The port that the device asks at (`asked`), or one of a transfer.
class LatePort final : public DatagramListener {
 public:
  LatePort(LateDevice& device, bool asked) : device_(device), asked_(asked) {
    if (asked) {
      device.asked = &bell_;
    }
  }

  std::string address() const override { return "192.0.2.1"; }

  std::uint16_t port() const override { return 69; }

  std::int64_t strangers() const override { return 0; }

  asio::awaitable<Result<Datagrams::Received>> receive(milliseconds within) override {
    auto& waiting = asked_ ? device_.requests : said_;
    while (waiting.empty()) {
      const auto waited = co_await bell_.wait(within);
      if (!waited) {
        co_return waited.error();
      }
    }
    const auto text = waiting.front();
    waiting.pop_front();
    const auto span = wire::bytes_of(text);
    co_return Datagrams::Received{Bytes{span.begin(), span.end()}, kLatePort};
  }

  asio::awaitable<Result<>> send(std::uint16_t to_port, std::span<const std::byte> payload) override {
    co_return answer(to_port, payload);
  }

  Result<> answer(std::uint16_t, std::span<const std::byte> payload) override {
    const auto packet = wire::parse_tftp_packet(wire::text_of(payload));
    REQUIRE(packet.state == wire::Parse::complete);
    if (auto words = device_.hear(packet); !words.empty()) {
      said_.push_back(std::move(words));
    }
    return {};
  }

 private:
  LateDevice& device_;
  bool asked_;
  std::deque<std::string> said_;
  sessions::Bell bell_;
};

using AttemptsByAttack = std::map<std::string, json::value>;

struct LateCampaign : update_tests::Campaign {
  LateDevice device;

  LateCampaign() {
    mechanism().transport = UpdateTransport::tftp;
    mechanism().serve = UpdateServer{};
    mechanism().serve->port = 69;
    mechanism().recovery = UpdateRecovery{"hub.bin", RecoveryDelivery::pull, std::nullopt};
    mechanism().trigger = update_tests::command("look");
    mechanism().takes_ms = 1000;
    add("older").image = {{"kind", "older"}};
    add("appended").image = {{"kind", "append"}, {"bytes", 64}};
    add("cut").image = {{"kind", "truncate"}, {"at", 50}};
  }

  fake::Run run(const char* attacks, std::int64_t watch_s = 0, std::int64_t budget_s = 900) {
    fake::FakeBench bench;
    bench.outcome = [this](const Recipe& recipe, const RecipeUse&) { return device.does(recipe); };
    device.network.listening = [this](std::uint16_t port) {
      std::unique_ptr<DatagramListener> made = std::make_unique<LatePort>(device, port != 0);
      return Result<std::unique_ptr<DatagramListener>>{std::move(made)};
    };
    return observe(device.network, bench, {{"attacks", attacks}, {"watch_s", watch_s}, {"budget_s", budget_s}});
  }
};

AttemptsByAttack attempts_of(const fake::Run& ran) {
  AttemptsByAttack out;
  const auto attempts = ran.record.value("update.attempts");
  CAPTURE(json::serialize(ran.record.value("update.control")));
  for (const auto& one : attempts.as_array()) {
    CHECK(out.emplace(std::string_view{one.at("attack").as_string()}, one).second);
  }
  return out;
}

bool is_accepted(const fake::Run& ran) {
  return ran.record.value("update.control").as_array().at(0).at("accepted") == true;
}

TEST_CASE("update, late: what comes into force while the next attack is on offer is a finding at its own alone") {
  LateCampaign campaign;
  campaign.device.takes_older = true;
  const auto ran = campaign.run("all");
  auto attempts = attempts_of(ran);
  CHECK(attempts.size() == 3);
  CHECK(attempts["older"].at("installed") == true);
  CHECK(attempts["older"].at("late") == true);
  CHECK(attempts["older"].at("version_after") == "2.3.0");
  CHECK(attempts["older"].at("refused").is_null());
  for (const auto* other : {"appended", "cut"}) {
    CAPTURE(other, json::serialize(attempts[other]));
    CHECK(attempts[other].at("installed") == false);
    CHECK(attempts[other].at("late") == false);
    CHECK(attempts[other].at("refused") == "after download");
    CHECK(attempts[other].at("version_before") == "2.4.0");
  }
  CHECK(is_accepted(ran));
  CHECK(campaign.device.looks == 6);  // two controls, three attacks, and one of them made again
  CHECK(campaign.device.restores == 3);
}

TEST_CASE(
    "update, late: what comes into force during the last genuine offer is of the attack before, and proves nothing") {
  LateCampaign campaign;
  campaign.device.takes_older = true;
  const auto ran = campaign.run("older");
  CHECK(attempts_of(ran)["older"].at("installed") == true);
  CHECK(is_accepted(ran));
  CHECK(ran.record.value("update.control").as_array().at(0).at("last").at("version_after") == "2.5.0");
  CHECK(campaign.device.looks == 4);
}

TEST_CASE("update, late: a device that is in time has its attacks made once") {
  LateCampaign campaign;
  const auto ran = campaign.run("all");
  for (const auto& [id, attempt] : attempts_of(ran)) {
    CAPTURE(id);
    CHECK(attempt.at("installed") == false);
    CHECK(attempt.at("late") == false);
  }
  CHECK(is_accepted(ran));
  CHECK(campaign.device.looks == 5);
}

TEST_CASE("update, late: an attack that is interfered with each time was not tried in truth") {
  LateCampaign campaign;
  campaign.device.takes_older = true;
  campaign.device.comes_again = 1000;
  const auto ran = campaign.run("older,appended");
  auto attempts = attempts_of(ran);
  CHECK(attempts["older"].at("installed") == true);
  const auto& appended = attempts["appended"];
  CHECK(appended.at("offered") == false);
  CHECK(appended.at("installed").is_null());
  CHECK(appended.at("trouble") == "the device came to run 2.3.0 before anything of the offer had reached it");
  CHECK_FALSE(is_accepted(ran));
}

constexpr std::size_t kAppended = 5064;

void check_apart(AttemptsByAttack& attempts, const char* installed, bool late, const char* refused) {
  CAPTURE(json::serialize(attempts[installed]), json::serialize(attempts[refused]));
  CHECK(attempts[installed].at("installed") == true);
  CHECK(attempts[installed].at("late") == late);
  CHECK(attempts[refused].at("installed") == false);
  CHECK(attempts[refused].at("late") == false);
  CHECK(attempts[refused].at("refused") == "after download");
  for (const auto& [id, attempt] : attempts) {
    CAPTURE(id);
    CHECK(attempt.at("undecided").is_null());
  }
}

TEST_CASE("update, late: a device that starts with the image before and asks again had nothing whole of this one") {
  LateCampaign campaign;
  campaign.device.takes_late = kAppended;
  const auto ran = campaign.run("appended,cut");
  auto attempts = attempts_of(ran);
  check_apart(attempts, "appended", true, "cut");
  CHECK(attempts["appended"].at("made_again") == 0);
  CHECK(attempts["cut"].at("made_again") == 1);
  CHECK(is_accepted(ran));
}

TEST_CASE("update, late: of two images that a device has whole each is offered again alone, which tells") {
  for (const bool late : {true, false}) {
    CAPTURE(late);
    LateCampaign campaign;
    campaign.add("appended again").image = {{"kind", "append"}, {"bytes", 64}};
    (late ? campaign.device.takes_late : campaign.device.takes_at_once) = kAppended;
    campaign.device.silent_while_it_reads = true;
    const auto ran = late ? campaign.run("appended,cut") : campaign.run("cut,appended again");
    auto attempts = attempts_of(ran);
    CHECK(attempts.size() == 2);
    check_apart(attempts, late ? "appended" : "appended again", late, "cut");
    for (const auto& [id, attempt] : attempts) {
      CAPTURE(id);
      CHECK(attempt.at("made_again") == 1);
    }
    CHECK(is_accepted(ran));
  }
}

TEST_CASE("update, late: what is not seen again with either of two images is a finding at none of them") {
  LateCampaign campaign;
  campaign.device.takes_late = kAppended;
  campaign.device.most_late = 1;
  campaign.device.silent_while_it_reads = true;
  const auto ran = campaign.run("appended,cut");
  auto attempts = attempts_of(ran);
  CHECK(attempts["appended"].at("undecided") == "cut");
  CHECK(attempts["cut"].at("undecided") == "appended");
  for (const auto& [id, attempt] : attempts) {
    CAPTURE(id, json::serialize(attempt));
    CHECK(attempt.at("installed").is_null());
    CHECK(attempt.at("refused").is_null());
    CHECK(attempt.at("made_again") == 1);
    const std::string trouble{std::string_view{attempt.at("trouble").as_string()}};
    CHECK(trouble.ends_with("did not when each was offered again"));
  }
}

TEST_CASE("update, late: the earlier of two images stays open where the device fetches nothing of it again") {
  LateCampaign campaign;
  campaign.device.takes_late = kAppended;
  campaign.device.most_late = 1;
  campaign.device.silent_while_it_reads = true;
  campaign.device.polls_at = 5;  // behind the control, three attacks, and at the second of them again
  const auto ran = campaign.run("older,appended,cut");
  auto attempts = attempts_of(ran);
  CHECK(attempts["appended"].at("fetched").at("bytes") == 0);
  CHECK(attempts["appended"].at("made_again") == 1);
  CHECK(attempts["appended"].at("undecided") == "cut");
  CHECK(attempts["cut"].at("undecided") == "appended");
  for (const auto* open : {"appended", "cut"}) {
    CAPTURE(open, json::serialize(attempts[open]));
    CHECK(attempts[open].at("installed").is_null());
    CHECK(attempts[open].at("refused").is_null());
  }
  CHECK(attempts["older"].at("undecided").is_null());
  CHECK(attempts["older"].at("refused") == "after download");
}

TEST_CASE("update, late: where one of two images alone could be offered again, that is said") {
  LateCampaign campaign;
  campaign.device.takes_late = kAppended;
  campaign.device.most_late = 1;
  campaign.device.silent_while_it_reads = true;
  campaign.device.restore_fails_at = 3;  // behind the control, before the repetition, and behind it
  auto attempts = attempts_of(campaign.run("appended,cut"));
  CHECK(attempts["appended"].at("made_again") == 1);
  CHECK(attempts["cut"].at("made_again") == 0);
  for (const auto& [id, attempt] : attempts) {
    CAPTURE(id, json::serialize(attempt));
    CHECK(attempt.at("installed").is_null());
    const std::string trouble{std::string_view{attempt.at("trouble").as_string()}};
    CHECK(trouble.ends_with("they could not be offered again"));
  }
}

TEST_CASE("update, late: two images are not told apart where there is no time for it") {
  LateCampaign campaign;
  campaign.device.takes_late = kAppended;
  campaign.device.silent_while_it_reads = true;
  const auto ran = campaign.run("appended,cut", 0, 25);
  auto attempts = attempts_of(ran);
  CAPTURE(json::serialize(ran.record.value("update.not_tried")));
  CHECK(attempts["cut"].at("undecided") == "appended");
  CHECK(attempts["cut"].at("made_again") == 0);
  const std::string trouble{std::string_view{attempts["appended"].at("trouble").as_string()}};
  CHECK(trouble.ends_with("they could not be offered again"));
}

TEST_CASE("update: where the genuine update takes longer than it is said to, attacks have to have that time") {
  for (const auto& [takes_ms, budget_s, tried] : {std::tuple{1000U, 10, false}, {1000U, 60, true}, {4000U, 60, true}}) {
    CAPTURE(takes_ms, budget_s);
    LateCampaign campaign;
    campaign.mechanism().takes_ms = takes_ms;
    const auto ran = campaign.run("appended", 0, budget_s);
    const auto pace = ran.record.value("update.control").as_array().at(0).at("pace");
    CAPTURE(json::serialize(pace), json::serialize(ran.record.value("update.not_tried")));
    CHECK(pace.at("takes_ms") == takes_ms);
    CHECK(pace.at("slower") == (takes_ms == 1000));
    CHECK((pace.at("took_ms").to_number<unsigned int>() > takes_ms) == (takes_ms == 1000));
    CHECK(attempts_of(ran).contains("appended") == tried);
    const auto why = json::serialize(ran.record.value("update.not_tried"));
    CHECK((why.find("longer than the 1000 ms of takes") != std::string::npos) != tried);
  }
}

TEST_CASE("update, watched: what a device asks when it starts is no question that nobody made it ask") {
  LateCampaign campaign;
  campaign.device.version = "2.5.0";  // it is brought back first
  campaign.device.looks_when_started = true;
  const auto ran = campaign.run("none", 5);
  CHECK(campaign.device.restores > 0);
  CHECK(is_accepted(ran));
  const auto seen = ran.record.value("update.passive").as_array().at(0);
  CHECK(seen.at("unprompted") == false);
  CHECK(seen.at("watched_ms") == 5000);
  CHECK(seen.at("watched_to_the_end") == true);
}

TEST_CASE("update, watched: no longer than the genuine updates leave of the budget") {
  for (const auto& [budget_s, watched_ms] : {std::pair{10, json::value(5000)}, std::pair{4, json::value(nullptr)}}) {
    CAPTURE(budget_s);
    LateCampaign campaign;
    const auto ran = campaign.run("none", 3600, budget_s);
    CHECK(ran.record.value("update.passive").as_array().at(0).at("watched_ms") == watched_ms);
    CHECK(is_accepted(ran));
  }
}

TEST_CASE("update, watched: what was seen is told where no genuine update was made") {
  LateCampaign campaign;
  campaign.device.unread_from = 2;
  const auto ran = campaign.run("none", 5);
  CHECK(campaign.device.looks == 0);
  const auto passive = ran.record.value("update.passive").as_array();
  REQUIRE(passive.size() == 1);
  CHECK(passive.at(0).at("unprompted") == false);
  CHECK(passive.at(0).at("watched_to_the_end") == false);
  CHECK_FALSE(passive.at(0).as_object().contains("transport"));
}

}  // namespace
}  // namespace assay

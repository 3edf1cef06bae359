#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "probes/update/version_text.hpp"
#include "probes/wire/ber.hpp"
#include "probes/wire/snmp.hpp"
#include "probes/wire/snmp_user.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

/// Where the version of a device is read of an account's login, and what is made of what it says.
namespace assay::probes::update {
extern const ProbeDescriptor kDescriptor;
}

namespace assay::probes::credentials {
extern const ProbeDescriptor kDescriptor;
}

namespace assay {
namespace {

namespace fs = std::filesystem;
using probes::update::told_at_end;
using probes::update::told_behind;
using probes::update::told_in;

constexpr const char* kObject = "1.3.6.1.4.1.32473.1";

/// An agent of one version and one community; it is silent to everything else.
std::string answer_of_agent(std::string_view question, wire::SnmpVersion version, std::string_view community,
                            const std::string& text) {
  using namespace wire::ber;
  wire::Reader outer{question};
  wire::Reader message{element(outer, kSequence)};
  const auto asked = integer_of(message);
  const auto word = element(message, kOctets);
  wire::Reader pdu{element(message, 0xa0)};
  const auto id = integer_of(pdu);
  if (message.failed() || pdu.failed() || asked != static_cast<std::uint32_t>(version) || word != community) {
    return {};
  }
  const auto binding = tlv(kSequence, tlv(kOid, wire::snmp_object(kObject)) + tlv(kOctets, text));
  return tlv(kSequence, integer(asked) + tlv(kOctets, word) +
                            tlv(0xa2, integer(id) + integer(0) + integer(0) + tlv(kSequence, binding)));
}

/// What an agent of version 3 says to a question about its engine; empty where this is none.
std::string engine_report(std::string_view question) {
  using namespace wire::ber;
  const auto asked = wire::parse_snmp_user_answer(question);
  if (asked.state != wire::Parse::complete) {
    return {};
  }
  const auto header =
      tlv(kSequence, integer(asked.id) + integer(65507) + tlv(kOctets, std::string(1, '\0')) + integer(3));
  const auto security = tlv(kSequence, tlv(kOctets, "\x80hub-engine") + integer(1) + integer(9) + tlv(kOctets, {}) +
                                           tlv(kOctets, {}) + tlv(kOctets, {}));
  return tlv(kSequence, integer(3) + header + tlv(kOctets, security) + tlv(kSequence, {}));
}

/// A device whose updates a recipe brings, and whose agent tells its version.
struct ToldCampaign {
  fs::path folder;
  Dut dut;
  fake::FakeLibrary library;
  fake::FakeNetwork network;
  std::string version = "2.4.0";
  int starts_for = 0;  // questions that are not answered after an offer and a restore
  int starting = 0;    // of them that are left

  ToldCampaign() {
    auto pattern = (fs::temp_directory_path() / "assay-told-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    std::ofstream(folder / "new.img") << std::string(5000, 'n');
    dut.accounts.push_back({"reader", "", Secret{"reads", "accounts entry 1"}});
    UpdateMechanism mechanism;
    mechanism.mechanism = "UM-1";
    mechanism.transport = UpdateTransport::exec;
    mechanism.offer = Recipe{};
    mechanism.offer->exec = "offer";
    mechanism.restore = Recipe{};
    mechanism.restore->exec = "restore";
    mechanism.image = {"new.img", "2.5.0"};
    mechanism.version_at.snmp = VersionObject{Endpoint{Transport::udp, 161}, "reader", kObject, "firmware"};
    mechanism.takes_ms = 0;
    dut.updates.push_back(mechanism);
    AttackList list;
    list.id = "update";
    Attack cut;
    cut.id = "cut";
    cut.image = {{"kind", "truncate"}, {"at", 50}};
    list.attacks.push_back(cut);
    library.attack_lists["update"] = list;
  }

  ToldCampaign(const ToldCampaign&) = delete;
  ToldCampaign& operator=(const ToldCampaign&) = delete;

  ~ToldCampaign() { fs::remove_all(folder); }

  fake::Run run() {
    fake::FakeBench bench;
    bench.folder = folder;
    bench.outcome = [this](const Recipe& recipe, const RecipeUse& use) -> Result<RecipeDone> {
      const bool refused = *recipe.exec == "offer" && use.environment.at("ASSAY_ATTACK") == "cut";
      version = *recipe.exec == "restore" || refused ? "2.4.0" : "2.5.0";
      starting = starts_for;
      return RecipeDone{};
    };
    auto ran = fake::observe(probes::update::kDescriptor, network, "tcp/80", {}, dut, library, bench);
    CHECK(ran.record.fault.empty());
    return ran;
  }

  /// To a question of version 2c with the community.
  std::vector<std::string> tell(std::string_view question) const {
    const auto text = "Hub firmware " + version + " B1";
    auto answer = answer_of_agent(question, wire::SnmpVersion::v2c, "reads", text);
    return answer.empty() ? std::vector<std::string>{} : std::vector{std::move(answer)};
  }

  int permits() const {
    return std::accumulate(network.permits.begin(), network.permits.end(), 0,
                           [](int sum, const auto& one) { return sum + one.second; });
  }
};

const VersionSource kInJson = [] {
  VersionSource out;
  out.pointer = "/now";
  out.report = "/last";
  return out;
}();

}  // namespace

TEST_CASE("update: the version is the word behind others, the last line, or a place in JSON") {
  CHECK(told_behind("Hub firmware 2.4.0 B1", "firmware", "it")->version == "2.4.0");
  CHECK(told_behind("SSH-2.0-hub_2.4.0", "hub_", "it")->version == "2.4.0");
  CHECK(told_behind(" 2.4.0\n", "", "it")->version == "2.4.0");
  CHECK(told_behind("Hub 2.4.0", "firmware", "its value").error().what ==
        "no version was told: its value does not hold \"firmware\"");
  CHECK_FALSE(told_behind("Hub firmware", "firmware", "it"));
  CHECK(told_at_end("reading\n2.4.0\n\n")->version == "2.4.0");
  CHECK_FALSE(told_at_end("\n"));
  CHECK_FALSE(told_at_end(std::string(200, '2')));
  CHECK(told_at_end("2.4\x1b[0m")->version == "2.4\\x1b[0m");
  const auto told = told_in(R"({"now": "2.4.0", "last": {"result": "refused"}})", kInJson);
  REQUIRE(told);
  CHECK(told->version == "2.4.0");
  CHECK(told->report == R"({"result":"refused"})");
  CHECK_FALSE(told_in(R"({"now": {}})", kInJson));
  CHECK_FALSE(told_in("2.4.0, to be sure", kInJson));
}

TEST_CASE("update: an agent of SNMP 1 is found, and a community that was taken costs no more logins") {
  ToldCampaign campaign;
  campaign.network.udp[161] = [&](std::string_view question) -> std::vector<std::string> {
    const auto text = "Hub firmware " + campaign.version + " B1";
    auto answer = answer_of_agent(question, wire::SnmpVersion::v1, "reads", text);
    return answer.empty() ? std::vector<std::string>{} : std::vector{std::move(answer)};
  };
  const auto ran = campaign.run();
  CHECK(ran.ended);
  const auto control = ran.record.value("update.control").as_array().at(0);
  CHECK(control.at("accepted") == true);
  CHECK(control.at("first").at("version_before") == "2.4.0");
  CHECK(ran.record.value("update.attempts").as_array().at(0).at("installed") == false);
  CHECK(campaign.permits() == 2);  // of version 2c and of version 1, before the first answer
}

TEST_CASE("update: a community that is not taken costs its budget, and nothing is tried") {
  ToldCampaign campaign;
  campaign.network.budget = 3;
  campaign.network.udp[161] = [](std::string_view) { return std::vector<std::string>{}; };
  const auto ran = campaign.run();
  CHECK(ran.ended);
  CHECK(ran.record.value("update.attempts").as_array().empty());
  const auto why = ran.record.value("update.not_tried").as_array().at(0).at("why");
  CHECK(std::string{std::string_view{why.as_string()}}.find("could not be read") != std::string::npos);
  CHECK(campaign.permits() == 3);
}

TEST_CASE("update: a question with a community that is lost is asked again") {
  ToldCampaign campaign;
  int asked = 0;
  campaign.network.udp[161] = [&](std::string_view question) {
    const bool lost = ++asked % 3 != 0;
    return lost ? std::vector<std::string>{} : campaign.tell(question);
  };
  const auto ran = campaign.run();
  const auto control = ran.record.value("update.control").as_array().at(0);
  CHECK(control.at("accepted") == true);
  CHECK(control.at("first").at("restarted") == false);
}

TEST_CASE("update: silence of an agent that starts anew is no wrong login") {
  ToldCampaign campaign;
  campaign.starts_for = 9;
  campaign.network.udp[161] = [&](std::string_view question) -> std::vector<std::string> {
    if (campaign.starting > 0) {
      --campaign.starting;
      return {};
    }
    auto report = engine_report(question);
    return report.empty() ? campaign.tell(question) : std::vector{std::move(report)};
  };
  const auto ran = campaign.run();
  CHECK(ran.record.value("update.control").as_array().at(0).at("accepted") == true);
  CHECK(campaign.permits() == 1);
}

TEST_CASE("update: a community that new firmware refuses costs a login each time") {
  ToldCampaign campaign;
  campaign.network.budget = 4;
  int refused = 0;
  campaign.network.udp[161] = [&](std::string_view question) -> std::vector<std::string> {
    auto report = engine_report(question);
    if (!report.empty()) {
      return {std::move(report)};
    }
    if (campaign.version == "2.5.0") {
      ++refused;
      return {};
    }
    return campaign.tell(question);
  };
  campaign.run();
  CHECK(campaign.permits() == 4);
  CHECK(refused == 4);
}

TEST_CASE(
    "update: an agent without version 3 that stays silent for longer than an update takes refuses the community") {
  ToldCampaign campaign;
  campaign.network.budget = 4;
  campaign.dut.updates.front().takes_ms = 6000;
  int before = 0;  // questions that were not answered, by when the update has its time
  std::optional<milliseconds> since;
  campaign.network.udp[161] = [&](std::string_view question) {
    if (campaign.version != "2.5.0") {
      return campaign.tell(question);
    }
    since = since ? since : campaign.network.elapsed();
    before += campaign.network.elapsed() - *since <= milliseconds{6000} ? 1 : 0;
    if (campaign.permits() == 1) {
      CHECK(campaign.network.elapsed() - *since <= milliseconds{9000});
    }
    return std::vector<std::string>{};
  };
  const auto ran = campaign.run();
  CHECK(before > 3);
  CHECK(campaign.permits() == 4);
  CHECK(ran.record.value("update.control").as_array().at(0).at("accepted") == false);
}

TEST_CASE("update: an agent without version 3 that starts in time costs no login") {
  ToldCampaign campaign;
  campaign.starts_for = 9;
  campaign.dut.updates.front().takes_ms = 6000;
  campaign.network.udp[161] = [&](std::string_view question) {
    return campaign.starting-- > 0 ? std::vector<std::string>{} : campaign.tell(question);
  };
  const auto ran = campaign.run();
  CHECK(ran.record.value("update.control").as_array().at(0).at("accepted") == true);
  CHECK(campaign.permits() == 1);
}

TEST_CASE("update: the login that reads the version is left where a dictionary was tried before") {
  ToldCampaign campaign;
  campaign.network.budget = 3;
  campaign.network.set_aside = {""};
  campaign.network.udp[161] = [&](std::string_view question) { return campaign.tell(question); };
  fake::FakeLibrary words;
  words.dictionaries["iot-common"].id = "iot-common";
  for (const auto* word : {"public", "private", "admin", "cisco"}) {
    words.dictionaries["iot-common"].credentials.push_back({"", Secret{word, "dictionary entry"}});
  }
  const auto guessed = fake::observe(probes::credentials::kDescriptor, campaign.network, "udp/161", {}, {}, words);
  CHECK(guessed.record.fault.empty());
  CHECK(campaign.permits() == 2);
  const auto ran = campaign.run();
  CHECK(ran.record.value("update.control").as_array().at(0).at("accepted") == true);
  CHECK(campaign.permits() == 3);
}

namespace {

/// A broker that tells the version to one account; `code` answers CONNECT.
fake::PeerMaker telling_broker(const ToldCampaign& campaign, std::function<char()> code, bool drips) {
  using namespace std::string_literals;
  return [=, &campaign](int) -> fake::Peer {
    return [=, &campaign](std::string_view written, fake::Line& line) {
      if (written.empty()) {
        return;
      }
      const std::string topic = "hub/version";
      const auto size = static_cast<char>(2 + topic.size() + campaign.version.size());
      const auto kind = static_cast<unsigned char>(written[0]) >> 4U;
      if (kind == 1) {
        line.say("\x20\x02\x00"s + code());
      } else if (kind == 8) {
        line.say("\x90\x03"s + std::string{written.substr(2, 2)} + "\x00"s);
        for (int i = 0; drips && i < 1000; ++i) {
          line.say(i == 0 ? "\x30\x80\x40"s : "x"s);
          line.pause(milliseconds{2000});
        }
        line.say("\x30"s + size + "\x00\x0b"s + topic + campaign.version);
      }
    };
  };
}

void read_by_topic(ToldCampaign& campaign) {
  auto& source = campaign.dut.updates.front().version_at;
  source.snmp.reset();
  source.mqtt = VersionTopic{Endpoint{Transport::tcp, 1883}, false, "reader", "hub/version"};
  campaign.dut.accounts.front().username = "reader";
}

}  // namespace

TEST_CASE("update: a broker that is not ready yet refuses nobody, and one that refuses costs a login") {
  ToldCampaign campaign;
  read_by_topic(campaign);
  campaign.starts_for = 6;
  campaign.network.tcp[1883] = telling_broker(
      campaign, [&campaign] { return static_cast<char>(campaign.starting > 0 && campaign.starting-- > 0 ? 3 : 0); },
      false);
  const auto ran = campaign.run();
  CHECK(ran.record.value("update.control").as_array().at(0).at("accepted") == true);
  CHECK(campaign.permits() == 1);

  ToldCampaign other;
  read_by_topic(other);
  other.network.budget = 4;
  int refused = 0;
  other.network.tcp[1883] = telling_broker(
      other,
      [&] {
        const bool refuses = other.version == "2.5.0";
        refused += refuses ? 1 : 0;
        return static_cast<char>(refuses ? 5 : 0);
      },
      false);
  other.run();
  CHECK(other.permits() == 4);
  CHECK(refused == 4);
}

TEST_CASE("update: a broker that drips is waited for no longer than a silent one") {
  ToldCampaign campaign;
  read_by_topic(campaign);
  campaign.network.tcp[1883] = telling_broker(
      campaign, [] { return '\0'; }, true);
  const auto ran = campaign.run();
  CHECK(ran.record.value("update.attempts").as_array().empty());
  CHECK(campaign.network.passed < milliseconds{20000});
}

}  // namespace assay

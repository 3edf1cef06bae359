#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "probes/update/version_text.hpp"
#include "probes/wire/ber.hpp"
#include "probes/wire/snmp.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

/// Where the version of a device is read of an account's login, and what is made of what it says.
namespace assay::probes::update {
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

/// A device whose updates a recipe brings, and whose agent tells its version.
struct ToldCampaign {
  fs::path folder;
  Dut dut;
  fake::FakeLibrary library;
  fake::FakeNetwork network;
  std::string version = "2.4.0";

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
      return RecipeDone{};
    };
    auto ran = fake::observe(probes::update::kDescriptor, network, "tcp/80", {}, dut, library, bench);
    CHECK(ran.record.fault.empty());
    return ran;
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

}  // namespace assay

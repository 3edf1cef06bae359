#include <optional>
#include <set>

#include "tests/unit/probes/update_campaign.hpp"

/// A whole campaign against a device of script that a recipe brings images to: time does not pass, so the end of each
/// attempt is what the device says.
namespace assay {
namespace {

/// What the device does with an image that it is handed.
struct UpdatableDevice {
  std::string version = "2.4.0";
  std::set<std::string> falls_for;  // attacks
  std::string dies_of;              // attack after which it never answers again
  bool takes_genuine = true;
  bool restores = true;    // when it is dead
  bool comes_back = true;  // after a restore
  bool dead = false;
  int reads_to_install = 0;  // of its version; 0: what it takes is in force at once
  bool needs_power = false;  // to finish what it installs
  bool stages = false;       // what it takes is in force after its next start
  bool forgets = false;      // … or never
  std::vector<std::string> events;

  Result<RecipeDone> does(const Recipe& recipe, const RecipeUse& use) {
    const auto& command = *recipe.exec;
    if (command == "version") {
      version = left_ > 0 && --left_ == 0 ? next_ : version;
      return dead ? Result<RecipeDone>{Error{ErrorKind::io, "it does not answer", {}}}
                  : Result<RecipeDone>{RecipeDone{version + "\n", {}}};
    }
    if (command == "restore") {
      events.emplace_back("restore");
      if (dead && !restores) {
        return Error{ErrorKind::io, "the relay is stuck", {}};
      }
      dead = dead && !comes_back;
      left_ = 0;
      next_.clear();
      version = "2.4.0";
      return RecipeDone{};
    }
    if (command == "power") {
      events.emplace_back("power");
      dead = needs_power && left_ > 0;
      left_ = 0;
      version = stages && !forgets && !next_.empty() ? next_ : version;
      return RecipeDone{};
    }
    const auto attack = use.environment.at("ASSAY_ATTACK");
    events.push_back(attack.empty() ? "genuine" : attack);
    if (!attack.empty() && attack == dies_of) {
      dead = true;
      return Error{ErrorKind::io, "it went away", {}};
    }
    if (attack.empty() ? takes_genuine : falls_for.contains(attack)) {
      next_ = use.environment.at("ASSAY_VERSION");
      left_ = reads_to_install;
      version = left_ == 0 && !stages ? next_ : version;
      return RecipeDone{"installed", {}};
    }
    return Error{ErrorKind::io, "it said: no", {}};
  }

 private:
  std::string next_;
  int left_ = 0;
};

struct UpdateCampaign : update_tests::Campaign {
  UpdatableDevice device;

  UpdateCampaign() {
    mechanism().transport = UpdateTransport::exec;
    mechanism().offer = update_tests::command("offer");
    add("flip").image = {{"kind", "flip_bit"}, {"where", "payload"}};
    add("older", {"older"}).image = {{"kind", "older"}};
    add("other", {"other_model"}).image = {{"kind", "other_model"}};
    add("false-server").server = {{"certificate", "self_signed"}};
    add("cut").image = {{"kind", "truncate"}, {"at", 50}};
  }

  void cut_power_while_installing(int reads) {
    device.reads_to_install = reads;
    device.falls_for.insert("power-installing");  // it is offered the genuine image
    dut.lab.power_cycle = update_tests::command("power");
    library.attack_lists["update"].attacks.clear();
    add("power-installing", {"power"}).server = {{"power_installing", true}};
  }

  fake::Run run(const json::object& parameters = {}) {
    fake::FakeNetwork network;
    fake::FakeBench bench;
    bench.outcome = [this](const Recipe& recipe, const RecipeUse& use) { return device.does(recipe, use); };
    return observe(network, bench, parameters);
  }
};

std::vector<std::string> attack_names_in(const json::value& list) {
  std::vector<std::string> out;
  for (const auto& one : list.as_array()) {
    out.emplace_back(std::string_view{one.at("attack").as_string()});
  }
  return out;
}

const json::value& attempt_on(const json::value& attempts, std::string_view attack) {
  for (const auto& one : attempts.as_array()) {
    if (one.at("attack") == json::string(attack)) {
      return one;
    }
  }
  FAIL("no attempt " << attack);
  return attempts;
}

using AttackNames = std::vector<std::string>;

TEST_CASE("update: the genuine update first and last, and a device that takes nothing else") {
  UpdateCampaign campaign;
  const auto ran = campaign.run();
  CHECK(ran.ended);
  CHECK(campaign.device.events == AttackNames{"genuine", "restore", "flip", "older", "cut", "genuine", "restore"});
  const auto control = ran.record.value("update.control").as_array().at(0);
  CHECK(control.at("accepted") == true);
  CHECK(control.at("first").at("version_before") == "2.4.0");
  CHECK(control.at("first").at("version_after") == "2.5.0");
  const auto attempts = ran.record.value("update.attempts");
  CHECK(attack_names_in(attempts) == AttackNames{"flip", "older", "cut"});
  for (const auto& one : attempts.as_array()) {
    CHECK(one.at("installed") == false);
    CHECK(one.at("refused") == "after download");
    CHECK(one.at("alive") == true);
    CHECK(one.at("serves").as_array().size() == 1);
  }
  const auto missing = ran.record.value("update.not_tried");
  CHECK(attack_names_in(missing) == AttackNames{"false-server", "other"});
  CHECK(missing.as_array().at(1).at("why") == "the DUT file does not give what it needs: other_model");
  CHECK(ran.record.value("update.bricked").as_array().empty());
}

TEST_CASE("update: what was installed is told with both versions, and the device is brought back") {
  UpdateCampaign campaign;
  campaign.device.falls_for = {"older"};
  const auto ran = campaign.run();
  const auto attempts = ran.record.value("update.attempts");
  const auto& older = attempt_on(attempts, "older");
  CHECK(older.at("installed") == true);
  CHECK(older.at("refused").is_null());
  CHECK(older.at("version_before") == "2.4.0");
  CHECK(older.at("version_after") == "2.3.0");
  CHECK(attempt_on(attempts, "flip").at("installed") == false);
  CHECK(campaign.device.events ==
        AttackNames{"genuine", "restore", "flip", "older", "restore", "cut", "genuine", "restore"});
}

TEST_CASE("update: the image of another component, and one with another date where it shows one") {
  UpdateCampaign campaign;
  std::ofstream(campaign.folder / "new.img") << std::string{"\x27\x05\x19\x56"} + std::string(60, '\1') + "content";
  std::ofstream(campaign.folder / "radio.img") << "of the radio";
  campaign.mechanism().other_component = {UpdateImage{"radio.img", "1.1"}};
  campaign.library.attack_lists["update"].attacks.clear();
  campaign.add("component", {"other_component"}).image = {{"kind", "other_component"}};
  campaign.add("date").image = {{"kind", "lie_date"}};
  campaign.device.falls_for = {"component"};
  const auto ran = campaign.run();
  const auto attempts = ran.record.value("update.attempts");
  CHECK(attempt_on(attempts, "component").at("installed") == true);
  CHECK(attempt_on(attempts, "component").at("image").at("what") ==
        "the maker's image for another component, unchanged");
  CHECK(attempt_on(attempts, "date").at("installed") == false);
  CHECK(ran.record.value("update.static").as_array().at(0).at("created") == 0x01010101);
}

TEST_CASE("update: without a genuine update that is taken nothing else is tried") {
  UpdateCampaign campaign;
  campaign.device.takes_genuine = false;
  const auto ran = campaign.run();
  CHECK(ran.record.value("update.control").as_array().at(0).at("accepted") == false);
  CHECK(ran.record.value("update.attempts").as_array().empty());
  CHECK(attack_names_in(ran.record.value("update.not_tried")).size() == 5);
  CHECK(campaign.device.events == AttackNames{"genuine"});
}

TEST_CASE("update: a device that does not come back is restored, and nothing more is tried on it") {
  UpdateCampaign campaign;
  campaign.device.dies_of = "flip";
  const auto ran = campaign.run();
  const auto bricked = ran.record.value("update.bricked").as_array();
  REQUIRE(bricked.size() == 1);
  CHECK(bricked.at(0).at("after") == "flip");
  CHECK(bricked.at(0).at("restored") == true);
  CHECK(attempt_on(ran.record.value("update.attempts"), "flip").at("alive") == false);
  CHECK(attack_names_in(ran.record.value("update.not_tried")) == AttackNames{"cut", "false-server", "older", "other"});
  UpdateCampaign lost;
  lost.device.dies_of = "older";
  lost.device.restores = false;
  const auto gone = lost.run();
  CHECK(gone.record.value("update.bricked").as_array().at(0).at("restored") == false);
  CHECK(gone.record.value("update.control").as_array().at(0).at("accepted") == false);
}

TEST_CASE("update: without a way back nothing is tried, unless it is said that none is needed") {
  UpdateCampaign campaign;
  campaign.dut.updates[0].restore.reset();
  CHECK(campaign.run().record.value("update.attempts").as_array().empty());
  CHECK(campaign.device.events.empty());
  const auto ran = campaign.run({{"restore", false}});
  CHECK(campaign.device.events == AttackNames{"flip", "older", "cut", "genuine"});
  CHECK(ran.record.value("update.control").as_array().at(0).at("accepted") == true);
  CHECK(ran.record.value("update.control").as_array().at(0).at("first").is_null());
}

TEST_CASE("update: what is in force only after the next start is installed, and told apart from what never is") {
  UpdateCampaign staged;
  staged.device.stages = true;
  staged.device.falls_for.insert("older");
  staged.dut.lab.power_cycle = update_tests::command("power");
  const auto ran = staged.run();
  CHECK(ran.record.value("update.control").as_array().at(0).at("accepted") == true);
  const auto attempts = ran.record.value("update.attempts");
  CHECK(attempt_on(attempts, "older").at("installed") == true);
  CHECK(attempt_on(attempts, "older").at("activated") == false);
  CHECK(attempt_on(attempts, "flip").at("installed") == false);
  UpdateCampaign forgetful;
  forgetful.device.stages = forgetful.device.forgets = true;
  forgetful.dut.lab.power_cycle = update_tests::command("power");
  const auto unmoved = forgetful.run();
  const auto control = unmoved.record.value("update.control").as_array().at(0);
  CHECK(control.at("accepted") == false);
  CHECK(control.at("first").at("says_success") == true);
  UpdateCampaign unlit;
  unlit.device.stages = true;  // and nothing cuts its power
  const auto dark = unlit.run();
  CHECK(dark.record.value("update.control").as_array().at(0).at("accepted") == false);
}

TEST_CASE(
    "update, by a command: the power is cut in the middle of what it goes on with after the command, and not else") {
  UpdateCampaign sound;
  sound.cut_power_while_installing(8);
  const auto cut = sound.run();
  CHECK(sound.device.events == AttackNames{"genuine", "restore", "power-installing", "power", "genuine", "restore"});
  const auto attempts = cut.record.value("update.attempts");
  CHECK(attempt_on(attempts, "power-installing").at("power_cut") == true);
  CHECK(attempt_on(attempts, "power-installing").at("alive") == true);
  UpdateCampaign bricks;
  bricks.cut_power_while_installing(8);
  bricks.device.needs_power = true;
  const auto dead = bricks.run().record.value("update.bricked").as_array();
  REQUIRE(dead.size() == 1);
  CHECK(dead.at(0).at("after") == "power-installing");
  UpdateCampaign at_once;
  at_once.cut_power_while_installing(0);
  const auto untried = at_once.run().record.value("update.not_tried").as_array();
  REQUIRE(untried.size() == 1);
  CHECK(std::string_view{untried.at(0).at("why").as_string()}.starts_with("the genuine image was installed as soon"));
  UpdateCampaign refuses;
  refuses.cut_power_while_installing(8);
  refuses.device.falls_for.clear();
  const auto refused = refuses.run().record.value("update.attempts");
  CHECK(attempt_on(refused, "power-installing").at("offered") == false);
  CHECK(attempt_on(refused, "power-installing").at("trouble") ==
        "the device said that it is done with the image before the power was to be cut");
  CHECK(refuses.device.events == AttackNames{"genuine", "restore", "power-installing", "genuine", "restore"});
}

TEST_CASE("update: only what was chosen is tried, and a file that is missing costs its mechanism only") {
  UpdateCampaign campaign;
  const auto ran = campaign.run({{"attacks", "older, cut"}});
  CHECK(attack_names_in(ran.record.value("update.attempts")) == AttackNames{"older", "cut"});
  std::filesystem::remove(campaign.folder / "new.img");
  const auto without = campaign.run();
  CHECK(without.ended);
  CHECK(without.record.value("update.attempts").as_array().empty());
  CHECK(attack_names_in(without.record.value("update.not_tried")).size() == 5);
}

TEST_CASE("update: a DUT file without mechanisms leaves everything unobserved") {
  UpdateCampaign campaign;
  campaign.dut.updates.clear();
  const auto ran = campaign.run();
  CHECK(ran.ended);
  CHECK(ran.record.is_unobserved("update.attempts"));
  CHECK(ran.record.is_unobserved("update.control"));
}

}  // namespace
}  // namespace assay

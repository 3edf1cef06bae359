#include <algorithm>
#include <map>
#include <set>

#include "tests/unit/probes/update_campaign.hpp"

/// What a campaign makes of looks at the version that show none, and of what a person mistypes.
namespace assay {
namespace {

using LookErrors = std::map<int, ErrorKind>;

constexpr const char* kQuestion = "Read the version";

/// A device that a recipe brings images to, and whose version is read by a command or a person.
struct LookedAtDevice {
  std::string version = "2.4.0";
  std::set<std::string> falls_for;    // attacks
  std::string odd_version;            // that those install; empty: the one that is said
  std::string hangs_on;               // attack whose command exceeds its time; it comes into force at the next look
  std::string lags_on;                // … whose command says that it is done; it comes into force with the next offer
  std::set<std::string> says_yes_to;  // attacks that it takes by its word alone
  std::map<int, std::string> slips;   // look -> what is typed in the place of the version
  LookErrors errors;                  // look -> why it shows none
  std::optional<ErrorKind> errors_during;  // … each during `during`
  std::string during;                      // attack
  int most_errors = 0;
  int gone_from = 0;  // look from which on nobody is there or may ask; 0: none
  ErrorKind gone = ErrorKind::unsupported;
  int answers = 1000;  // of the person who does something to it; then nobody is there
  int looks = 0;
  std::vector<std::string> events;

  Result<RecipeDone> look() {
    ++looks;
    version = next_.empty() ? version : next_;
    next_.clear();
    if (gone_from > 0 && looks >= gone_from) {
      return Error{gone, "nobody may", {}};
    }
    if (errors_during && !events.empty() && events.back() == during && most_errors-- > 0) {
      return Error{*errors_during, "not now", {}};
    }
    const auto slip = slips.find(looks);
    return RecipeDone{(slip == slips.end() ? version : slip->second) + "\n", {}};
  }

  Result<RecipeDone> does(const Recipe& recipe, const RecipeUse& use) {
    const auto& what = recipe.prompt ? *recipe.prompt : *recipe.exec;
    if (what == "version" || what.starts_with(kQuestion)) {
      return look();
    }
    if (recipe.prompt && answers-- <= 0) {
      return Error{ErrorKind::unsupported, "a person has to do it", {}};
    }
    if (what == "trigger") {
      return RecipeDone{};
    }
    if (what == "restore") {
      events.emplace_back("restore");
      version = "2.4.0";
      lagging_.clear();
      return RecipeDone{};
    }
    const auto attack = use.environment.at("ASSAY_ATTACK");
    events.push_back(attack.empty() ? "genuine" : attack);
    version = lagging_.empty() ? version : lagging_;
    lagging_ = attack == lags_on ? use.environment.at("ASSAY_VERSION") : std::string{};
    if (!attack.empty() && attack == hangs_on) {
      next_ = "2.3.0";
      return Error{ErrorKind::timed_out, "the command did not end in time", {}};
    }
    if (attack.empty() || falls_for.contains(attack)) {
      version = attack.empty() || odd_version.empty() ? use.environment.at("ASSAY_VERSION") : odd_version;
      return RecipeDone{"installed", {}};
    }
    if (attack == lags_on || says_yes_to.contains(attack)) {
      return RecipeDone{"it will be installed", {}};
    }
    return Error{ErrorKind::io, "it said: no", {}};
  }

 private:
  std::string next_, lagging_;
};

struct LookCampaign : update_tests::Campaign {
  LookedAtDevice device;

  LookCampaign() {
    mechanism().transport = UpdateTransport::exec;
    mechanism().offer = update_tests::command("offer");
    add("flip").image = {{"kind", "flip_bit"}, {"where", "payload"}};
    add("older", {"older"}).image = {{"kind", "older"}};
    add("cut").image = {{"kind", "truncate"}, {"at", 50}};
  }

  void ask_person() {
    mechanism().version_at.exec.reset();
    mechanism().version_at.prompt = Recipe{};
    mechanism().version_at.prompt->prompt = kQuestion;
  }

  fake::Run run(const char* attacks = "all") {
    fake::FakeNetwork network;
    fake::FakeBench bench;
    bench.outcome = [this](const Recipe& recipe, const RecipeUse& use) { return device.does(recipe, use); };
    return observe(network, bench, {{"attacks", attacks}});
  }
};

json::value looked_at(const fake::Run& ran, std::string_view attack) {
  const auto attempts = ran.record.value("update.attempts");
  for (const auto& one : attempts.as_array()) {
    if (one.at("attack") == json::string(attack)) {
      return one;
    }
  }
  FAIL("no attempt " << attack << " in " << json::serialize(attempts));
  return nullptr;
}

bool all_hold(const fake::Run& ran) {
  const auto attempts = ran.record.value("update.attempts");
  return attempts.as_array().size() == 3 &&
         ran.record.value("update.control").as_array().at(0).at("accepted") == true &&
         std::ranges::all_of(attempts.as_array(), [](const auto& one) { return one.at("installed") == false; });
}

TEST_CASE("update, a person: a version that is mistyped once is asked for again, whenever that is") {
  LookCampaign sound;
  sound.ask_person();
  CHECK(all_hold(sound.run()));
  CHECK(sound.device.looks < 16);
  for (int at = 1; at <= sound.device.looks; ++at) {
    CAPTURE(at);
    LookCampaign campaign;
    campaign.ask_person();
    campaign.device.slips = {{at, "2.4.O"}};
    CHECK(all_hold(campaign.run()));
    CHECK(campaign.device.looks > sound.device.looks);
  }
}

TEST_CASE(
    "update, a person: a version that nobody expects counts when it is typed twice, and not when each is another") {
  LookCampaign falls;
  falls.ask_person();
  falls.device.falls_for = {"flip"};
  falls.device.odd_version = "6.6.6";
  const auto flip = looked_at(falls.run(), "flip");
  CHECK(flip.at("installed") == true);
  CHECK(flip.at("version_after") == "6.6.6");
  LookCampaign wild;
  wild.ask_person();
  for (int at = 1; at <= 100; ++at) {
    wild.device.slips[at] = "v" + std::to_string(at);
  }
  const auto ran = wild.run();
  CHECK(ran.ended);
  CHECK(ran.record.value("update.attempts").as_array().empty());
  CHECK(wild.device.events.empty());
}

TEST_CASE("update: an offer that ended in an error is what a version that moves then is of, and not the one before") {
  LookCampaign campaign;
  campaign.device.hangs_on = "older";
  const auto ran = campaign.run();
  CHECK(looked_at(ran, "flip").at("installed") == false);
  const auto older = looked_at(ran, "older");
  CHECK(older.at("offered") == false);
  CHECK(older.at("trouble") == "the command did not end in time");
  CHECK(older.at("fetched").at("bytes") == 5000);
  CHECK(older.at("installed") == true);
  CHECK(older.at("late") == true);
  CHECK(looked_at(ran, "cut").at("installed") == false);
}

TEST_CASE(
    "update: where nobody can ask for the version any more, what was on offer stays open and the device is restored") {
  LookCampaign sound;
  sound.run();
  for (const auto kind : {ErrorKind::denied, ErrorKind::unsupported}) {
    for (int at = 1; at <= sound.device.looks; ++at) {
      CAPTURE(at, kind);
      LookCampaign campaign;
      campaign.device.gone_from = at;
      campaign.device.gone = kind;
      const auto ran = campaign.run();
      CHECK(ran.ended);
      CHECK(ran.record.value("update.bricked").as_array().empty());
      const auto attempts = ran.record.value("update.attempts").as_array();
      CHECK(attempts.size() + ran.record.value("update.not_tried").as_array().size() == 3);
      CHECK((campaign.device.events.empty() || campaign.device.events.back() == "restore"));
      const auto control = ran.record.value("update.control").as_array().at(0);
      CHECK((control.at("accepted") == true) == (at == sound.device.looks));
    }
  }
  LookCampaign campaign;
  campaign.device.during = "older";
  campaign.device.errors_during = ErrorKind::denied;
  campaign.device.most_errors = 100;
  const auto ran = campaign.run();
  const auto older = looked_at(ran, "older");
  CHECK(older.at("offered") == true);
  CHECK(older.at("installed").is_null());
  CHECK(older.at("refused").is_null());
  CHECK(older.at("alive").is_null());
  CHECK(older.at("trouble") == "the version could not be read any more: not now");
  CHECK(ran.record.value("update.not_tried").as_array().at(0).at("why") == older.at("trouble"));
  CHECK(campaign.device.events == std::vector<std::string>{"genuine", "restore", "flip", "older", "restore"});
}

TEST_CASE(
    "update, by a command: what comes into force with the next offer is of the one that the device took by its word") {
  LookCampaign campaign;
  campaign.device.lags_on = "flip";
  const auto ran = campaign.run("flip,cut");
  const auto flip = looked_at(ran, "flip");
  const auto cut = looked_at(ran, "cut");
  CAPTURE(json::serialize(flip), json::serialize(cut));
  CHECK(flip.at("installed") == true);
  CHECK(flip.at("late") == true);
  CHECK(cut.at("installed") == false);
  CHECK(cut.at("refused") == "after download");
  CHECK(cut.at("made_again") == 1);
  CHECK(campaign.device.events ==
        std::vector<std::string>{"genuine", "restore", "flip", "cut", "restore", "cut", "genuine", "restore"});
}

TEST_CASE("update, by a command: of two images that the device took by its word neither is a finding alone") {
  LookCampaign campaign;
  campaign.device.lags_on = "flip";
  campaign.device.says_yes_to = {"cut"};
  const auto ran = campaign.run("flip,cut");
  for (const auto& [attack, other] : {std::pair{"flip", "cut"}, std::pair{"cut", "flip"}}) {
    const auto one = looked_at(ran, attack);
    CAPTURE(json::serialize(one));
    CHECK(one.at("installed").is_null());
    CHECK(one.at("undecided") == other);
  }
  CHECK(looked_at(ran, "flip").at("made_again") == 1);
  CHECK(looked_at(ran, "cut").at("made_again") == 2);  // the last genuine update came next, and might have been of it
  CHECK(ran.record.value("update.control").as_array().at(0).at("accepted") == true);
}

TEST_CASE("update, by a command: a downgrade with the next offer is told by its version") {
  LookCampaign campaign;
  campaign.device.lags_on = "older";
  campaign.device.says_yes_to = {"cut"};
  const auto ran = campaign.run("older,cut");
  CHECK(looked_at(ran, "older").at("late") == true);
  CHECK(looked_at(ran, "cut").at("installed") == false);
}

TEST_CASE("update: one look that shows no version is no restart, two running are, and so is a port that refuses") {
  const auto restarted = [](ErrorKind kind, int errors) {
    LookCampaign campaign;
    campaign.device.during = "older";
    campaign.device.errors_during = kind;
    campaign.device.most_errors = errors;
    const auto older = looked_at(campaign.run(), "older");
    CHECK(older.at("installed") == false);
    CHECK(older.at("alive") == true);
    return older.at("restarted") == true;
  };
  CHECK_FALSE(restarted(ErrorKind::timed_out, 0));
  CHECK_FALSE(restarted(ErrorKind::timed_out, 1));
  CHECK_FALSE(restarted(ErrorKind::io, 1));
  CHECK(restarted(ErrorKind::timed_out, 2));
  CHECK(restarted(ErrorKind::refused, 1));
  CHECK(restarted(ErrorKind::reset, 1));
}

}  // namespace
}  // namespace assay

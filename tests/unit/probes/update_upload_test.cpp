#include <charconv>

#include "probes/wire/bytes.hpp"
#include "tests/unit/probes/update_campaign.hpp"

/// A campaign against a device of script whose own page takes images, as forms of a browser: who logs in, and forms
/// that do not end as they should.
namespace assay {
namespace {

constexpr std::uint64_t kEnough = 1U << 20U;  // of a form, for this device

struct PageDevice {
  fake::FakeNetwork network;
  std::string version = "2.4.0";
  bool asks_login = true;
  int turns_away = 401;  // who did not log in
  bool bounded = true;   // the length that a form says of itself is looked at
  bool patient = false;
  std::vector<std::string> forms;  // as far as they came, and no more than is enough
  std::uint64_t taken = 0;         // of the last one
  int cuts = 0;
  bool dies_with_link = false;  // the connection that there is

  fake::Peer connection() {
    forms.emplace_back();
    taken = 0;
    return [this, answered = false, links = links_](std::string_view written, fake::Line& line) mutable {
      if (dies_with_link && links != links_) {
        return;
      }
      auto& form = forms.back();
      taken += written.size();
      form += written.substr(0, kEnough - std::min<std::uint64_t>(kEnough, form.size()));
      const auto status = answered ? 0 : status_for(form);
      if (status != 0) {
        answered = true;
        line.say("HTTP/1.1 " + std::to_string(status) + " So\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        line.close();
      } else if (!written.empty() && !answered && !patient) {
        line.pause(milliseconds{3000});
        line.close();
      }
    };
  }

  Result<RecipeDone> does(const Recipe& recipe) {
    if (*recipe.exec == "version") {
      return RecipeDone{version + "\n", {}};
    }
    cuts += *recipe.exec == "power" ? 1 : 0;
    links_ += *recipe.exec == "link" ? 1 : 0;
    version = *recipe.exec == "link" ? version : "2.4.0";
    return RecipeDone{};
  }

 private:
  int links_ = 0;  // that were cut

  int status_for(const std::string& form) {
    const auto head = form.find("\r\n\r\n");
    const auto said = form.find("Content-Length: ");
    if (head == form.npos || said > head) {
      return 0;
    }
    std::uint64_t length = 0;
    std::from_chars(form.data() + said + 16, form.data() + head, length);
    if (asks_login && form.find("Authorization: Basic " + wire::base64("admin:secret")) == form.npos) {
      return turns_away;
    }
    if (bounded && length > kEnough) {
      return 413;
    }
    if (form.size() < head + 4 + length) {
      return 0;
    }
    version = form.find(std::string(5000, 'n')) == form.npos ? version : "2.5.0";
    return form.find(std::string(5000, 'n')) == form.npos ? 422 : 202;
  }
};

struct PageCampaign : update_tests::Campaign {
  PageDevice device;

  PageCampaign() {
    mechanism().transport = UpdateTransport::upload;
    mechanism().upload = UpdateUpload{Endpoint{Transport::tcp, 80}, false, "/update", "image", "admin"};
    dut.accounts.push_back(Account{.role = "admin", .username = "admin", .secret = Secret{"secret", "login"}});
    dut.lab.power_cycle = update_tests::command("power");
    dut.lab.link_cycle = {update_tests::command("link")};
    add("no-login", {"login"}).against = "access";
    library.attack_lists["update"].attacks.back().server = {{"anonymous", true}};
    add("cut-50").server = {{"cut_at", 50}};
    add("stalled", {"server"}).server = {{"stall_at", 50}};
    add("slow", {"server"}).server = {{"drip", true}};
    add("endless", {"server"}).server = {{"endless", true}};
    add("power-50", {"power", "server"}).server = {{"power_at", 50}};
    add("link-50", {"link", "server"}).server = {{"link_at", 50}};
    add("unavailable", {"server"}).server = {{"status", 503}};
  }

  fake::Run run(const char* attacks) {
    fake::FakeBench bench;
    bench.outcome = [this](const Recipe& recipe, const RecipeUse&) { return device.does(recipe); };
    device.network.tcp[80] = [this](int) { return device.connection(); };
    return observe(device.network, bench, {{"attacks", attacks}});
  }

  json::value only(const char* attack) {
    const auto ran = run(attack);
    const auto attempts = ran.record.value("update.attempts");
    CAPTURE(json::serialize(ran.record.value("update.not_tried")), json::serialize(ran.record.value("update.control")));
    REQUIRE(attempts.as_array().size() == 1);
    return attempts.as_array().at(0);
  }
};

TEST_CASE("update by upload: the genuine image is put in without the login, and only then nobody logs in") {
  PageCampaign campaign;
  const auto refused = campaign.only("no-login");
  CHECK(refused.at("installed") == false);
  CHECK(refused.at("offered") == true);
  CHECK(std::string_view{refused.at("reported").as_string()}.starts_with("status 401"));
  REQUIRE(campaign.device.forms.size() == 3);
  CHECK(campaign.device.forms[0].find("Authorization") != std::string::npos);
  CHECK(campaign.device.forms[1].find("Authorization") == std::string::npos);
  PageCampaign sends_to_login;
  sends_to_login.device.turns_away = 302;
  const auto sent = sends_to_login.only("no-login");
  CHECK(std::string_view{sent.at("reported").as_string()}.starts_with("status 302"));
  CHECK(sent.at("says_success") == false);
  CHECK(sent.at("refused") == "after download");
  PageCampaign open;
  open.device.asks_login = false;
  const auto taken = open.only("no-login");
  CHECK(taken.at("installed") == true);
  CHECK(taken.at("against") == "access");
  PageCampaign without;
  without.device.asks_login = false;
  without.mechanism().upload->login.clear();
  without.library.attack_lists["update"].attacks.front().needs.clear();
  CHECK(without.run("no-login").record.value("update.attempts").as_array().empty());
}

TEST_CASE("update by upload: a form that is cut ends there, and so does one whose power is cut") {
  PageCampaign campaign;
  const auto cut = campaign.only("cut-50");
  CHECK(cut.at("fetched").at("bytes") == 2500);
  CHECK(cut.at("fetched").at("whole") == false);
  CHECK(cut.at("held") == false);
  CHECK(campaign.device.forms[1].ends_with(std::string(2500, 'n')));
  PageCampaign powerless;
  const auto dark = powerless.only("power-50");
  CHECK(powerless.device.cuts == 1);
  CHECK(dark.at("power_cut") == true);
  CHECK(dark.at("fetched").at("bytes") == 2500);
}

TEST_CASE(
    "update by upload: the rest of a form whose link is cut is there when the device answers, not when it is sent") {
  PageCampaign sound;
  sound.device.patient = true;
  const auto taken = sound.only("link-50");
  CHECK(taken.at("link_cut") == true);
  CHECK(taken.at("fetched").at("whole") == true);
  PageCampaign dead;
  dead.device.patient = dead.device.dies_with_link = true;
  const auto lost = dead.only("link-50");
  CHECK(lost.at("link_cut") == true);
  CHECK(lost.at("fetched").at("whole") == false);
}

TEST_CASE("update by upload: nothing more comes, or one byte after the other, until the device has enough or we do") {
  for (const auto* attack : {"stalled", "slow"}) {
    CAPTURE(attack);
    PageCampaign campaign;
    const auto gave_up = campaign.only(attack);
    CHECK(gave_up.at("held") == false);
    CHECK(gave_up.at("gave_up_ms").as_int64() >= 3000);
    CHECK(gave_up.at("gave_up_ms").as_int64() < 12000);
    PageCampaign patient;
    patient.device.patient = true;
    const auto held = patient.only(attack);
    CHECK(held.at("held") == true);
    CHECK(held.at("gave_up_ms").is_null());
    CHECK(held.at("fetched").at("bytes").to_number<int>() < 5000);
  }
}

TEST_CASE("update by upload: a form without end is refused by the length that it says, or taken") {
  PageCampaign campaign;
  const auto refused = campaign.only("endless");
  CHECK(refused.at("held") == false);
  CHECK(std::string_view{refused.at("reported").as_string()}.starts_with("status 413"));
  PageCampaign boundless;
  boundless.device.bounded = false;
  boundless.device.patient = true;
  CHECK(boundless.only("endless").at("held") == true);
  CHECK(boundless.device.version == "2.4.0");
}

TEST_CASE("update by upload: what only a server could do has no form") {
  PageCampaign campaign;
  CHECK(update_tests::why_untried(campaign.run("unavailable"), "unavailable") ==
        "the image is put into a page of the device: there is no server of ours");
}

}  // namespace
}  // namespace assay

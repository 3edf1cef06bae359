#include <algorithm>

#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;

/// What devices do that hold back logins without saying so, or say so without doing it.
namespace holding_back {

namespace {

const std::string kRefused = "530 no\r\n";

struct Answer {
  std::string reply = kRefused;
  milliseconds after{0};
};

/// A server of FTP where admin has the password letmein1 and operator the password mine-9f2k.
struct Hub {
  std::function<Answer(int count)> habit;  // to the login number `count` (from 1) of an account that exists
  std::optional<int> shut{};               // wrong logins after which nobody gets in any more
  std::map<std::string, int> logins{};
  int wrong = 0;

  Answer judge(const std::string& name, const std::string& password) {
    const int count = ++logins[name];
    const bool exists = name == "admin" || name == "operator";
    const auto answer = exists ? habit(count) : Answer{};
    const bool right = (name == "admin" && password == "letmein1") || (name == "operator" && password == "mine-9f2k");
    const bool held = (shut && wrong >= *shut) || answer.reply != kRefused;
    wrong += right ? 0 : 1;
    return right && !held ? Answer{"230 in\r\n", {}} : answer;
  }
};

fake::PeerMaker serve(Hub& hub) {
  return [&hub](int) -> Peer {
    return ftp([&hub](const auto& name, const auto& password, Line& line) {
      const auto answer = hub.judge(name, password);
      line.pause(answer.after);
      line.say(answer.reply);
    });
  };
}

Dictionary words_of_admin(int count, bool with_the_right_one) {
  std::vector<std::pair<std::string, std::string>> list;
  for (int i = 0; i < count; ++i) {
    list.emplace_back("admin", "wrong" + std::to_string(i));
  }
  if (with_the_right_one) {
    list.back() = {"admin", "letmein1"};
  }
  return pairs(std::move(list));
}

Dut with_account() {
  Dut dut;
  dut.accounts.push_back({"operator", "operator", Secret{"mine-9f2k", "password of operator"}});
  return dut;
}

fake::Run look(Hub& hub, const Dictionary& dictionary, const Dut& dut = {}) {
  FakeNetwork network;
  network.tcp[kPort] = serve(hub);
  return attack(network, dictionary, without_blanks(), dut);
}

bool locked(const fake::Run& run) {
  return run.record.value("credentials.lockout").at("observed") == json::value(true);
}

}  // namespace

TEST_CASE("An account whose refusals warn of a lock from the first one on is tried to the end") {
  Hub hub{[](int count) {
    return count < 4 ? Answer{"530-no\r\n530 after too many wrong ones the account is locked\r\n", {}} : Answer{};
  }};
  const auto run = look(hub, words_of_admin(4, true));
  CHECK_FALSE(locked(run));
  CHECK(run.record.value("credentials.accepted").as_array().size() == 1);
}

TEST_CASE("An account that may have been locked before the first login is not called safe") {
  Hub hub{[](int) { return Answer{"530 the account is locked\r\n", {}}; }};
  const auto run = look(hub, words_of_admin(4, true));
  CHECK(run.record.is_unobserved("credentials.accepted"));
  CHECK_FALSE(locked(run));
  CHECK(run.record.reasons.at("credentials.accepted").find("speak of a lockout from the first one on") !=
        std::string::npos);
}

TEST_CASE("An account that is locked after plain refusals stops the logins") {
  Hub hub{[](int count) { return count > 3 ? Answer{"530 the account is locked\r\n", {}} : Answer{}; }};
  const auto run = look(hub, words_of_admin(12, true));
  CHECK(locked(run));
  CHECK(hub.logins["admin"] == 4);
}

TEST_CASE("Logins go on after a lockout where that is allowed, and none is lost by it") {
  for (const bool allowed : {false, true}) {
    CAPTURE(allowed);
    Hub hub{[](int count) {
      return count == 5 || count == 9 ? Answer{"530 the account is locked\r\n", {}} : Answer{};
    }};
    FakeNetwork network;
    network.tcp[kPort] = serve(hub);
    auto parameters = without_blanks();
    parameters["resume_after"] = allowed ? 60 : 0;
    const auto run = attack(network, words_of_admin(12, true), parameters);
    CHECK(locked(run));
    CHECK((coverage(run, "tried") == 12) == allowed);
    CHECK(run.record.value("credentials.lockout").as_object().contains("resumed") == allowed);
    CHECK(network.elapsed() >= milliseconds{allowed ? 60'000 : 0});
    CHECK((allowed ? run.record.value("credentials.accepted").as_array().size() : 0U) == (allowed ? 1U : 0U));
  }
}

TEST_CASE("A hit after a lockout ends the logins as any other") {
  Hub hub{[](int count) { return count == 5 ? Answer{"530 the account is locked\r\n", {}} : Answer{}; }};
  FakeNetwork network;
  network.tcp[kPort] = serve(hub);
  auto parameters = without_blanks();
  parameters["resume_after"] = 60;
  parameters["logins_on_a_connection"] = 1;
  auto list = words_of_admin(8, true);
  for (int i = 0; i < 6; ++i) {
    list.credentials.push_back({"other" + std::to_string(i), Secret{"wrong", "dictionary entry"}});
  }
  const auto run = attack(network, list, parameters);
  CHECK(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(run.record.value("credentials.lockout").at("resumed") == json::value(1));
  CHECK(coverage(run, "tried") == 8);
  CHECK(coverage(run, "skipped_stopped") == 6);
}

TEST_CASE("Another sentence of a lock than the warning before it stops the logins") {
  Hub hub{[](int count) {
    return count > 3 ? Answer{"530 the account is locked now\r\n", {}}
                     : Answer{"530 no, it is locked after " + std::to_string(4 - count) + " more\r\n", {}};
  }};
  const auto run = look(hub, words_of_admin(12, false));
  CHECK(locked(run));
  CHECK(hub.logins["admin"] == 4);
}

TEST_CASE("A device that refuses everybody in the same words after some logins is found by the tester's account") {
  for (const bool shuts : {false, true}) {
    CAPTURE(shuts);
    Hub hub{[](int) { return Answer{}; }, shuts ? std::optional{8} : std::nullopt};
    const auto run = look(hub, words_of_admin(12, false), with_account());
    CHECK(locked(run) == shuts);
    CHECK(run.record.is_unobserved("credentials.accepted") == shuts);
    CHECK(hub.logins["operator"] == 2);
  }
}

TEST_CASE("A delay that grows with each wrong login of an account is a lockout, one that varies is none") {
  for (const bool grows : {false, true}) {
    CAPTURE(grows);
    Hub hub{[grows](int count) {
      return Answer{"530 no\r\n", milliseconds{grows ? 100 << count : count % 2 == 0 ? 1500 : 200}};
    }};
    const auto run = look(hub, words_of_admin(6, false));
    CHECK(locked(run) == grows);
  }
}

}  // namespace holding_back

#include <algorithm>

#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;

/// Logins that follow each other on a connection, where a server bears that.
namespace kept {

namespace {

constexpr int kWrong = 12;
constexpr const char* kName = "admin";

/// Twelve wrong passwords of one name and then the right one.
fake::Run guess(FakeNetwork& network, FtpServer& server, std::int64_t on_a_connection = 5) {
  network.tcp[kPort] = serve(server);
  std::vector<std::pair<std::string, std::string>> list;
  for (int i = 0; i < kWrong; ++i) {
    list.emplace_back(kName, "wrong" + std::to_string(i));
  }
  list.emplace_back(kName, "letmein1");
  auto parameters = without_blanks();
  parameters["logins_on_a_connection"] = on_a_connection;
  auto run = attack(network, pairs(std::move(list)), parameters);
  REQUIRE(run.ended);
  return run;
}

void finds_it(const fake::Run& run) {
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(run.record.value("credentials.accepted").at(0).at("username") == json::value(kName));
  CHECK(run.record.value("credentials.lockout").at("observed") == json::value(false));
}

int most_wrong(const FtpServer& server) {
  return *std::max_element(server.wrong.begin(), server.wrong.end());
}

}  // namespace

TEST_CASE("Wrong logins follow each other on a connection, and no more of them than may") {
  FakeNetwork network;
  FtpServer server;
  const auto run = guess(network, server);
  finds_it(run);
  CHECK(most_wrong(server) == 5);
  FakeNetwork again;
  FtpServer alone;
  finds_it(guess(again, alone, 1));
  CHECK(most_wrong(alone) == 1);
  CHECK(alone.wrong.size() >= server.wrong.size() + 9);
}

TEST_CASE("What a server says after several wrong logins on a connection is no answer to the next one") {
  const auto refuse = [](std::string words) {
    return [words](FtpLogin login) { return login.earlier >= 2 ? words : honest(login); };
  };
  for (const auto* words :
       {"530 Too many failed logins\r\n", "421 Too many login failures, closing\r\n", "500 OOPS\r\n", ""}) {
    FakeNetwork network;
    FtpServer server{refuse(words)};
    INFO(words);
    finds_it(guess(network, server));
    CHECK(std::count_if(server.wrong.begin(), server.wrong.end(), [](int wrong) { return wrong > 2; }) == 1);
  }
}

TEST_CASE("A login that may have counted before its connection ended spends a second permit") {
  FakeNetwork network;
  network.login_budget[kName] = 6;
  FtpServer server{[](FtpLogin login) { return login.earlier >= 2 ? std::string{} : honest(login); }};
  const auto run = guess(network, server);
  CHECK(run.record.value("credentials.accepted").as_array().empty());
  CHECK(server.logins[kName] == 6);
  CHECK(network.permits[kName] == 6);
  CHECK(coverage(run, "skipped_budget") > 0);
}

TEST_CASE("A server that waits longer after each wrong login of a connection gets them on connections of their own") {
  FakeNetwork network;
  FtpServer server{[&network](FtpLogin login) {
    network.passed += milliseconds{login.earlier == 0 ? 0 : 700};
    return honest(login);
  }};
  finds_it(guess(network, server));
  CHECK(std::count_if(server.wrong.begin(), server.wrong.end(), [](int wrong) { return wrong > 1; }) == 1);
}

}  // namespace kept

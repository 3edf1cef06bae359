#include <algorithm>

#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;

namespace beside {

namespace {

constexpr int kAccounts = 60;

fake::Run try_many(FakeNetwork& network, FtpServer& server, std::size_t place, std::int64_t connections = 8) {
  network.tcp[kPort] = serve(server);
  network.at_once = 64;
  auto parameters = without_blanks();
  parameters["connections"] = connections;
  auto run = attack(network, many_pairs(kAccounts, place), parameters);
  REQUIRE(run.ended);
  return run;
}

bool goes_over_several(const fake::Run& run) {
  return std::any_of(run.record.artifacts.begin(), run.record.artifacts.end(), [](const auto& artifact) {
    return artifact.bytes.find("logins go on over 8 connections") != std::string::npos;
  });
}

/// The server was given no more passwords of an account than permits were drawn.
void check_budget(FakeNetwork& network, const FtpServer& server) {
  for (const auto& [name, count] : server.logins) {
    CHECK((name == "admin" || count <= network.permits[name]));
  }
}

}  // namespace

TEST_CASE("Logins go out over several connections where wrong ones at once are each refused") {
  for (const std::size_t place : {0U, 5U, 17U, 59U}) {
    FakeNetwork network;
    FtpServer server;
    const auto run = try_many(network, server, place);
    const auto accepted = run.record.value("credentials.accepted").as_array();
    REQUIRE(accepted.size() == 1);
    CHECK(accepted[0].at("source") == json::value("dictionary iot-common entry " + std::to_string(place + 1)));
    CHECK(goes_over_several(run));
    CHECK(network.permits["admin"] == 2);  // the hit, and a wrong password of the same name
    check_budget(network, server);
    CHECK(coverage(run, "tried") + coverage(run, "skipped_stopped") == kAccounts);
    for (const auto& artifact : run.record.artifacts) {
      CHECK(artifact.bytes.find("letmein1") == std::string::npos);
      CHECK(artifact.bytes.find("wrong5\r") == std::string::npos);
    }
  }
}

TEST_CASE("A password of one connection that comes back on another one is concealed there too") {
  FtpServer server;
  server.answer = [](FtpLogin login) { return login.right ? honest(login) : "530 wrong7\r\n"; };
  FakeNetwork network;
  const auto run = beside::try_many(network, server, 50);
  REQUIRE(beside::goes_over_several(run));
  std::size_t rows = 0;
  for (const auto& artifact : run.record.artifacts) {
    const bool row = artifact.bytes.find(", row ") != std::string::npos;
    rows += row && artifact.bytes.find("|530 {dictionary ") != std::string::npos ? 1 : 0;
    CHECK(artifact.bytes.find("wrong7") == std::string::npos);
  }
  CHECK(rows > 1);
}

TEST_CASE("Logins keep to one connection where the pace or nobody asks for more") {
  for (const bool pace : {true, false}) {
    FakeNetwork network;
    FtpServer server;
    network.tcp[kPort] = serve(server);
    network.at_once = pace ? 1 : 64;
    auto parameters = without_blanks();
    parameters["connections"] = pace ? 8 : 1;
    const auto run = attack(network, many_pairs(kAccounts, 59), parameters);
    CHECK(run.record.value("credentials.accepted").as_array().size() == 1);
    CHECK(run.record.artifacts.size() == 1);
  }
}

TEST_CASE("A server that cuts some of the connections has no lockout, and no login is lost by it") {
  FakeNetwork network;
  FtpServer server;
  server.answer = [](FtpLogin login) {
    return !login.right && login.number > 5 && login.number % 7 == 0 ? ""s : honest(login);
  };
  const auto run = try_many(network, server, 59);
  CHECK(goes_over_several(run));
  CHECK(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(run.record.value("credentials.lockout").at("observed") == json::value(false));
  CHECK(coverage(run, "tried") == kAccounts);
  CHECK(coverage(run, "unclear") == 0);
  check_budget(network, server);
}

TEST_CASE("A login that the server had no room for goes out on another connection, by the permit that it has") {
  for (const bool says_nothing : {false, true}) {
    CAPTURE(says_nothing);
    FakeNetwork network;
    FtpServer server;
    auto greeted = serve(server);
    network.tcp[kPort] = [&greeted, says_nothing, count = 0](int connection) mutable -> Peer {
      ++count;
      if (count != 9 && count != 11) {
        return greeted(connection);
      }
      return [says_nothing](std::string_view, Line& line) {
        if (!says_nothing) {
          line.close();
        }
      };
    };
    network.at_once = 64;
    auto parameters = without_blanks();
    parameters["connections"] = 8;
    const auto run = attack(network, many_pairs(kAccounts, 59), parameters);
    CHECK(goes_over_several(run));
    CHECK(run.record.value("credentials.accepted").as_array().size() == 1);
    CHECK(run.record.value("credentials.lockout").at("observed") == json::value(false));
    CHECK(coverage(run, "tried") == kAccounts);
    CHECK(coverage(run, "unclear") == 0);
    for (const auto& [name, count] : server.logins) {
      CHECK((name == "admin" || (count == 1 && network.permits[name] == 1)));
    }
  }
}

TEST_CASE("A lockout seen on one of several connections stops them all") {
  FakeNetwork network;
  FtpServer server;
  server.answer = [](FtpLogin login) {
    return !login.right && login.number > 20 ? "530 Too many failed logins, account locked\r\n"s : honest(login);
  };
  const auto run = try_many(network, server, 59);
  CHECK(run.record.value("credentials.lockout").at("observed") == json::value(true));
  CHECK(server.count <= 20 + 8);
  CHECK(coverage(run, "tried") + coverage(run, "skipped_stopped") == kAccounts);
}

TEST_CASE("A lockout that shows in wrong logins at once stops before the first candidate") {
  FakeNetwork network;
  FtpServer server;
  server.answer = [](FtpLogin login) {
    return !login.right && login.number > 3 ? "421 Too many failed logins, account locked\r\n"s : honest(login);
  };
  const auto run = try_many(network, server, 59);
  CHECK(run.record.value("credentials.lockout").at("observed") == json::value(true));
  CHECK(run.record.value("credentials.lockout").at("account") == json::value("a random account"));
  CHECK(coverage(run, "tried") == 0);
}

TEST_CASE("Refusals that get slow with many logins at once show no lockout, as they would one by one") {
  for (const std::int64_t connections : {1, 8}) {
    CAPTURE(connections);
    FakeNetwork network;
    network.at_once = 64;
    auto count = std::make_shared<int>(0);
    network.tcp[kPort] = [count](int) -> Peer {
      auto name = std::make_shared<std::string>();
      return [=](std::string_view written, Line& line) {
        const auto word = std::string{written.substr(0, written.find('\r'))};
        if (written.empty()) {
          line.say("hub login: ");
        } else if (name->empty()) {
          *name = word;
          line.say("Password: ");
        } else if (*name == "admin" && word == "letmein1") {
          line.say("hub> ");
          *name = "in";
        } else if (*name == "in") {
          line.say("hub> ");
        } else {
          name->clear();
          ++*count;
          line.pause(milliseconds{*count == 20 || *count == 21 ? 6000 : 0});
          line.say("Login incorrect\r\nhub login: ");
        }
      };
    };
    auto parameters = without_blanks();
    parameters["connections"] = connections;
    const auto run = attack(network, many_pairs(kAccounts, 59), parameters);
    CHECK(run.record.value("credentials.lockout").at("observed") == json::value(connections == 1));
    // The one that met the lockout was not judged.
    CHECK(run.record.is_unobserved("credentials.accepted") == (connections == 1));
    CHECK(coverage(run, "unclear") == (connections == 1 ? 1 : 0));
  }
}

TEST_CASE("Several connections spend the budget of an account as one does") {
  FakeNetwork network;
  network.login_budget["root"] = 3;
  FtpServer server;
  network.tcp[kPort] = serve(server);
  network.at_once = 64;
  std::vector<std::pair<std::string, std::string>> list;
  for (int i = 0; i < 30; ++i) {
    list.emplace_back("root", "wrong" + std::to_string(i));
  }
  auto parameters = without_blanks();
  parameters["connections"] = 8;
  const auto run = attack(network, pairs(std::move(list)), parameters);
  CHECK(server.logins["root"] == 3);
  CHECK(coverage(run, "skipped_budget") == 27);
}

}  // namespace beside

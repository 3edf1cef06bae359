#include <algorithm>

#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;

/// Logins that follow each other on a connection, where a server bears that.
namespace kept {

namespace {

constexpr int kWrong = 12;
constexpr const char* kName = "admin";

/// A server of FTP that treats the logins after the first wrong ones of a connection in its own way.
struct Server {
  std::function<std::string(int earlier, bool right)> answer;  // by wrong logins before; "": hangs up without a word
  int connections = 0;
  std::vector<int> wrong{};           // of each connection
  std::map<std::string, int> told{};  // by the name: passwords that it was given
};

std::string honest(int, bool right) {
  return right ? "230 in\r\n" : "530 no\r\n";
}

fake::PeerMaker serve(Server& server) {
  return [&server](int) -> Peer {
    ++server.connections;
    server.wrong.push_back(0);
    return [&server, mine = server.wrong.size() - 1, name = std::make_shared<std::string>()](std::string_view written,
                                                                                             Line& line) {
      const auto word = std::string{written.substr(0, written.find('\r'))};
      if (written.empty()) {
        line.say("220 FTP\r\n");
      } else if (word.starts_with("USER ")) {
        *name = word.substr(5);
        line.say("331 and the password\r\n");
      } else if (word.starts_with("PASS ")) {
        ++server.told[*name];
        const bool right = *name == kName && word == "PASS letmein1";
        const auto reply = server.answer(server.wrong[mine], right);
        server.wrong[mine] += reply.starts_with("230") ? 0 : 1;
        if (reply.empty()) {
          line.close();
        } else {
          line.say(reply);
        }
      } else {
        line.say(word == "PWD" ? "257 \"/\"\r\n" : "500 what\r\n");
      }
    };
  };
}

/// Twelve wrong passwords of one name and then the right one.
fake::Run guess(FakeNetwork& network, Server& server, std::int64_t on_a_connection = 5) {
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

int most_wrong(const Server& server) {
  return *std::max_element(server.wrong.begin(), server.wrong.end());
}

}  // namespace

TEST_CASE("Wrong logins follow each other on a connection, and no more of them than may") {
  FakeNetwork network;
  Server server{honest};
  const auto run = guess(network, server);
  finds_it(run);
  CHECK(most_wrong(server) == 5);
  FakeNetwork again;
  Server alone{honest};
  finds_it(guess(again, alone, 1));
  CHECK(most_wrong(alone) == 1);
  CHECK(alone.connections >= server.connections + 9);
}

TEST_CASE("What a server says after several wrong logins on a connection is no answer to the next one") {
  const auto refuse = [](std::string words) {
    return [words](int earlier, bool right) { return earlier >= 2 ? words : honest(earlier, right); };
  };
  for (const auto* words :
       {"530 Too many failed logins\r\n", "421 Too many login failures, closing\r\n", "500 OOPS\r\n", ""}) {
    FakeNetwork network;
    Server server{refuse(words)};
    INFO(words);
    finds_it(guess(network, server));
    CHECK(std::count_if(server.wrong.begin(), server.wrong.end(), [](int wrong) { return wrong > 2; }) == 1);
  }
}

TEST_CASE("A login that may have counted before its connection ended spends a second permit") {
  FakeNetwork network;
  network.login_budget[kName] = 6;
  Server server{[](int earlier, bool right) { return earlier >= 2 ? std::string{} : honest(earlier, right); }};
  const auto run = guess(network, server);
  CHECK(run.record.value("credentials.accepted").as_array().empty());
  CHECK(server.told[kName] == 6);
  CHECK(network.permits[kName] == 6);
  CHECK(coverage(run, "skipped_budget") > 0);
}

TEST_CASE("A server that waits longer after each wrong login of a connection gets them on connections of their own") {
  FakeNetwork network;
  Server server{[&network](int earlier, bool right) {
    network.passed += milliseconds{earlier == 0 ? 0 : 700};
    return honest(earlier, right);
  }};
  finds_it(guess(network, server));
  CHECK(std::count_if(server.wrong.begin(), server.wrong.end(), [](int wrong) { return wrong > 1; }) == 1);
}

}  // namespace kept

#include <sstream>

#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;

namespace {

/// What an interface answers to its requests, and counts.
struct Interface {
  std::function<std::string(std::string_view request, bool right)> login;
  std::function<std::string(std::string_view request, bool inside)> check;
  std::string session = "opened99";  // that a request of one who is logged in holds
  int logins = 0;
};

fake::PeerMaker served(std::shared_ptr<Interface> hub) {
  return [hub](int) -> Peer {
    return [hub](std::string_view written, Line& line) {
      std::string reply;
      if (written.starts_with("POST ")) {
        ++hub->logins;
        const bool admin = written.find("\"admin\"") != std::string_view::npos;
        reply = hub->login(written, admin && written.find("b22/+ c") != std::string_view::npos);
      } else if (written.starts_with("GET /status")) {
        reply = hub->check(written, written.find(hub->session) != std::string_view::npos);
      } else if (written.starts_with("GET ")) {
        reply = ok("home");
      } else {
        return;
      }
      if (reply.empty()) {
        line.close();
      } else {
        line.say(reply);
      }
    };
  };
}

std::string status(int code, std::string_view body = "") {
  return "HTTP/1.1 " + std::to_string(code) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string{body};
}

std::string opened() {
  return "HTTP/1.1 200 OK\r\nSet-Cookie: sid=opened99; Path=/\r\nContent-Length: 2\r\n\r\n{}";
}

std::shared_ptr<Interface> hub(std::string refusal) {
  auto made = std::make_shared<Interface>();
  made->login = [refusal](std::string_view, bool right) { return right ? opened() : refusal; };
  made->check = [](std::string_view, bool inside) { return inside ? ok("{\"up\": 1}") : status(401); };
  return made;
}

Dut described(bool known = false) {
  LoginRecipe recipe;
  recipe.port = Endpoint{Transport::tcp, kPort};
  recipe.path = "/login";
  recipe.body = R"({"user": "{username}", "word": "{password}"})";
  recipe.check = "/status";
  recipe.token = "/token";
  recipe.header = "X-Token: {token}";
  Dut dut;
  dut.logins.push_back(recipe);
  if (known) {
    Account account;
    account.username = "admin";
    account.secret = Secret{"b22/+ c", "secret of the account"};
    dut.accounts.push_back(account);
  }
  return dut;
}

fake::Run attack_hub(FakeNetwork& network, std::shared_ptr<Interface> hub, const Dut& dut,
                     const std::string& password = "b22/+ c") {
  network.tcp[kPort] = served(std::move(hub));
  return attack(network, pairs({{"admin", password}}), without_blanks(), dut);
}

}  // namespace

TEST_CASE("An answer that may come of a wrong recipe refuses nothing") {
  for (const int code : {301, 400, 403, 404, 422}) {
    CAPTURE(code);
    FakeNetwork network;
    const auto run = attack_hub(network, hub(status(code, "{}")), described(), "wrong1");
    CHECK(run.record.is_unobserved("credentials.accepted"));
    CHECK(run.record.is_unobserved("credentials.open"));
  }
  FakeNetwork network;
  const auto page = attack_hub(network, hub(ok("<html>index</html>")), described(), "wrong1");
  CHECK(page.record.is_unobserved("credentials.accepted"));
}

TEST_CASE("Clear refusals of an interface are believed once some login was taken") {
  FakeNetwork network;
  const auto unknown = attack_hub(network, hub(status(401)), described(), "wrong1");
  CHECK(unknown.record.is_unobserved("credentials.accepted"));
  for (const int code : {401, 400, 403}) {
    CAPTURE(code);
    FakeNetwork again;
    const auto known = attack_hub(again, hub(status(code)), described(true), "wrong1");
    CHECK(known.record.value("credentials.accepted") == json::value(json::array{}));
    CHECK(known.record.value("credentials.open") == json::value(false));
  }
}

TEST_CASE("A pair that works is found behind clear refusals") {
  FakeNetwork network;
  const auto run = attack_hub(network, hub(status(401)), described());
  CHECK(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(run.record.value("credentials.open") == json::value(false));
}

TEST_CASE("A visitor who came too often or found the page broken does not prove a login") {
  for (const int code : {429, 500, 503}) {
    CAPTURE(code);
    FakeNetwork network;
    // The page is open to everybody, and fails every second time.
    auto open = hub(status(401));
    auto count = std::make_shared<int>(0);
    open->check = [=](std::string_view, bool) { return ++*count % 2 == 1 ? ok("{\"up\": 1}") : status(code); };
    const auto run = attack_hub(network, open, described());
    CHECK(run.record.value("credentials.open") != json::value(true));
    CHECK(run.record.is_unobserved("credentials.accepted"));
  }
}

TEST_CASE("Tokens, cookies and the written forms of a password stand nowhere in the transcript") {
  FakeNetwork network;
  auto talkative = hub(status(401));
  talkative->login = [](std::string_view, bool right) {
    const std::string body = "{\"token\": \"tok\\/en4711\", \"echo\": \"b22%2F%2B%20c b22%2F%2B+c\"}";
    return right ? "HTTP/1.1 200 OK\r\nSet-Cookie: sid=opened99; Path=/\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n\r\n" + body
                 : status(401);
  };
  const auto run = attack_hub(network, talkative, described());
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
  // A dump splits what it shows into rows: only the text column, put together, holds a secret.
  std::string shown;
  std::istringstream rows{transcript(run)};
  for (std::string row; std::getline(rows, row);) {
    const auto from = row.find("  |");
    shown += from == std::string::npos ? row : row.substr(from + 3, row.size() - from - 4);
  }
  CHECK(shown.find("Set-Cookie") != std::string::npos);
  for (const auto& secret : {"opened99", "en4711", "b22%2F%2B%20c", "b22%2F%2B+c"}) {
    CAPTURE(secret);
    CHECK(shown.find(secret) == std::string::npos);
  }
  CHECK(run.record.concealed.contains("opened99"));
  CHECK(run.record.concealed.contains("tok/en4711"));
}

TEST_CASE("A login that reached the device is not sent again without a permit") {
  FakeNetwork network;
  auto shy = hub(status(401));
  network.tcp[kPort] = served(shy);
  // Once the candidate's login went out, no connection is taken any more.
  shy->login = [&network](std::string_view, bool right) {
    if (right) {
      network.refuse_after[kPort] = network.connections[kPort];
    }
    return status(401);
  };
  const auto run = attack(network, pairs({{"admin", "b22/+ c"}}), without_blanks(), described());
  CHECK(coverage(run, "tried") == 1);
  CHECK(network.permits["admin"] == 2);
}

TEST_CASE("A recipe without a name has one secret, on which all logins spend one budget") {
  FakeNetwork network;
  network.budget = 5;
  auto dut = described();
  dut.logins.front().body = R"({"word": "{password}"})";
  auto one = hub(status(401));
  network.tcp[kPort] = served(one);
  const auto run = attack(network, many_pairs(20, 19), without_blanks(), dut);
  CHECK(one->logins == 4);  // the last is put aside for the control that follows a hit
  CHECK(network.permits == std::map<std::string, int>{{"", 5}});
  CHECK(coverage(run, "skipped_budget") == 18);
  CHECK(run.record.is_unobserved("credentials.accepted"));
}

TEST_CASE("What an interface without names refuses is believed once the account without a name got in") {
  for (const bool declared : {false, true}) {
    CAPTURE(declared);
    FakeNetwork network;
    auto dut = described(declared);
    dut.logins.front().body = R"({"role": "admin", "word": "{password}"})";
    if (declared) {
      dut.accounts.front().username.clear();
    }
    const auto run = attack_hub(network, hub(status(401)), dut, "wrong1");
    CHECK(run.record.is_unobserved("credentials.accepted") == !declared);
    CHECK(run.record.is_unobserved("credentials.open") == !declared);
    CHECK(coverage(run, "tried") == 1);
  }
}

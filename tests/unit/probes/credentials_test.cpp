#include "tests/unit/probes/credentials_support.hpp"

namespace assay::probes::credentials {
std::string hash_hex(std::string_view algorithm, std::string_view data);
}

using namespace assay;
using namespace assay::credential_tests;

TEST_CASE("A default password of a Basic login is found, confirmed and controlled") {
  FakeNetwork network;
  network.tcp[kPort] = basic("admin", "letmein1");
  const auto run = attack(network, pairs({{"root", "toor42"}, {"admin", "letmein1"}, {"user", "other99"}}));
  REQUIRE(run.ended);
  CHECK(run.record.text("credentials.dialect") == "http-basic");
  CHECK(run.record.value("credentials.open") == json::value(false));
  CHECK(run.record.value("credentials.clear") == json::value(true));
  const auto accepted = run.record.value("credentials.accepted").as_array();
  REQUIRE(accepted.size() == 1);
  CHECK(accepted[0].at("username") == json::value("admin"));
  CHECK(accepted[0].at("source") == json::value("dictionary iot-common entry 2"));
  CHECK(run.record.value("credentials.lockout").at("observed") == json::value(false));
  // The second login of the pair and the controls are not candidates.
  CHECK(run.record.value("credentials.tried") == json::value(2));
  CHECK(coverage(run, "candidates") == 6);
  CHECK(coverage(run, "skipped_stopped") == 4);
  CHECK(coverage(run, "controls") == 4);
  CHECK(coverage(run, "accounts") == 2);
  CHECK(network.permits["admin"] == 2);  // the hit, and a wrong password of the same name
  CHECK_FALSE(run.record.evidences.at("credentials.accepted").empty());
}

TEST_CASE("No password and no form of it stands in the records") {
  FakeNetwork network;
  network.tcp[kPort] = basic("admin", "letmein1");
  const auto run = attack(network, pairs({{"admin", "letmein1"}}));
  const auto text = transcript(run);
  REQUIRE_FALSE(text.empty());
  CHECK(text.find("letmein1") == std::string::npos);
  CHECK(text.find(wire::base64("admin:letmein1")) == std::string::npos);
  CHECK(text.find("dictionary entry 1") != std::string::npos);
  CHECK(run.record.concealed.contains("letmein1"));
  CHECK(run.record.concealed.contains(wire::base64("admin:letmein1")));
}

TEST_CASE("Words that are no secrets are not masked out of the records") {
  FakeNetwork network;
  network.tcp[kPort] = basic("x", "y");
  const auto run = attack(network, pairs({{"admin", "admin"}, {"root", "telnet"}, {"root", "zlxx."}}));
  CHECK_FALSE(run.record.concealed.contains("admin"));
  CHECK_FALSE(run.record.concealed.contains("telnet"));
  CHECK(run.record.concealed.contains("zlxx."));
}

TEST_CASE("The vendor's own pairs come first, blanks last, and no pair twice") {
  FakeNetwork network;
  std::vector<std::string> seen;
  network.tcp[kPort] = web([&seen](const std::string& authorization) {
    seen.push_back(authorization);
    return kBasic;
  });
  Dut dut;
  dut.vendor_credentials = {{"maker", Secret{"own", "vendor entry 1"}}, {"admin", Secret{"x1", "vendor entry 2"}}};
  const auto run = attack(network, pairs({{"admin", "x1"}, {"admin", ""}, {"root", "x2"}}), {}, dut);
  std::vector<std::string> expected;
  for (const auto& [username, password] : std::vector<std::pair<std::string, std::string>>{
           {"maker", "own"}, {"admin", "x1"}, {"admin", ""}, {"root", "x2"}, {"root", ""}}) {
    expected.push_back(wire::basic_authorization(username, password));
  }
  // The first request has no credentials, the next two are controls.
  REQUIRE(seen.size() == 3 + expected.size());
  CHECK(std::vector<std::string>(seen.begin() + 3, seen.end()) == expected);
  CHECK(run.record.value("credentials.accepted").as_array().empty());
  CHECK(network.connections[kPort] == 3);  // two to listen and to ask, one kept open for all logins
}

TEST_CASE("A page of status 200 that says no is a refusal, and one that does not is a hit") {
  FakeNetwork network;
  const auto right = wire::basic_authorization("admin", "letmein1");
  network.tcp[kPort] = web([right](const std::string& authorization) {
    return authorization.empty()    ? kBasic
           : authorization == right ? ok("status of the hub")
                                    : ok("Access denied for you");
  });
  const auto run = attack(network, pairs({{"root", "toor42"}, {"admin", "letmein1"}}));
  CHECK(run.record.value("credentials.open") == json::value(false));
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(run.record.value("credentials.accepted").at(0).at("username") == json::value("admin"));
}

TEST_CASE("A hit that cannot be repeated is no hit") {
  FakeNetwork network;
  auto count = std::make_shared<int>(0);
  network.tcp[kPort] = web([=](const std::string&) { return ++*count == 5 ? ok() : kBasic; });
  const auto run = attack(network, pairs({{"admin", "letmein1"}, {"root", "zlxx."}}), without_blanks());
  CHECK(run.record.is_unobserved("credentials.accepted"));
  CHECK(coverage(run, "unclear") == 1);
}

TEST_CASE("A page without a login has no dialect, whatever it says to credentials") {
  FakeNetwork network;
  network.tcp[kPort] = web([](const std::string&) { return ok(); });
  const auto run = attack(network, pairs({{"admin", "admin"}}));
  REQUIRE(run.ended);
  CHECK(run.record.is_absent("credentials.dialect"));
  CHECK(run.record.is_absent("credentials.accepted"));
  CHECK(run.record.is_absent("credentials.open"));
  CHECK(network.permits.empty());
}

TEST_CASE("A login that the probe does not know is said, not passed over") {
  for (const auto& reply :
       {ok("<form><input name=u><input type=password name=p></form>"), k401 + "WWW-Authenticate: NTLM\r\n\r\n"}) {
    FakeNetwork network;
    network.tcp[kPort] = web([reply](const std::string&) { return reply; });
    const auto run = attack(network, pairs({{"admin", "admin"}}));
    CHECK(run.record.is_absent("credentials.dialect"));
    CHECK(run.record.is_unobserved("credentials.accepted"));
    CHECK(run.record.is_unobserved("credentials.open"));
  }
  FakeNetwork network;
  network.tcp[kPort] = fake::says("SSH-2.0-x\r\n");
  CHECK(attack(network, pairs({})).record.is_unobserved("credentials.accepted"));
}

TEST_CASE("A Digest login is answered with the nonces of the device") {
  FakeNetwork network;
  auto serial = std::make_shared<int>(0);
  const auto challenge = [serial] {
    return k401 + "WWW-Authenticate: Digest realm=\"hub\", qop=\"auth\", algorithm=SHA-256, nonce=\"n" +
           std::to_string(++*serial) + "\"\r\n\r\n";
  };
  network.tcp[kPort] = web([=](const std::string& authorization) {
    if (authorization.empty()) {
      return challenge();
    }
    const auto sent = wire::parse_challenges(authorization).at(0);
    const auto hash = [](std::string_view data) { return probes::credentials::hash_hex("SHA-256", data); };
    const auto first = hash("admin:hub:letmein1");
    const auto second = hash("GET:/");
    const auto expected = hash(first + ":" + sent.parameter("nonce") + ":" + sent.parameter("nc") + ":" +
                               sent.parameter("cnonce") + ":auth:" + second);
    // Every nonce is good once only.
    const bool fresh = sent.parameter("nonce") == "n" + std::to_string(*serial) && sent.parameter("nc") == "00000001";
    if (fresh && sent.parameter("username") == "admin" && sent.parameter("response") == expected) {
      ++*serial;
      return ok();
    }
    auto again = challenge();
    return fresh ? again : again.insert(again.find("nonce"), "stale=true, ");
  });
  const auto run = attack(network, pairs({{"root", "toor42"}, {"admin", "letmein1"}}));
  CHECK(run.record.text("credentials.dialect") == "http-digest");
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(run.record.value("credentials.accepted").at(0).at("username") == json::value("admin"));
}

TEST_CASE("A spent budget skips the account, and the others go on") {
  FakeNetwork network;
  network.tcp[kPort] = basic("user", "letmein1");
  network.login_budget["admin"] = 2;
  const auto run = attack(network, pairs({{"admin", "a11"}, {"admin", "a22"}, {"admin", "a33"}, {"user", "letmein1"}}));
  CHECK(network.permits["admin"] == 2);
  CHECK(coverage(run, "skipped_budget") == 1);
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(run.record.value("credentials.accepted").at(0).at("username") == json::value("user"));
}

TEST_CASE("A hit without a login left to hold a wrong one against it is a doubt where pages tell") {
  FakeNetwork network;
  network.tcp[kPort] = basic("admin", "letmein1");
  network.login_budget["admin"] = 1;
  const auto run = attack(network, pairs({{"admin", "letmein1"}}), without_blanks());
  REQUIRE(run.record.is_unobserved("credentials.accepted"));
  CHECK(run.record.reasons.at("credentials.accepted").find("wrong password of admin") != std::string::npos);
}

TEST_CASE("Without any permit nothing is claimed about passwords") {
  FakeNetwork network;
  network.tcp[kPort] = basic("admin", "letmein1");
  network.login_budget["admin"] = 0;
  const auto run = attack(network, pairs({{"admin", "letmein1"}}));
  CHECK(run.record.is_unobserved("credentials.accepted"));
  CHECK(coverage(run, "skipped_budget") == 2);
}

TEST_CASE("A right password whose page is forbidden is told from a lockout") {
  FakeNetwork network;
  const auto right = wire::basic_authorization("admin", "letmein1");
  network.tcp[kPort] = web([right](const std::string& authorization) {
    return authorization == right ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" : kBasic;
  });
  const auto run = attack(network, pairs({{"root", "toor42"}, {"admin", "letmein1"}}));
  CHECK(run.record.value("credentials.lockout").at("observed") == json::value(false));
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(run.record.value("credentials.accepted").at(0).at("username") == json::value("admin"));
}

TEST_CASE("A lockout is recognised and ends the logins") {
  struct Row {
    const char* what;
    std::string after;
  };

  const std::string sorry = "account locked, too many logins";
  for (const auto& row : {Row{"429", "HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n"},
                          Row{"403 after 401", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"},
                          Row{"words", "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: " +
                                           std::to_string(sorry.size()) + "\r\n\r\n" + sorry}}) {
    CAPTURE(row.what);
    FakeNetwork network;
    auto count = std::make_shared<int>(0);
    network.tcp[kPort] = web([=](const std::string&) { return ++*count > 6 ? row.after : kBasic; });
    Dictionary dictionary = pairs({});
    for (int i = 0; i < 40; ++i) {
      dictionary.credentials.push_back({"admin", Secret{"pw-" + std::to_string(i), "entry"}});
    }
    const auto run = attack(network, dictionary);
    REQUIRE(run.ended);
    CHECK(run.record.value("credentials.lockout").at("observed") == json::value(true));
    CHECK(run.record.value("credentials.lockout").at("account") == json::value("admin"));
    CHECK_FALSE(run.record.value("credentials.lockout").at("sign").as_string().empty());
    CHECK(*count <= 8);
    CHECK(coverage(run, "skipped_stopped") > 30);
  }
}

TEST_CASE("Refusals that get slower and slower are a lockout") {
  FakeNetwork network;
  auto count = std::make_shared<int>(0);
  network.tcp[kPort] = [=](int) -> Peer {
    return [=](std::string_view written, Line& line) {
      if (written.starts_with("GET ")) {
        if (++*count > 5) {
          line.pause(milliseconds{4000});
        }
        line.say(kBasic);
      }
    };
  };
  const auto run =
      attack(network, pairs({{"a", "a11"}, {"b", "b22"}, {"c", "c33"}, {"d", "d44"}, {"e", "e55"}}), without_blanks());
  REQUIRE(run.ended);
  const auto lockout = run.record.value("credentials.lockout");
  CHECK(lockout.at("observed") == json::value(true));
  CHECK(std::string_view{lockout.at("sign").as_string()}.starts_with("refusals got slower"));
  CHECK(lockout.at("account") == json::value("d"));
  CHECK(coverage(run, "skipped_stopped") == 1);
}

TEST_CASE("Hostile endpoints leave every fact settled and nothing accepted") {
  struct Row {
    const char* what;
    fake::PeerMaker peer;
  };

  const auto on_open = [](std::function<void(Line&)> act) -> fake::PeerMaker {
    return [act](int) -> Peer {
      return [act](std::string_view written, Line& line) {
        if (written.empty()) {
          act(line);
        }
      };
    };
  };
  const Row rows[] = {
      {"silent", fake::says("")},
      {"closes", on_open([](Line& line) { line.close(); })},
      {"resets", on_open([](Line& line) { line.reset(); })},
      {"endless", on_open([](Line& line) { line.repeat(std::string(4096, 'x')); })},
      {"endless prompts", on_open([](Line& line) { line.repeat("login: "); })},
      {"endless negotiation", on_open([](Line& line) { line.repeat("\xff\xfb\x01\xff\xfc\x01"s); })},
      {"401 without end", fake::answers("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n")},
      {"prompt, then cut",
       [](int) -> Peer {
         return [](std::string_view written, Line& line) {
           if (written.empty()) {
             line.say("login: ");
           } else {
             line.reset();
           }
         };
       }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    FakeNetwork network;
    network.tcp[kPort] = row.peer;
    const auto run = attack(network, pairs({{"root", "a11"}, {"admin", "b22"}}));
    const auto accepted = run.record.value("credentials.accepted");
    CHECK((accepted.is_null() || accepted.as_array().empty()));
    CHECK(run.record.value("credentials.open") != json::value(true));
    CHECK(network.bytes_served < 20'000'000);
  }
}

TEST_CASE("A wrong dictionary or endpoint is the user's error") {
  FakeNetwork network;
  json::object parameters;
  parameters["dictionary"] = "nobody";
  const auto run = attack(network, pairs({}), parameters);
  REQUIRE_FALSE(run.ended);
  CHECK(run.ended.error().kind == ErrorKind::bad_input);
  CHECK(run.ended.error().what.find("\"nobody\"") != std::string::npos);
  CHECK(network.connections.empty());
}

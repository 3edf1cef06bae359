#include "tests/unit/probes/credentials_support.hpp"

/// Web servers, and cameras, whose answer to a wrong login is another than 401, or none.

using namespace assay;
using namespace assay::credential_tests;

namespace {

const std::string kRight = wire::basic_authorization("admin", "letmein1");
const std::string kNotHere = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

std::string sent_to(std::string_view place) {
  return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + std::string{place} + "\r\n\r\n";
}

struct Asked {
  std::string path;
  std::string authorization;
  int on_connection = 0;  // from 1

  /// Names with a colon of six bytes, which base64 codes by themselves.
  bool of(const std::string& username) const {
    return authorization.starts_with(wire::basic_authorization(username, ""));
  }
};

/// Answers each request, and counts the wrong logins of two names.
struct Site {
  std::function<std::string(const Asked&)> answer;  // "": hangs up
  std::map<std::string, int> wrong{};
};

fake::PeerMaker serve(Site& site) {
  return [&site](int) -> Peer {
    return [&site, count = 0](std::string_view written, Line& line) mutable {
      if (!written.starts_with("GET ")) {
        return;
      }
      constexpr std::string_view kHeader = "Authorization: ";
      const auto at = written.find(kHeader);
      Asked asked;
      asked.path = std::string{written.substr(4, written.find(' ', 4) - 4)};
      if (at != std::string_view::npos) {
        asked.authorization = written.substr(at + kHeader.size(), written.find('\r', at) - at - kHeader.size());
        asked.on_connection = ++count;
        for (const auto* name : {"admin", "owner"}) {
          site.wrong[name] += asked.authorization != kRight && asked.of(name) ? 1 : 0;
        }
      }
      const auto reply = asked.authorization.empty() ? kBasic : site.answer(asked);
      if (reply.empty()) {
        line.close();
      } else {
        line.say(reply);
      }
    };
  };
}

fake::Run attack_site(FakeNetwork& network, Site& site, const Dictionary& dictionary, const Dut& dut = {}) {
  network.tcp[kPort] = serve(site);
  auto run = attack(network, dictionary, without_blanks(), dut);
  REQUIRE(run.ended);
  return run;
}

Dut knowing(std::string username, std::string password) {
  Dut dut;
  dut.accounts.push_back({"owner", std::move(username), Secret{std::move(password), "secret of the account"}});
  return dut;
}

const Dictionary kGuesses = pairs({{"owner", "toor42"}, {"admin", "letmein1"}});
const Dictionary kMisses = pairs({{"owner", "toor42"}, {"admin", "letmein2"}});

/// Every page says so, whatever was asked for.
const std::string kRefusals[] = {ok("<h2>Zugriff verweigert</h2><p>Benutzername oder Kennwort falsch.</p>"),
                                 sent_to("/error.html"), kNotHere, ok("<p>Try 17</p>")};

}  // namespace

TEST_CASE("A login that takes anybody is open, and accepts no pair") {
  FakeNetwork network;
  Site site{[](const Asked& asked) { return asked.path == "/" ? ok() : kNotHere; }};
  const auto run = attack_site(network, site, pairs({{"admin", "admin"}}));
  CHECK(run.record.value("credentials.open") == json::value(true));
  CHECK(run.record.value("credentials.accepted").as_array().empty());
  CHECK(run.record.value("credentials.tried") == json::value(0));
  CHECK_FALSE(network.permits.contains("admin"));
}

TEST_CASE("What random logins get whatever they ask for lets nobody in, and may be no refusal") {
  for (const auto& refusal : kRefusals) {
    CAPTURE(refusal);
    FakeNetwork network;
    Site site{[&](const Asked& asked) { return asked.authorization == kRight ? ok() : refusal; }};
    const auto run = attack_site(network, site, kMisses);
    CHECK(run.record.is_unobserved("credentials.open"));
    CHECK(run.record.is_unobserved("credentials.accepted"));
    CHECK(run.record.reasons.at("credentials.open").starts_with("logins with random names and passwords get status "));
  }
}

TEST_CASE("A login that gets another answer than random ones, and than a wrong one of its name, is taken") {
  for (const auto& refusal : kRefusals) {
    CAPTURE(refusal);
    FakeNetwork network;
    Site site{[&](const Asked& asked) { return asked.authorization == kRight ? ok() : refusal; }};
    const auto found = attack_site(network, site, kGuesses);
    CHECK(found.record.value("credentials.open") == json::value(false));
    REQUIRE(found.record.value("credentials.accepted").as_array().size() == 1);
    const auto proof = found.record.value("credentials.accepted").at(0).at("proof").as_string();
    CHECK(proof.find("a wrong password of the same account is refused") != std::string_view::npos);
    CHECK(network.permits["admin"] == 2);
    CHECK(site.wrong["admin"] == 1);
    FakeNetwork again;
    const auto known = attack_site(again, site, kMisses, knowing("admin", "letmein1"));
    CHECK(known.record.value("credentials.open") == json::value(false));
    CHECK(known.record.value("credentials.accepted") == json::value(json::array{}));
  }
}

TEST_CASE("A refusal that differs for names that the device has is no hit") {
  FakeNetwork network;
  Site site{[](const Asked& asked) {
    return asked.authorization == kRight ? ok()
                                         : ok(asked.of("owner") ? "<p>Kennwort falsch</p>" : "<p>Nicht bekannt</p>");
  }};
  const auto run = attack_site(network, site, kMisses);
  CHECK(run.record.is_unobserved("credentials.accepted"));
  FakeNetwork plain;
  Site sent{[](const Asked& asked) { return asked.of("owner") ? sent_to("/wrong") : kBasic; }};
  const auto other = attack_site(plain, sent, kMisses);
  CHECK(other.record.value("credentials.open") != json::value(true));
  CHECK(other.record.is_unobserved("credentials.accepted"));
}

TEST_CASE("A login that is sent to another page is taken where wrong ones are asked again") {
  for (const auto* place : {"/change_password.html", "/login/first.html", "/"}) {
    FakeNetwork network;
    Site site{[&](const Asked& asked) { return asked.authorization == kRight ? sent_to(place) : kBasic; }};
    const auto run = attack_site(network, site, kGuesses);
    CHECK(run.record.value("credentials.open") == json::value(false));
    REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
    CHECK(run.record.value("credentials.accepted").at(0).at("username") == json::value("admin"));
  }
}

TEST_CASE("Where wrong logins are sent away too, the place that says login is none that a right one is sent to") {
  FakeNetwork network;
  Site site{[](const Asked& asked) { return sent_to(asked.of("owner") ? "/login.html" : "/error.html"); }};
  const auto run = attack_site(network, site, kMisses);
  CHECK(run.record.is_unobserved("credentials.accepted"));
  CHECK(network.permits["owner"] == 1);
}

TEST_CASE("A control that gets in after a hit takes the hit back, and one that gets the same answer leaves it open") {
  for (const bool pages : {true, false}) {
    FakeNetwork network;
    auto opened = std::make_shared<bool>(false);
    Site site{[=](const Asked& asked) {
      *opened = *opened || asked.authorization == kRight;  // the address is let in once anybody was
      return !*opened ? kBasic : asked.path == "/" || !pages ? ok() : kNotHere;
    }};
    const auto run = attack_site(network, site, pairs({{"admin", "letmein1"}}));
    if (pages) {
      CHECK(run.record.value("credentials.open") == json::value(true));
      CHECK(run.record.value("credentials.accepted").as_array().empty());
    } else {
      CHECK(run.record.value("credentials.open") != json::value(true));
      CHECK(run.record.is_unobserved("credentials.accepted"));
    }
  }
}

TEST_CASE("A login that may have counted before its kept connection ended is sent again for a permit alone") {
  for (const std::size_t at_once : {1U, 64U}) {
    FakeNetwork network;
    network.budget = 5;
    network.at_once = at_once;
    // Each second wrong login of a connection is counted and cut.
    Site site{[](const Asked& asked) {
      return asked.authorization == kRight ? ok() : asked.on_connection == 2 ? ""s : kBasic;
    }};
    std::vector<std::pair<std::string, std::string>> list;
    for (int i = 0; i < 12; ++i) {
      list.emplace_back("admin", "wrong" + std::to_string(i));
      list.emplace_back("owner", "wrong" + std::to_string(i));
    }
    const auto run = attack_site(network, site, pairs(list));
    CHECK(site.wrong["admin"] == network.permits["admin"]);
    CHECK(site.wrong["owner"] == network.permits["owner"]);
    CHECK(site.wrong["admin"] == 5);
    CHECK(run.record.value("credentials.accepted") == json::value(json::array{}));
    CHECK(run.record.value("credentials.lockout").at("observed") == json::value(false));
  }
}

TEST_CASE("A server that has no answer after plain refusals shows a limit of requests") {
  FakeNetwork network;
  auto count = std::make_shared<int>(0);
  Site site{[=](const Asked&) {
    return ++*count > 6 ? "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"s : kBasic;
  }};
  const auto run = attack_site(network, site, many_pairs(30, 20));
  const auto lockout = run.record.value("credentials.lockout");
  CHECK(lockout.at("observed") == json::value(true));
  CHECK(std::string_view{lockout.at("sign").as_string()}.starts_with("status 503 after plain refusals"));
  CHECK(*count <= 8);
  // One that never refused plainly is out of order, and shows nothing.
  FakeNetwork again;
  Site sick{[](const Asked&) { return "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"s; }};
  const auto other = attack_site(again, sick, many_pairs(30, 20));
  CHECK(other.record.is_unobserved("credentials.lockout"));
  CHECK(other.record.is_unobserved("credentials.open"));
}

TEST_CASE("A stream lets random logins in where it describes itself, and shows nothing where it is not found") {
  for (const bool described : {true, false}) {
    FakeNetwork network;
    network.tcp[554] = [described](int) -> Peer {
      return [described](std::string_view written, Line& line) {
        if (!written.starts_with("DESCRIBE")) {
          return;
        }
        const bool login = written.find("Authorization: ") != std::string_view::npos;
        line.say(!login      ? "RTSP/1.0 401 No\r\nWWW-Authenticate: Basic realm=\"cam\"\r\nContent-Length: 0\r\n\r\n"
                 : described ? "RTSP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nv=0\r\n"
                             : "RTSP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n");
      };
    };
    fake::FakeLibrary library;
    library.dictionaries["iot-common"] = kMisses;
    const auto run = fake::observe(probes::credentials::kDescriptor, network, "tcp/554", without_blanks(), {}, library);
    if (described) {
      CHECK(run.record.value("credentials.open") == json::value(true));
    } else {
      CHECK(run.record.is_unobserved("credentials.open"));
      CHECK(run.record.is_unobserved("credentials.accepted"));
    }
  }
}

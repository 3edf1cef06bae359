#include <chrono>
#include <set>

#include "probes/wire/html.hpp"
#include "probes/wire/login_form.hpp"
#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;

/// Cuts, late answers and endless ones.

namespace {

/// FTP that judges a password by its number among all, from 0; nobody is a guest.
fake::PeerMaker by_number(std::function<std::string(int number)> judge) {
  auto count = std::make_shared<int>(0);
  auto user = std::make_shared<std::string>();
  return lines({"220 FTP\r\n", [=](const std::string& line) -> std::string {
                  if (line.starts_with("USER ")) {
                    *user = line.substr(5);
                    return "331 Password?\r\n";
                  }
                  if (line.starts_with("PASS ")) {
                    return *user == "anonymous" ? "530 No\r\n" : judge((*count)++);
                  }
                  return "257 \"/\"\r\n";
                }});
}

fake::Run ask_communities(FakeNetwork& network, std::vector<std::string> communities) {
  fake::FakeLibrary library;
  library.dictionaries["iot-common"] = pairs({});
  Dictionary list;
  list.id = "snmp-communities";
  for (const auto& word : communities) {
    list.credentials.push_back({"", Secret{word, "community"}});
  }
  library.dictionaries["snmp-communities"] = list;
  auto run = fake::observe(probes::credentials::kDescriptor, network, "udp/161", {}, {}, library);
  CHECK(run.record.fault.empty());
  return run;
}

std::string answer_to(std::string_view question, std::uint8_t kind) {
  return as_pdu(std::string{question}, kind);
}

std::string response_to(std::string_view question) {
  return as_pdu(std::string{question}, 0xa2);
}

bool asks_v3(std::string_view question) {
  return question.size() > 4 && question[4] == 3;
}

}  // namespace

TEST_CASE("One cut is not how a server refuses, two in a row are") {
  FakeNetwork network;
  network.tcp[kPort] = by_number([](int number) { return number == 0 || number == 2 ? "" : "421 Later\r\n"; });
  const auto once = attack(network, pairs({{"admin", "b22"}}), without_blanks());
  CHECK(once.record.is_unobserved("credentials.open"));
  CHECK(once.record.is_unobserved("credentials.accepted"));
  FakeNetwork strict;
  strict.tcp[kPort] = by_number([](int) { return ""; });
  const auto always = attack(strict, pairs({{"admin", "b22"}}), without_blanks());
  CHECK(always.record.value("credentials.open") == json::value(false));
  CHECK(always.record.value("credentials.accepted") == json::value(json::array{}));
}

TEST_CASE("A doubt is told where the device stopped the logins too") {
  // A page that hands every wrong login its form back, and gives way in the end.
  FakeNetwork network;
  const std::string page = "<form method=post><input name=u><input type=password name=p></form>";
  auto posts = std::make_shared<int>(0);
  network.tcp[kPort] = [=](int) -> Peer {
    return [=](std::string_view written, Line& line) {
      *posts += written.starts_with("POST ") ? 1 : 0;
      if (written.starts_with("POST ") || written.starts_with("GET ")) {
        line.say(written.starts_with("GET ") && *posts > 2 ? "HTTP/1.1 429 Later\r\nContent-Length: 0\r\n\r\n"
                                                           : ok(page));
      }
    };
  };
  const auto run = attack(network, pairs({{"a", "a11"}, {"b", "b22"}, {"c", "c33"}}), without_blanks());
  CHECK(run.record.value("credentials.lockout").at("observed") == json::value(true));
  CHECK(run.record.is_unobserved("credentials.accepted"));
  CHECK(run.record.is_unobserved("credentials.open"));
}

TEST_CASE("An answer to an earlier community that comes late is followed up") {
  FakeNetwork network;
  auto kept = std::make_shared<std::string>();
  auto asked = std::make_shared<int>(0);
  network.udp[161] = [=](std::string_view question) -> std::vector<std::string> {
    if (asks_v3(question)) {
      return {answer_to(question, 0xa8)};
    }
    if (question.find("private") != std::string_view::npos) {
      if (++*asked > 1) {
        return {response_to(question)};  // it is awake now
      }
      *kept = question;
      return {};
    }
    return kept->empty() ? std::vector<std::string>{} : std::vector<std::string>{response_to(std::exchange(*kept, {}))};
  };
  const auto run = ask_communities(network, {"private", "public"});
  REQUIRE(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(coverage(run, "tried") == 2);

  FakeNetwork once;
  *kept = {};
  *asked = -1000;  // never awake
  once.udp[161] = network.udp[161];
  CHECK(ask_communities(once, {"private", "public"}).record.is_unobserved("credentials.accepted"));
}

namespace {

/// An agent that reports and speaks version 1 alone. The first question with "private" is answered when the next comes.
fake::UdpPeer late_by_version1() {
  auto kept = std::make_shared<std::string>();
  auto awake = std::make_shared<bool>(false);
  return [=](std::string_view question) -> std::vector<std::string> {
    std::vector<std::string> answers;
    if (!kept->empty()) {
      answers.push_back(response_to(std::exchange(*kept, {})));
    }
    const bool version1 = question.size() > 4 && question[4] == 0;
    if (version1 && question.find("private") != std::string_view::npos) {
      if (std::exchange(*awake, true)) {
        answers.push_back(response_to(question));
      } else {
        *kept = question;
      }
    }
    if (asks_v3(question)) {
      answers.insert(answers.begin(), answer_to(question, 0xa8));
    }
    return answers;
  };
}

}  // namespace

TEST_CASE("An answer to a community by SNMP v1 that comes late is followed up") {
  FakeNetwork network;
  network.udp[161] = late_by_version1();
  const auto run = ask_communities(network, {"private", "public"});
  const auto accepted = run.record.value("credentials.accepted");
  REQUIRE(accepted.as_array().size() == 1);
  CHECK(accepted.at(0).at("proof").as_string().find("SNMPv1") != json::string::npos);
  CHECK_FALSE(run.record.coverages.at("login").as_object().contains("skipped_version1"));
}

TEST_CASE("Communities that the budget left no question by SNMP v1 for are counted in the coverage") {
  FakeNetwork network;
  network.udp[161] = [](std::string_view question) -> std::vector<std::string> {
    return asks_v3(question) ? std::vector<std::string>{answer_to(question, 0xa8)} : std::vector<std::string>{};
  };
  network.budget = 8;
  const auto run = ask_communities(network, {"private", "public", "secret"});
  CHECK(run.record.value("credentials.accepted") == json::value(json::array{}));
  const auto tried = coverage(run, "tried");
  CHECK(tried == 3);
  CHECK(coverage(run, "skipped_version1") == 1);
}

TEST_CASE("An agent that stops reporting leaves its silences open") {
  FakeNetwork network;
  auto reports = std::make_shared<int>(0);
  network.udp[161] = [=](std::string_view question) -> std::vector<std::string> {
    return asks_v3(question) && ++*reports == 1 ? std::vector<std::string>{answer_to(question, 0xa8)}
                                                : std::vector<std::string>{};
  };
  const auto run = ask_communities(network, {"public"});
  CHECK(run.record.is_unobserved("credentials.accepted"));
  CHECK(run.record.is_unobserved("credentials.open"));
}

TEST_CASE("A page of nothing but scripts is read once") {
  std::string page;
  while (page.size() < 256U << 10U) {
    page += "<script>";
  }
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(wire::find_login_form(page));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::milliseconds{500});
  const std::string form = "<form method=post><input name=u><input type=password name=p></form>";
  CHECK(wire::find_login_form("<script>x()</script><script>md5(p)</script>" + form)->scripted);
  CHECK_FALSE(wire::find_login_form("<script>x()</script>md5(<script>y()</script>" + form)->scripted);
}

TEST_CASE("The Digest answer of a stream is concealed wherever it is written") {
  FakeNetwork network;
  std::set<std::string> answers;
  network.tcp[554] = [&answers](int) -> Peer {
    return [&answers](std::string_view written, Line& line) {
      constexpr std::string_view kMark = "response=\"";
      if (const auto at = written.find(kMark); at != std::string_view::npos) {
        const auto rest = written.substr(at + kMark.size());
        answers.emplace(rest.substr(0, rest.find('"')));
      }
      if (written.starts_with("DESCRIBE")) {
        line.say(
            "RTSP/1.0 401 No\r\nWWW-Authenticate: Digest realm=\"cam\", nonce=\"n1\"\r\nContent-Length: 0\r\n\r\n");
      }
    };
  };
  fake::FakeLibrary library;
  library.dictionaries["iot-common"] = pairs({{"admin", "b22"}});
  const auto run = fake::observe(probes::credentials::kDescriptor, network, "tcp/554", without_blanks(), {}, library);
  REQUIRE_FALSE(answers.empty());
  for (const auto& answer : answers) {
    CHECK(run.record.concealed.contains(answer));
  }
}

TEST_CASE("Bytes that drip in do not stretch the patience for all of them") {
  // RFB: the challenge of sixteen bytes, one every nineteen seconds.
  FakeNetwork network;
  network.tcp[kPort] = [](int) -> Peer {
    return [stage = std::make_shared<int>(0)](std::string_view written, Line& line) {
      if (written.empty()) {
        line.say("RFB 003.008\n");
      } else if (++*stage == 1) {
        line.say("\x01\x02"s);
      } else {
        for (int i = 0; i < 16; ++i) {
          line.pause(milliseconds{19000});
          line.say("c");
        }
      }
    };
  };
  const auto run = attack(network, pairs({{"", "b22"}}), without_blanks());
  CHECK(run.record.value("credentials.accepted").is_null());
  // Four controls, each with one patience and not sixteen of them.
  CHECK(network.passed < milliseconds{4 * 45'000});
}

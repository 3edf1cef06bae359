#include <algorithm>

#include "probes/tls/starttls.hpp"
#include "probes/wire/tls_build.hpp"
#include "probes/wire/tls_names.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"
#include "tests/support/fake_tls.hpp"

namespace assay::probes::tls {
extern const ProbeDescriptor kDescriptor;
}

using namespace assay;
using fake::FakeNetwork;
using fake::kPort;
using fake::TlsServer;

namespace {

using Names = std::vector<std::string>;

fake::Run run(FakeNetwork& network, const json::object& parameters = {}) {
  auto out = fake::observe(probes::tls::kDescriptor, network, "tcp/4000", parameters);
  CHECK(out.record.fault.empty());
  return out;
}

fake::Run run(const TlsServer& server, const json::object& parameters = {}) {
  FakeNetwork network;
  network.tcp[kPort] = server.peer();
  return run(network, parameters);
}

Names names_of(const json::value& list) {
  Names out;
  for (const auto& one : list.as_array()) {
    const auto& entry = one.as_object();
    out.push_back(std::string{entry.at("version").as_string()} + " " + std::string{entry.at("name").as_string()});
  }
  return out;
}

Names texts_of(const json::value& list) {
  Names out;
  for (const auto& one : list.as_array()) {
    out.emplace_back(one.as_string());
  }
  return out;
}

std::string state(const fake::Run& run, std::string_view name) {
  const auto weaknesses = run.record.value("tls.weaknesses");
  for (const auto& one : weaknesses.as_array()) {
    if (one.as_object().at("name").as_string() == name) {
      return std::string{one.as_object().at("state").as_string()};
    }
  }
  return "missing";
}

json::value yes(const fake::Run& run, std::string_view look) {
  return run.record.value("tls.behaviour").as_object().at(look).as_object().at("yes");
}

TlsServer modern() {
  TlsServer server;
  server.suites = {{wire::kTls12, {0xc02f, 0xc030}}, {wire::kTls13, {0x1301, 0x1302}}};
  server.certificate = fake::test_certificate();
  server.answers = {0xff01, 23, 22, 35};
  return server;
}

}  // namespace

TEST_CASE("Every version and suite that a server takes is found, and nothing else") {
  auto server = modern();
  server.suites[wire::kTls10] = {0xc013, 0x002f, 0x000a};
  server.suites[wire::kSsl3] = {0x0005, 0x0003};
  const auto seen = run(server);
  CHECK(texts_of(seen.record.value("tls.versions")) == Names{"SSLv3", "TLSv1", "TLSv1.2", "TLSv1.3"});
  auto names = names_of(seen.record.value("tls.suites"));
  std::sort(names.begin(), names.end());
  CHECK(names == Names{"SSLv3 TLS_RSA_EXPORT_WITH_RC4_40_MD5", "SSLv3 TLS_RSA_WITH_RC4_128_SHA",
                       "TLSv1 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLSv1 TLS_RSA_WITH_3DES_EDE_CBC_SHA",
                       "TLSv1 TLS_RSA_WITH_AES_128_CBC_SHA", "TLSv1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                       "TLSv1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLSv1.3 TLS_AES_128_GCM_SHA256",
                       "TLSv1.3 TLS_AES_256_GCM_SHA384"});
  CHECK(seen.record.value("tls.unsettled").as_array().empty());
  CHECK(seen.record.text("tls.preference") == "server");
}

TEST_CASE("One question at a time costs the suites, one refusal for each version, and no more than eight") {
  FakeNetwork network;
  network.spare = 1;
  network.tcp[kPort] = modern().peer();
  const auto seen = run(network, {{"look_at", "suites"}});
  CHECK(seen.record.value("tls.suites").as_array().size() == 4);
  CHECK(network.connections[kPort] <= 4 + 2 + 8);
  CHECK(seen.record.coverages.at("questions").at("at_once").to_number<int>() == 1);
}

namespace {

/// Answers half a second late while another connection is open.
fake::PeerMaker one_at_a_time(const TlsServer& server) {
  const auto open = std::make_shared<int>(0);
  return [inner = server.peer(), open](int connection) -> fake::Peer {
    ++*open;
    const std::shared_ptr<void> token{nullptr, [open](void*) { --*open; }};
    return [peer = inner(connection), open, token](std::string_view written, fake::Line& line) mutable {
      if (!written.empty() && *open > 1) {
        line.pause(milliseconds{500});
      }
      peer(written, line);
    };
  };
}

}  // namespace

TEST_CASE("A server that takes one connection at a time is noticed by the first two questions, and asked gently") {
  FakeNetwork network;
  network.tcp[kPort] = one_at_a_time(modern());
  const auto seen = run(network, {{"look_at", "suites"}});
  CHECK(seen.record.value("tls.suites").as_array().size() == 4);
  CHECK(seen.record.value("tls.unsettled").as_array().empty());
  CHECK(seen.record.coverages.at("questions").at("at_once").to_number<int>() == 4);
  CHECK(network.connections[kPort] <= 4 + 2 + 8);
  network.tcp[kPort] = modern().peer();
  CHECK(run(network).record.coverages.at("questions").at("at_once").to_number<int>() > 4);
}

TEST_CASE("A server that loses its head over a client that has said all it has to say is asked without that") {
  FakeNetwork network;
  network.tcp[kPort] = one_at_a_time(modern());
  network.half_closed = GENERATE(std::string{}, wire::tls_alert_record(wire::kTls12, 2, 40));
  const auto seen = run(network, {{"look_at", "suites"}});
  CHECK(seen.record.value("tls.suites").as_array().size() == 4);
  CHECK(seen.record.value("tls.unsettled").as_array().empty());
  CHECK(network.connections[kPort] <= 2 * (4 + 2 + 8));
}

TEST_CASE("SSL 2.0, EXPORT suites, RC4, small finite fields and compression name what they make possible") {
  auto server = modern();
  server.ssl2 = true;
  server.suites[wire::kSsl3] = {0x000a};
  server.suites[wire::kTls10] = {0x0003, 0x0014, 0x0005, 0x0033};
  server.compression = 1;
  const auto seen = run(server);
  CHECK(state(seen, "drown") == "precondition");
  CHECK(state(seen, "poodle") == "shown");
  CHECK(state(seen, "freak") == "shown");
  CHECK(state(seen, "logjam") == "shown");
  CHECK(state(seen, "rc4") == "precondition");
  CHECK(state(seen, "sweet32") == "precondition");
  CHECK(state(seen, "beast") == "precondition");
  CHECK(state(seen, "raccoon") == "precondition");
  CHECK(state(seen, "crime") == "precondition");
  CHECK(seen.record.value("tls.dh").as_array().front().as_object().at("bits") == 1024);
}

TEST_CASE("A server of today has none of the weaknesses that come with old suites") {
  const auto seen = run(modern());
  for (const auto* name : {"drown", "poodle", "freak", "logjam", "rc4", "sweet32", "beast", "raccoon", "crime",
                           "lucky13", "insecure_renegotiation"}) {
    INFO(name);
    CHECK(state(seen, name) == "not_shown");
  }
}

TEST_CASE("Groups and signature schemes are struck out until the server refuses") {
  auto server = modern();
  server.groups = {24, 29, 23};
  server.signatures = {0x0601, 0x0804};
  const auto seen = run(server);
  CHECK(names_of(seen.record.value("tls.groups")) == Names{"TLSv1.2 secp384r1", "TLSv1.2 x25519", "TLSv1.2 secp256r1",
                                                           "TLSv1.3 secp384r1", "TLSv1.3 x25519", "TLSv1.3 secp256r1"});
  CHECK(seen.record.value("tls.groups_settled").as_bool());
  CHECK(seen.record.value("tls.signatures").as_array().size() == 2);
}

TEST_CASE("Where one question is asked at a time groups and schemes are struck out with the suites, and none is lost") {
  auto server = modern();
  server.suites[wire::kTls12] = {0xc02f, 0x009c, 0xc030, 0xc027, 0x002f, 0xc013};
  server.groups = {24, 29, 23};
  server.signatures = {0x0601, 0x0804, 0x0401};
  server.own_order = GENERATE(true, false);
  const auto sorted = [](const json::value& list) {
    Names out;
    for (const auto& one : list.as_array()) {
      out.push_back(json::serialize(one));
    }
    std::sort(out.begin(), out.end());
    return out;
  };
  FakeNetwork at_once;
  at_once.tcp[kPort] = server.peer();
  const auto wide = run(at_once);
  FakeNetwork in_turn;
  in_turn.spare = 1;
  in_turn.tcp[kPort] = server.peer();
  const auto narrow = run(in_turn);
  for (const auto* fact : {"tls.suites", "tls.groups", "tls.signatures"}) {
    INFO(fact);
    CHECK(sorted(narrow.record.value(fact)) == sorted(wide.record.value(fact)));
  }
  CHECK(narrow.record.value("tls.suites").as_array().size() == 8);
  CHECK(narrow.record.value("tls.groups").as_array().size() == 6);
  CHECK(narrow.record.value("tls.signatures").as_array().size() == 3);
  CHECK(narrow.record.value("tls.groups_settled").as_bool());
  CHECK(narrow.record.value("tls.unsettled").as_array().empty());
  CHECK(yes(narrow, "honours_groups").as_bool());
  CHECK(in_turn.connections[kPort] < at_once.connections[kPort] - 2);
}

TEST_CASE("Groups are found where the curve of the certificate must stay among them") {
  auto server = modern();
  server.suites = {{wire::kTls12, {0xc02b}}};
  server.curve = 23;
  server.groups = {23, 25, 29};
  server.own_order = false;
  const auto seen = run(server);
  auto names = names_of(seen.record.value("tls.groups"));
  std::sort(names.begin(), names.end());
  CHECK(names == Names{"TLSv1.2 secp256r1", "TLSv1.2 secp521r1", "TLSv1.2 x25519"});
  CHECK(seen.record.value("tls.groups_settled").as_bool());
  CHECK(yes(seen, "honours_groups").as_bool());
}

TEST_CASE("A server of its own order shows every group, though it wants the curve of its certificate") {
  auto server = modern();
  server.suites = {{wire::kTls12, {0xc02b}}};
  server.curve = 23;
  server.groups = {24, 23};
  CHECK(names_of(run(server).record.value("tls.groups")) == Names{"TLSv1.2 secp384r1", "TLSv1.2 secp256r1"});
}

TEST_CASE("The client's order is told from the server's") {
  auto server = modern();
  server.own_order = false;
  CHECK(run(server).record.text("tls.preference") == "client");
}

TEST_CASE("Whose order decides is told by the first question where that shows it, and by one more where it does not") {
  const auto questions = [](const fake::Run& seen) {
    const auto& text = seen.record.artifacts.back().bytes;
    std::size_t count = 0;
    for (auto at = text.find("order of suites"); at != std::string::npos; at = text.find("order of suites", at + 1)) {
      ++count;
    }
    return count;
  };
  auto server = modern();  // its first choice is the first that is offered
  auto seen = run(server);
  CHECK(seen.record.text("tls.preference") == "server");
  CHECK(questions(seen) == 1);
  server.suites[wire::kTls12] = {0xc030, 0xc02f};  // and now it is the second
  seen = run(server);
  CHECK(seen.record.text("tls.preference") == "server");
  CHECK(questions(seen) == 0);
  server.own_order = false;
  seen = run(server);
  CHECK(seen.record.text("tls.preference") == "client");
  CHECK(questions(seen) == 1);
}

TEST_CASE("A server that closes instead of sending an alert is understood all the same") {
  auto server = modern();
  server.closes_instead = true;
  const auto seen = run(server);
  CHECK(seen.record.value("tls.suites").as_array().size() == 4);
  CHECK(seen.record.value("tls.unsettled").as_array().empty());
  CHECK(seen.record.value("tls.refusals").as_object().at("TLSv1.1").as_string() == "closed without an alert");
}

TEST_CASE("How hellos are declined is told for each thing that is wrong with them") {
  const auto answer = [](const fake::Run& seen, std::string_view what) {
    return std::string{seen.record.value("tls.alerts").as_object().at(what).as_string()};
  };
  auto server = modern();
  const auto seen = run(server);
  CHECK(answer(seen, "unsupported_version") == "alert protocol_version");
  CHECK(answer(seen, "no_shared_suite") == "alert handshake_failure");
  CHECK(answer(seen, "ssl2_hello") == "alert protocol_version");
  CHECK(answer(seen, "inappropriate_fallback") == "alert inappropriate_fallback");
  CHECK(answer(seen, "wrong_server_name") == "went on");
  CHECK(answer(seen, "future_version") == "went on");
  server.closes_instead = true;
  server.knows_future = false;
  const auto mute = run(server);
  CHECK(answer(mute, "unsupported_version") == "closed without an alert");
  CHECK(answer(mute, "future_version") == "closed without an alert");
}

TEST_CASE("A server that stumbles over long hellos is asked in short ones") {
  auto server = modern();
  server.longest_hello = 420;
  const auto seen = run(server);
  CHECK(seen.record.value("tls.suites").as_array().size() == 4);
  CHECK(yes(seen, "tolerates_large_hello").is_null());
}

TEST_CASE("A suite that was not offered is an anomaly, and nothing is said to be refused") {
  auto server = modern();
  server.always_chooses = 0x002f;
  server.suites = {{wire::kTls12, {0x002f}}};
  const auto seen = run(server);
  CHECK(seen.record.value("tls.anomalies").as_array().size() >= 1);
  CHECK(seen.record.value("tls.unsettled").as_array().size() >= 1);
}

TEST_CASE("A fallback that is not signalled, intolerance, and a missing renegotiation extension are seen") {
  auto server = modern();
  server.suites[wire::kTls11] = {0xc013};
  server.fallback_scsv = false;
  server.knows_future = false;
  server.answers = {};
  const auto seen = run(server);
  CHECK(yes(seen, "fallback_scsv") == false);
  CHECK(yes(seen, "tolerates_future_version") == false);
  CHECK(yes(seen, "secure_renegotiation") == false);
  CHECK(state(seen, "insecure_renegotiation") == "precondition");
}

TEST_CASE("A port that speaks plain text is no TLS, and a closed one no answer") {
  FakeNetwork network;
  network.tcp[kPort] = fake::answers("HTTP/1.1 400 Bad Request\r\n\r\n");
  auto seen = run(network);
  CHECK(seen.record.value("tls.spoken") == false);
  CHECK(seen.record.is_absent("tls.suites"));
  network.tcp.clear();
  seen = run(network);
  CHECK(!seen.ended);
  CHECK(seen.record.is_unobserved("tls.spoken"));
}

TEST_CASE("Silence, lies about lengths and endless bytes end, and settle nothing") {
  FakeNetwork network;
  network.tcp[kPort] = fake::says("");
  CHECK(run(network).record.is_unobserved("tls.suites"));
  network.tcp[kPort] = fake::answers(std::string("\x16\x03\x03\x00\x04\x02\xff\xff\xff", 9));
  CHECK(run(network).record.value("tls.spoken") == false);
  network.tcp[kPort] = [](int) -> fake::Peer {
    return [](std::string_view written, fake::Line& line) {
      if (!written.empty()) {
        line.repeat(std::string("\x16\x03\x03\x00\x01\x02", 6));
      }
    };
  };
  const auto seen = run(network);
  CHECK(!seen.record.value("tls.suites").is_array());
  CHECK(network.bytes_served < 64U << 20U);
}

namespace {

/// A mail server of script. Its first `deaf` connections end at the first word of the client, before the greeting.
fake::PeerMaker mail(int deaf) {
  const auto inner = modern().peer();
  return [inner, deaf](int connection) -> fake::Peer {
    if (connection < deaf) {
      return [](std::string_view written, fake::Line& line) {
        if (!written.empty()) {
          line.close();
        }
      };
    }
    return [tls = inner(connection), step = 0](std::string_view written, fake::Line& line) mutable {
      if (written.empty()) {
        line.say("220 hub ESMTP ready\r\n");
      } else if (step == 0 && written.starts_with("EHLO")) {
        ++step;
        line.say("250-hub\r\n250 STARTTLS\r\n");
      } else if (step == 1 && written.starts_with("STARTTLS")) {
        ++step;
        line.say("220 go\r\n");
      } else if (step == 2) {
        tls(written, line);
      } else {
        line.say("500 what?\r\n");
      }
    };
  };
}

}  // namespace

TEST_CASE("STARTTLS is asked for in the dialect of the greeting") {
  const int deaf = GENERATE(0, 2);  // a reset takes the greeting with it
  FakeNetwork network;
  network.tcp[kPort] = mail(deaf);
  const auto seen = run(network);
  CHECK(seen.record.text("tls.starttls") == "smtp");
  CHECK(seen.record.value("tls.suites").as_array().size() == 4);
}

TEST_CASE("A greeting is understood though answers to the hello follow it") {
  using probes::tls::dialect_for;
  const auto* ftp = dialect_for("220 (vsFTPd 3.0.3)\r\n530 Please login with USER and PASS.\r\n", kPort);
  const auto* mail = dialect_for("220-hub\r\n220 hub ESMTP\r\n500 what?\r\n", kPort);
  REQUIRE(ftp != nullptr);
  REQUIRE(mail != nullptr);
  CHECK(ftp->name == "ftp");
  CHECK(mail->name == "smtp");
  CHECK(dialect_for("220", kPort) == nullptr);
  CHECK(dialect_for("220-hub\r\n", kPort) == nullptr);
  CHECK(dialect_for("530 no\r\n220 hub\r\n", kPort) == nullptr);
}

namespace {

/// A SERVER-HELLO of SSL 2.0 to every hello of TLS from the n-th connection on; before that as the server does.
fake::PeerMaker falling_to_ssl2(const TlsServer& server, int from) {
  auto old = server;
  old.ssl2 = true;
  return [inner = server.peer(), ssl2 = old.peer(), from](int connection) -> fake::Peer {
    return [connection, from, peer = inner(connection), other = ssl2(connection)](std::string_view written,
                                                                                  fake::Line& line) mutable {
      const bool hello = connection >= from && !written.empty() && written[0] == 22;
      hello ? other(std::string("\x80\x2e\x01\x00\x02", 5), line) : peer(written, line);
    };
  };
}

}  // namespace

TEST_CASE("A SERVER-HELLO of SSL 2.0 that was not asked for is no answer to any hello of TLS") {
  auto server = modern();
  server.suites = {{wire::kTls12, {0xc02f, 0xc013}}};
  server.compression = 1;
  FakeNetwork plain;
  plain.tcp[kPort] = server.peer();
  run(plain);
  const int all = plain.connections[kPort];
  REQUIRE(all > 8);
  int untold = 0;
  for (int from = 1; from < all; ++from) {
    INFO(from);
    FakeNetwork network;
    network.spare = 1;
    network.tcp[kPort] = falling_to_ssl2(server, from);
    const auto seen = run(network);
    CHECK(texts_of(seen.record.value("tls.versions")) == Names{"TLSv1.2"});
    const auto looks = seen.record.value("tls.behaviour").as_object();
    const auto* compression = looks.if_contains("compression");
    untold += compression != nullptr && compression->at("yes").is_null() ? 1 : 0;
  }
  CHECK(untold > 0);
}

TEST_CASE("A certificate of its own for each connection fills eight chains, and the rest is counted") {
  auto server = modern();
  server.suites = {{wire::kTls12, {0xc02f, 0xc030, 0xc013, 0xc014, 0x002f, 0x0035, 0x009c, 0x009d}}};
  FakeNetwork network;
  network.tcp[kPort] = [server](int connection) {
    auto own = server;
    own.certificate = fake::test_certificate();
    return own.peer()(connection);
  };
  const auto seen = run(network);
  CHECK(seen.record.value("tls.certificates").as_array().size() == 8);
  const auto& coverage = seen.record.coverages.at("certificates");
  CHECK(coverage.at("chains").to_number<int>() == 8);
  CHECK(coverage.at("left_out").to_number<int>() > 0);
  const auto usual = run(server);
  CHECK(usual.record.value("tls.certificates").as_array().size() == 1);
  CHECK(usual.record.coverages.at("certificates").at("left_out").to_number<int>() == 0);
}

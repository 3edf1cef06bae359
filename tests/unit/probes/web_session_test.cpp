#include "tests/unit/probes/web_session_support.hpp"

namespace assay::web_session_tests {

TEST_CASE("Sessions of a sound interface: every fact is settled, nothing risky is asked for, and no id is told") {
  auto hub = std::make_shared<Hub>();
  json::object idle;
  idle["idle"] = 8;
  const auto run = look(hub, described(), idle);
  REQUIRE(run.ended);
  const auto& record = run.record;
  CHECK(record.text("web.login") == "http-form");
  CHECK(record.text("web.carrier") == "cookie");
  const auto cookies = record.value("web.cookies").as_array();
  REQUIRE(cookies.size() == 1);
  CHECK(cookies[0].at("session") == json::value(true));
  CHECK(cookies[0].at("secure") == json::value(true));
  CHECK(cookies[0].at("same_site") == json::value("lax"));
  CHECK(record.value("web.fixation").at("kept") == json::value(false));
  CHECK(record.value("web.fixation").at("takes_invented") == json::value(false));
  CHECK(record.value("web.tokens").at("sample") == json::value(8));
  CHECK(record.value("web.tokens").at("relations").as_array().empty());
  CHECK(record.value("web.concurrent") == json::value(true));
  CHECK(record.value("web.logout").at("ended") == json::value(true));
  CHECK(record.value("web.idle").at("ended") == json::value(false));
  CHECK(record.value("web.idle").at("alive_after") == json::value(8));
  CHECK(record.value("web.open").as_array().empty());
  CHECK(record.is_unobserved("web.crossed"));
  CHECK(record.value("web.stored") == json::value(true));
  CHECK(hub->name == "Hub");  // put back, and /reboot was not asked for
  for (const auto& id : hub->inside) {
    CHECK(all_text(run).find(id) == std::string::npos);
  }
  CHECK(all_text(run).find("zlxx.7Q") == std::string::npos);
}

TEST_CASE("Each flaw of a session shows in its own fact") {
  auto hub = std::make_shared<Hub>();
  hub->keeps_id = true;
  auto run = look(hub);
  CHECK(run.record.value("web.fixation").at("kept") == json::value(true));
  CHECK(run.record.value("web.fixation").at("takes_invented") == json::value(true));

  hub = std::make_shared<Hub>();
  hub->logout_kills = false;
  run = look(hub);
  CHECK(run.record.value("web.logout").at("ended") == json::value(false));
  CHECK(run.record.value("web.logout").at("browser_out") == json::value(true));

  hub = std::make_shared<Hub>();
  hub->counts = true;
  run = look(hub);
  const auto relations = run.record.value("web.tokens").at("relations").as_array();
  REQUIRE(!relations.empty());
  CHECK(relations[0].at("kind") == json::value("counter"));

  hub = std::make_shared<Hub>();
  hub->open_settings = true;
  run = look(hub);
  const auto open = run.record.value("web.open").as_array();
  REQUIRE(open.size() == 1);
  CHECK(open[0].at("path") == json::value("/settings"));
  CHECK(open[0].at("kind") == json::value("form"));
  CHECK(open[0].at("linked") == json::value(false));
  CHECK(run.record.value("web.forgery").at("no_session") == json::value(true));
}

TEST_CASE("A session that a script sets is not opened, and that is what is said") {
  const auto reason = [](const std::string& page) {
    FakeNetwork network;
    network.tcp[kPort] = fake::answers(reply("200 OK", page + kForm));
    return fake::observe(probes::web_session::kDescriptor, network, "tcp/4000", {}, described())
        .record.reasons.at("web.tokens");
  };
  CHECK(reason("<script>document.cookie = 'sid=' + id;</script>").find("document.cookie") != std::string::npos);
  CHECK(reason("<script>blink();</script>").find("document.cookie") == std::string::npos);
}

TEST_CASE("What is dropped of pages, scripts and calls is told") {
  const auto is_whole = [](std::shared_ptr<Hub> hub, json::object parameters = {}) {
    return look(hub, described(), parameters).record.value("web.pages").at("whole");
  };
  const auto many = [](int count, std::string_view before, std::string_view after) {
    std::string out;
    for (int i = 0; i < count; ++i) {
      out += std::string{before} + std::to_string(i) + std::string{after};
    }
    return out;
  };
  json::object wide;
  wide["pages"] = 200;
  CHECK(is_whole(std::make_shared<Hub>(), wide) == json::value(true));

  auto hub = std::make_shared<Hub>();
  hub->broken.insert("/app.js");
  CHECK(is_whole(hub, wide) == json::value(false));

  hub = std::make_shared<Hub>();
  hub->script = many(64, "fetch('/api/lamp", "');");
  CHECK(is_whole(hub, wide) == json::value(true));
  hub->script = many(65, "fetch('/api/lamp", "');");
  CHECK(is_whole(hub, wide) == json::value(false));

  hub = std::make_shared<Hub>();
  hub->more = many(15, "<script src=/js/", ".js></script>");
  CHECK(is_whole(hub, wide) == json::value(true));
  hub->more = many(16, "<script src=/js/", ".js></script>");
  CHECK(is_whole(hub, wide) == json::value(false));

  hub = std::make_shared<Hub>();
  hub->more = many(130, "<a href=/page", ">x</a>");
  CHECK(is_whole(hub, wide) == json::value(false));

  hub = std::make_shared<Hub>();
  hub->more = "<a href=/" + std::string(600, 'x') + ">x</a>";
  CHECK(is_whole(hub, wide) == json::value(false));
}

TEST_CASE("Scripts count as pages do") {
  auto hub = std::make_shared<Hub>();
  for (int i = 0; i < 12; ++i) {
    hub->more += "<script src=/js/" + std::to_string(i) + ".js></script>";
  }
  json::object few;
  few["pages"] = 8;
  const auto run = look(hub, described(), few);
  CHECK(run.record.value("web.pages").at("whole") == json::value(false));
  const auto scripts = std::count_if(hub->asked.begin(), hub->asked.end(),
                                     [](const std::string& path) { return path.starts_with("/js/"); });
  CHECK(scripts < 8);
}

TEST_CASE("Calls of scripts that may do something are told by their parts, and are not asked for") {
  using probes::web_session::is_risky_call;
  for (const auto* path : {"/api/lamp/on",        "/api/door-unlock", "/goform/setWifi",
                           "/goform/setwifi",     "/api/users/add",   "/api/addUser",
                           "/api/flash",          "/api/install",     "/api/wps",
                           "/api/pairing",        "/api/exit",        "/api/door/open",
                           "/api/status?turn=on", "/api/list?page=1", "/api/quit",
                           "/api/create",         "/api/write",       "/api/set",
                           "/api/turn_off",       "/relay/0/Off"}) {
    CAPTURE(path);
    CHECK(is_risky_call(path));
  }
  for (const auto* path : {"/api/lamps", "/api/settings", "/api/addresses", "/openvpn.json", "/api/lockers",
                           "/api/users", "/status.json", "/api/online", "/api/sets", "/api/console"}) {
    CAPTURE(path);
    CHECK(!is_risky_call(path));
  }
  auto hub = std::make_shared<Hub>();
  hub->script = "fetch('/api/lamps'); fetch('/relay/0?turn=on'); fetch('/api/door/open');";
  const auto run = look(hub);
  CHECK(run.record.value("web.pages").at("left_out") == json::value(4));  // with the links /logout and /reboot
  CHECK(std::find(hub->asked.begin(), hub->asked.end(), "/api/lamps") != hub->asked.end());
  for (const auto& path : hub->asked) {
    CHECK(path.find("/relay") == std::string::npos);
    CHECK(path.find("/door") == std::string::npos);
  }
}

TEST_CASE("A call that a script alone names is asked for by a visitor too, and one that changes something by nobody") {
  auto hub = std::make_shared<Hub>();
  CHECK(look(hub).record.value("web.open").as_array().empty());
  hub = std::make_shared<Hub>();
  hub->open_call = true;
  const auto run = look(hub);
  const auto open = run.record.value("web.open");
  REQUIRE(open.as_array().size() == 1);
  CHECK(open.at(0).at("path") == json::value("/api/lamps"));
  CHECK(open.at(0).at("kind") == json::value("data"));
  CHECK(open.at(0).at("linked") == json::value(false));
  CHECK(all_text(run).find("GET /api/reset") == std::string::npos);
}

TEST_CASE(
    "A declared page that is another at each request is unclear where a visitor gets it, and no proof of a lock") {
  auto dut = described();
  dut.web[0].pages.push_back({"/log", {}});
  auto hub = std::make_shared<Hub>();
  CHECK(look(hub, dut).record.value("web.pages").at("unclear") == json::value(0));
  hub = std::make_shared<Hub>();
  hub->open_log = true;
  CHECK(look(hub, dut).record.value("web.pages").at("unclear") == json::value(1));
}

TEST_CASE("Without an account, or with a wrong one, nothing is known and one login is spent") {
  auto dut = described();
  dut.accounts[0].secret = Secret{"wrong", "wrong one"};
  FakeNetwork network;
  network.tcp[kPort] = served(std::make_shared<Hub>());
  auto run = fake::observe(probes::web_session::kDescriptor, network, "tcp/4000", {}, dut);
  CHECK(run.record.fault.empty());
  CHECK(run.record.is_unobserved("web.tokens"));
  CHECK(network.permits["maker"] == 1);
  dut.accounts.clear();
  run = look(std::make_shared<Hub>(), dut);
  CHECK(run.record.is_unobserved("web.open"));
}

TEST_CASE("Peers that are silent, cut, or speak something else leave every fact settled") {
  for (const auto* greeting : {"", "SSH-2.0-x\r\n", "\x15\x03\x01", "HTTP/1.1 200 OK\r\n\r\n<form", "220 ftp\r\n"}) {
    CAPTURE(greeting);
    FakeNetwork network;
    network.tcp[kPort] =
        *greeting == '\0' ? fake::PeerMaker{[](int) -> Peer { return [](auto, Line&) {}; }} : fake::answers(greeting);
    const auto run = fake::observe(probes::web_session::kDescriptor, network, "tcp/4000", {}, described());
    CHECK(run.record.fault.empty());
    CHECK(run.record.facts.empty());
  }
}

TEST_CASE("Links that may change something are told by their words") {
  CHECK(wire::may_act({"/x", "Factory reset"}, "/x"));
  CHECK(wire::may_act({"/Reboot.cgi", ""}, "/Reboot.cgi"));
  CHECK(wire::may_act({"/a?action=1", "a"}, "/a?action=1"));
  CHECK(!wire::may_act({"/status.html", "Status"}, "/status.html"));
}

TEST_CASE("What session ids are drawn from is told with its uncertainty") {
  const std::vector<std::int64_t> times{1'790'000'001, 1'790'000'002, 1'790'000'004, 1'790'000'007};
  const auto even = probes::web_session::tokens_in_words(
      {"kX0q8ZtB3mVw", "p4RzYc7LsQ1n", "Ue9HdJ2gTf5a", "b6KxWmN0vOi8"}, times, "admin");
  CHECK(even.at("relations").as_array().empty());
  CHECK(even.at("bits_at_most").as_double() > 60);
  const auto clock =
      probes::web_session::tokens_in_words({"1790000001", "1790000002", "1790000004", "1790000007"}, times, "admin");
  CHECK(!clock.at("relations").as_array().empty());
  const auto same = probes::web_session::tokens_in_words({"aaaa", "aaaa"}, {1, 2}, "admin");
  CHECK(same.at("relations").as_array()[0].at("kind") == json::value("equal"));
}

}  // namespace assay::web_session_tests

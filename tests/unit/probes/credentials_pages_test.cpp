#include <algorithm>

#include "probes/images/packed.hpp"
#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;

/// Login pages of devices: where they stand, what their forms ask for, and what is behind them.

namespace assay::probes::resistance {
extern const ProbeDescriptor kDescriptor;
}

namespace {

const std::string kForm =
    "<form method=post action=/login><input name=user><input type=password name=pass><input type=submit></form>";
const std::string kHome = "<table><tr><td>Uptime</td><td>12 days</td></tr></table>";

std::string to(const std::string& place, const std::string& cookie = {}) {
  return "HTTP/1.1 302 Found\r\nLocation: " + place + "\r\n" +
         (cookie.empty() ? "" : "Set-Cookie: s=" + cookie + "\r\n") + "Content-Length: 0\r\n\r\n";
}

/// A web interface whose one account is admin with the password letmein1.
struct House {
  std::string form = kForm;
  std::string login = "/";                         // where the form stands
  std::string inside = kHome;                      // every page, for whoever has logged in
  std::string right = "user=admin&pass=letmein1";  // what a login that is taken ends with
  std::map<std::string, std::string> pages{};      // of anybody
  std::map<std::string, std::string> of_failed{};  // of a session whose login failed
  std::string posted_to{};                         // what takes logins; empty: any place
  std::string refusal = to("/", "failed1");
  std::string known_refusal{};  // of the name admin; empty: the same
  std::string of_locked{};      // every page, for whoever has that
  std::string refusal_later{};  // from the third wrong login on; empty: the same
  int wrong = 0;
  std::vector<std::string> asked{};

  std::string answer(std::string_view request) {
    const auto path = std::string{request.substr(request.find(' ') + 1, request.find(" HTTP") - request.find(' ') - 1)};
    if (request.starts_with("POST ")) {
      if (!posted_to.empty() && path != posted_to) {
        return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
      }
      if (request.ends_with(right)) {
        return to("/", "opened1");
      }
      if (!known_refusal.empty() && request.find("user=admin&") != std::string_view::npos) {
        return known_refusal;
      }
      return ++wrong > 3 && !refusal_later.empty() ? refusal_later : refusal;
    }
    asked.push_back(path);
    if (request.find("s=opened1") != std::string_view::npos) {
      return ok(inside);
    }
    if (request.find("s=locked1") != std::string_view::npos) {
      return ok(of_locked);
    }
    if (request.find("s=failed1") != std::string_view::npos && of_failed.contains(path)) {
      return ok(of_failed.at(path));
    }
    if (const auto page = pages.find(path); page != pages.end()) {
      return page->second;
    }
    return path == login ? ok(form) : to(login);
  }
};

fake::PeerMaker serve(House& house) {
  return [&house](int) -> Peer {
    return [&house](std::string_view written, Line& line) {
      if (written.starts_with("GET ") || written.starts_with("POST ")) {
        line.say(house.answer(written));
      }
    };
  };
}

fake::Run visit(House& house, const Dictionary& list = pairs({{"root", "toor42"}, {"admin", "letmein1"}}),
                const Dut& dut = {}) {
  FakeNetwork network;
  network.tcp[kPort] = serve(house);
  return attack(network, list, without_blanks(), dut);
}

bool takes(House house) {
  const auto run = visit(house);
  return run.record.facts.contains("credentials.accepted") &&
         run.record.value("credentials.accepted").as_array().size() == 1;
}

bool refuses(House house) {
  house.right = "nobody";
  const auto run = visit(house);
  return run.record.facts.contains("credentials.accepted") &&
         run.record.value("credentials.accepted") == json::value(json::array{}) &&
         run.record.value("credentials.open") == json::value(false);
}

/// The text that the rows of a transcript show.
std::string read_back(const std::string& kept) {
  std::string out;
  for (auto bar = kept.find("  |"); bar != std::string::npos; bar = kept.find("  |", bar)) {
    const auto end = kept.find("|\n", bar + 3);
    out += kept.substr(bar + 3, end - bar - 3);
    bar = end;
  }
  return out;
}

std::string why(const fake::Run& run, const std::string& fact) {
  return run.record.is_unobserved(fact) ? run.record.reasons.at(fact) : std::string{};
}

}  // namespace

TEST_CASE("A page behind the login that asks for another password is not the login page") {
  House radio;
  radio.inside = "<form method=post action=/wifi><input name=ssid value=Home><input type=password name=key></form>";
  CHECK(takes(radio));
  CHECK(refuses(radio));
  House first_steps;
  first_steps.inside = "<form method=post action=/set><input type=password name=pass autocomplete=new-password></form>";
  CHECK(takes(first_steps));
  CHECK(refuses(first_steps));
}

TEST_CASE("A form whose names change with each visit opens nothing by that") {
  House house;
  auto visits = std::make_shared<int>(0);
  FakeNetwork network;
  network.tcp[kPort] = [visits](int) -> Peer {
    return [visits](std::string_view written, Line& line) {
      if (!written.empty()) {
        const auto mark = std::to_string(++*visits);
        line.say(ok("<form method=post><input name=u" + mark + "><input type=password name=p" + mark + "></form>"));
      }
    };
  };
  const auto run = attack(network, pairs({{"admin", "letmein1"}}), without_blanks());
  CHECK(run.record.value("credentials.accepted") == json::value(json::array{}));
  CHECK(run.record.value("credentials.open") == json::value(false));
}

TEST_CASE("A page that only a failed login gets is not behind it") {
  House house;
  house.refusal = to("/failed", "failed1");
  house.of_failed["/failed"] = "<p>Sign in did not work.</p>";
  CHECK(takes(house));
  house.right = "nobody";
  const auto refused = visit(house);
  CHECK(why(refused, "credentials.open").find("/failed") != std::string::npos);
  CHECK(refused.record.is_unobserved("credentials.accepted"));

  // An account of the tester shows what is behind it, and the refusals are some then.
  house.right = "user=admin&pass=only-mine";
  Dut dut;
  dut.accounts.push_back({.role = "admin", .username = "admin", .secret = Secret{"only-mine", "env:A"}});
  const auto settled = visit(house, pairs({{"root", "toor42"}}), dut);
  CHECK(settled.record.value("credentials.accepted") == json::value(json::array{}));
  CHECK(settled.record.value("credentials.open") == json::value(false));
}

TEST_CASE("The field of the name is found whatever its type, and others keep what they hold") {
  for (const std::string fields :
       {"<input type=tel name=user>", "<input type=search name=user>",
        "<input name=user value=guest><input name=domain>", "<input name=user><input name=domain value=local>"}) {
    CAPTURE(fields);
    House house;
    house.form = "<form method=post action=/login>" + fields + "<input type=password name=pass></form>";
    CHECK(takes(house));
    CHECK(refuses(house));
  }
  House two;
  two.form =
      "<form method=post action=/login><input name=user><input name=domain value=local><input type=password "
      "name=pass></form>";
  two.right = "domain=local&user=admin&pass=letmein1";
  CHECK(takes(two));
}

TEST_CASE("Logins of a form without a name are all on one account") {
  House house;
  house.form = "<form method=post action=/login><input type=password name=pass></form>";
  house.right = "nobody";
  FakeNetwork network;
  network.login_budget[""] = 5;
  network.tcp[kPort] = serve(house);
  const auto run = attack(network, many_pairs(20, 3), without_blanks());
  CHECK(house.wrong > 0);
  CHECK(house.wrong <= 5);
  CHECK(coverage(run, "skipped_budget") > 0);

  house.right = "pass=letmein1";
  house.wrong = 0;
  const auto found = visit(house, pairs({{"admin", "letmein1"}}));
  REQUIRE(found.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(found.record.value("credentials.accepted").at(0).at("username") == json::value(""));
}

TEST_CASE("A captcha from the start leaves every login open, and one that comes later is a lock") {
  House always;
  always.form =
      "<form method=post action=/login><input name=user><input type=password name=pass>"
      "<img src=/captcha.png><input name=captcha></form>";
  always.right = "nobody";
  const auto run = visit(always);
  CHECK(why(run, "credentials.accepted").find("captcha") != std::string::npos);
  CHECK(why(run, "credentials.open").find("captcha") != std::string::npos);
  CHECK(why(run, "credentials.lockout").find("captcha") != std::string::npos);

  House later;
  later.right = "user=d&pass=d44";
  later.refusal = ok(kForm + "<p>Sorry.</p>");
  later.refusal_later = ok(kForm + "<p>Sorry.</p><img src='/captcha.png'>");
  const auto held = visit(later, pairs({{"a", "a11"}, {"b", "b22"}, {"c", "c33"}, {"d", "d44"}}));
  const auto& lockout = held.record.value("credentials.lockout");
  CHECK(lockout.at("observed") == json::value(true));
  CHECK(std::string_view{lockout.at("sign").as_string()}.find("captcha") != std::string_view::npos);
  CHECK(later.wrong == 5);  // a random name showed that everybody is held

  House hidden;
  hidden.form = "<img class=captcha style='display:none'>" + kForm;
  CHECK(takes(hidden));
  CHECK(refuses(hidden));
}

TEST_CASE("A captcha is a reaction to wrong logins, and where it stands from the start none is measured") {
  const auto measure = [](House& house) {
    FakeNetwork network;
    network.tcp[kPort] = serve(house);
    return fake::observe(probes::resistance::kDescriptor, network, "tcp/4000", {}, {}, {});
  };
  House later;
  later.refusal = ok(kForm + "<p>Sorry.</p>");
  later.refusal_later = ok(kForm + "<p>Sorry.</p><img src='/captcha.png'>");
  const auto held = measure(later);
  CHECK(held.record.value("resistance.reaction").at("seen") == json::value(true));
  CHECK(held.record.value("resistance.reaction").at("sign") == json::value("changed"));
  House already = later;
  already.refusal = later.refusal_later;
  CHECK(why(measure(already), "resistance.reaction").find("captcha") != std::string::npos);
  House always = later;
  always.form = kForm + "<img src=/captcha.png>";
  CHECK(why(measure(always), "resistance.reaction").find("captcha") != std::string::npos);
}

TEST_CASE("A login is found one link, frame or challenge away, and nothing is followed that may act") {
  House linked;
  linked.login = "/in.html";
  linked.pages["/"] =
      ok("<a href=/reboot.cgi>Restart</a><a href=/logo.png>x</a><a href=http://192.0.2.9/login>y</a>"
         "<a href=/help.html>Help</a><a href=/in.html>Sign in</a>");
  FakeNetwork network;
  network.tcp[kPort] = serve(linked);
  const auto run = attack(network, pairs({{"admin", "letmein1"}}), without_blanks());
  CHECK(run.record.value("credentials.accepted").as_array().size() == 1);
  CHECK(linked.asked.at(1) == "/in.html");
  CHECK(std::find(linked.asked.begin(), linked.asked.end(), "/reboot.cgi") == linked.asked.end());

  House framed;
  framed.login = "/main.html";
  framed.pages["/"] = ok("<frameset rows='*'><frame src=/main.html></frameset>");
  CHECK(takes(framed));
  CHECK(refuses(framed));

  FakeNetwork guarded;
  const auto right = wire::basic_authorization("admin", "letmein1");
  guarded.tcp[kPort] = [right](int) -> Peer {
    return [right](std::string_view written, Line& line) {
      if (written.starts_with("GET /admin/ ")) {
        line.say(written.find(right) != std::string_view::npos ? ok() : kBasic);
      } else if (!written.empty()) {
        line.say(ok("<h1>Plug</h1><a href=/admin/>Settings</a>"));
      }
    };
  };
  const auto basic_run = attack(guarded, pairs({{"admin", "letmein1"}}), without_blanks());
  CHECK(basic_run.record.text("credentials.dialect") == "http-basic");
  CHECK(basic_run.record.value("credentials.accepted").as_array().size() == 1);
}

TEST_CASE("Where no login was found it is said what was looked at, unless all of it was plain") {
  House plain;
  plain.login = "none";
  plain.pages["/"] = ok("<h1>Works</h1><a href=/about.html>About</a>");
  plain.pages["/about.html"] = ok("<p>This is a page.</p>");
  CHECK_FALSE(visit(plain).record.is_unobserved("credentials.accepted"));
  House app = plain;
  app.pages["/"] = ok("<div id=app></div><script src=/app.js></script>");
  CHECK(why(visit(app), "credentials.accepted").find("(/)") != std::string::npos);
  House endless;
  std::string links;
  for (int i = 0; i < 20; ++i) {
    const auto page = "/page" + std::to_string(i);
    links += "<a href=" + page + ">x</a>";
    endless.pages[page] = ok("<p>x</p>");
  }
  endless.pages["/"] = ok(links);
  CHECK(why(visit(endless), "credentials.accepted").find("12 that they lead to") != std::string::npos);
  CHECK(endless.asked.size() == 9);
}

TEST_CASE("A form is sent to where its button or the base of its page leads, and to no other host") {
  const std::string inputs = "<input name=user><input type=password name=pass>";
  const std::string ways[] = {
      "<base href=/cgi/><form method=post action=login>" + inputs + "</form>",
      "<form action=/search>" + inputs + "<button formaction=/cgi/login formmethod=post>In</button></form>"};
  for (const auto& form : ways) {
    CAPTURE(form);
    House house;
    house.form = form;
    house.posted_to = "/cgi/login";
    CHECK(takes(house));
    CHECK(refuses(house));
  }
  for (const std::string& away :
       {"<base href=//192.0.2.99/>" + kForm,
        "<base href=http://192.0.2.99/><form method=post action=x>" + inputs + "</form>",
        "<form method=post action=/login>" + inputs + "<button formaction=http://192.0.2.99/>In</button></form>"}) {
    CAPTURE(away);
    House house;
    house.form = away;
    const auto run = visit(house);
    CHECK(why(run, "credentials.accepted").find("sent to another place") != std::string::npos);
    CHECK(house.wrong == 0);
  }
}

TEST_CASE("A login behind a link is found where the base of the page leads it") {
  House house;
  house.login = "/cgi/login.html";
  house.pages["/"] = ok("<base href=/cgi/><a href=login.html>Sign in</a>");
  CHECK(takes(house));
}

TEST_CASE("A login inside TLS whose form leads to HTTP is one in clear, and nothing is sent there") {
  House house;
  house.form =
      "<form method=post action='http://192.0.2.7:4000/login'><input name=user><input type=password name=pass></form>";
  FakeNetwork network;
  network.tls[kPort] = serve(house);
  network.tcp[kPort] = [](int) -> Peer {
    return [](std::string_view bytes, Line& line) {
      if (bytes.starts_with("\x16\x03")) {
        line.say("\x15\x03\x01\0\x02\x02\x28"s);
      } else if (!bytes.empty()) {
        line.close();
      }
    };
  };
  const auto run = attack(network, pairs({{"admin", "letmein1"}}), without_blanks());
  CHECK(run.record.value("credentials.clear") == json::value(true));
  CHECK(house.wrong == 0);
  CHECK(why(run, "credentials.accepted").find("sent to another place") != std::string::npos);
  house.form = kForm;
  const auto sound = attack(network, pairs({{"admin", "letmein1"}}), without_blanks());
  CHECK(sound.record.value("credentials.clear") == json::value(false));
  CHECK(sound.record.value("credentials.accepted").as_array().size() == 1);
}

TEST_CASE("A page that a known name gets for any password is a doubt and no default password") {
  House house;
  house.known_refusal = to("/", "locked1");
  house.of_locked = "<h1>This account is held for ten minutes</h1>";
  house.right = "nobody";
  const auto run = visit(house, pairs({{"admin", "toor42"}, {"admin", "letmein1"}, {"root", "toor42"}}));
  CHECK(why(run, "credentials.accepted").find("wrong password of admin") != std::string::npos);
  CHECK(run.record.value("credentials.open") == json::value(false));
}

TEST_CASE("Scripts of the login page leave it open whether a login is understood, until one is taken") {
  House house;
  house.form = "<script src=/js/main.js></script>" + kForm;
  CHECK(takes(house));
  house.right = "nobody";
  CHECK(why(visit(house), "credentials.accepted").find("scripts") != std::string::npos);
  house.right = "user=owner&pass=own-pass9";
  Dut dut;
  dut.accounts = {{"owner", "owner", Secret{"own-pass9", "env:OWNER"}}};
  CHECK(visit(house, pairs({{"admin", "letmein1"}}), dut).record.value("credentials.accepted") ==
        json::value(json::array{}));
}

TEST_CASE("Where pages cannot be read to their end, no login is a doubt") {
  const std::string body = "<h1>Hub</h1>";
  const auto page = [&](const std::string& headers, const std::string& text) {
    return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
  };
  const std::pair<std::string, std::string> answers[] = {
      {page("Content-Encoding: gzip\r\n", "\x1f\x8b..."), "compressed"},
      {page("Content-Encoding: br\r\n", body), "compressed"},
      {page("Content-Encoding: gzip\r\n", images::pack_gzip(body)), ""},
      {page("Content-Encoding: gzip\r\n", images::pack_gzip(body + std::string(1 << 20, ' '))), "without its end"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + body, "without its end"},
      {to("http://router.lan/login.html"), "router.lan"},
      {page("", "<form method=post action=/next><input name=username></form>"), "asks for a name"},
      {"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n", "503"},
      {page("", body), ""},
      {to("https://192.0.2.7/"), ""},  // an endpoint of its own
  };
  for (const auto& [answer, doubt] : answers) {
    INFO(answer);
    FakeNetwork network;
    network.tcp[kPort] = [&, answer = answer](int) -> Peer {
      return [&, answer](std::string_view written, Line& line) {
        if (!written.empty()) {
          line.say(answer);
          line.close();
        }
      };
    };
    const auto run = attack(network, pairs({{"admin", "letmein1"}}), without_blanks());
    const auto told = why(run, "credentials.accepted");
    CHECK(told.empty() == doubt.empty());
    CHECK(told.find(doubt) != std::string::npos);
  }
}

TEST_CASE("Pages that come compressed are read, and what they hold is masked in transcripts") {
  House house;
  house.inside = kHome + "The password is letmein1.";
  const auto squeezed = [&house](std::string_view request) {
    const auto answer = house.answer(request);
    const auto body = answer.substr(answer.find("\r\n\r\n") + 4);
    const auto packed = images::pack_gzip(body);
    return body.empty()
               ? answer
               : "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " + std::to_string(packed.size()) +
                     "\r\n\r\n" + packed;
  };
  const auto look = [&] {
    FakeNetwork network;
    network.tcp[kPort] = [&](int) -> Peer {
      return [&](std::string_view written, Line& line) {
        if (!written.empty()) {
          line.say(squeezed(written));
        }
      };
    };
    return attack(network, pairs({{"root", "toor42"}, {"admin", "letmein1"}}), without_blanks());
  };
  const auto weak = look();
  REQUIRE(weak.record.facts.contains("credentials.accepted"));
  CHECK(weak.record.value("credentials.accepted").as_array().size() == 1);
  const auto kept = transcript(weak);
  CHECK(kept.find("came compressed and stands below unpacked") != std::string::npos);
  const auto said = read_back(kept);
  CHECK(said.find("The password is {dictionary ") != std::string::npos);
  CHECK(said.find("letmein1") == std::string::npos);
  CHECK(kept.find("1f 8b") == std::string::npos);
  house.right = "nobody";
  house.refusal = ok(kForm + "<p>Sorry.</p>");
  const auto sound = look();
  CHECK(sound.record.value("credentials.accepted") == json::value(json::array{}));
}

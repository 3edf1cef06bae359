#pragma once

#include "probes/web_session/crawl.hpp"
#include "probes/web_session/visit.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

namespace assay::probes::web_session {
extern const ProbeDescriptor kDescriptor;
}

/// A web interface with sessions and a look at it, for the tests of the probe web_session.
namespace assay::web_session_tests {

using fake::FakeNetwork;
using fake::kPort;
using fake::Line;
using fake::Peer;

inline const std::string kForm =
    "<form method=post action=/login><input name=user><input type=password name=word><button>go</button></form>";

/// A web interface whose ways a test chooses.
struct Hub {
  std::set<std::string> inside;  // ids that have logged in
  std::string name = "Hub";
  int count = 0;
  bool keeps_id = false;        // the visitor's id is the one of the session
  bool logout_kills = true;     // on the device, not in the browser alone
  bool open_settings = false;   // shown and obeyed without a session
  bool counts = false;          // ids count up
  bool open_call = false;       // a call that a script names is answered to everybody
  bool wants_json = false;      // a call takes nothing that a form of another site can send
  bool minds_origin = false;    // and refuses sites that say that they are others
  std::string method = "POST";  // of the call
  bool takes_get = false;       // the setting is changed by GET too
  bool wants_token = false;     // a change by GET has to bring that of its session along
  std::string settings{};       // in the place of the form of the settings; {token} is filled in
  bool open_log = false;        // a page that changes with each request is shown to everybody
  std::string more{};           // behind the links of the first page
  std::string script = "fetch('/api/lamps'); const stop = '/api/reset';";
  std::set<std::string> broken{};    // paths that are not answered
  std::vector<std::string> asked{};  // paths
  std::string flags = "; HttpOnly; Secure; SameSite=Lax";
};

inline std::string reply(std::string_view status, std::string_view body, std::string_view headers = "") {
  return "HTTP/1.1 " + std::string{status} + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string{headers} + "\r\n" + std::string{body};
}

inline std::string id_of(std::string_view written) {
  const auto at = written.find("sid=");
  return at == std::string_view::npos ? std::string{}
                                      : std::string{written.substr(at + 4, written.find_first_of("\r;", at) - at - 4)};
}

inline std::string fresh(Hub& hub) {
  ++hub.count;
  return hub.counts ? std::to_string(70'000'000 + hub.count) : sessions::random_word(24);
}

inline std::string cookie(const Hub& hub, const std::string& id) {
  return "Set-Cookie: sid=" + id + "; Path=/" + hub.flags + "\r\n";
}

inline std::string log_in(Hub& hub, std::string_view written) {
  if (written.find("user=maker&word=zlxx.7Q") == std::string_view::npos) {
    return reply("200 OK", "Sorry. " + kForm);
  }
  const auto visitor = id_of(written);
  const auto id = hub.keeps_id && !visitor.empty() ? visitor : fresh(hub);
  hub.inside.insert(id);
  return reply("302 Found", "", "Location: /home\r\n" + cookie(hub, id));
}

inline std::string token_of(std::string_view written) {
  return "t" + id_of(written).substr(0, 8);
}

inline std::string store(Hub& hub, std::string_view written, bool in) {
  const auto line = written.substr(0, written.find("\r\n"));
  const bool by_get = line.starts_with("GET");
  const bool foreign = by_get && hub.wants_token && line.find("token=" + token_of(written)) == std::string_view::npos;
  if ((!in && !hub.open_settings) || foreign) {
    return reply("403 Forbidden", "no");
  }
  const auto text = by_get ? line : written;
  const auto at = text.rfind("name=");
  hub.name = text.substr(at + 5, text.find_first_of("& ", at) - at - 5);
  return reply("302 Found", "", "Location: /settings\r\n");
}

/// The call behind the page.
inline std::string store_json(Hub& hub, std::string_view written, bool in) {
  const bool json = written.find("Content-Type: application/json") != std::string_view::npos;
  const bool abroad = written.find("Origin: https://assay.invalid") != std::string_view::npos;
  if (!in || (hub.wants_json && !json) || (hub.minds_origin && abroad)) {
    return reply("403 Forbidden", "no");
  }
  const auto at = written.rfind("{\"name\":\"");
  hub.name =
      at == std::string_view::npos ? hub.name : std::string{written.substr(at + 9, written.find('"', at + 9) - at - 9)};
  return reply("200 OK", "{}");
}

inline std::string answer(Hub& hub, std::string_view written) {
  const auto id = id_of(written);
  const bool in = hub.inside.contains(id);
  const auto asks = [&](std::string_view line) { return written.starts_with(line); };
  if (asks("POST /login")) {
    return log_in(hub, written);
  }
  if (asks("POST /settings")) {
    return store(hub, written, in);
  }
  if (asks("GET /settings?") && hub.takes_get) {
    return store(hub, written, in);
  }
  if (asks("GET /settings") && in && !hub.settings.empty()) {
    auto page = hub.settings;
    page.replace(page.find("{token}"), 7, token_of(written));
    return reply("200 OK", "Settings of " + hub.name + page);
  }
  if (asks("GET /settings") && (in || hub.open_settings)) {
    return reply("200 OK",
                 "Settings <form method=post action=/settings><input name=name value=" + hub.name + "></form>");
  }
  if (asks(hub.method + " /api/name")) {
    return store_json(hub, written, in);
  }
  if (asks("GET /app.js")) {
    return reply("200 OK", hub.script);
  }
  if (asks("GET /api/lamps") && (in || hub.open_call)) {
    return reply("200 OK", "{\"lamps\": 2}");
  }
  if (asks("GET /logout")) {
    if (hub.logout_kills) {
      hub.inside.erase(id);
    }
    return reply("302 Found", "", "Location: /\r\nSet-Cookie: sid=; Max-Age=0\r\n");
  }
  if (asks("GET /home") && in) {
    return reply("200 OK",
                 "Lamps and locks <a href=/settings>Settings</a> <a href=/logout>Log out</a> <a href=/reboot>x</a>"
                 "<script src=/app.js></script>" +
                     hub.more);
  }
  if (asks("GET /reboot")) {
    hub.name = "rebooted";
    return reply("200 OK", "gone");
  }
  if (asks("GET /log ") && (in || hub.open_log)) {
    std::string lines;
    for (int i = 0; i < 20; ++i) {
      lines += "<p>" + sessions::random_word(8) + "</p>";
    }
    return reply("200 OK", lines);
  }
  if (asks("GET / ") && !in) {
    return reply("200 OK", "Welcome " + kForm, id.empty() ? cookie(hub, fresh(hub)) : std::string{});
  }
  return reply("302 Found", "", in ? "Location: /home\r\n" : "Location: /\r\n");
}

inline fake::PeerMaker served(std::shared_ptr<Hub> hub) {
  return [hub](int) -> Peer {
    return [hub](std::string_view written, Line& line) {
      if (written.empty()) {
        return;
      }
      const auto begin = written.find(' ') + 1;
      const auto path = std::string{written.substr(begin, written.find(' ', begin) - begin)};
      hub->asked.push_back(path);
      if (hub->broken.contains(path)) {
        line.close();
      } else {
        line.say(answer(*hub, written));
      }
    };
  };
}

inline Dut described() {
  Dut dut;
  Account account;
  account.role = "admin";
  account.username = "maker";
  account.secret = Secret{"zlxx.7Q", "secret of the account"};
  dut.accounts.push_back(account);
  WebInterface web;
  web.port = Endpoint{Transport::tcp, kPort};
  web.setting.emplace();
  web.setting->change.page = "/settings";
  web.setting->change.body = "name={value}";
  web.setting->read = "/settings";
  web.setting->value = "Hub";
  dut.web.push_back(web);
  return dut;
}

inline fake::Run look(std::shared_ptr<Hub> hub, const Dut& dut = described(), json::object parameters = {}) {
  FakeNetwork network;
  network.tcp[kPort] = served(hub);
  auto run = fake::observe(probes::web_session::kDescriptor, network, "tcp/4000", parameters, dut);
  CHECK(run.record.fault.empty());
  return run;
}

inline std::string all_text(const fake::Run& run) {
  auto out = json::serialize(run.record.facts);
  for (const auto& one : run.record.artifacts) {
    out += one.bytes;
  }
  return out;
}

}  // namespace assay::web_session_tests

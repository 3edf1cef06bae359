#pragma once

#include <deque>
#include <set>

#include "probes/first_use/change.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

/// A web interface with one account whose password a page changes, for the probes of the first use and of changes.
namespace assay::password_tests {

using fake::FakeNetwork;
using fake::kPort;
using fake::Line;
using fake::Peer;

struct Hub {
  bool ready = true;  // it is set up
  std::string password = "Old4-word!x";
  std::string before{};  // taken too, where old ones live on
  bool keeps_old = false;
  bool keeps_sessions = false;
  bool asks_old = true;
  bool takes_all = false;
  bool takes_none = false;
  bool open = false;  // the setting is anybody's
  std::string name = "Hub";
  std::set<std::string> inside{};
  int changes = 0;
  int wrong = 0;              // logins
  int wrong_named = 0;        // those with the name of the account
  int names = 0;              // that were set
  std::uint8_t refusal = 5;   // of CONNACK
  bool acknowledges = true;   // what is published
  std::string before_name{};  // of CoAP: stands before the name where it is shown, in blocks of 32 bytes
  int looks = 0;              // that were answered in blocks
  bool changes_etag = false;  // with every block
  bool endless = false;       // there is always one more block
  std::size_t longest = 64;   // characters of a password
  bool letters_only = false;  // letters and digits
  std::size_t remembers = 0;  // passwords that it does not take again
  std::deque<std::string> past{};
  int most_changes = 1000;  // that are taken
};

/// What the transcripts show behind their rows of hex, in one piece.
inline std::string readable(const fake::Run& run) {
  std::string out;
  for (const auto& one : run.record.artifacts) {
    for (std::size_t at = one.bytes.find("  |"); at != std::string::npos; at = one.bytes.find("  |", at)) {
      const auto end = one.bytes.find("|\n", at + 3);
      out += one.bytes.substr(at + 3, end - at - 3);
      at = end;
    }
  }
  return out;
}

inline std::string reply(std::string_view status, std::string_view body, std::string_view headers = "") {
  return "HTTP/1.1 " + std::string{status} + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string{headers} + "\r\n" + std::string{body};
}

inline std::string field(std::string_view written, std::string_view name) {
  const auto body = written.substr(std::min(written.find("\r\n\r\n"), written.size()));
  const auto at = body.find(std::string{name} + "=");
  if (at == std::string_view::npos) {
    return {};
  }
  const auto value = body.substr(at + name.size() + 1);
  std::string out;
  for (std::size_t i = 0; i < value.size() && value[i] != '&'; ++i) {
    if (value[i] == '%' && i + 2 < value.size()) {
      out += static_cast<char>(std::stoi(std::string{value.substr(i + 1, 2)}, nullptr, 16));
      i += 2;
    } else {
      out += value[i];
    }
  }
  return out;
}

inline std::string id_of(std::string_view written) {
  const auto at = written.find("sid=");
  return at == std::string_view::npos ? std::string{} : std::string{written.substr(at + 4, 16)};
}

inline bool is_strong(const Hub& hub, const std::string& password) {
  const auto has = [&](std::string_view class_) { return password.find_first_of(class_) != std::string::npos; };
  const bool strong = password.size() >= 8 && password.size() <= hub.longest && has("23456789") &&
                      has("ABCDEFGHJKLMNPQRSTUVWXYZ") && has("abcdefghijkmnopqrstuvwxyz") &&
                      !(hub.letters_only && has("-!+"));
  const bool remembered =
      std::find(hub.past.begin(), hub.past.end(), password) != hub.past.end() || password == hub.password;
  const bool early = hub.changes >= hub.most_changes;
  return !hub.takes_none && !early && !(hub.remembers > 0 && remembered) &&
         (hub.takes_all || strong || password == "Old4-word!x");
}

inline std::string let_in(Hub& hub) {
  const auto id = sessions::random_word(16);
  hub.inside.insert(id);
  return reply("302 Found", "", "Location: /home\r\nSet-Cookie: sid=" + id + "\r\n");
}

inline std::string post(Hub& hub, std::string_view written, bool in) {
  if (written.starts_with("POST /login")) {
    const auto given = field(written, "word");
    const bool right = given == hub.password || (hub.keeps_old && !hub.before.empty() && given == hub.before);
    hub.wrong += right ? 0 : 1;
    return right && hub.ready
               ? let_in(hub)
               : reply("200 OK",
                       "Sorry <form method=post action=/login><input name=user><input type=password name=word></form>");
  }
  if (written.starts_with("POST /setting")) {
    hub.name = in || hub.open ? field(written, "name") : hub.name;
    return in || hub.open ? reply("302 Found", "", "Location: /setting\r\n") : reply("403 Forbidden", "no");
  }
  const auto wanted = field(written, "new");
  if (written.starts_with("POST /setup") && !hub.ready && is_strong(hub, wanted)) {
    hub.password = wanted;
    hub.ready = true;
    return let_in(hub);
  }
  if (written.starts_with("POST /password") && in && is_strong(hub, wanted) && wanted != hub.password &&
      (!hub.asks_old || field(written, "old") == hub.password)) {
    ++hub.changes;
    hub.before = std::exchange(hub.password, wanted);
    hub.past.push_back(hub.before);
    if (hub.past.size() > hub.remembers) {
      hub.past.pop_front();
    }
    if (!hub.keeps_sessions) {
      hub.inside.clear();
    }
    return reply("200 OK", "The new word counts from now on");
  }
  return reply("200 OK", "Nothing was done because a rule forbids it");
}

inline std::string get(const Hub& hub, std::string_view written, bool in) {
  const auto asks = [&](std::string_view path) { return written.starts_with(path); };
  if (asks("GET / ")) {
    return reply("200 OK",
                 hub.ready
                     ? "Welcome <form method=post action=/login><input name=user><input type=password name=word></form>"
                     : "Choose <form method=post action=/setup><input type=password name=new></form>");
  }
  if (asks("GET /setting") && (in || hub.open)) {
    return reply("200 OK", "Lamps <form method=post action=/setting><input name=name value=" + hub.name + "></form>");
  }
  if (asks("GET /password") && in) {
    return reply("200 OK",
                 "Change <form method=post action=/password><input type=password name=old><input type=password "
                 "name=new></form>");
  }
  return asks("GET /home") && in ? reply("200 OK", "Home with many lamps") : reply("302 Found", "", "Location: /\r\n");
}

inline fake::PeerMaker served(std::shared_ptr<Hub> hub) {
  return [hub](int) -> Peer {
    return [hub](std::string_view written, Line& line) {
      if (!written.empty()) {
        const bool in = hub->inside.contains(id_of(written));
        line.say(written.starts_with("POST ") ? post(*hub, written, in) : get(*hub, written, in));
      }
    };
  };
}

inline Dut described() {
  Dut dut;
  Account account;
  account.role = "admin";
  account.username = "maker";
  account.secret = Secret{"Old4-word!x", "secret of the account"};
  dut.accounts.push_back(account);
  WebInterface web;
  web.port = Endpoint{Transport::tcp, kPort};
  web.setting.emplace();
  web.setting->change.page = "/setting";
  web.setting->change.body = "name={value}";
  web.setting->read = "/setting";
  web.setting->value = "Hub";
  web.set_up.emplace();
  web.set_up->page = "/";
  web.set_up->body = "new={password}";
  web.change_password.emplace();
  web.change_password->page = "/password";
  web.change_password->body = "old={old}&new={password}";
  dut.web.push_back(web);
  return dut;
}

inline fake::FakeLibrary with_rules() {
  fake::FakeLibrary library;
  PasswordRules rules;
  rules.id = "baseline-passwords";
  rules.weak = {{"blank", "", "a test", "reasoned"},
                {"short", "{random:5}", "a test", "reasoned", {"cls-iot-gateway"}},
                {"username", "{username}", "a test", "reasoned"},
                {"previous", "{old}", "a test", "reasoned"}};
  library.rules["baseline-passwords"] = rules;
  return library;
}

/// None of the passwords that were handed over stands there; the shortest are weak ones, which are words too.
inline void check_hidden(const fake::Run& run, const std::string& text) {
  for (const auto& password : run.record.entrusted) {
    CHECK((password.size() < 8 || text.find(password) == std::string::npos));
  }
}

inline fake::Run look(const ProbeDescriptor& probe, FakeNetwork& network, std::shared_ptr<Hub> hub,
                      const Dut& dut = described()) {
  network.tcp[kPort] = served(hub);
  auto run = fake::observe(probe, network, "tcp/4000", {}, dut, with_rules());
  CHECK(run.record.fault.empty());
  for (const auto& one : run.record.artifacts) {
    CHECK(one.bytes.find("Old4-word") == std::string::npos);
    check_hidden(run, one.bytes);
  }
  return run;
}

/// Of the weak passwords: kinds that were taken.
inline std::set<std::string> taken(const fake::Run& run, std::string_view fact) {
  std::set<std::string> out;
  const auto tried = run.record.value(fact);  // `as_array` of a temporary would not outlive the loop's head
  for (const auto& one : tried.as_array()) {
    if (one.at("taken") == json::value(true)) {
      out.insert(std::string{std::string_view{one.at("kind").as_string()}});
    }
  }
  return out;
}

/// What `password.change` says of a device that took the new password and dropped the old one.
inline bool changed(const json::value& change) {
  return change.at("taken").as_bool() && change.at("old_refused").as_bool();
}

}  // namespace assay::password_tests

#pragma once

#include <openssl/evp.h>

#include "probes/resistance/siege.hpp"
#include "probes/wire/bytes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

namespace assay::probes::resistance {
extern const ProbeDescriptor kDescriptor;
}

/// Scripted web logins with one guard each. The device counts what it judged by itself.
namespace assay::guarded {

using fake::FakeNetwork;
using fake::kPort;
using fake::Line;

inline constexpr std::string_view kRight = "letmein1";

inline std::string reply(std::string_view status, std::string_view body = "", std::string_view headers = "") {
  std::string out = "HTTP/1.1 " + std::string{status} + "\r\n" + std::string{headers};
  return out + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

inline std::string refusal(std::string_view body = "") {
  return reply("401 Unauthorized", body, "WWW-Authenticate: Basic realm=\"hub\"\r\n");
}

/// One login as the device sees it.
struct Login {
  std::string path;
  std::string username;
  std::string source;
  bool right = false;
  milliseconds now{0};
  int on_connection = 0;  // from 1
};

struct Said {
  std::string bytes = refusal();
  milliseconds after{0};
  bool closes = false;
};

/// An account or an address with a bad record.
struct Record {
  int failures = 0;
  milliseconds until{0};
};

class Device {
 public:
  using Guard = std::function<Said(const Login&, Device&)>;

  explicit Device(Guard guard) : guard_(std::move(guard)) {
    network.tcp[kPort] = [this](int) -> fake::Peer {
      auto count = std::make_shared<int>(0);
      const auto source = network.source;
      return [this, count, source](std::string_view written, Line& line) { answer(written, line, *count, source); };
    };
  }

  int judged = 0;
  std::map<std::string, Record> accounts;
  std::map<std::string, Record> sources;
  FakeNetwork network;

 private:
  void answer(std::string_view written, Line& line, int& count, const std::string& source) {
    constexpr std::string_view kHeader = "Authorization: Basic ";
    if (!written.starts_with("GET ")) {
      return;
    }
    const auto at = written.find(kHeader);
    if (at == std::string_view::npos) {
      line.say(refusal());
      return;
    }
    const auto begin = at + kHeader.size();
    const std::string coded{written.substr(begin, written.find('\r', begin) - begin)};
    std::string plain(coded.size(), '\0');
    EVP_DecodeBlock(reinterpret_cast<unsigned char*>(plain.data()),
                    reinterpret_cast<const unsigned char*>(coded.data()), static_cast<int>(coded.size()));
    Login login;
    login.path = std::string{written.substr(4, written.find(' ', 4) - 4)};
    login.username = plain.substr(0, plain.find(':'));
    login.right = login.username == "admin" && coded == wire::base64("admin:" + std::string{kRight});
    login.source = source;
    login.now = network.passed;
    login.on_connection = ++count;
    ++judged;
    const auto said = guard_(login, *this);
    line.pause(said.after);
    if (!said.bytes.empty()) {
      line.say(said.bytes);
    }
    if (said.closes) {
      line.close();
    }
  }

  Guard guard_;
};

inline const Said kCut{"", milliseconds{0}, true};

inline Said decide(bool right) {
  return {right ? reply("200 OK", "welcome") : refusal()};
}

/// Locks for a time after some failures in a row; a right login wipes them off.
inline Said lock(Record& record, const Login& login, int after, milliseconds time, Said locked) {
  if (login.now < record.until) {
    return locked;
  }
  if (record.until > milliseconds{0}) {
    record = {};
  }
  record.failures = login.right ? 0 : record.failures + 1;
  if (record.failures >= after) {
    record.until = login.now + time;
  }
  return decide(login.right);
}

inline Dut dut(bool with_account) {
  Dut out;
  out.pace.guesses_per_login = {5000};  // the network's script has the budget
  if (with_account) {
    out.accounts.push_back({"owner", "admin", Secret{std::string{kRight}, "env:ADMIN"}});
  }
  return out;
}

struct Measure {
  fake::Run run;

  const json::object& object(std::string_view key) const {
    kept.push_back(run.record.value(key));
    return kept.back().as_object();
  }

  json::value reaction(std::string_view key) const { return object("resistance.reaction").at(key); }

  std::int64_t coverage(std::string_view key) const { return run.record.coverages.at("guessing").at(key).as_int64(); }

 private:
  mutable std::deque<json::value> kept;
};

inline Measure measure(Device& device, bool with_account = true, const json::object& parameters = {}) {
  Measure out;
  auto given = parameters;
  given.emplace("attempts", 40);
  const auto attempts = given.at("attempts").as_int64();
  out.run = fake::observe(probes::resistance::kDescriptor, device.network, "tcp/4000", given, dut(with_account));
  CHECK(out.run.record.fault.empty());
  CHECK(out.run.ended);
  CHECK(device.judged <= device.network.guessed);
  CHECK(device.network.guessed <= attempts);
  return out;
}

}  // namespace assay::guarded

#pragma once

#include "probes/wire/bytes.hpp"
#include "probes/wire/http_auth.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

namespace assay::probes::credentials {
extern const ProbeDescriptor kDescriptor;
}

/// A dictionary, a device and an attack on it, as the tests of the credentials probe want them.
namespace assay::credential_tests {

using namespace std::string_literals;
using fake::FakeNetwork;
using fake::kPort;
using fake::Line;
using fake::Peer;

inline const std::string k401 = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n";
inline const std::string kBasic = k401 + "WWW-Authenticate: Basic realm=\"hub\"\r\n\r\n";

inline Dictionary pairs(std::vector<std::pair<std::string, std::string>> list) {
  Dictionary dictionary;
  dictionary.id = "iot-common";
  for (const auto& [username, password] : list) {
    dictionary.credentials.push_back(
        {username, Secret{password, "dictionary entry " + std::to_string(dictionary.credentials.size() + 1)}});
  }
  return dictionary;
}

/// So many pairs that nobody has, each of another account, and the right one at `place`.
inline Dictionary many_pairs(int count, std::size_t place) {
  std::vector<std::pair<std::string, std::string>> list;
  for (int i = 0; i < count; ++i) {
    list.emplace_back("name" + std::to_string(i), "wrong" + std::to_string(i));
  }
  list.at(place) = {"admin", "letmein1"};
  return pairs(std::move(list));
}

inline fake::Run attack(FakeNetwork& network, const Dictionary& dictionary, json::object parameters = {},
                        const Dut& dut = {}) {
  fake::FakeLibrary library;
  library.dictionaries["iot-common"] = dictionary;
  auto run = fake::observe(probes::credentials::kDescriptor, network, "tcp/4000", parameters, dut, library);
  CHECK(run.record.fault.empty());
  return run;
}

inline json::object without_blanks() {
  json::object parameters;
  parameters["blank"] = false;
  return parameters;
}

inline std::string ok(std::string_view body = "welcome") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

/// A web server that decides by the Authorization header of each request; counts those with one.
inline fake::PeerMaker web(std::function<std::string(const std::string& authorization)> answer) {
  return [answer](int) -> Peer {
    return [answer](std::string_view written, Line& line) {
      if (!written.starts_with("GET ")) {
        return;
      }
      constexpr std::string_view kHeader = "Authorization: ";
      const auto at = written.find(kHeader);
      const auto value =
          at == std::string_view::npos
              ? std::string{}
              : std::string{written.substr(at + kHeader.size(), written.find('\r', at) - at - kHeader.size())};
      line.say(answer(value));
    };
  };
}

inline fake::PeerMaker basic(std::string username, std::string password) {
  const auto right = wire::basic_authorization(username, password);
  return web([right](const std::string& authorization) { return authorization == right ? ok() : kBasic; });
}

/// A server of lines: says a greeting, then answers each line by its first word.
struct LineServer {
  std::string greeting;
  std::function<std::string(const std::string& line)> answer;  // "": hangs up
};

inline fake::PeerMaker lines(LineServer server) {
  return [server](int) -> Peer {
    return [server](std::string_view written, Line& line) {
      if (written.empty()) {
        line.say(server.greeting);
        return;
      }
      const auto reply = server.answer(std::string{written.substr(0, written.find('\r'))});
      if (reply.empty()) {
        line.close();
      } else {
        line.say(reply);
      }
    };
  };
}

/// A login as a server of FTP sees it.
struct FtpLogin {
  bool right = false;
  int earlier = 0;  // wrong ones before on the same connection
  int number = 0;   // of the wrong ones on all connections, from 1
};

inline std::string honest(FtpLogin login) {
  return login.right ? "230 in\r\n" : "530 no\r\n";
}

/// A server of FTP on which admin has the password letmein1, and what it saw.
struct FtpServer {
  std::function<std::string(FtpLogin)> answer = honest;  // "": hangs up without a word
  std::map<std::string, int> logins{};                   // by the name: passwords that it was given
  std::vector<int> wrong{};                              // logins of each connection
  int count = 0;                                         // wrong logins

  std::string reply(std::size_t connection, const std::string& name, const std::string& password) {
    ++logins[name];
    const bool right = name == "admin" && password == "letmein1";
    const int earlier = wrong[connection];
    wrong[connection] += right ? 0 : 1;
    count += right ? 0 : 1;
    return answer({right, earlier, count});
  }
};

/// Who answers a password of FTP on one connection.
using FtpJudge = std::function<void(const std::string& name, const std::string& password, Line& line)>;

/// One connection of FTP.
inline Peer ftp(FtpJudge judge) {
  return [judge = std::move(judge), name = std::string{}](std::string_view written, Line& line) mutable {
    const auto word = std::string{written.substr(0, written.find('\r'))};
    if (written.empty()) {
      line.say("220 FTP\r\n");
    } else if (word.starts_with("USER ")) {
      name = word.substr(5);
      line.say("331 and the password\r\n");
    } else if (word.starts_with("PASS ")) {
      judge(name, word.substr(5), line);
    } else {
      line.say(word == "PWD" ? "257 \"/\"\r\n" : "500 what\r\n");
    }
  };
}

inline fake::PeerMaker serve(FtpServer& server) {
  return [&server](int) -> Peer {
    server.wrong.push_back(0);
    return ftp([&server, mine = server.wrong.size() - 1](const auto& name, const auto& password, Line& line) {
      const auto reply = server.reply(mine, name, password);
      if (reply.empty()) {
        line.close();
      } else {
        line.say(reply);
      }
    });
  };
}

/// The message with another kind of PDU, which begins with its tag and ends with the message: an id may hold the tag
/// too.
inline std::string as_pdu(std::string message, std::uint8_t kind) {
  constexpr char kGetRequest = static_cast<char>(0xa0);
  for (auto at = message.find(kGetRequest); at + 2 < message.size(); at = message.find(kGetRequest, at + 1)) {
    if (static_cast<unsigned char>(message[at + 1]) == message.size() - at - 2) {
      message[at] = static_cast<char>(kind);
      return message;
    }
  }
  return {};
}

inline std::string transcript(const fake::Run& run) {
  return run.record.artifacts.empty() ? std::string{} : run.record.artifacts.back().bytes;
}

inline std::int64_t coverage(const fake::Run& run, std::string_view key) {
  return run.record.coverages.at("login").at(key).as_int64();
}

}  // namespace assay::credential_tests

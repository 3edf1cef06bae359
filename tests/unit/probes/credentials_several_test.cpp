#include "tests/unit/probes/credentials_support.hpp"

using namespace assay;
using namespace assay::credential_tests;

namespace {

constexpr int kAccounts = 40;

/// A web server that reads requests as they come in one segment, and what it saw.
struct Server {
  std::function<std::string(std::vector<std::string> answers)> join;  // how answers of one segment are sent
  std::function<std::string(int login)> refuse;                       // the answer to a wrong login, without a body
  std::string body = "log in";                                        // of a refusal
  bool head_has_body = false;
  std::size_t dies_of = 1000;         // the login of a connection that it counts and cuts without a word
  std::map<std::string, int> logins;  // by the header: what the server counts
  int count = 0;
  std::size_t most_in_segment = 0;
};

std::string header_of(std::string_view request, std::string_view name) {
  const auto at = request.find(name);
  return at == std::string_view::npos
             ? std::string{}
             : std::string{request.substr(at + name.size(), request.find('\r', at) - at - name.size())};
}

std::string answer_to(Server& server, std::string_view request) {
  static const auto right = wire::basic_authorization("admin", "letmein1");
  const auto authorization = header_of(request, "Authorization: ");
  const bool body = request.starts_with("GET") || server.head_has_body;
  if (!authorization.empty()) {
    ++server.logins[authorization];
    ++server.count;
  }
  if (authorization == right) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n" + std::string(body ? "welcome" : "");
  }
  const auto status = server.refuse && !authorization.empty() ? server.refuse(server.count) : "401 Unauthorized\r\n"s;
  return "HTTP/1.1 " + status +
         "WWW-Authenticate: Basic realm=\"hub\"\r\nContent-Length: " + std::to_string(server.body.size()) + "\r\n\r\n" +
         (body ? server.body : "");
}

std::string joined(const std::vector<std::string>& answers) {
  std::string all;
  for (const auto& answer : answers) {
    all += answer;
  }
  return all;
}

fake::PeerMaker serve(Server& server) {
  return [&server](int) -> Peer {
    return [&server, asked = 0U](std::string_view written, Line& line) mutable {
      std::vector<std::string> answers;
      bool closes = false;
      while (!closes && written.find("\r\n\r\n") != std::string_view::npos) {
        const auto request = written.substr(0, written.find("\r\n\r\n") + 4);
        written.remove_prefix(request.size());
        if (request.starts_with("GET") || request.starts_with("HEAD")) {
          answers.push_back(answer_to(server, request));
          if (++asked == server.dies_of) {
            answers.pop_back();
            closes = true;
            break;
          }
          closes = answers.back().find("Connection: close") != std::string::npos;
        }
      }
      server.most_in_segment = std::max(server.most_in_segment, answers.size());
      if (!answers.empty()) {
        line.say(server.join ? server.join(answers) : joined(answers));
      }
      if (closes) {
        line.close();
      }
    };
  };
}

fake::Run try_many(FakeNetwork& network, Server& server, std::size_t place) {
  network.tcp[kPort] = serve(server);
  network.at_once = 64;
  auto run = attack(network, many_pairs(kAccounts, place), without_blanks());
  REQUIRE(run.ended);
  return run;
}

void check_found(const fake::Run& run, std::size_t place) {
  const auto accepted = run.record.value("credentials.accepted").as_array();
  REQUIRE(accepted.size() == 1);
  CHECK(accepted[0].at("username") == json::value("admin"));
  CHECK(accepted[0].at("source") == json::value("dictionary iot-common entry " + std::to_string(place + 1)));
}

/// The server counted no more logins of an account than permits were drawn, but for the second login that confirms.
void check_budget(const FakeNetwork& network, const Server& server) {
  for (int i = 0; i < kAccounts; ++i) {
    const auto name = "name" + std::to_string(i);
    const auto seen = server.logins.find(wire::basic_authorization(name, "wrong" + std::to_string(i)));
    const auto drawn = network.permits.find(name);
    CHECK((seen == server.logins.end() ? 0 : seen->second) <= (drawn == network.permits.end() ? 0 : drawn->second));
  }
}

}  // namespace

TEST_CASE("Logins go out together where the server is seen to answer each in its order") {
  for (const std::size_t place : {0U, 5U, 17U, 39U}) {
    FakeNetwork network;
    Server server;
    const auto run = try_many(network, server, place);
    check_found(run, place);
    check_budget(network, server);
    CHECK(server.most_in_segment > 3);
    CHECK(network.permits["admin"] == 2);  // the hit, and a wrong password of the same name
    CHECK(run.record.value("credentials.open") == json::value(false));
    CHECK(transcript(run).find("letmein1") == std::string::npos);
    CHECK(transcript(run).find(wire::base64("admin:letmein1")) == std::string::npos);
  }
}

TEST_CASE("Logins go out one by one where the pace has an interval or refusals cannot be told apart") {
  for (const bool pace : {true, false}) {
    FakeNetwork network;
    Server server;
    network.tcp[kPort] = serve(server);
    network.at_once = pace ? 1 : 64;
    server.body = pace ? "log in" : "";  // an empty refusal shows no order
    const auto run = attack(network, many_pairs(kAccounts, 39), without_blanks());
    check_found(run, 39);
    check_budget(network, server);
    CHECK(server.most_in_segment == (pace ? 1 : 3));
  }
}

TEST_CASE("A server that does not keep up with several logins is asked one by one, and loses none") {
  Server only_first;
  only_first.join = [](auto answers) { return answers.front(); };
  Server backwards;
  backwards.join = [](auto answers) { return joined({answers.rbegin(), answers.rend()}); };
  Server whole_heads;
  whole_heads.head_has_body = true;
  Server later;  // gets confused once more than four come
  later.join = [](auto answers) { return answers.size() > 4 ? answers.back() : joined(answers); };
  Server twice;
  twice.join = [](auto answers) { return joined(answers) + (answers.size() > 1 ? answers.back() : ""); };
  for (auto* server : {&only_first, &backwards, &whole_heads, &later, &twice}) {
    FakeNetwork network;
    const auto run = try_many(network, *server, 30);
    check_found(run, 30);
    check_budget(network, *server);
    CHECK(server->most_in_segment <= 8);
    CHECK(run.record.value("credentials.lockout").at("observed") == json::value(false));
  }
}

TEST_CASE("A series that the server cuts without a word costs no account more than its permits") {
  for (const std::size_t dies_of : {2U, 4U, 7U, 12U}) {
    FakeNetwork network;
    Server server;
    server.dies_of = dies_of;
    const auto run = try_many(network, server, 30);
    check_found(run, 30);
    check_budget(network, server);
  }
}

TEST_CASE("A connection that the server says it closes takes no more logins than before") {
  FakeNetwork network;
  Server server;
  int on_this = 0;
  server.refuse = [&](int) { return ++on_this % 7 == 0 ? "401 No\r\nConnection: close\r\n"s : "401 No\r\n"s; };
  const auto run = try_many(network, server, 39);
  check_found(run, 39);
  check_budget(network, server);
  CHECK(server.most_in_segment > 3);
  CHECK(network.permits["name39"] == 0);
}

TEST_CASE("A lockout among several logins ends them, and what was not judged is said") {
  FakeNetwork network;
  Server server;
  server.refuse = [](int login) { return login > 12 ? "429 Too many\r\n"s : "401 No\r\n"s; };
  const auto run = try_many(network, server, 39);
  CHECK(run.record.value("credentials.lockout").at("observed") == json::value(true));
  CHECK(run.record.is_unobserved("credentials.accepted"));
  CHECK(coverage(run, "unclear") > 0);
  CHECK(coverage(run, "tried") + coverage(run, "skipped_stopped") == kAccounts);
  check_budget(network, server);
}

TEST_CASE("A spent budget leaves candidates out of a series") {
  FakeNetwork network;
  Server server;
  network.login_budget = {{"name3", 0}, {"name11", 0}};
  const auto run = try_many(network, server, 39);
  check_found(run, 39);
  CHECK(coverage(run, "skipped_budget") == 2);
  CHECK(server.logins.count(wire::basic_authorization("name3", "wrong3")) == 0);
}

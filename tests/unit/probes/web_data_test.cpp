#include "probes/credentials/data_answer.hpp"
#include "probes/web_session/visit.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

namespace assay::probes::web_session {
extern const ProbeDescriptor kDescriptor;
}

/// Interfaces of data: who is kept out, and what carries a session that the DUT file describes.
namespace assay::web_data_tests {

using fake::FakeNetwork;
using fake::kPort;
using fake::Line;
using fake::Peer;
namespace web = probes::credentials;

namespace {

wire::HttpResponse answer(std::string body, int status = 200) {
  wire::HttpResponse out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

const std::string kInside = R"({"code": 0, "data": {"uptime": 12, "radio": true}})";

/// A device with a JSON login; a test chooses what visitors get.
struct Api {
  std::string to_visitors;  // at its calls, with status 200
  std::string elsewhere{};  // what any other path answers; empty: nobody made one
  bool by_cookie = false;   // a script of the page puts the token into a cookie
  int asked = 0;
  bool changes = false;  // visitors get the page of data every second time
};

std::string reply(std::string_view status, std::string_view body) {
  return "HTTP/1.1 " + std::string{status} +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string{body};
}

std::string said_by(Api& api, std::string_view written) {
  if (written.starts_with("POST /login")) {
    const bool right = written.find(R"("word":"zlxx.7Q")") != std::string_view::npos;
    return right ? reply("200 OK", R"({"token": "opened4711"})") : reply("401 No", "{}");
  }
  const bool in = written.find(api.by_cookie ? "Cookie: sid=opened4711" : "X-Token: opened4711") != std::string::npos;
  if (!written.starts_with("GET /api/status")) {
    return api.elsewhere.empty() ? reply("404 Not Found", "{}") : reply("200 OK", api.elsewhere);
  }
  ++api.asked;
  return reply("200 OK", in || (api.changes && api.asked % 2 == 0) ? kInside : api.to_visitors);
}

fake::Run look(std::shared_ptr<Api> api) {
  FakeNetwork network;
  network.tcp[kPort] = [api](int) -> Peer {
    return [api](std::string_view written, Line& line) {
      if (!written.empty()) {
        line.say(said_by(*api, written));
      }
    };
  };
  Account account;
  account.role = "admin";
  account.username = "maker";
  account.secret = Secret{"zlxx.7Q", "secret of the account"};
  LoginRecipe recipe;
  recipe.port = Endpoint{Transport::tcp, kPort};
  recipe.path = "/login";
  recipe.body = R"({"user": "{username}", "word": "{password}"})";
  recipe.token = "/token";
  recipe.header = api->by_cookie ? "Cookie: sid={token}; SameSite=Lax" : "X-Token: {token}";
  recipe.check = "/api/status";
  Dut dut;
  dut.accounts.push_back(account);
  dut.logins.push_back(recipe);
  auto run = fake::observe(probes::web_session::kDescriptor, network, "tcp/4000", {}, dut);
  CHECK(run.record.fault.empty());
  return run;
}

std::shared_ptr<Api> api_that_tells(std::string body) {
  auto api = std::make_shared<Api>();
  api->to_visitors = std::move(body);
  return api;
}

}  // namespace

TEST_CASE("An error that nothing stands beside keeps out, whatever the status is") {
  for (const auto* body :
       {R"({"error": "not logged in"})", R"({"success": false})", R"({"code": 401, "message": "login first"})",
        R"({"code": 1, "message": "wrong"})", R"({"error": {"code": 7}, "data": null})",
        R"({"status": "Unauthorized", "timestamp": 1790000000})", R"({"logged_in": false, "redirect": "/login"})",
        R"({"detail": "Authentication required"})", R"({"success": false, "code": 10021})",
        R"({"status": "error", "message": "Please log in."})",
        R"({"jsonrpc": "2.0", "id": 1, "error": {"code": -32002, "message": "Access denied"}})"}) {
    CAPTURE(body);
    CHECK(web::is_kept_out(answer(body), answer(kInside)));
    CHECK(web::looks_otherwise(answer(body), answer(kInside)));
    CHECK_FALSE(web::is_kept_out(answer(body, 500), answer(kInside)));
  }
  for (const int status : {301, 302, 401, 403}) {
    CHECK(web::is_kept_out(answer("", status), answer(kInside)));
  }
}

TEST_CASE("Another answer than the one inside is no refusal: it may be what others should not see") {
  for (const auto* body :
       {R"({"data": {"uptime": 12}})", R"({"name": "Hub"})", R"({"error": "", "data": {"uptime": 3}})",
        R"({"error": "partial", "radio": true})", R"({"code": 0, "message": "Access denied"})", R"([])", R"({})",
        R"({"success": true, "message": "not logged in"})", R"({"message": "Last login: Monday"})",
        R"({"status": "error"})", R"({"code": 7, "data": {"radio": true}})", "<html>Hub</html>", "", "null",
        R"({"error":)"}) {
    CAPTURE(body);
    CHECK_FALSE(web::is_kept_out(answer(body), answer(kInside)));
  }
  CHECK_FALSE(web::is_kept_out(answer(R"({"error": ")" + std::string(5000, 'x') + R"("})"), answer(kInside)));
}

TEST_CASE("A value that changes, words of no error, and what everybody gets keep nobody out") {
  for (const auto* body : {R"({"status": 0})", R"({"errcode": 0, "errmsg": "ok"})", R"({"error": "none", "radio": 1})",
                           R"({"error": "0"})", R"({"code": 0, "message": "radio off"})"}) {
    CAPTURE(body);
    CHECK(web::looks_otherwise(answer(R"({"error": "not logged in"})"), answer(body)));
    CHECK_FALSE(web::is_error(answer(body)));
  }
  CHECK_FALSE(web::is_kept_out(answer(R"({"status": 1})"), answer(R"({"status": 0})")));
  CHECK_FALSE(web::is_kept_out(answer(R"({"code": 3, "message": "on"})"), answer(R"({"code": 0, "message": "off"})")));
  for (const auto* body : {R"({"errors": ["E12"]})", R"({"fault": "pump"})", R"({"ok": false})"}) {
    CAPTURE(body);
    CHECK(web::is_error(answer(body)));
    CHECK_FALSE(web::is_kept_out(answer(body), answer(body)));
  }
}

TEST_CASE("One who gets an error has not got in, and a list that is empty is another outline") {
  const auto error = answer(R"({"error": "session is over"})");
  CHECK_FALSE(web::looks_otherwise(answer(R"({"error": "no session", "code": 5})"), error));
  CHECK_FALSE(web::looks_otherwise(error, error));
  CHECK_FALSE(web::looks_otherwise(answer(kInside), answer(kInside)));
  CHECK(web::looks_otherwise(answer(R"({"code": 401, "data": ""})"), answer(R"({"code": 0, "data": "on"})")));
  CHECK(web::same_outline(answer(R"({"users": ["a", "b"]})"), answer(R"({"users": ["c"]})")));
  CHECK_FALSE(web::same_outline(answer(R"({"users": []})"), answer(R"({"users": ["c"]})")));
}

TEST_CASE(
    "Calls that always answer 200 are looked at: an error is a refusal, the page itself is open, else it is unclear") {
  const auto sound = look(api_that_tells(R"({"error": "not logged in"})"));
  CHECK(sound.record.text("web.carrier") == "header");
  CHECK(sound.record.value("web.open").as_array().empty());
  CHECK(sound.record.value("web.pages").at("unclear") == json::value(0));

  const auto part = look(api_that_tells(R"({"data": {"uptime": 12}})"));
  CHECK(part.record.value("web.open").as_array().empty());
  CHECK(part.record.value("web.pages").at("unclear_at") == json::value(json::array{"/api/status"}));
  // What a visitor gets tells all the same when a session is over.
  CHECK(part.record.text("web.carrier") == "header");

  const auto open = look(api_that_tells(kInside));
  CHECK(open.record.is_unobserved("web.open"));  // what shows no session proves none
}

TEST_CASE("What any path answers tells nothing of a call") {
  auto api = api_that_tells(R"({"state": "locked"})");
  CHECK(look(api).record.value("web.pages").at("unclear") == json::value(1));
  api = api_that_tells(R"({"state": "locked"})");
  api->elsewhere = api->to_visitors;
  CHECK(look(api).record.value("web.pages").at("unclear") == json::value(0));
}

TEST_CASE("A call that is another each time is no page by which a session is told") {
  auto api = api_that_tells(R"({"data": {"uptime": 12}})");
  api->changes = true;
  CHECK(look(api).record.is_unobserved("web.carrier"));
}

TEST_CASE("A token that a script would put into a cookie is one, with what the DUT file says of it") {
  auto api = api_that_tells(R"({"error": "not logged in"})");
  api->by_cookie = true;
  const auto run = look(api);
  CHECK(run.record.text("web.carrier") == "cookie");
  const auto cookies = run.record.value("web.cookies");
  REQUIRE(cookies.as_array().size() == 1);
  CHECK(cookies.at(0).at("name") == json::value("sid"));
  CHECK(cookies.at(0).at("http_only") == json::value(false));
  CHECK(cookies.at(0).at("same_site") == json::value("lax"));
  for (const auto& one : run.record.artifacts) {
    CHECK(one.bytes.find("opened4711") == std::string::npos);
  }
}

}  // namespace assay::web_data_tests

#include "tests/unit/probes/web_session_support.hpp"

/// Requests that a user of a web interface did not mean.
namespace assay::web_session_tests {

TEST_CASE("A change without a token is taken where the form has none: another site can send it") {
  const auto run = look(std::make_shared<Hub>());
  const auto forgery = run.record.value("web.forgery");
  CHECK(forgery.at("control") == json::value(true));
  CHECK(forgery.at("foreign_page") == json::value(true));
  CHECK(forgery.at("foreign_browser") == json::value(false));  // SameSite=Lax, and a form that goes by POST
  CHECK(forgery.at("foreign_by") == json::value("POST"));
  CHECK(forgery.at("missing").is_null());
  CHECK(forgery.at("no_session") == json::value(false));
  CHECK(forgery.at("restored") == json::value(true));
}

TEST_CASE("Browsers keep Strict cookies back, Lax ones but from links, and no others") {
  const auto seen = [](const std::string& method, const std::string& same_site, bool takes_get = true) {
    auto dut = described();
    auto& change = dut.web[0].setting->change;
    change.method = method;
    change.page.clear();
    change.path = "/settings";
    auto hub = std::make_shared<Hub>();
    hub->flags = "; HttpOnly" + same_site;
    hub->takes_get = takes_get;
    const auto forgery = look(hub, dut).record.value("web.forgery");
    CHECK(forgery.at("control") == json::value(true));
    CHECK(forgery.at("foreign_page") == json::value(true));
    CHECK(forgery.at("no_session") == json::value(false));
    CHECK(forgery.at("restored") == json::value(true));
    CHECK(hub->name == "Hub");
    return std::pair{forgery.at("foreign_browser").as_bool(), std::string{forgery.at("foreign_by").as_string()}};
  };
  CHECK(seen("GET", "; SameSite=Lax") == std::pair{true, std::string{"GET"}});
  CHECK(seen("GET", "; SameSite=Strict") == std::pair{false, std::string{"GET"}});
  CHECK(seen("POST", "; SameSite=Lax", false) == std::pair{false, std::string{"POST"}});
  CHECK(seen("POST", "; SameSite=Lax", true) == std::pair{true, std::string{"GET"}});  // its form is no lock
  CHECK(seen("POST", "; SameSite=Strict") == std::pair{false, std::string{"GET"}});
  CHECK(seen("POST", "; SameSite=None") == std::pair{true, std::string{"POST"}});
  CHECK(seen("POST", "") == std::pair{true, std::string{"POST"}});
}

TEST_CASE("A form or a link that changes a setting by GET is filled in, and its token is left out as any other") {
  const auto settings = [](const std::string& page, const std::string& path, bool wants_token) {
    auto dut = described();
    auto& change = dut.web[0].setting->change;
    change.method = "GET";
    change.path = path;
    auto hub = std::make_shared<Hub>();
    hub->takes_get = true;
    hub->wants_token = wants_token;
    hub->settings = page;
    const auto forgery = look(hub, dut).record.value("web.forgery");
    CHECK(forgery.at("control") == json::value(true));
    CHECK(hub->name == "Hub");  // no link that is followed afterwards changes it
    CHECK(forgery.at("tokens") == json::value(json::array{"token"}));
    CHECK(forgery.at("missing") == json::value(!wants_token));
    CHECK(forgery.at("other_session") == json::value(!wants_token));
    return forgery.at("foreign_page").as_bool();
  };
  const std::string form =
      "<form action='/settings?old=1'><input name=name><input type=hidden name=token value={token}></form>";
  const std::string link = "<a href='/settings?name=Other&amp;token={token}'>Name it so</a>";
  for (const auto& page : {form, link}) {
    for (const auto* path : {"", "/settings"}) {
      CHECK_FALSE(settings(page, path, true));
      CHECK(settings(page, path, false));
    }
  }

  auto dut = described();
  dut.web[0].setting->change.method = "GET";
  const auto run = look(std::make_shared<Hub>(), dut);
  CHECK(run.record.reasons.at("web.forgery").find("nor such a link") != std::string::npos);
}

TEST_CASE("A call of JSON is sent whole as another site sends it, with and without saying where that is") {
  auto dut = described();
  dut.web[0].setting->change.page.clear();
  dut.web[0].setting->change.path = "/api/name";
  dut.web[0].setting->change.body = R"({"name":"{value}"})";
  const auto taken = [&](bool wants_json, bool minds_origin) {
    auto hub = std::make_shared<Hub>();
    hub->wants_json = wants_json;
    hub->minds_origin = minds_origin;
    const auto forgery = look(hub, dut).record.value("web.forgery");
    CHECK(forgery.at("control") == json::value(true));
    CHECK(forgery.at("no_session") == json::value(false));
    return forgery.at("foreign_page");
  };
  CHECK(taken(true, false) == json::value(false));
  CHECK(taken(false, false) == json::value(true));
  CHECK(taken(false, true) == json::value(true));
}

TEST_CASE("No other site sends PUT without asking first") {
  auto dut = described();
  auto& change = dut.web[0].setting->change;
  change.page.clear();
  change.path = "/api/name";
  change.body = R"({"name":"{value}"})";
  for (const auto* method : {"PUT", "PATCH", "POST"}) {
    CAPTURE(method);
    auto hub = std::make_shared<Hub>();
    hub->method = change.method = method;
    const auto forgery = look(hub, dut).record.value("web.forgery");
    CHECK(forgery.at("control") == json::value(true));
    CHECK(forgery.at("no_session") == json::value(false));
    CHECK(forgery.at("foreign_page") == (hub->method == "POST" ? json::value(true) : json::value(nullptr)));
  }
}

TEST_CASE("A setting that does not change shows nothing of forgeries") {
  auto dut = described();
  dut.web[0].setting->change.body = "other={value}";
  const auto run = look(std::make_shared<Hub>(), dut);
  CHECK(run.record.is_unobserved("web.forgery"));
}

}  // namespace assay::web_session_tests

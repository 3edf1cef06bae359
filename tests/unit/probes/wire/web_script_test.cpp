#include "probes/wire/web_script.hpp"

#include "tests/support/catch.hpp"

using namespace assay::wire;

TEST_CASE("html_scripts: sources and texts in their order, bounded") {
  const std::string page =
      "<html><SCRIPT src='/a.js?v=1&amp;x=2'></SCRIPT><script type=module>go(\"/x\")</script><script>open";
  const auto scripts = html_scripts(page, 8);
  REQUIRE(scripts.size() == 3);
  CHECK(scripts[0].source == "/a.js?v=1&x=2");
  CHECK(scripts[0].text.empty());
  CHECK(scripts[1].text == ">go(\"/x\")");
  CHECK(scripts[2].text == ">open");
  CHECK(html_scripts(page, 2).size() == 2);
  CHECK(html_scripts("<p>/api</p>", 8).empty());
}

TEST_CASE("keeps_sessions: a cookie or a storage is named in the script") {
  CHECK(keeps_sessions("<script>document.cookie = 'sid=' + id;</script>"));
  CHECK(keeps_sessions("localStorage.setItem('token', t)"));
  CHECK(!keeps_sessions("<script>blink(document.body)</script> Cookies are sweet"));
}

TEST_CASE("script_paths: whole paths in quotes, each once, nothing that is put together") {
  const auto paths = script_paths(
      R"js(fetch("/api/status"); get('/api/users?all=1', "/api/status"); let a = `/api/${name}`, b = "//cdn/x", c = "/",
           d = it's "/it" + 'x'; re = /"/; call("api/relative"); "/api/ two"; '/api/last')js",
      16);
  CHECK(paths == std::vector<std::string>{"/api/status", "/api/users?all=1", "/it", "/api/last"});
  CHECK(script_paths("'/a1a' '/b2b' '/c3c'", 2).size() == 2);
  CHECK(script_paths("\"/" + std::string(300, 'a') + "\"", 4).empty());
  CHECK(script_paths("\"/open", 4) == std::vector<std::string>{"/open"});
}

TEST_CASE("described_paths: what OpenAPI and Swagger let be read, below their base") {
  CHECK(described_paths(R"({"openapi": "3.0.0", "servers": [{"url": "https://hub.example/v1/"}], "paths":
        {"/status": {"get": {}}, "/users/{id}": {"get": {}}, "/reset": {"post": {}}}})",
                        8) == std::vector<std::string>{"/v1/status"});
  CHECK(described_paths(R"({"swagger": "2.0", "basePath": "/api", "paths": {"/a": {"get": {}}, "/b": {"get": {}}}})",
                        1) == std::vector<std::string>{"/api/a"});
  CHECK(described_paths(R"({"openapi": "3.0.0", "servers": [], "paths": {"/a": {"get": {}}}})", 8) ==
        std::vector<std::string>{"/a"});
  CHECK(described_paths(R"({"paths": {"/a": {"get": {}}}})", 8).empty());
  CHECK(described_paths(R"({"openapi": 1, "paths": {"/a": 1, "/b": []}})", 8).empty());
  CHECK(described_paths("no JSON", 8).empty());
}

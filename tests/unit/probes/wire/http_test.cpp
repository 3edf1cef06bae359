#include "probes/wire/http.hpp"

#include "probes/wire/html.hpp"
#include "tests/support/catch.hpp"

using namespace assay::wire;
using State = HttpReader::State;

TEST_CASE("A plain response is read, whatever the size of the pieces") {
  const std::string bytes = "HTTP/1.1 200 OK\r\nServer: lighttpd/1.4.69\r\nContent-Length: 5\r\n\r\nhello";
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    HttpReader reader;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      reader.feed(std::string_view{bytes}.substr(at, size));
    }
    REQUIRE(reader.state() == State::done);
    const auto& response = reader.response();
    CHECK(response.status == 200);
    CHECK(response.reason == "OK");
    CHECK(response.version == "1.1");
    CHECK(response.body == "hello");
    CHECK(response.complete);
    CHECK(response.keeps_open);
    CHECK(response.deviations.empty());
    REQUIRE(response.header("server") != nullptr);
    CHECK(*response.header("server") == "lighttpd/1.4.69");
  }
}

TEST_CASE("What embedded servers do against the rules is read and noted") {
  struct Row {
    const char* bytes;
    int status;
    const char* deviation;
  };

  const Row rows[] = {
      {"HTTP/1.0 401 Unauthorized\nWWW-Authenticate: Basic realm=\"x\"\n\n", 401, "lines end with LF only"},
      {"\r\nHTTP/1.1 200 OK\r\n\r\n", 200, "empty lines before the status line"},
      {"HTTP/1.1 404\r\n\r\n", 404, "nothing follows the status code"},
      {"http/1.1 200 OK\r\n\r\n", 200, "the protocol name is not in capitals"},
      {"HTTP 200 OK\r\n\r\n", 200, "the status line has no version"},
      {"HTTP/1.1 200 OK\r\nServer : x\r\n\r\n", 200, "white space stands before the colon of a header"},
      {"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", 200, "a header is folded over lines"},
      {"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", 200, "a header line has no colon"},
      {"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx", 200, "Content-Length is not a number"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 200,
       "several Content-Length headers disagree"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxyz", 200, "bytes after the end of the response"},
  };
  for (const auto& row : rows) {
    HttpReader reader;
    reader.feed(row.bytes);
    reader.finish();
    CAPTURE(row.bytes);
    CHECK(reader.response().status == row.status);
    CHECK_THAT(reader.response().deviations, Catch::Matchers::VectorContains(std::string{row.deviation}));
  }
}

TEST_CASE("Bytes that are no response are malformed at once") {
  for (const char* bytes : {"SSH-2.0-x\r\n", "220 ready\r\n", "HTTPS\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
                            "HTTP/1.1 20\r\n\r\n", "<html></html>\n\n", "HTTP/1.1\r\n\r\n"}) {
    HttpReader reader;
    reader.feed(bytes);
    CAPTURE(bytes);
    CHECK(reader.state() == State::malformed);
  }
}

TEST_CASE("Bodies end where their framing says") {
  HttpReader chunked;
  chunked.feed(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n");
  CHECK(chunked.state() == State::done);
  CHECK(chunked.response().body == "hello world");
  CHECK(chunked.response().keeps_open);

  HttpReader until_close;
  until_close.feed("HTTP/1.0 200 OK\r\n\r\npart");
  CHECK(until_close.state() == State::body);
  CHECK(until_close.finish() == State::done);
  CHECK(until_close.response().body == "part");
  CHECK(until_close.response().complete);
  CHECK_FALSE(until_close.response().keeps_open);

  HttpReader cut;
  cut.feed("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  cut.finish();
  CHECK_FALSE(cut.response().complete);

  HttpReader head{true};
  CHECK(head.feed("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n") == State::done);

  HttpReader interim;
  CHECK(interim.feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n") == State::done);
  CHECK(interim.response().status == 204);
}

TEST_CASE("No response makes the reader keep more than its bounds") {
  HttpReader endless_head;
  const std::string header = "X: " + std::string(1000, 'a') + "\r\n";
  endless_head.feed("HTTP/1.1 200 OK\r\n");
  for (int i = 0; i < 1000 && endless_head.state() == State::head; ++i) {
    endless_head.feed(header);
  }
  CHECK(endless_head.state() == State::malformed);

  HttpReader many;
  many.feed("HTTP/1.1 200 OK\r\n");
  for (int i = 0; i < 1000; ++i) {
    many.feed("a:b\r\n");
  }
  many.feed("Content-Length: 0\r\n\r\n");
  CHECK(many.response().headers.size() == 256);

  for (const char* framing : {"", "Content-Length: 99999999999\r\n", "Transfer-Encoding: chunked\r\n"}) {
    HttpReader big;
    big.feed(std::string{"HTTP/1.1 200 OK\r\n"} + framing + "\r\n");
    for (int i = 0; i < 600 && big.state() == State::body; ++i) {
      big.feed((framing[0] == 'T' ? "400\r\n" : "") + std::string(1024, 'b') + (framing[0] == 'T' ? "\r\n" : ""));
    }
    CAPTURE(framing);
    CHECK(big.state() == State::done);
    CHECK(big.response().body.size() == 256 * 1024);
    CHECK(big.response().body_cut);
    CHECK_FALSE(big.response().keeps_open);
  }
}

TEST_CASE("A chunk size that is none ends chunking, not the reader") {
  HttpReader reader;
  reader.feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nrest");
  reader.finish();
  CHECK(reader.response().body == "zz\r\nrest");
  CHECK_THAT(reader.response().deviations,
             Catch::Matchers::VectorContains(std::string{"a chunk has no readable size"}));
}

TEST_CASE("A request cannot be split by text of a device") {
  HttpRequest request;
  request.target = "/a b\r\nEvil: 1";
  request.host = "h\r\nX: 1";
  request.headers = {{"A", "1\r\nB: 2"}};
  CHECK(http_request(request) == "GET /a%20b%0D%0AEvil:%201 HTTP/1.1\r\nHost: hX: 1\r\nA: 1B: 2\r\n\r\n");
}

TEST_CASE("A Location leads where a browser would go") {
  struct Row {
    const char* value;
    const char* base;
    const char* scheme;
    const char* host;
    int port;
    const char* path;
  };

  const Row rows[] = {
      {"/login", "/", "", "", 0, "/login"},
      {"login.html", "/a/b?c", "", "", 0, "/a/login.html"},
      {"https://10.0.0.1/", "/", "https", "10.0.0.1", 0, "/"},
      {"https://10.0.0.1:8443", "/", "https", "10.0.0.1", 8443, "/"},
      {"//other/x", "/", "", "other", 0, "/x"},
      {"http://[fe80::1]:81/x#y", "/", "http", "fe80::1", 81, "/x"},
      {"http://user@h/x", "/", "http", "h", 0, "/x"},
      {"?a=1", "/p?b=2", "", "", 0, "/p?a=1"},
      {"../x/./y/..?z=/../w", "/a/b/c", "", "", 0, "/a/x/?z=/../w"},
      {"/../../.", "/", "", "", 0, "/"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.value);
    const auto place = http_location(row.value, row.base);
    REQUIRE(place);
    CHECK(place->scheme == row.scheme);
    CHECK(place->host == row.host);
    CHECK(place->port == row.port);
    CHECK(place->path == row.path);
  }
  CHECK_FALSE(http_location("javascript://x", "/"));
  CHECK_FALSE(http_location("", "/"));
  CHECK_FALSE(http_location("http://h:99999/", "/"));
  CHECK(leads_to(*http_location("http://192.0.2.1:81/x", "/"), "192.0.2.1", 81, false));
  CHECK_FALSE(leads_to(*http_location("http://192.0.2.1/x", "/"), "192.0.2.1", 81, false));
  CHECK_FALSE(leads_to(*http_location("https://192.0.2.1:81/x", "/"), "192.0.2.1", 81, false));
  CHECK_FALSE(leads_to(*http_location("http://192.0.2.2:81/x", "/"), "192.0.2.1", 81, false));
}

TEST_CASE("Products are taken from the Server header's own form") {
  CHECK(product_version("lighttpd/1.4.69 (Debian)") == std::pair<std::string, std::string>{"lighttpd", "1.4.69"});
  CHECK(product_version("GoAhead-Webs") == std::pair<std::string, std::string>{"GoAhead-Webs", ""});
  CHECK(product_version("thing (a/b)") == std::pair<std::string, std::string>{"thing", ""});
}

TEST_CASE("A password form is found with its fields, and comments are not") {
  const auto form = find_password_form(
      "<!-- <form><input type=password name=no></form> --><FORM action='/do login' METHOD=\"POST\">"
      "<input type=hidden name=t><input name=user><input type=\"Password\" name=pw></form>");
  REQUIRE(form);
  CHECK(form->action == "/do login");
  CHECK(form->method == "post");
  CHECK(form->username_field == "user");
  CHECK(form->password_field == "pw");
  CHECK_FALSE(find_password_form("<form><input type=text name=password></form>"));
  CHECK_FALSE(find_password_form("<input type="));
  CHECK(html_title("<head><title> My \x01 hub</title>") == "My \\x01 hub");
}

TEST_CASE("A page that sends the browser away is a redirect") {
  CHECK(html_redirect("<meta http-equiv=\"Refresh\" content=\"0; URL='/login.html'\">") == "/login.html");
  CHECK(html_redirect("<script>window.location.href = \"/x\";</script>") == "/x");
  CHECK(html_redirect("<script>location=target;</script>").empty());
  CHECK(html_redirect("<meta name=refresh content='0;url=/no'>").empty());
}

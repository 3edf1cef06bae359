#include "probes/wire/web_page.hpp"

#include "probes/wire/html.hpp"
#include "probes/wire/html_tags.hpp"
#include "probes/wire/login_form.hpp"
#include "probes/wire/web_script.hpp"
#include "tests/support/catch.hpp"

using namespace assay::wire;

TEST_CASE("Set-Cookie: attributes are read whatever their order and case, and a cookie needs a name") {
  const auto cookie =
      parse_set_cookie("sid=ab=c; path=/x; HTTPONLY; Max-Age=60; samesite=Lax; Secure; Domain=hub.example");
  REQUIRE(cookie);
  CHECK(cookie->name == "sid");
  CHECK(cookie->value == "ab=c");
  CHECK(cookie->http_only);
  CHECK(cookie->secure);
  CHECK(cookie->same_site == "lax");
  CHECK(cookie->path == "/x");
  CHECK(cookie->domain == "hub.example");
  CHECK(cookie->max_age == 60);
  CHECK_FALSE(parse_set_cookie("=x; Path=/"));
  CHECK_FALSE(parse_set_cookie("nothing"));
  const auto plain = parse_set_cookie("a=;;;Max-Age=1x");
  REQUIRE(plain);
  CHECK(plain->value.empty());
  CHECK_FALSE(plain->max_age);
}

TEST_CASE("Forms are read as a browser would send them untouched") {
  const auto forms = html_forms(
      "<form action='/set?a=1&amp;b=2' method=POST><input type=hidden name=token value=t1><input name=name value='A "
      "&amp; B'>"
      "<input type=checkbox name=on checked><input type=checkbox name=off><input type=radio name=r value=1>"
      "<input type=radio name=r value=2 checked><select name=zone><option value=a><option value=b selected><option "
      "value=c></select><textarea name=note>some text</textarea><input type=file name=f><button>Log out</button></form>"
      "<form><input type=password name=p></form>",
      8);
  REQUIRE(forms.size() == 2);
  CHECK(forms[0].action == "/set?a=1&b=2");
  CHECK(forms[0].method == "post");
  CHECK(forms[0].text == "Log out");
  CHECK(forms[0].hidden == std::vector<std::string>{"token"});
  const std::vector<std::pair<std::string, std::string>> fields{
      {"token", "t1"}, {"name", "A & B"}, {"on", "on"}, {"r", "2"}, {"zone", "b"}, {"note", "some text"}};
  CHECK(forms[0].fields == fields);
  CHECK(forms[1].method == "get");
  CHECK(forms[1].passwords == 1);
  CHECK(html_forms("<form><form><form>", 2).size() == 2);
}

TEST_CASE("Links are those of a page to pages, in their order") {
  const auto links = html_links(
      "<link href=a.css><img src=b.png><a href='/one'>One</a><!-- <a href=/no> --><iframe src=/two></iframe><a "
      "href=#top>top</a>"
      "<area href=/three>",
      8);
  REQUIRE(links.size() == 3);
  CHECK(links[0].target == "/one");
  CHECK(links[0].text == "One");
  CHECK(links[1].target == "/two");
  CHECK(links[2].target == "/three");
  CHECK(html_links("<a href=1><a href=2><a href=3>", 2).size() == 2);
}

TEST_CASE("The references of a page start from its first base with an address") {
  struct Row {
    const char* base;
    const char* reference;
    const char* from_the_page;
  };

  const Row rows[] = {{"", "login", "login"},
                      {"/cgi/", "login", "/cgi/login"},
                      {"/cgi/x.html?y=/z#w", "login", "/cgi/login"},
                      {"/cgi/x.html?y#w", "?a", "/cgi/x.html?a"},
                      {"/cgi/x.html?y#w", "#a", "/cgi/x.html?y#a"},
                      {"cgi/", "../login", "cgi/../login"},
                      {"/cgi/", "/login", "/login"},
                      {"/cgi/", "", ""},
                      {"/cgi/", "https://h/login", "https://h/login"},
                      {"http://h:81", "login", "http://h:81/login"},
                      {"http://h:81?x", "login", "http://h:81/login"},
                      {"http://h/cgi/x", "/login", "http://h/login"},
                      {"http://h/cgi/x", "login", "http://h/cgi/login"},
                      {"https://h/cgi/", "//other/login", "https://other/login"},
                      {"//h/cgi/", "login", "//h/cgi/login"}};
  for (const auto& row : rows) {
    CAPTURE(row.base, row.reference);
    CHECK(html::from_base(row.base, row.reference) == row.from_the_page);
  }
  CHECK(html::base_of("<base target=_top><BASE HREF=' /a/?b&amp;c '><base href=/second/>") == "/a/?b&c");
  CHECK(html::base_of("<base href><base href=/second/>").empty());
  CHECK(html::base_of("<base href='javascript:x'><base href=/second/>").empty());
  CHECK(html::base_of("<!--<base href=/a/>--><script>w('<base href=/b/>')</script><base href=/c/>") == "/c/");
  CHECK(html_links("<a href=1>x</a><base href=/a/><a href=#2>y</a>", 2)[0].target == "/a/1");
  CHECK(html_forms("<base href=/a/><form action=b></form>", 1)[0].action == "/a/b");
  CHECK(html_pages("<base href=/a/><frame src=b.htm><a href=c.htm>x</a>", 2) ==
        std::vector<std::string>{"/a/b.htm", "/a/c.htm"});
  CHECK(html_redirect("<base href=/a/><meta http-equiv=refresh content='0;url=b.htm'>") == "/a/b.htm");
  CHECK(html_scripts("<base href=/a/><script src=b.js></script>", 1)[0].source == "/a/b.js");
}

TEST_CASE("A form goes where its first button sends it") {
  const std::string fields = "<input name=u><input type=password name=p>";
  const auto by = [&](const std::string& buttons) {
    return find_login_form("<base href=/c/><form action=search method=get>" + fields + buttons + "</form>");
  };
  const auto own =
      by("<button type=button formaction=no>x</button><button formaction=in formmethod=POST>In</button>"
         "<button formaction=out formmethod=get>Out</button>");
  REQUIRE(own);
  CHECK(own->action == "/c/in");
  CHECK_FALSE(own->scripted);
  const auto picture =
      by("<input type=image name=go formaction=/in formmethod=post><input type=submit name=no value=1>");
  REQUIRE(picture);
  CHECK(picture->action == "/in");
  CHECK(picture->fields == std::vector<std::pair<std::string, std::string>>{{"go.x", "0"}, {"go.y", "0"}});
  const auto second = by("<input type=submit><input type=submit formaction=/in formmethod=post>");
  REQUIRE(second);
  CHECK(second->action == "/c/search");
  CHECK(second->scripted);  // a password in an address
  const auto page = by("<input type=submit formaction formmethod=post>");
  REQUIRE(page);
  CHECK(page->action.empty());  // the page itself, whatever its base
  const auto away = by("<input type=submit formaction=http://192.0.2.1/in formmethod=post>");
  REQUIRE(away);
  CHECK(goes_in_clear(away->action, true));
  const auto seen = find_password_form("<form action=https://h/in>" + fields + "<button formaction=http://h/in>");
  REQUIRE(seen);
  CHECK(seen->action == "http://h/in");
  CHECK(html_forms("<form action=/a>" + fields + "<input type=submit formaction=/b></form>", 1)[0].action == "/b");
}

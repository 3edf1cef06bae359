#include "probes/wire/web_page.hpp"

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

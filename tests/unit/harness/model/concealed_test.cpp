#include "harness/model/concealed.hpp"

#include <algorithm>
#include <random>
#include <set>

#include "tests/support/catch.hpp"

using namespace assay;

namespace {

Concealed of(std::string_view secret) {
  Concealed out;
  conceal_in(out, secret, "pin", 3, Capitals::any);
  return out;
}

std::string masked(std::string_view secret, std::string_view text) {
  const auto concealed = of(secret);
  return ConcealedFinder{concealed}.masked(text);
}

bool has(const std::vector<std::string>& forms, std::string_view one) {
  return std::find(forms.begin(), forms.end(), one) != forms.end();
}

}  // namespace

TEST_CASE("a secret has the forms in which others write it") {
  const auto forms = forms_of("p&ss \"w/rd");
  CHECK(has(forms, "p&ss \"w/rd"));
  CHECK(has(forms, "cCZzcyAidy9yZA=="));    // RFC 4648, 4
  CHECK(has(forms, "p%26ss%20%22w%2Frd"));  // in an address
  CHECK(has(forms, "p%26ss%20%22w%2frd"));
  CHECK(has(forms, "p%26ss+%22w%2Frd"));  // in a form
  CHECK(has(forms, "p&ss \\\"w/rd"));     // in JSON
  CHECK(has(forms, "p&ss \\\"w\\/rd"));
  CHECK(has(forms, "p&amp;ss &quot;w/rd"));  // in HTML
  CHECK(has(forms, "702673732022772f7264"));
  CHECK(has(forms, "702673732022772F7264"));
  CHECK(has(forms, std::string{"p\0&\0s\0s\0 \0\"\0w\0/\0r\0d\0", 20}));
  CHECK(has(forms_of("\xfb\xff\xfe+"), "-__-Kw=="));  // base64url
}

TEST_CASE("a secret is known whatever a writer of addresses, HTML or scripts keeps of it") {
  CHECK(has(forms_of("Sun!day@42"), "Sun!day%4042"));  // encodeURIComponent
  CHECK(masked("Sun!day@42", "Sun!day%4042") == "{pin}");
  for (const std::string other : {"Sun!day%2540", "Sun!day%2542"}) {
    CHECK(masked("Sun!day@42", other) == other);
  }
  const auto forms = forms_of("Tom's<C/t&7\"");
  for (const std::string text :
       {"Tom's&lt;C/t&amp;7\"", "Tom&#039;s&lt;C/t&amp;7&quot;", "Tom&apos;s&lt;C/t&amp;7&quot;",
        "Tom's\\u003cC/t\\u00267\\\"", "Tom\\u0027s\\u003CC/t\\u00267\\u0022", "Tom%27s%3CC/t%267%22",
        "Tom's%3CC/t&7%22", "Tom%2527s%253CC%252Ft%25267%2522"}) {
    INFO(text);
    CHECK(has(forms, text));
  }
  CHECK(masked("hunter22", "x=%68%75%6e%74%65%72%32%32&") == "x={pin}&");
  CHECK(masked("hunter22", "id NB2W45DFOIZDE===, nb2w45dfoizde") == "id {pin}===, {pin}");  // base32
  CHECK(has(forms_of("pa5s", Capitals::any), "&#112;&#97;&#53;&#115;"));
  CHECK(has(forms_of("pa5s", Capitals::any), "&#x70;&#x61;&#x35;&#x73;"));
}

TEST_CASE("a secret is known backwards and as those write it who look at bytes") {
  const auto forms = forms_of("hunter");
  CHECK(has(forms, "retnuh"));
  CHECK(has(forms, "68 75 6e 74 65 72"));
  CHECK(has(forms, "68:75:6e:74:65:72"));
  CHECK(has(forms, "\\u0068\\u0075\\u006e\\u0074\\u0065\\u0072"));
  CHECK_FALSE(has(forms_of("abcde"), "edcba"));  // too short for it
}

TEST_CASE("a secret is known with other capitals, in its other forms too, and as it is alone where that is asked for") {
  for (const std::string text : {"hunter-2x", "HUNTER-2X", "Hunter-2x", "hUnter-2X", "X2-RETNUH", "SFVOVEVSLTJY",
                                 "68 75 4E 74 65 72 2D 32 58", "48:55:4e:54:45:52:2d:32:58"}) {
    INFO(text);
    const bool known = text != "68 75 4E 74 65 72 2D 32 58";  // "huNter-2X": no writer makes that of it
    CHECK((masked("hUnter-2X", "is " + text + ".") == "is {pin}.") == known);
  }
  CHECK_FALSE(has(forms_of("hunter-2x"), "HUNTER-2X"));
  CHECK(masked("abc", "ABC") == "ABC");              // too short: it is everywhere
  CHECK(masked("ab\x01z", "AB\x01Z") == "AB\x01Z");  // bytes have no capitals
  CHECK(may_be_word("Desk-top"));
  CHECK_FALSE(may_be_word("Desktop7"));
}

TEST_CASE("codes for terminals between the characters of a secret hide nothing") {
  for (const std::string text : {"h\x1b[0mu\x1b[1;31mnter22",              // colours
                                 "h\b*u\b*n\b*t\b*e\b*r\b*2\b*2",          // asterisks over what was shown
                                 "h\bhu\bun\bnt\bte\ber\br2\b22",          // written twice, as bold text is
                                 "h\bu\bnter22",                           // gone back
                                 "h\b \bu\b \bnter22",                     // taken away again
                                 "hunter\x1b[K\x1b[2C\a2\x1b]0;title\a2",  // more than one, and a title
                                 "hu\xff\xf9nt\xff\xfb\1er22",             // telnet: go ahead, will echo
                                 "h\\x1b[0mu\\u001b[0mnter22",             // as facts and JSON write them
                                 "H\x1b[0mUNTER22"}) {
    INFO(text);
    CHECK(masked("hunter22", "is " + text + ".") == "is {pin}.");
  }
  CHECK(masked("hunter22", "\x1b[0mhunter22\x1b[0m") == "\x1b[0m{pin}\x1b[0m");
  CHECK(masked("hunter22", "h\x1b[0mungry\b") == "h\x1b[0mungry\b");
  CHECK(masked("123", "1\x1b[0m23") == "1\x1b[0m23");  // too short: codes are everywhere in binary texts
}

TEST_CASE("a text that may go on behind a code is not decided, and so many codes in a row are none") {
  const auto concealed = of("hunter22");
  const ConcealedFinder finder{concealed};
  for (const std::string text :
       {"hu\x1b", "hu\x1b[", "hu\x1b[0", "hu\x1b[0m", "hu\b", "hu\b*", "h\x1b[0mu", "hu\xff", "hu\xff\xfb"}) {
    INFO(text);
    CHECK(finder.decided("is " + text) == 3);
  }
  CHECK(finder.decided("is ox\x1b[") == 7);
  std::string codes;
  while (codes.size() <= 64) {
    codes += "\x1b[0m";
  }
  CHECK(finder.decided("hu" + codes) == 2 + codes.size());
  CHECK(masked("hunter22", "hu" + codes + "nter22") == "hu" + codes + "nter22");
}

TEST_CASE("no text of codes is read beyond its end, and masks lie within it") {
  std::mt19937 chance{11};
  constexpr std::string_view kPieces = "a\x1b[]\b \xff\xfa\xf0\\x0u1b7;m\a*";
  const auto concealed = of("aaaa");
  const ConcealedFinder finder{concealed};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (auto length = chance() % 24; length > 0; --length) {
      text += kPieces[chance() % kPieces.size()];
    }
    for (const auto& hit : finder.hits(text)) {
      CHECK(hit.at + hit.length <= text.size());
    }
    CHECK(finder.decided(text) <= text.size());
  }
}

TEST_CASE("a secret inside something longer is found in its base64, wherever it begins there") {
  // base64 of "user:hunter22!", "a:hunter22!" and "ab:hunter22!", and of the secret alone.
  for (const std::string text : {"dXNlcjpodW50ZXIyMiE=", "YTpodW50ZXIyMiE=", "YWI6aHVudGVyMjIh", "aHVudGVyMjI="}) {
    INFO(text);
    const auto shown = masked("hunter22", text);
    CHECK(shown.find("{pin}") != std::string::npos);
    CHECK(shown.find("dGVyMj") == std::string::npos);
    CHECK(shown.find("50ZXIy") == std::string::npos);
    CHECK(shown.find("bnRlcj") == std::string::npos);
  }
}

TEST_CASE("a short secret has no forms that digests and pictures are full of") {
  const auto forms = forms_of("123");
  CHECK_FALSE(has(forms, "313233"));
  CHECK(has(forms, "MTIz"));
  CHECK(std::none_of(forms.begin(), forms.end(), [](const auto& form) { return form.size() < 3; }));
  CHECK(forms_of("").empty());
  Concealed none;
  conceal_in(none, "12", "pin");
  CHECK(none.empty());
  conceal_in(none, "12", "pin", 1);
  CHECK(none.contains("12"));
}

TEST_CASE("every occurrence is replaced, and what overlaps is hidden as a whole") {
  Concealed concealed{{"abcd", "{one}"}, {"cdefgh", "{two}"}, {"x", "{three}"}, {"", "{empty}"}};
  const ConcealedFinder finder{concealed};
  CHECK(finder.masked("abcd-abcd") == "{one}-{one}");
  CHECK(finder.masked("abcdefgh") == "{two}");
  CHECK(finder.masked("cdefg x") == "cdefg {three}");
  CHECK(finder.masked("x") == "{three}");
  CHECK(finder.masked("").empty());
  CHECK(finder.masked("nothing") == "nothing");
  CHECK(finder.hits("abcdefgh").size() == 2);
}

TEST_CASE("a name is no text to be replaced") {
  Concealed concealed{{"pin", "{pin of the device}"}, {"device", "{pin}"}};
  CHECK(ConcealedFinder{concealed}.masked("pin device") == "{pin of the device} {pin}");
}

TEST_CASE("bytes above 127 and NUL bytes are found as any other") {
  const std::string secret{"\xff\0\xfe\x80", 4};
  Concealed concealed{{secret, "{raw}"}, {"\xff", "{one}"}};
  CHECK(ConcealedFinder{concealed}.masked("a" + secret + "b\xff") == "a{raw}b{one}");
}

TEST_CASE("the same places are found as by trying every text at every place") {
  std::mt19937 chance{7};
  const auto word = [&](std::size_t most) {
    std::string out;
    for (auto length = chance() % (most + 1); length > 0; --length) {
      out += "ab\xfe\0"[chance() % 4];
    }
    return out;
  };
  for (int round = 0; round < 300; ++round) {
    Concealed concealed;
    for (auto count = chance() % 20; count > 0; --count) {
      concealed.emplace(word(5), "{x}");
    }
    const auto text = word(40);
    std::set<std::pair<std::size_t, std::size_t>> expected;
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (const auto& [one, shown] : concealed) {
        if (!one.empty() && std::string_view{text}.substr(at).starts_with(one)) {
          expected.emplace(at, one.size());
        }
      }
    }
    std::set<std::pair<std::size_t, std::size_t>> found;
    for (const auto& hit : ConcealedFinder{concealed}.hits(text)) {
      found.emplace(hit.at, hit.length);
    }
    CHECK(found == expected);
    const auto goes_on = [&](std::string_view rest) {
      return std::any_of(concealed.begin(), concealed.end(), [&](const auto& one) {
        return one.first.size() > rest.size() && one.first.starts_with(rest);
      });
    };
    std::size_t decided = 0;
    while (decided < text.size() && !goes_on(std::string_view{text}.substr(decided))) {
      ++decided;
    }
    CHECK(ConcealedFinder{concealed}.decided(text) == decided);
  }
}

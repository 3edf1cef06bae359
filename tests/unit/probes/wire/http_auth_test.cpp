#include "probes/wire/http_auth.hpp"

#include <openssl/evp.h>

#include "probes/wire/bytes.hpp"
#include "tests/support/catch.hpp"

using namespace assay::wire;

namespace {

std::string hash(std::string_view algorithm, std::string_view data) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(data.data(), data.size(), out, &size, algorithm == "MD5" ? EVP_md5() : EVP_sha256(), nullptr);
  return hex({reinterpret_cast<const char*>(out), size});
}

DigestInput mufasa() {
  DigestInput input;
  input.uri = "/dir/index.html";
  input.username = "Mufasa";
  return input;
}

}  // namespace

TEST_CASE("One header may hold several challenges") {
  const auto challenges = parse_challenges(
      "Basic realm=\"a, \\\"b\\\"\", charset=UTF-8, Negotiate abc==, Digest realm=x , "
      "nonce=\"n\",qop=\"auth,auth-int\", NTLM");
  REQUIRE(challenges.size() == 4);
  CHECK(challenges[0].is("basic"));
  CHECK(challenges[0].parameter("Realm") == "a, \"b\"");
  CHECK(challenges[0].parameter("charset") == "UTF-8");
  CHECK(challenges[1].scheme == "Negotiate");
  CHECK(challenges[1].token68 == "abc==");
  CHECK(challenges[2].parameter("realm") == "x");
  CHECK(challenges[2].parameter("qop") == "auth,auth-int");
  CHECK(challenges[3].scheme == "NTLM");
}

TEST_CASE("Challenges of hostile servers stay within bounds") {
  std::string many;
  std::string wide = "Digest ";
  for (int i = 0; i < 500; ++i) {
    many += "S" + std::to_string(i) + " a=1,";
    wide += "p" + std::to_string(i) + "=1,";
  }
  CHECK(parse_challenges(many).size() == 16);
  REQUIRE(parse_challenges(wide).size() == 1);
  CHECK(parse_challenges(wide)[0].parameters.size() == 32);
  CHECK(parse_challenges("").empty());
  CHECK(parse_challenges(",,=,\"").empty());
  CHECK(parse_challenges("Basic realm=\"open").size() == 1);
}

TEST_CASE("Basic credentials are those of RFC 7617") {
  CHECK(basic_authorization("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  CHECK(base64("a") == "YQ==");
  CHECK(base64("ab") == "YWI=");
  CHECK(base64("") == "");
}

TEST_CASE("Digest answers are those of the examples of RFC 7616 and RFC 2617") {
  auto input = mufasa();
  input.password = "Circle of Life";
  input.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
  const std::string rest =
      ", realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
      "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
  const auto md5 = digest_authorization(parse_challenges("Digest algorithm=MD5" + rest).at(0), input, hash);
  REQUIRE(md5);
  CHECK(md5->response == "8ca523f5e9506fed4657c9700eebdbec");
  const auto sha = digest_authorization(parse_challenges("Digest algorithm=SHA-256" + rest).at(0), input, hash);
  REQUIRE(sha);
  CHECK(sha->response == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
  CHECK(sha->header.find("nc=00000001") != std::string::npos);

  input.password = "Circle Of Life";
  input.cnonce = "0a4f113b";
  const auto old = digest_authorization(
      parse_challenges("Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
                       "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"")
          .at(0),
      input, hash);
  REQUIRE(old);
  CHECK(old->response == "6629fae49393a05397450978507c4ef1");
}

TEST_CASE("A Digest that we do not know is not guessed") {
  const auto input = mufasa();
  CHECK_FALSE(
      digest_authorization(parse_challenges("Digest realm=r, nonce=n, algorithm=SHA-512-256").at(0), input, hash));
  CHECK_FALSE(digest_authorization(parse_challenges("Digest realm=r, nonce=n, qop=secret").at(0), input, hash));
  CHECK_FALSE(digest_authorization(parse_challenges("Digest realm=r").at(0), input, hash));
  const auto plain = digest_authorization(parse_challenges("Digest realm=r, nonce=n").at(0), input, hash);
  REQUIRE(plain);
  CHECK(plain->header.find("qop") == std::string::npos);
}

TEST_CASE("Names of a device cannot break out of the header") {
  auto input = mufasa();
  input.username = "a\"b\\c\r\nX: 1";
  const auto answer = digest_authorization(parse_challenges("Digest realm=r, nonce=n").at(0), input, hash);
  REQUIRE(answer);
  CHECK(answer->header.find("username=\"a\\\"b\\\\cX: 1\"") != std::string::npos);
  CHECK(answer->header.find('\n') == std::string::npos);
}

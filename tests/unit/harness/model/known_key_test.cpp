#include "harness/model/known_key.hpp"

#include "tests/support/catch.hpp"

using namespace assay;

TEST_CASE("known keys: a whole digest finds its entry by the whole or by its first digits, in its own form only") {
  const std::string digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  KnownKeys keys;
  CHECK(keys.find("spki", digest) == nullptr);
  keys.add("spki", {"ffffffffffffffff", digest}, {"whole", "s", "computed", "RSA 2048"});
  keys.add("ssh", {digest.substr(0, 16)}, {"cut", "s", "reported", ""});
  REQUIRE(keys.find("spki", digest) != nullptr);
  CHECK(keys.find("spki", digest)->where == "whole");
  REQUIRE(keys.find("ssh", digest) != nullptr);
  CHECK(keys.find("ssh", digest)->where == "cut");
  CHECK(keys.find("spki", "ffffffffffffffff" + digest.substr(16))->where == "whole");
  CHECK(keys.find("ssh", digest.substr(0, 15)) == nullptr);
  CHECK(keys.find("ssh", "1" + digest.substr(1)) == nullptr);
  CHECK(keys.find("other", digest) == nullptr);
  CHECK(keys.size() == 2);
}

TEST_CASE("known keys: of two entries with one digest the first counts") {
  KnownKeys keys;
  keys.add("spki", {"0123456789abcdef"}, {"first", "s", "computed", ""});
  keys.add("spki", {"0123456789abcdef"}, {"second", "s", "computed", ""});
  CHECK(keys.find("spki", "0123456789abcdef00")->where == "first");
}

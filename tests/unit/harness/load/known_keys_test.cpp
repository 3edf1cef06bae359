#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

Loaded<KnownKeys> list_with(const std::string& entry) {
  return load_known_key_list(
      {"k.yaml", "assay: known-keys/1\nid: k\ntitle: T\nsource: S\nkeys:\n  - {" + entry + "}\n"});
}

}  // namespace

TEST_CASE("known keys: an entry holds whole digests and such as are cut short") {
  const auto list = list_with(
      R"(where: W, source: S, confidence: reported, form: ssh, kind: RSA 2048, digests: ["0123456789abcdef", "0123456789abcdef01"])");
  REQUIRE(lines(list.errors) == std::vector<std::string>{});
  const auto* key = list.value->find("ssh", "0123456789abcdef00");
  REQUIRE(key != nullptr);
  CHECK(*key == KnownKey{"W", "S", "reported", "RSA 2048"});
}

TEST_CASE("known keys: a digest that is too short, too long or not plain hexadecimal is told with its place") {
  for (const std::string digest : {"0123456789abcd", "0123456789ABCDEF", "0123456789abcdef 01"}) {
    const auto list = list_with("where: W, source: S, confidence: computed, form: spki, digests: [\"" + digest + "\"]");
    REQUIRE(list.errors.size() == 1);
    CHECK(lines(list.errors).front().find("16 to 64 digits of lower-case hexadecimal") != std::string::npos);
    CHECK(lines(list.errors).front().starts_with("k.yaml:6:"));
  }
  CHECK(list_with("where: W, source: S, confidence: computed, form: spki, digests: [\"" + std::string(66, 'a') + "\"]")
            .errors.size() == 1);
}

TEST_CASE("known keys: an unknown form is told with what is known") {
  const auto list =
      list_with(R"(where: W, source: S, confidence: computed, form: x509, digests: ["0123456789abcdef"])");
  REQUIRE(list.errors.size() == 1);
  CHECK(lines(list.errors).front().find("spki") != std::string::npos);
}

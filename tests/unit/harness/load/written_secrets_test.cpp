#include "harness/load/written_secrets.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/harness/load/fixtures.hpp"

using namespace assay;
using namespace assay::load_fixtures;

namespace {

Result<std::string> kept(const std::string& text) {
  return without_written_secrets({"dut.yaml", text},
                                 [](std::string_view secret) { return "hmac of " + std::to_string(secret.size()); });
}

std::string text_of_kept(const std::string& text) {
  const auto out = kept(text);
  REQUIRE(out);
  return *out;
}

}  // namespace

TEST_CASE("written secrets: each spelling is replaced and nothing else") {
  CHECK(text_of_kept("accounts:\n  - {role: a, username: b, secret: hunter22}\n") ==
        "accounts:\n  - {role: a, username: b, secret: \"masked:hmac of 8\"}\n");
  CHECK(text_of_kept("accounts:\n  - role: a\n    secret: 'it''s me'  # the owner's\n") ==
        "accounts:\n  - role: a\n    secret: \"masked:hmac of 7\"  # the owner's\n");
  CHECK(text_of_kept("vendor_credentials: [{username: root, password: \"a\\\"b\"}, {username: x, password: 1234}]\n") ==
        "vendor_credentials: [{username: root, password: \"masked:hmac of 3\"}, {username: x, password: "
        "\"masked:hmac of 4\"}]\n");
  CHECK(text_of_kept("password_samples:\n  - {secret: w\xC3\xBCrfel, serial: S}\n") ==
        "password_samples:\n  - {secret: \"masked:hmac of 7\", serial: S}\n");
}

TEST_CASE("written secrets: the keys of update servers are among them") {
  CHECK(text_of_kept("updates:\n  - serve: {port: 5684, psk: {identity: a, key: hunter22}}\n  - transport: exec\n") ==
        "updates:\n  - serve: {port: 5684, psk: {identity: a, key: \"masked:hmac of 8\"}}\n  - transport: exec\n");
  const std::string named = "updates:\n  - serve: {psk: {identity: a, key: env:HUB_PSK}}\n";
  CHECK(text_of_kept(named) == named);
}

TEST_CASE("written secrets: what is named and what is empty stays") {
  const std::string text =
      "accounts: [{role: a, secret: env:PIN}, {role: b, secret: file:pin.txt}, {role: c, secret: \"\"}]\n"
      "vendor_credentials: [{username: root, password: }]\n"
      "device: {vendor: hunter22}\n";
  CHECK(text_of_kept(text) == text);
}

TEST_CASE("written secrets: a spelling that is not understood is an error with its place, never a secret that stays") {
  for (const std::string text :
       {"accounts:\n  - secret: |\n      hunter22\n", "accounts:\n  - secret: hunter\n      22\n",
        "device: {vendor: &v hunter22}\naccounts:\n  - secret: *v\n"}) {
    INFO(text);
    const auto out = kept(text);
    REQUIRE_FALSE(out);
    CHECK(out.error().where.starts_with("dut.yaml:"));
    CHECK(describe(out.error()).find("hunter") == std::string::npos);
  }
}

TEST_CASE("written secrets: the file of a bundle is read as the maker's but for its secrets") {
  const std::string head =
      "assay: dut/1\ndevice: {vendor: Example}\nsamples: [{id: A, at: {lan: 10.20.0.5}}]\nscope: [10.20.0.0/28]\n";
  const auto text = text_of_kept(head + "accounts: [{role: admin, username: admin, secret: hunter22}]\n");
  const auto loaded = load_dut({"dut.yaml", text});
  CHECK_FALSE(loaded.value);
  CHECK(lines(loaded.errors) ==
        std::vector<std::string>{"dut.yaml:5:51: this secret was left out of the bundle: give the DUT file itself "
                                 "with --dut FILE"});
  CHECK(text_of_kept(text) == text);
}

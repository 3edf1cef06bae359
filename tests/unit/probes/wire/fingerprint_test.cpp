#include "probes/wire/fingerprint.hpp"

#include "tests/support/catch.hpp"

using namespace assay::wire;

TEST_CASE("A pattern fits a whole text and takes version and update out of it") {
  const auto nginx = match_pattern("nginx/{version}*", "nginx/1.22.1 (Debian)");
  REQUIRE(nginx);
  CHECK(nginx->version == "1.22.1");
  const auto ssh = match_pattern("OpenSSH_{version}{update}*", "OpenSSH_9.2p1");
  REQUIRE(ssh);
  CHECK(ssh->version == "9.2");
  CHECK(ssh->update == "p1");
  CHECK(match_pattern("*BusyBox v{version}*", "x BusyBox BusyBox v1.35.0. y")->version == "1.35.0");
  CHECK(match_pattern("GOAHEAD-*", "GoAhead-Webs"));
  CHECK_FALSE(match_pattern("nginx/{version}", "nginx/1.22.1 more"));
  CHECK_FALSE(match_pattern("nginx/{version}*", "nginx/x"));
  CHECK_FALSE(match_pattern("nginx/{version}*", "my nginx/1.0"));
  CHECK_FALSE(match_pattern("a", ""));
  CHECK(match_pattern("*", ""));
}

TEST_CASE("A long hostile text costs no more than its first part") {
  const std::string text(1U << 20U, 'a');
  CHECK_FALSE(match_pattern("*a*a*a*a*a*a*a*a*a*b", text));
}

TEST_CASE("A CPE name needs its version, and odd characters are escaped") {
  CHECK(cpe_name("cpe:2.3:a:f5:nginx:{version}:*:*:*:*:*:*:*", {"1.22.1", ""}) ==
        "cpe:2.3:a:f5:nginx:1.22.1:*:*:*:*:*:*:*");
  CHECK(cpe_name("cpe:2.3:a:openbsd:openssh:{version}:{update}:*:*:*:*:*:*", {"9.2", "p1"}) ==
        "cpe:2.3:a:openbsd:openssh:9.2:p1:*:*:*:*:*:*");
  CHECK(cpe_name("cpe:2.3:a:openbsd:openssh:{version}:{update}:*:*:*:*:*:*", {"9.2", ""}) ==
        "cpe:2.3:a:openbsd:openssh:9.2:*:*:*:*:*:*:*");
  CHECK(cpe_name("cpe:2.3:a:x:y:{version}", {}).empty());
  CHECK(cpe_name("cpe:2.3:a:x:y:{version}", {"1+2", ""}) == "cpe:2.3:a:x:y:1\\+2");
}

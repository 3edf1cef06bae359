#include "harness/net/scope.hpp"

#include "tests/support/catch.hpp"

using namespace assay;

namespace {

Scope scope_of(const std::vector<std::string>& ranges) {
  const auto scope = make_scope(ranges, false);
  REQUIRE(scope);
  return *scope;
}

ErrorKind refusal(const std::vector<std::string>& ranges, bool allow_public = false) {
  const auto scope = make_scope(ranges, allow_public);
  REQUIRE(!scope);
  CHECK_FALSE(scope.error().what.empty());
  return scope.error().kind;
}

}  // namespace

TEST_CASE("A scope contains exactly the addresses of its ranges") {
  const auto scope = scope_of({"10.20.0.0/28", "192.168.7.9", "fd00:1::/64"});
  CHECK(scope.contains("10.20.0.0"));
  CHECK(scope.contains("10.20.0.15"));
  CHECK_FALSE(scope.contains("10.20.0.16"));
  CHECK_FALSE(scope.contains("10.19.255.255"));
  CHECK(scope.contains("192.168.7.9"));
  CHECK_FALSE(scope.contains("192.168.7.8"));
  CHECK(scope.contains("fd00:1::ffff"));
  CHECK_FALSE(scope.contains("fd00:1:0:1::1"));
}

TEST_CASE("An empty scope contains nothing") {
  CHECK_FALSE(scope_of({}).contains("127.0.0.1"));
}

TEST_CASE("IPv4-mapped IPv6 addresses are the IPv4 address they carry") {
  const auto scope = scope_of({"10.20.0.5"});
  CHECK(scope.contains("::ffff:10.20.0.5"));
  CHECK_FALSE(scope.contains("::ffff:10.20.0.6"));
  CHECK(refusal({"::ffff:8.8.8.8"}) == ErrorKind::denied);
}

TEST_CASE("What is not a numeric address is never in scope") {
  const auto scope = scope_of({"10.20.0.0/28"});
  for (const auto* text : {"", " 10.20.0.1", "10.20.0.1 ", "10.20.0.1:80", "10.20.0.01x", "device", "10.20.1"}) {
    CHECK_FALSE(scope.contains(text));
  }
  CHECK_FALSE(scope.contains(std::string_view{"10.20.0.1\0x", 11}));
}

TEST_CASE("Ranges that are written wrong are input errors that say what to write") {
  for (const auto* text :
       {"device.local", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "fd00::/129", "fe80::1%eth0", ""}) {
    CHECK(refusal({text}) == ErrorKind::bad_input);
  }
  const auto scope = make_scope({"10.0.0.5/24"}, false);
  REQUIRE(!scope);
  CHECK(scope.error().what.find("10.0.0.0/24") != std::string::npos);
}

TEST_CASE("Public ranges need an explicit word") {
  CHECK(refusal({"8.8.8.8"}) == ErrorKind::denied);
  CHECK(refusal({"2606:4700::1"}) == ErrorKind::denied);
  CHECK(refusal({"172.32.0.0/16"}) == ErrorKind::denied);
  const auto allowed = make_scope({"8.8.8.8", "2606:4700::1"}, true);
  REQUIRE(allowed);
  CHECK(allowed->contains("8.8.8.8"));
}

TEST_CASE("A whole network or a group is refused even with that word") {
  CHECK(refusal({"10.0.0.0/8"}, true) == ErrorKind::denied);
  CHECK(refusal({"0.0.0.0/0"}, true) == ErrorKind::denied);
  CHECK(refusal({"::/0"}, true) == ErrorKind::denied);
  CHECK(refusal({"fd00::/48"}, true) == ErrorKind::denied);
  CHECK(refusal({"224.0.0.251"}, true) == ErrorKind::denied);
  CHECK(refusal({"255.255.255.255"}, true) == ErrorKind::denied);
  CHECK(refusal({"0.0.0.0"}, true) == ErrorKind::denied);
  CHECK(refusal({"ff02::1"}, true) == ErrorKind::denied);
  CHECK(refusal(std::vector<std::string>(65, "10.0.0.1")) == ErrorKind::bad_input);
}

TEST_CASE("Public is what the Internet routes") {
  for (const auto* text : {"10.1.2.3", "127.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.1.1",
                           "100.64.0.1", "192.0.2.7", "198.51.100.1", "203.0.113.1", "198.18.0.1", "240.0.0.1", "::1",
                           "fe80::1", "fd12::1", "fc00::1", "2001:db8::1", "ff02::1"}) {
    INFO(text);
    CHECK_FALSE(is_public(*IpAddress::parse(text)));
  }
  for (const auto* text :
       {"1.1.1.1", "172.32.0.1", "100.128.0.1", "192.169.0.1", "2001:4860::8888", "64:ff9b::808:808"}) {
    INFO(text);
    CHECK(is_public(*IpAddress::parse(text)));
  }
}

TEST_CASE("A range that is public in part is public") {
  CHECK(is_public(*AddressRange::parse("172.0.0.0/8")));
  CHECK(is_public(*AddressRange::parse("2000::/3")));
  CHECK_FALSE(is_public(*AddressRange::parse("10.0.0.0/8")));
}

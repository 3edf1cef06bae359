#include "probes/wire/dhcp.hpp"

#include <fstream>
#include <iterator>

#include "tests/support/catch.hpp"

using namespace assay::wire;

namespace {

std::string seed(const std::string& name) {
  std::ifstream file{std::string{ASSAY_SOURCE_DIR} + "/tests/fuzz/corpus/dhcp/" + name, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

using Codes = std::vector<std::uint8_t>;

}  // namespace

TEST_CASE("A DHCP discover says what the client wants, in its order, and who it is") {
  const auto parse = parse_dhcp_request(seed("discover"));
  REQUIRE(parse.state == Parse::complete);
  CHECK(dhcp_type_text(parse.request.type) == "discover");
  CHECK(parse.request.options == Codes{53, 61, 57, 55, 60, 12});
  CHECK(parse.request.parameters == Codes{1, 3, 6, 12, 15, 28, 42});
  CHECK(parse.request.vendor_class == "udhcp 1.35.0");
  CHECK(parse.request.host_name == "hub2");
  CHECK(parse.request.client_id.size() == 7);
  CHECK(parse.request.largest_message == 576);
}

TEST_CASE("A DHCP option in pieces is put together, a list that is cut short ends there") {
  const auto pieces = parse_dhcp_request(seed("pieces")).request;
  CHECK(pieces.vendor_class == "example");
  CHECK(pieces.options == Codes{53, 60, 55});
  const auto cut = parse_dhcp_request(seed("cut"));
  CHECK(cut.state == Parse::complete);
  CHECK(cut.request.options == Codes{53});
  CHECK(cut.request.parameters.empty());
}

TEST_CASE("What is no DHCP message of a client is none") {
  const auto whole = seed("discover");
  CHECK(parse_dhcp_request("").state == Parse::malformed);
  CHECK(parse_dhcp_request(whole.substr(0, 239)).state == Parse::malformed);
  CHECK(parse_dhcp_request("\x02" + whole.substr(1)).state == Parse::malformed);
  CHECK(dhcp_type_text(200) == "200");
}

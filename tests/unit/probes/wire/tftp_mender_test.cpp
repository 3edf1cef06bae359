#include "probes/wire/mender.hpp"
#include "probes/wire/tftp.hpp"
#include "tests/support/catch.hpp"

/// Files that are read and written by TFTP, and what a device says to a server of Mender.
using namespace assay::wire;
using namespace std::string_literals;

TEST_CASE("TFTP gives a block or says why not") {
  CHECK(tftp_read_request("a") == "\x00\x01\x61\x00octet\x00"s);
  CHECK(parse_tftp("\x00\x03\x00\x01hello"s).size == 5);
  CHECK(parse_tftp("\x00\x03\x00\x02hello"s).state == Parse::malformed);
  CHECK(parse_tftp("\x00\x05\x00\x01no file\x00"s).message == "no file");
  CHECK(parse_tftp("\x00\x05\x00\x01no end"s).state == Parse::malformed);
  CHECK(parse_tftp("\x00\x05"s).state == Parse::malformed);
}

TEST_CASE("TFTP: a request goes both ways with its options") {
  const auto bytes = tftp_request(TftpPacket::Kind::write, "hub.bin", {{"blksize", "1024"}, {"tsize", "5000"}});
  const auto packet = parse_tftp_packet(bytes);
  REQUIRE(packet.state == Parse::complete);
  CHECK(packet.kind == TftpPacket::Kind::write);
  CHECK(packet.file == "hub.bin");
  CHECK(packet.mode == "octet");
  CHECK(tftp_number(packet.options, "blksize") == 1024);
  CHECK(tftp_number(packet.options, "tsize") == 5000);
  CHECK_FALSE(tftp_number(packet.options, "timeout"));
  const auto agreed = parse_tftp_packet(tftp_agreement({{"tsize", "7"}}));
  CHECK(agreed.kind == TftpPacket::Kind::options);
  CHECK(tftp_number(agreed.options, "tsize") == 7);
}

TEST_CASE("TFTP: names of options and modes are of any case, and numbers are numbers") {
  const auto packet = parse_tftp_packet(
      "\x00\x01"
      "a\x00OCTET\x00"
      "BlkSize\x00"
      "1x\x00TSIZE\x00"
      "1234567890123\x00"s);
  REQUIRE(packet.state == Parse::complete);
  CHECK(packet.mode == "octet");
  CHECK(packet.options.size() == 2);
  CHECK_FALSE(tftp_number(packet.options, "blksize"));
  CHECK_FALSE(tftp_number(packet.options, "tsize"));
}

TEST_CASE("TFTP: a request that is padded is one without options, and one without an end is none") {
  CHECK(parse_tftp_packet("\x00\x01"
                          "a\x00octet\x00padding"s)
            .options.empty());
  CHECK(parse_tftp_packet("\x00\x01"
                          "a\x00octet\x00padding"s)
            .state == Parse::complete);
  CHECK(parse_tftp_packet("\x00\x01"
                          "a\x00octet"s)
            .state == Parse::malformed);
  CHECK(parse_tftp_packet("\x00\x01\x00octet\x00"s).state == Parse::malformed);
  CHECK(parse_tftp_packet("\x00\x01"s + std::string(300, 'a') + "\x00octet\x00"s).state == Parse::malformed);
  CHECK(parse_tftp_packet("\x00\x07\x00\x00"s).state == Parse::malformed);
  CHECK(parse_tftp_packet("\x00").state == Parse::malformed);
  std::string many = "\x00\x06"s;
  for (int i = 0; i < 17; ++i) {
    many +=
        "a\x00"
        "1\x00"s;
  }
  CHECK(parse_tftp_packet(many).state == Parse::malformed);
}

TEST_CASE("TFTP: blocks and their acknowledgements") {
  const auto bytes = tftp_data(7, "hello");
  const auto block = parse_tftp_packet(bytes);
  CHECK(block.kind == TftpPacket::Kind::data);
  CHECK(block.number == 7);
  CHECK(block.data == "hello");
  const auto taken = parse_tftp_packet(tftp_acknowledgement(7));
  CHECK(taken.kind == TftpPacket::Kind::acknowledgement);
  CHECK(taken.number == 7);
  CHECK(parse_tftp_packet(tftp_error(3, "disk full")).message == "disk full");
}

TEST_CASE("Mender: what a device says of itself, in both versions of the interface") {
  CHECK(mender_identity(R"({"id_data": "{\"mac\": \"02:00\"}", "pubkey": "x"})") == R"({"mac": "02:00"})");
  CHECK(mender_key(R"({"pubkey": "-----BEGIN\n"})") == "-----BEGIN\n");
  CHECK(mender_key(R"({"pubkey": ")" + std::string(8193, 'x') + "\"}").empty());
  const auto second = mender_device(R"({"device_provides": {"artifact_name": "hub-2.4.0", "device_type": "hub"}})");
  CHECK(second.artifact == "hub-2.4.0");
  CHECK(second.type == "hub");
  const auto first = mender_device_of_query("/api/next?artifact_name=hub%2D2.4.0&device_type=smart+hub");
  CHECK(first.artifact == "hub-2.4.0");
  CHECK(first.type == "smart hub");
  CHECK(mender_device_of_query("/api/next?artifact_name=%1b%5b").artifact == "\\x1b[");
  CHECK(mender_device_of_query("/api/next").type.empty());
}

TEST_CASE("Mender: how a deployment goes, and the last errors of its log") {
  CHECK(mender_status(R"({"status": "failure", "substate": "x\u001b"})").status == "failure");
  CHECK(mender_status(R"({"status": "failure", "substate": "x\u001b"})").substate == "x\\x1b");
  CHECK(
      mender_log(
          R"({"messages": [{"level": "info", "message": "a"}, {"level": "error", "message": "b"}, {"level": "error"}]})") ==
      "b");
  CHECK(mender_log(R"({"messages": [{"message": "a"}, {"message": "b"}, {"message": "c"}, {"message": "d"}]})") ==
        "b; c; d");
}

TEST_CASE("Mender: what is no JSON, or other than it ought to be, says nothing") {
  for (const auto* body : {"", "[", "[]", "7", R"({"status": 7, "messages": 7, "id_data": {}, "device_provides": []})",
                           R"({"messages": [7, {"message": 7}]})"}) {
    CHECK(mender_status(body).status.empty());
    CHECK(mender_log(body).empty());
    CHECK(mender_identity(body).empty());
    CHECK(mender_key(body).empty());
    CHECK(mender_device(body).type.empty());
  }
}

#include "harness/probe/transcript.hpp"

#include <algorithm>
#include <string>

#include "tests/support/catch.hpp"

using assay::Transcript;

namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

}  // namespace

TEST_CASE("A transcript shows direction, offset, hex and text of each chunk") {
  Transcript transcript{"http on tcp/80"};
  transcript.sent(bytes("GET / HTTP/1.0\r\n\r\n"));
  transcript.received(bytes("HTTP"));
  const auto& text = transcript.text();
  CHECK(text.starts_with("# http on tcp/80; > sent, < received, seconds since the start\n> +0.0"));
  CHECK(text.find(" 18 bytes\n00000000  47 45 54 20 2f 20 48 54 54 50 2f 31 2e 30 0d 0a  |GET / HTTP/1.0..|\n") !=
        std::string::npos);
  CHECK(text.find("00000010  0d 0a                                            |..|\n< +") != std::string::npos);
  CHECK(text.find(" 4 bytes\n00000000  48 54 54 50 ") != std::string::npos);
}

TEST_CASE("A note is one line whatever it holds") {
  Transcript transcript{"what\never"};
  transcript.note("first\nsecond \x1b[31m");
  CHECK(transcript.text().find("what\\x0aever") != std::string::npos);
  CHECK(transcript.text().find("first\\x0asecond \\x1b[31m\n") != std::string::npos);
  CHECK(std::count(transcript.text().begin(), transcript.text().end(), '\n') == 2);
}

TEST_CASE("A transcript keeps its limit and says once how much it left out") {
  Transcript transcript{"flood", 1000};
  const std::string flood(400, 'x');
  for (int round = 0; round < 100; ++round) {
    transcript.received(bytes(flood));
  }
  const auto& text = transcript.text();
  CHECK(text.size() < 1100);
  const auto kept = static_cast<std::size_t>(std::count(text.begin(), text.end(), '|')) / 2 * 16;
  REQUIRE(kept > 0);
  CHECK(text.ends_with("# left out beyond the limit: " + std::to_string(40000 - kept) + " bytes\n"));
  CHECK(text.find("left out") == text.rfind("left out"));
}

TEST_CASE("Nothing slips into a full transcript behind the gap") {
  Transcript transcript{"flood", 300};
  const std::string flood(400, 'x');
  transcript.received(bytes(flood));
  transcript.note("y");
  CHECK(transcript.text().find(" y\n") == std::string::npos);
  CHECK(transcript.text().ends_with(" bytes\n"));
}

TEST_CASE("A concealed secret appears nowhere, even where a dump line would split it") {
  Transcript transcript{"login"};
  transcript.conceal("hunter2", "accounts entry 1");
  transcript.sent(bytes("0123456789abhunter2 and hunter2"));
  transcript.sent(bytes("Basic aHVudGVyMg=="));
  transcript.note("tried hunter2");
  const auto& text = transcript.text();
  CHECK(text.find("hunt") == std::string::npos);
  CHECK(text.find("68 75 6e") == std::string::npos);
  CHECK(text.find("aHVud") == std::string::npos);
  CHECK(text.find("tried {accounts entry 1}\n") != std::string::npos);
  CHECK(text.find("|0123456789ab{acc|") != std::string::npos);
}

TEST_CASE("Of two secrets the longer one is masked, and no mask is masked again") {
  Transcript transcript{"login"};
  transcript.conceal("admin", "short");
  transcript.conceal("admin123", "long");
  transcript.conceal("long", "third");
  transcript.conceal("", "nothing");
  transcript.note("admin123 admin");
  CHECK(transcript.text().find("{long} {short}\n") != std::string::npos);
}

TEST_CASE("A secret that is a word of notes is concealed in bytes alone") {
  Transcript transcript{"logins"};
  assay::Concealed texts;
  assay::conceal_in(texts, "telnet", "vendor entry 1");
  transcript.conceal_in_bytes(std::make_shared<const assay::ConcealedList>(std::move(texts)));
  transcript.conceal("token7", "token");
  transcript.note("telnet with token7");
  transcript.received(bytes("telnet token7"));
  CHECK(transcript.text().find("telnet with {token}\n") != std::string::npos);
  CHECK(transcript.text().find("|{vendor entry 1}|") != std::string::npos);
  CHECK(transcript.text().find("|telnet") == std::string::npos);
  REQUIRE(transcript.open_text() != nullptr);
  CHECK(transcript.open_text()->find("|telnet token7|") != std::string::npos);
}

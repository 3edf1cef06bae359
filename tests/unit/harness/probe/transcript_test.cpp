#include "harness/probe/transcript.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.hpp"

using assay::Transcript;

namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

/// The bytes behind the dumps, of one direction.
std::string said(const std::string& text, char direction) {
  std::string out;
  char now = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    const auto line = std::string_view{text}.substr(at, text.find('\n', at) - at);
    if (line.front() == '>' || line.front() == '<' || line.front() == '#') {
      now = line.front();
    } else if (now == direction) {
      for (std::size_t i = 0; i < 16 && line[10 + 3 * i] != ' '; ++i) {
        out += static_cast<char>(std::stoi(std::string{line.substr(10 + 3 * i, 2)}, nullptr, 16));
      }
    }
  }
  return out;
}

void receive_in_pieces(Transcript& transcript, std::string_view text, std::size_t size) {
  for (std::size_t at = 0; at < text.size(); at += size) {
    transcript.received(bytes(text.substr(at, size)));
  }
}

/// The times of all records, in order.
std::vector<double> times(const std::string& text) {
  std::vector<double> out;
  for (auto at = text.find(" +"); at != std::string::npos; at = text.find(" +", at + 1)) {
    out.push_back(std::stod(text.substr(at + 2)));
  }
  return out;
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
  const auto text = transcript.text();
  CHECK(text.find("what\\x0aever") != std::string::npos);
  CHECK(text.find("first\\x0asecond \\x1b[31m\n") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
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
  auto list = std::make_shared<assay::Concealment>();
  list->add_in_bytes(assay::Secret{"telnet", "vendor entry 1"});
  transcript.conceal_all(std::move(list));
  transcript.conceal("token7", "token");
  transcript.note("telnet with token7");
  transcript.received(bytes("telnet token7"));
  CHECK(transcript.text().find("telnet with {token}\n") != std::string::npos);
  CHECK(transcript.text().find("|{vendor entry 1}|") != std::string::npos);
  CHECK(transcript.text().find("|telnet") == std::string::npos);
  REQUIRE(transcript.open_text());
  CHECK(transcript.open_text()->find("|telnet token7|") != std::string::npos);
}

TEST_CASE("A secret that several reads split is masked as one that came at once") {
  constexpr std::string_view kSaid = "Your key: Kx8-zed9Pa, keep it. a2V5 Kx8-zed9Pa";
  for (std::size_t size = 1; size <= kSaid.size(); ++size) {
    INFO(size);
    Transcript transcript{"page"};
    transcript.conceal("Kx8-zed9Pa", "key");
    receive_in_pieces(transcript, kSaid, size);
    CHECK(said(transcript.text(), '<') == "Your key: {key}, keep it. a2V5 {key}");
    REQUIRE(transcript.open_text());
    CHECK(said(*transcript.open_text(), '<') == kSaid);
  }
}

TEST_CASE("A secret with codes for terminals between its characters is masked, however it is cut") {
  constexpr std::string_view kSaid = "# \x1b[1mK\x1b[0mx\b*8\b*-z\x1b[0med9\x1b[KPa\r\n# KX8-ZED9PA\r\n# ok";
  for (std::size_t size = 1; size <= kSaid.size(); ++size) {
    INFO(size);
    Transcript transcript{"echo"};
    transcript.conceal(assay::Secret{"Kx8-zed9Pa", "key"});
    receive_in_pieces(transcript, kSaid, size);
    CHECK(said(transcript.text(), '<') == "# \x1b[1m{key}\r\n# {key}\r\n# ok");
    REQUIRE(transcript.open_text());
    CHECK(said(*transcript.open_text(), '<') == kSaid);
  }
}

TEST_CASE("Other capitals of a secret that may be a word are masked in bytes, and notes stay readable") {
  Transcript transcript{"login"};
  transcript.conceal(assay::Secret{"Password", "owner's"});
  transcript.note("a password, not Password");
  transcript.received(bytes("PASSWORD password"));
  const auto text = transcript.text();
  CHECK(text.find("a password, not {owner's}\n") != std::string::npos);
  CHECK(said(text, '<') == "{owner's} {owner's}");
}

TEST_CASE("What belongs to a mask above it is said where it came") {
  Transcript transcript{"page"};
  transcript.conceal("hunter22", "pin");
  for (const auto part : {"is hun", "te", "r2", "2!"}) {
    transcript.received(bytes(part));
  }
  const auto text = transcript.text();
  CHECK(text.find(" 8 bytes\n00000000  69 73 20 7b 70 69 6e 7d                          |is {pin}|\n") !=
        std::string::npos);
  CHECK(text.find(" received: 2 bytes more of what is left out above\n# +") != std::string::npos);
  CHECK(text.find(" received: 1 byte more of what is left out above\n< +") != std::string::npos);
  CHECK(text.find(" 1 byte\n00000000  21 ") != std::string::npos);
  REQUIRE(transcript.open_text());
  const auto open = *transcript.open_text();
  CHECK(open.find("more of") == std::string::npos);
  CHECK(std::count(open.begin(), open.end(), '<') == 5);  // that of the first line and four records
}

TEST_CASE("Each side's words are one text, whatever comes in between") {
  Transcript transcript{"echo"};
  transcript.conceal("hunter22", "pin");
  for (const char& one : std::string_view{"hunter22"}) {
    transcript.sent(bytes({&one, 1}));
    transcript.note("a key was pressed");
    transcript.received(bytes({&one, 1}));
  }
  const auto text = transcript.text();
  CHECK(said(text, '>') == "{pin}");
  CHECK(said(text, '<') == "{pin}");
  const auto first = text.find("> +");
  CHECK(first < text.find("a key was pressed"));
  CHECK(text.find("a key was pressed") < text.find("< +"));
}

TEST_CASE("Half a secret on each side is none") {
  Transcript transcript{"two sides"};
  transcript.conceal("hunter22", "pin");
  transcript.sent(bytes("hunt"));
  transcript.received(bytes("er22"));
  transcript.sent(bytes("."));
  CHECK(said(transcript.text(), '>') == "hunt.");
  CHECK(said(transcript.text(), '<') == "er22");
  CHECK_FALSE(transcript.open_text());
}

TEST_CASE("The beginning of a secret that ends otherwise is written as it is, at its time and place") {
  Transcript transcript{"nearly"};
  transcript.conceal("hunter22", "pin");
  transcript.received(bytes("hun"));
  CHECK(said(transcript.text(), '<') == "hun");  // whoever reads now reads what came
  std::this_thread::sleep_for(std::chrono::milliseconds{30});
  transcript.sent(bytes("more"));
  transcript.received(bytes("gry"));
  const auto text = transcript.text();
  CHECK(said(text, '<') == "hungry");
  CHECK(text.find("|hun|") < text.find("|more|"));
  CHECK(text.find("|more|") < text.find("|gry|"));
  const auto seen = times(text);
  REQUIRE(seen.size() == 3);
  CHECK(seen[1] - seen[0] >= 0.03);
  CHECK(seen[2] >= seen[1]);
}

TEST_CASE("A secret that begins while another may still go on is masked too, and the longer one gives the name") {
  Transcript transcript{"overlap"};
  transcript.conceal("abcdefgh", "one");
  transcript.conceal("efghijkl", "two");
  transcript.conceal("abc", "short");
  receive_in_pieces(transcript, "-abcdefghijkl-abcdef-", 1);
  const auto shown = said(transcript.text(), '<');
  CHECK(shown.starts_with("-{one}"));
  CHECK(shown.ends_with("-{short}def-"));
  CHECK(shown.find_first_of("ijkl") == std::string::npos);
}

TEST_CASE("At the limit of the page no part of a split secret is left") {
  for (std::size_t filler = 0; filler < 120; ++filler) {
    Transcript transcript{"flood", 300};
    transcript.conceal("Kx8-zed9Pa", "k");
    receive_in_pieces(transcript, std::string(filler, '.') + "Kx8-zed9Pa" + std::string(200, '.'), 7);
    const auto shown = said(transcript.text(), '<');
    INFO(shown);
    CHECK(shown.find_first_of("Kx8zed9Pa") == std::string::npos);
  }
}

TEST_CASE("What waits for the end of a secret is bounded, and nothing of it is lost that a page has room for") {
  Transcript transcript{"one side says no more", 2000};
  transcript.conceal("hunter22", "pin");
  transcript.received(bytes("hunter2"));
  for (int round = 0; round < 1000; ++round) {
    transcript.sent(bytes("0123456789abcde."));
  }
  const auto text = transcript.text();
  CHECK(text.find("|hunter2|") != std::string::npos);
  CHECK(text.find("left out beyond the limit") != std::string::npos);
  transcript.received(bytes("2"));
  CHECK(transcript.text().size() <= text.size() + 8);
}

TEST_CASE("Bytes that are shown in words end what may be the beginning of a secret") {
  Transcript transcript{"login"};
  transcript.conceal("hunter22", "pin");
  transcript.sent(bytes("USER hunt"));
  transcript.sent_concealed(bytes("PASS hunter22"), "PASS {pin}");
  transcript.sent(bytes("er22"));
  CHECK(said(transcript.text(), '>') == "USER hunter22");  // never said in one go: two texts
  REQUIRE(transcript.open_text());
  CHECK(said(*transcript.open_text(), '>') == "USER huntPASS hunter22er22");
}

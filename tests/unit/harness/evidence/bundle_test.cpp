#include "harness/evidence/bundle.hpp"

#include <fstream>
#include <iterator>

#include "harness/evidence/digest.hpp"
#include "harness/evidence/journal.hpp"
#include "harness/evidence/layout.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_bundle.hpp"

using namespace assay;

namespace {

std::string contents(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string faults(const VerifyReport& report) {
  std::string out;
  for (const auto& finding : report.findings) {
    out += finding.error ? finding.place + ": " + finding.what + "\n" : "";
  }
  return out;
}

std::vector<std::string> types(const Bundle& bundle) {
  std::vector<std::string> out;
  for (const auto& event : bundle.events()) {
    out.push_back(event.type);
  }
  return out;
}

}  // namespace

TEST_CASE("the digest and the clock are those of the standards") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(evidence::utc_text(1'795'456'800'000'000'001) == "2026-11-23T18:00:00.000000001Z");
  CHECK(evidence::is_utc_time(utc_now()));
  CHECK_FALSE(evidence::is_utc_time("2026-11-23T18:00:00Z"));
  CHECK_FALSE(evidence::is_utc_time("2026-11-23 18:00:00.000000001Z"));
}

TEST_CASE("what was written into a bundle is read back the same") {
  const TempFolder folder;
  golden::write(folder.path() / "b");
  const auto bundle = golden::open(folder.path() / "b");
  CHECK(bundle.closed());
  CHECK_FALSE(bundle.torn());
  CHECK(canonical(to_json(bundle.run_plan())) == canonical(to_json(golden::run_plan())));
  REQUIRE(bundle.verdicts());
  CHECK(*bundle.verdicts() == golden::verdicts());
  REQUIRE(bundle.observations().size() == 9);
  CHECK(bundle.observations()[1].facts.at("service.banner") == json::value(json::string(golden::hostile())));
  CHECK(bundle.sequence_of("o2") == 6);
  CHECK_FALSE(bundle.sequence_of("o99"));
  const auto& artifact = bundle.observations()[0].artifacts.at(0);
  const auto bytes = bundle.artifact(artifact.sha256);
  REQUIRE(bytes);
  CHECK(*bytes == "tcp/22 SYN-ACK\ntcp/80 SYN-ACK\ntcp/81 RST\n");
}

TEST_CASE("the golden bundle is the same bytes every time") {
  const TempFolder folder;
  golden::write(folder.path() / "a");
  golden::write(folder.path() / "b");
  CHECK(contents(folder.path() / "a/SHA256SUMS") == contents(folder.path() / "b/SHA256SUMS"));
}

TEST_CASE("every value of a bundle survives writing and reading") {
  const auto same = [](const auto& value) {
    auto copy = value;
    const auto text = canonical(to_json(value));
    const auto parsed = parse_json(text, "text");
    REQUIRE(parsed);
    REQUIRE(from_json(*parsed, copy));
    CHECK(canonical(to_json(copy)) == text);
  };
  same(golden::run_plan());
  same(golden::verdicts());
  const TempFolder folder;
  golden::write(folder.path());
  const auto bundle = golden::open(folder.path());
  for (const auto& event : bundle.events()) {
    const auto again = evidence::parse_event(evidence::encode_event(event), "line");
    REQUIRE(again);
    CHECK(*again == event);
  }
}

TEST_CASE("a closed bundle verifies, and so does sha256sum") {
  const TempFolder folder;
  golden::write(folder.path());
  const auto report = verify_bundle(folder.path());
  INFO(faults(report));
  CHECK(report.valid);
  CHECK(report.closed);
  CHECK(report.events == static_cast<std::int64_t>(golden::open(folder.path()).events().size()));
  const auto command = "cd '" + folder.path().string() + "' && sha256sum --strict --quiet -c SHA256SUMS";
  CHECK(std::system(command.c_str()) == 0);
}

TEST_CASE("a bundle is not written over what is there") {
  const TempFolder folder;
  std::ofstream{folder.path() / "mine"} << "mine";
  const auto writer = BundleWriter::create(folder.path(), golden::run_plan(), {});
  REQUIRE_FALSE(writer);
  CHECK(writer.error().kind == ErrorKind::bad_input);
  CHECK(contents(folder.path() / "mine") == "mine");
}

TEST_CASE("an input cannot be written outside the bundle") {
  for (const auto* name : {"../x", "/x", "a//b", "a/./b", "", "a\nb", "a\\b"}) {
    const TempFolder folder;
    BundleInputs inputs;
    inputs.files[name] = "x";
    INFO(name);
    CHECK_FALSE(BundleWriter::create(folder.path() / "b", golden::run_plan(), inputs));
  }
}

TEST_CASE("the chain goes on over an interruption, and the torn line is told") {
  const TempFolder folder;
  golden::write_open(folder.path());
  const auto bundle = golden::open(folder.path());
  CHECK_FALSE(bundle.closed());
  CHECK_FALSE(bundle.verdicts());
  const std::string torn = R"({"data":{"observation":{"abse)";
  const auto names = types(bundle);
  const auto at = std::find(names.begin(), names.end(), "recovered");
  REQUIRE(at != names.end());
  CHECK(*(at + 1) == "resumed");
  const auto& data = bundle.events()[static_cast<std::size_t>(at - names.begin())].data;
  CHECK(data.at("cut_bytes").to_number<std::size_t>() == torn.size());
  CHECK(data.at("cut_sha256") == json::value(json::string(sha256_hex(torn))));
  const auto report = verify_bundle(folder.path());
  INFO(faults(report));
  CHECK(report.valid);
  CHECK_FALSE(report.closed);
}

TEST_CASE("a torn last line is left out on reading and reported") {
  const TempFolder folder;
  golden::write_open(folder.path());
  const auto before = golden::open(folder.path()).events().size();
  std::ofstream{folder.path() / "journal.jsonl", std::ios::app} << "{\"data\":";
  const auto bundle = golden::open(folder.path());
  CHECK(bundle.torn());
  CHECK(bundle.events().size() == before);
}

TEST_CASE("artifacts that an interruption left without an event are named on resuming") {
  const TempFolder folder;
  std::string digest;
  {
    auto writer = BundleWriter::create(folder.path() / "b", golden::run_plan(), {});
    REQUIRE(writer);
    auto artifact = (*writer)->artifact("exchange", "text/plain", "hello");
    REQUIRE(artifact);
    digest = artifact->sha256;
  }
  std::ofstream{folder.path() / "b/artifacts" / (sha256_hex("x") + ".tmp")} << "half";
  auto writer = BundleWriter::resume(folder.path() / "b");
  REQUIRE(writer);
  REQUIRE((*writer)->close(golden::verdicts()));
  const auto bundle = golden::open(folder.path() / "b");
  CHECK(types(bundle) == std::vector<std::string>{"created", "recovered", "resumed", "closed"});
  CHECK(evidence::named_artifacts(bundle.events()[1]) == std::vector{"artifacts/" + digest});
  CHECK(faults(verify_bundle(folder.path() / "b")).empty());
}

TEST_CASE("a closed bundle takes nothing more") {
  const TempFolder folder;
  auto writer = BundleWriter::create(folder.path() / "b", golden::run_plan(), {});
  REQUIRE(writer);
  REQUIRE((*writer)->close(golden::verdicts()));
  CHECK_FALSE((*writer)->append("note", {}));
  CHECK_FALSE((*writer)->artifact("t", "text/plain", "x"));
  CHECK_FALSE((*writer)->close(golden::verdicts()));
  writer->reset();
  const auto again = BundleWriter::resume(folder.path() / "b");
  REQUIRE_FALSE(again);
  CHECK(again.error().what.find("is closed") != std::string::npos);
  CHECK(faults(verify_bundle(folder.path() / "b")).empty());
}

TEST_CASE("two writers cannot share a bundle") {
  const TempFolder folder;
  auto writer = BundleWriter::create(folder.path() / "b", golden::run_plan(), {});
  REQUIRE(writer);
  const auto second = BundleWriter::resume(folder.path() / "b");
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::denied);
  CHECK(second.error().what.find("another assay process") != std::string::npos);
  writer->reset();
  CHECK(BundleWriter::resume(folder.path() / "b"));
}

TEST_CASE("an artifact is stored once and named as it was given") {
  const TempFolder folder;
  auto writer = BundleWriter::create(folder.path() / "b", golden::run_plan(), {});
  REQUIRE(writer);
  const auto first = (*writer)->artifact("one", "text/plain", "same");
  const auto second = (*writer)->artifact("two", "text/html", "same");
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->sha256 == second->sha256);
  CHECK(second->title == "two");
  CHECK(second->size == 4);
  const std::filesystem::directory_iterator files{folder.path() / "b/artifacts"};
  CHECK(std::distance(begin(files), end(files)) == 1);
}

TEST_CASE("an event cannot name an artifact that is not stored") {
  const TempFolder folder;
  auto writer = BundleWriter::create(folder.path() / "b", golden::run_plan(), {});
  REQUIRE(writer);
  const auto written =
      (*writer)->append("note", {{"artifacts", json::array{json::object{{"sha256", sha256_hex("never")}}}}});
  REQUIRE_FALSE(written);
  CHECK(written.error().kind == ErrorKind::internal);
}

TEST_CASE("text that is not UTF-8 does not make a journal unreadable") {
  const TempFolder folder;
  auto writer = BundleWriter::create(folder.path() / "b", golden::run_plan(), {});
  REQUIRE(writer);
  REQUIRE((*writer)->append("note", {{"text", "a\xFF\xC0\x80\xED\xA0\x80z\xF4\x90\x80\x80"}, {"k\xE2\x82", 1}}));
  writer->reset();
  const auto bundle = golden::open(folder.path() / "b");
  const std::string mark = "\xEF\xBF\xBD";
  const auto& data = bundle.events().back().data;
  CHECK(data.at("text") ==
        json::value(json::string("a" + mark + mark + mark + mark + mark + mark + "z" + mark + mark + mark + mark)));
  CHECK(data.contains("k" + mark + mark));
}

TEST_CASE("an event too large or too deep to be read again is refused and leaves the journal whole") {
  const TempFolder folder;
  auto writer = BundleWriter::create(folder.path() / "b", golden::run_plan(), {});
  REQUIRE(writer);
  CHECK_FALSE((*writer)->append("note", {{"text", std::string(evidence::kMaximumLine, 'x')}}));
  json::value deep = 1;
  for (int i = 0; i < 100; ++i) {
    deep = json::array{std::move(deep)};
  }
  CHECK_FALSE((*writer)->append("note", {{"deep", deep}}));
  REQUIRE((*writer)->append("note", {{"text", "fine"}}));
  CHECK(faults(verify_bundle(folder.path() / "b")).empty());
}

TEST_CASE("what happened to the device is read from the journal") {
  const TempFolder folder;
  auto writer = BundleWriter::create(folder.path() / "b", golden::run_plan(), {});
  REQUIRE(writer);
  const auto facts = [&] { return golden::open(folder.path() / "b").run_facts(); };
  CHECK(facts() == RunFacts{});
  REQUIRE((*writer)->append("device_lost", {{"after", "i1"}, {"evidence", "silence"}}));
  REQUIRE((*writer)->append("device_back", {}));
  CHECK(facts() == RunFacts{});
  REQUIRE((*writer)->append("device_lost", {{"after", "i7"}, {"evidence", "silence"}}));
  REQUIRE((*writer)->append("run_finished", {}));
  const auto lost = facts();
  CHECK(lost.finished);
  CHECK(lost.device_lost);
  CHECK(lost.lost_after == "i7");
  CHECK(evidence::is_utc_time(lost.lost_at));
}

TEST_CASE("a device that answers again at the address where it was lost is back") {
  const TempFolder folder;
  auto writer = BundleWriter::create(folder.path() / "b", golden::run_plan(), {});
  REQUIRE(writer);
  const auto lost = [&] { return golden::open(folder.path() / "b").run_facts().device_lost; };
  REQUIRE((*writer)->append("device_lost", {{"after", "i1"}, {"address", "10.20.0.5"}, {"how", "silence"}}));
  REQUIRE((*writer)->append("liveness", {{"alive", true}, {"address", "10.20.0.6"}}));
  CHECK(lost());
  REQUIRE((*writer)->append("liveness", {{"alive", false}, {"address", "10.20.0.5"}}));
  CHECK(lost());
  REQUIRE((*writer)->append("liveness", {{"alive", true}, {"address", "10.20.0.5"}}));
  CHECK_FALSE(lost());
}

TEST_CASE("a bundle whose bytes are not those written is not opened") {
  const TempFolder folder;
  const auto changed = [&](const std::string& file, const std::string& from, const std::string& to) {
    const auto directory = folder.path() / sha256_hex(file + from);
    golden::write(directory);
    auto text = contents(directory / file);
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    std::ofstream{directory / file, std::ios::binary} << text;
    const auto bundle = Bundle::open(directory);
    REQUIRE_FALSE(bundle);
    return bundle.error().where;
  };
  CHECK(changed("runplan.json", "golden/1", "golden/2") == "runplan.json");
  CHECK(changed("host.json", "0.1.0", "0.1.1") == "host.json");
  CHECK(changed("verdicts.json", "\"fail\"", "\"pass\"") == "verdicts.json");
  CHECK(changed("journal.jsonl", "65533", "65532") == "journal.jsonl line 5");
  CHECK(changed("journal.jsonl", "\"type\":\"run_started\"}", "\"type\":\"run_started\"") == "journal.jsonl line 2");
  const auto missing = Bundle::open(folder.path() / "nowhere");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::io);
  const auto empty = Bundle::open(folder.path());
  REQUIRE_FALSE(empty);
  CHECK(empty.error().what.find("is not an evidence bundle") != std::string::npos);
}

TEST_CASE("an artifact that was changed is not given out") {
  const TempFolder folder;
  golden::write(folder.path());
  const auto bundle = golden::open(folder.path());
  const auto digest = bundle.observations()[0].artifacts.at(0).sha256;
  std::ofstream{folder.path() / "artifacts" / digest, std::ios::app} << "x";
  const auto bytes = bundle.artifact(digest);
  REQUIRE_FALSE(bytes);
  CHECK(bytes.error().where == "artifacts/" + digest);
  CHECK_FALSE(bundle.artifact("../host.json"));
  CHECK_FALSE(bundle.artifact(sha256_hex("other")));
}

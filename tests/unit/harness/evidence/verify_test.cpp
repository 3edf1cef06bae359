#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/evidence/bundle.hpp"
#include "harness/evidence/layout.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_bundle.hpp"

using namespace assay;
namespace fs = std::filesystem;

namespace {

std::string contents(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void put(const fs::path& file, const std::string& text) {
  std::ofstream{file, std::ios::binary} << text;
}

void put_byte(const fs::path& file, std::size_t at, char byte) {
  std::fstream out{file, std::ios::in | std::ios::out | std::ios::binary};
  out.seekp(static_cast<std::streamoff>(at));
  out.put(byte);
}

/// A closed bundle of few bytes, with one of everything.
void write_small(const fs::path& directory, bool closed = true) {
  BundleInputs inputs;
  inputs.files["sub/dut.yaml"] = "assay: dut/1\n";
  inputs.host["tool"] = "assay";
  auto writer = evidence::create_bundle(directory, RunPlan{}, inputs, golden::clock());
  REQUIRE(writer);
  auto artifact = (*writer)->artifact("exchange", "text/plain", "GET / HTTP/1.1\r\n");
  REQUIRE(artifact);
  Observation observation;
  observation.id = "o1";
  observation.artifacts = {*artifact};
  observation.evidence["service.banner"] = {artifact->sha256};
  REQUIRE((*writer)->append("run_started", {}));
  REQUIRE((*writer)->append("observation", {{"observation", to_json(observation)}}));
  REQUIRE((*writer)->append("run_finished", {}));
  if (closed) {
    REQUIRE((*writer)->close(Verdicts{}));
  }
}

std::vector<std::string> files_of(const fs::path& directory) {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator{directory}) {
    if (entry.is_regular_file()) {
      out.push_back(fs::relative(entry.path(), directory).string());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// The files that a verification blames, without the event.
std::set<std::string> blamed(const fs::path& directory) {
  std::set<std::string> out;
  const auto report = verify_bundle(directory);
  for (const auto& finding : report.findings) {
    if (finding.error) {
      out.insert(finding.place.substr(0, finding.place.find(' ')));
    }
  }
  CHECK(report.valid == out.empty());
  return out;
}

std::string faults(const fs::path& directory) {
  std::string out;
  for (const auto& finding : verify_bundle(directory).findings) {
    out += finding.error ? finding.place + ": " + finding.what + "\n" : "";
  }
  return out;
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> out;
  std::ifstream in{file, std::ios::binary};
  for (std::string line; std::getline(in, line);) {
    out.push_back(line);
  }
  return out;
}

void put_lines(const fs::path& file, const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) {
    text += line + "\n";
  }
  put(file, text);
}

using Names = std::set<std::string>;

}  // namespace

TEST_CASE("a changed byte anywhere in a closed bundle is found and laid to its file") {
  const TempFolder folder;
  write_small(folder.path());
  REQUIRE(blamed(folder.path()).empty());
  std::size_t mutations = 0;
  std::string wrong;
  for (const auto& name : files_of(folder.path())) {
    const auto original = contents(folder.path() / name);
    for (std::size_t at = 0; at < original.size(); ++at) {
      // A neighbouring character, and the other case of a letter: digests are lower case.
      for (const char flip : {'\x01', '\x20'}) {
        put_byte(folder.path() / name, at, static_cast<char>(original[at] ^ flip));
        ++mutations;
        if (blamed(folder.path()) != Names{name} && wrong.size() < 2000) {
          wrong += name + " byte " + std::to_string(at) + ":\n" + faults(folder.path());
        }
      }
      put_byte(folder.path() / name, at, original[at]);
    }
  }
  INFO(wrong);
  CHECK(wrong.empty());
  CHECK(mutations > 10'000);
  CHECK(blamed(folder.path()).empty());
}

TEST_CASE("a file removed from a closed bundle is found by its name") {
  const TempFolder folder;
  write_small(folder.path());
  for (const auto& name : files_of(folder.path())) {
    const auto original = contents(folder.path() / name);
    fs::remove(folder.path() / name);
    INFO(name << "\n" << faults(folder.path()));
    CHECK(blamed(folder.path()) == Names{name});
    put(folder.path() / name, original);
  }
  CHECK(blamed(folder.path()).empty());
}

TEST_CASE("a byte added to or cut from the end of any file is found") {
  const TempFolder folder;
  write_small(folder.path());
  for (const auto& name : files_of(folder.path())) {
    const auto original = contents(folder.path() / name);
    for (const auto& changed : {original + "\n", original + "x", original.substr(0, original.size() - 1)}) {
      put(folder.path() / name, changed);
      INFO(name << "\n" << faults(folder.path()));
      CHECK(blamed(folder.path()) == Names{name});
    }
    put(folder.path() / name, original);
  }
}

TEST_CASE("a file added to a bundle is found, closed or open") {
  for (const bool closed : {true, false}) {
    for (const std::string& name :
         std::vector<std::string>{"extra", "inputs/extra", "artifacts/extra", "seals", ".hidden", "inputs/new/extra",
                                  "artifacts/" + sha256_hex("extra")}) {
      const TempFolder folder;
      write_small(folder.path() / "b", closed);
      fs::create_directories((folder.path() / "b" / name).parent_path());
      put(folder.path() / "b" / name, "extra");
      INFO(name << "\n" << faults(folder.path() / "b"));
      // An artifact that no event names yet is what an interrupted run leaves.
      const bool tolerated = !closed && evidence::artifact_digest(name);
      CHECK(blamed(folder.path() / "b").contains(name) != tolerated);
    }
  }
}

TEST_CASE("links, pipes and empty folders have no place in a bundle and are not followed") {
  const TempFolder folder;
  write_small(folder.path());
  const auto original = contents(folder.path() / "host.json");
  const TempFolder elsewhere;
  put(elsewhere.path() / "host.json", original);
  fs::remove(folder.path() / "host.json");
  fs::create_symlink(elsewhere.path() / "host.json", folder.path() / "host.json");
  CHECK(blamed(folder.path()).contains("host.json"));
  CHECK_FALSE(Bundle::open(folder.path()));
  fs::remove(folder.path() / "host.json");
  REQUIRE(::mkfifo((folder.path() / "host.json").c_str(), 0600) == 0);
  CHECK(blamed(folder.path()).contains("host.json"));
  CHECK_FALSE(Bundle::open(folder.path()));
  fs::remove(folder.path() / "host.json");
  put(folder.path() / "host.json", original);
  REQUIRE(blamed(folder.path()).empty());
  fs::rename(folder.path() / "artifacts", elsewhere.path() / "artifacts");
  fs::create_directory_symlink(elsewhere.path() / "artifacts", folder.path() / "artifacts");
  CHECK(blamed(folder.path()).contains("artifacts"));
  fs::remove(folder.path() / "artifacts");
  fs::rename(elsewhere.path() / "artifacts", folder.path() / "artifacts");
  fs::create_directory(folder.path() / "inputs/empty");
  CHECK(blamed(folder.path()) == Names{"inputs/empty"});
}

TEST_CASE("events that were swapped, doubled or taken out are found where it happened") {
  const TempFolder folder;
  for (const bool closed : {true, false}) {
    const auto directory = folder.path() / (closed ? "closed" : "open");
    write_small(directory, closed);
    const auto file = directory / "journal.jsonl";
    const auto lines = lines_of(file);
    const auto with = [&](const std::function<void(std::vector<std::string>&)>& change) {
      auto changed = lines;
      change(changed);
      put_lines(file, changed);
      const auto found = faults(directory);
      CHECK(blamed(directory) == Names{"journal.jsonl"});
      put_lines(file, lines);
      return found;
    };
    CHECK(with([](auto& l) { std::swap(l[1], l[2]); }).find("event 2: has the sequence 3 where 2 is due") !=
          std::string::npos);
    CHECK(with([](auto& l) { l.insert(l.begin() + 2, l[1]); }).find("event 3: has the sequence 2 where 3 is due") !=
          std::string::npos);
    CHECK(with([](auto& l) { l.erase(l.begin() + 1); }).find("event 2: has the sequence 3 where 2 is due") !=
          std::string::npos);
    CHECK(with([](auto& l) { l.erase(l.begin()); }).find("event 1: is not a first event") != std::string::npos);
    CHECK(blamed(directory).empty());
  }
}

TEST_CASE("events taken from the end are found in a closed bundle and are said to be invisible in an open one") {
  const TempFolder folder;
  write_small(folder.path());
  const auto file = folder.path() / "journal.jsonl";
  const auto lines = lines_of(file);
  for (std::size_t left = 1; left < lines.size(); ++left) {
    put_lines(file, {lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(left)});
    INFO(faults(folder.path()));
    CHECK(blamed(folder.path()) == Names{"journal.jsonl"});
  }
  const TempFolder open;
  write_small(open.path(), false);
  const auto report = verify_bundle(open.path());
  CHECK(report.valid);
  CHECK(std::any_of(report.findings.begin(), report.findings.end(), [](const VerifyFinding& finding) {
    return !finding.error && finding.what.find("could not be detected") != std::string::npos;
  }));
}

TEST_CASE("a change that is carried through manifest and sums is still found in the journal") {
  const TempFolder folder;
  write_small(folder.path());
  const auto text = contents(folder.path() / "verdicts.json");
  auto changed = text;
  changed.replace(changed.find("\"draft\":true"), 12, "\"draft\":false");
  put(folder.path() / "verdicts.json", changed);
  auto manifest = evidence::read_manifest(contents(folder.path() / "manifest.json"));
  REQUIRE(manifest);
  for (auto& entry : manifest->files) {
    if (entry.path == "verdicts.json") {
      entry.sha256 = sha256_hex(changed);
      entry.size = static_cast<std::int64_t>(changed.size());
    }
  }
  put(folder.path() / "manifest.json", evidence::document(to_json(*manifest)));
  put(folder.path() / "SHA256SUMS", evidence::sums_text(*manifest));
  CHECK(blamed(folder.path()) == Names{"verdicts.json"});
}

TEST_CASE("the plan and the inputs of an open bundle cannot be changed unnoticed") {
  for (const std::string name : {"plan.json", "runplan.json", "host.json", "inputs/sub/dut.yaml"}) {
    const TempFolder folder;
    write_small(folder.path(), false);
    put(folder.path() / name, contents(folder.path() / name) + " ");
    CHECK(blamed(folder.path()) == Names{name});
    fs::remove(folder.path() / name);
    CHECK(blamed(folder.path()) == Names{name});
    CHECK(!BundleWriter::resume(folder.path()));
  }
}

TEST_CASE("a fact that rests on no artifact of the bundle is found") {
  const TempFolder folder;
  auto writer = BundleWriter::create(folder.path() / "b", RunPlan{}, {});
  REQUIRE(writer);
  Observation observation;
  observation.id = "o1";
  observation.evidence["x"] = {sha256_hex("nothing")};
  REQUIRE((*writer)->append("observation", {{"observation", to_json(observation)}}));
  CHECK(faults(folder.path() / "b").find("journal.jsonl event 2: rests on") == 0);
}

TEST_CASE("a clock that was set back is said and is no fault") {
  const TempFolder folder;
  std::int64_t calls = 0;
  const evidence::BundleClock clock{
      [&] { return ++calls == 2 ? "2026-11-23T17:00:00.000000000Z" : "2026-11-23T18:00:00.000000000Z"; },
      [] { return std::int64_t{1}; }};
  auto writer = evidence::create_bundle(folder.path() / "b", RunPlan{}, {}, clock);
  REQUIRE(writer);
  REQUIRE((*writer)->append("note", {}));
  const auto report = verify_bundle(folder.path() / "b");
  CHECK(report.valid);
  CHECK(std::any_of(report.findings.begin(), report.findings.end(), [](const VerifyFinding& finding) {
    return finding.place == "journal.jsonl event 2" && finding.what.find("clock was set back") != std::string::npos;
  }));
}

TEST_CASE("hostile bundles are refused with a word and without harm") {
  const auto deep = std::string(1'000'000, '[');
  const std::vector<std::string> journals = {
      "",
      "\n",
      "\n\n\n",
      deep + "\n",
      std::string(17U << 20U, 'x'),
      std::string(17U << 20U, 'x') + "\n",
      std::string(4096, '\0'),
      "{}\n",
      "null\n",
      R"({"data":{},"monotonic_ns":0,"previous":"","sequence":9223372036854775807,"time":"","type":"created"})"
      "\n",
      R"({"data":{"files":{"../../../etc/passwd":"x","":1}},"monotonic_ns":0,"previous":")" + std::string(64, '0') +
          R"(","sequence":1,"time":"2026-11-23T18:00:00.000000000Z","type":"created"})" + "\n",
  };
  for (const auto& journal : journals) {
    const TempFolder folder;
    put(folder.path() / "journal.jsonl", journal);
    INFO(journal.substr(0, 100));
    CHECK_FALSE(verify_bundle(folder.path()).valid);
    const auto bundle = Bundle::open(folder.path());
    REQUIRE_FALSE(bundle);
    CHECK_FALSE(describe(bundle.error()).empty());
    CHECK_FALSE(BundleWriter::resume(folder.path()));
  }
  CHECK_FALSE(verify_bundle("/nonexistent/bundle").valid);
}

TEST_CASE("a hostile manifest or list of sums is a finding") {
  for (const std::string name : {"manifest.json", "SHA256SUMS"}) {
    for (const std::string& text : {std::string(1'000'000, '['), std::string{"{}"}, std::string{},
                                    std::string{"\0\n", 2}, std::string{"0 x\n"}}) {
      const TempFolder folder;
      write_small(folder.path());
      put(folder.path() / name, text);
      INFO(name << " " << text.substr(0, 20));
      CHECK(blamed(folder.path()) == Names{name});
    }
  }
}

TEST_CASE("a name that could forge a line is printed escaped") {
  const TempFolder folder;
  write_small(folder.path());
  put(folder.path() / "evil\n\x1B[2Jname", "x");
  CHECK(faults(folder.path()).find("evil\\x0a\\x1b[2Jname: was added") != std::string::npos);
}

TEST_CASE("an event after the closing that does not reopen the bundle is found") {
  const TempFolder folder;
  const auto directory = folder.path() / "b";
  write_small(directory);
  const auto events = Bundle::open(directory)->events();
  Event added = events.back();
  ++added.sequence;
  added.previous = sha256_hex(canonical(to_json(events.back())));
  added.type = "answer";
  added.data = {};
  put(directory / "journal.jsonl", contents(directory / "journal.jsonl") + canonical(to_json(added)) + "\n");
  CHECK_FALSE(verify_bundle(directory).valid);
  CHECK_FALSE(Bundle::open(directory));
}

TEST_CASE("what was closed before an amendment stays in the record") {
  const TempFolder folder;
  const auto directory = folder.path() / "b";
  write_small(directory);
  const auto before = contents(directory / "verdicts.json");
  {
    auto writer = BundleWriter::amend(directory);
    REQUIRE(writer);
    Verdicts other;
    other.summary.plan = "p/1";
    REQUIRE((*writer)->close(other));
  }
  CHECK(contents(directory / "verdicts.json") != before);
  const auto bundle = Bundle::open(directory);
  REQUIRE(bundle);
  const auto reopened = std::ranges::find(bundle->events(), "reopened", &Event::type);
  REQUIRE(reopened != bundle->events().end());
  CHECK(evidence::document(reopened->data.at("verdicts")) == before);
  CHECK(verify_bundle(directory).valid);
}

#include "tests/support/golden_bundle.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "harness/evidence/pcapng.hpp"
#include "tests/support/golden_content.hpp"

namespace assay::golden {

namespace {

constexpr std::int64_t kBegin = 1'795'456'800'000'000'000;  // 2026-11-23T18:00:00Z
constexpr std::int64_t kSecond = 1'000'000'000;

/// "2026-11-23T18:00:0N.…": the date is fixed, so the text is made here.
std::string text_of(std::int64_t nanoseconds) {
  const auto seconds = (nanoseconds - kBegin) / kSecond;
  const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return "2026-11-23T18:" + two(seconds / 60) + ":" + two(seconds % 60) + ".000000000Z";
}

template <class T>
T must(Result<T> result) {
  if (!result) {
    throw std::runtime_error(describe(result.error()));
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}

/// A capture of one frame whose comment nobody should believe.
ArtifactRef capture(BundleWriter& writer, const std::string& title) {
  const std::vector<std::byte> frame(60, std::byte{0x5a});
  evidence::PcapngWriter file{{"assay golden", "Linux", title}};
  file.add(evidence::PcapngInterface{1, 65535, "eth0", "host 192.0.2.7"});
  file.add(evidence::PcapngPacket{0, kBegin, 60, frame, evidence::PcapngPacket::Direction::inbound, hostile()});
  file.add(evidence::PcapngStatistics{0, kBegin, kBegin, 3, 0, 1, 1});
  return must(writer.artifact(title, "application/x-pcapng", file.take()));
}

/// First session: ends in the middle of an event.
void first_session(const std::filesystem::path& directory, const evidence::BundleClock& clock) {
  BundleInputs inputs;
  inputs.files["dut.yaml"] = "assay: dut/1\n# <script>alert('in a comment')</script>\n";
  inputs.files["plan/level-1.yaml"] = "assay: plan/1\nid: golden/1\n";
  inputs.host = host();
  const auto writer = must(evidence::create_bundle(directory, run_plan(), inputs, clock));
  must(writer->append("run_started", {{"plan", "golden/1"}, {"pace", to_json(run_plan().dut.pace)}, {"seed", 1}}));
  const auto scan = must(writer->artifact("TCP sweep", "text/plain", "tcp/22 SYN-ACK\ntcp/80 SYN-ACK\ntcp/81 RST\n"));
  const auto banner = must(writer->artifact("exchange on tcp/80", "application/octet-stream",
                                            std::string_view{"\xFF\xFE<script>\0\x1B[31m", 14}));
  const auto packets = capture(*writer, "packets of i1");
  auto observations = first_observations(scan, banner);
  observations.front().artifacts.push_back(packets);
  observations.front().captures.push_back({packets.sha256, 1, 2, 1, 1, {{"tcp/22", 40000, 1, 1, 1}}, 65534});
  for (const auto& observation : observations) {
    must(writer->append("invocation_started", {{"invocation", to_json(observation.invocation)}}));
    must(writer->append("observation", {{"observation", to_json(observation)}}));
  }
  must(writer->append("liveness", {{"alive", true}, {"how", "tcp/80"}, {"rtt_us", 850}, {"when", "between"}}));
  must(writer->append("login", {{"endpoint", "tcp/22"}, {"account", "admin"}, {"sample", "A"}, {"count", 1}}));
  must(writer->append("interrupted", {{"signal", 2}}));
}

void second_session(BundleWriter& writer) {
  const auto photo = must(writer.artifact(hostile(), "image/png", "\x89PNG\r\n\x1A\nnot a picture"));
  for (const auto& observation : later_observations(photo)) {
    must(writer.append("invocation_started", {{"invocation", to_json(observation.invocation)}}));
    must(writer.append("observation", {{"observation", to_json(observation)}}));
  }
  must(writer.append("device_lost", {{"after", "i5"}, {"evidence", "no answer on tcp/80 in 3 tries"}}));
  must(writer.append("device_back", {}));
  const auto rest = capture(writer, "packets of no invocation");
  must(writer.append("capture_ended", {{"frames", 1}, {"artifacts", json::array{to_json(rest)}}}));
  must(writer.append("no_capture", {{"because", hostile()}}));
  must(writer.append("note", {{"text", hostile()}}));
}

std::unique_ptr<BundleWriter> write_run(const std::filesystem::path& directory) {
  const auto clocks = clock();
  first_session(directory, clocks);
  std::ofstream{directory / "journal.jsonl", std::ios::app | std::ios::binary} << R"({"data":{"observation":{"abse)";
  auto writer = must(evidence::resume_bundle(directory, clocks));
  second_session(*writer);
  return writer;
}

}  // namespace

std::string hostile() {
  using namespace std::string_literals;
  return "<script>alert(\"1\")</script> & 'x' ]]> line\nfeed\r\ttab \xE2\x80\xAE"
         "desrever\xE2\x80\xAC nul\0 esc\x1B[31m \xF0\x9D\x94\x98 =1+1 {{x}}"s;
}

evidence::BundleClock clock() {
  auto now = std::make_shared<std::int64_t>(kBegin);
  return {[now] { return text_of(*now += kSecond); }, [now] { return *now - kBegin; }};
}

void write(const std::filesystem::path& directory) {
  const auto writer = write_run(directory);
  must(writer->append("run_finished", {}));
  must(writer->close(verdicts()));
}

void write_open(const std::filesystem::path& directory) {
  write_run(directory);
}

Bundle open(const std::filesystem::path& directory) {
  return must(Bundle::open(directory));
}

std::string difference(std::string_view name, std::string_view text) {
  const auto file = std::filesystem::path{ASSAY_SOURCE_DIR} / "tests/golden/reports" / name;
  const char* update = std::getenv("UPDATE_GOLDEN");
  if (update != nullptr && std::string_view{update} == "1") {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file, std::ios::binary} << text;
    return {};
  }
  std::ifstream in{file, std::ios::binary};
  const std::string expected{std::istreambuf_iterator<char>{in}, {}};
  if (expected == text) {
    return {};
  }
  std::istringstream left{expected};
  std::istringstream right{std::string{text}};
  std::string a;
  std::string b;
  for (std::size_t line = 1;; ++line) {
    const bool more_left = !std::getline(left, a).fail();
    const bool more_right = !std::getline(right, b).fail();
    if (!more_left || !more_right || a != b) {
      return std::string{name} + " line " + std::to_string(line) + ":\n  expected: " + (more_left ? a : "the end") +
             "\n  made:     " + (more_right ? b : "the end") + "\n(UPDATE_GOLDEN=1 rewrites the file)";
    }
  }
}

}  // namespace assay::golden

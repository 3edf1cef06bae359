// Kills a writer at every single step it takes on the disk, and at random moments, and looks at what is left.
#include <cstdio>
#include <dlfcn.h>
#include <random>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/evidence/bundle.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden_bundle.hpp"

using namespace assay;
namespace fs = std::filesystem;

namespace {

/// Steps left until the process dies; negative: never.
int steps_left = -1;
bool half_written = false;

/// Counts one step; at the last one the process is gone as by a power switch.
void step() {
  if (steps_left > 0 && --steps_left == 0) {
    ::kill(::getpid(), SIGKILL);
  }
}

template <class Function>
Function real(const char* name) {
  // The one way from dlsym's object pointer to a function.
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

std::string faults(const VerifyReport& report) {
  std::string out;
  for (const auto& finding : report.findings) {
    out += finding.error ? finding.place + ": " + finding.what + "\n" : "";
  }
  return out;
}

/// A whole run: artifacts, events, close. Ends by itself with 0; `progress` gets a byte for every event that is
/// durable.
int whole_run(const fs::path& directory, int events, int progress) {
  auto writer = BundleWriter::create(directory, RunPlan{}, {{{"dut.yaml", "assay: dut/1\n"}}, {}});
  if (!writer) {
    return 1;
  }
  for (int i = 1; i <= events; ++i) {
    auto artifact = (*writer)->artifact("exchange", "text/plain", "exchange " + std::to_string(i % 7));
    if (!artifact) {
      return 2;
    }
    Observation observation;
    observation.id = "o" + std::to_string(i);
    observation.artifacts = {*artifact};
    if (!(*writer)->append("observation", {{"observation", to_json(observation)}})) {
      return 3;
    }
    if (progress >= 0 && ::write(progress, "x", 1) != 1) {
      return 4;
    }
  }
  return (*writer)->close(Verdicts{}) ? 0 : 5;
}

/// What must hold after a kill at any instant. Returns the number of observations that survived.
std::size_t check_left(const fs::path& directory) {
  if (!fs::exists(directory / "journal.jsonl")) {
    // Killed before there was a bundle: nothing had been sent to a device either.
    CHECK_FALSE(Bundle::open(directory));
    return 0;
  }
  const auto report = verify_bundle(directory);
  INFO(faults(report));
  CHECK(report.valid);
  const auto bundle = Bundle::open(directory);
  REQUIRE(bundle);
  CHECK(static_cast<std::int64_t>(bundle->events().size()) == report.events);
  const auto before = bundle->observations();
  if (report.closed) {
    CHECK(bundle->verdicts());
    return before.size();
  }
  // It can always be gone on with, and then be closed.
  auto writer = BundleWriter::resume(directory);
  if (bundle->closed()) {
    REQUIRE_FALSE(writer);
    CHECK(writer.error().what.find("only closing was interrupted") != std::string::npos);
  } else {
    REQUIRE(writer);
    REQUIRE((*writer)->append("run_finished", {}));
    REQUIRE((*writer)->close(Verdicts{}));
  }
  const auto after = verify_bundle(directory);
  INFO(faults(after));
  CHECK(after.valid);
  CHECK(after.closed);
  const auto again = Bundle::open(directory);
  REQUIRE(again);
  CHECK(again->observations() == before);
  return before.size();
}

/// What people add to a closed bundle: one answer with an attachment, then closed again. Ends by itself with 0.
int whole_amendment(const fs::path& directory) {
  auto writer = BundleWriter::amend(directory);
  if (!writer) {
    return 1;
  }
  const auto photo = (*writer)->artifact("label", "image/png", "a photo");
  if (!photo) {
    return 2;
  }
  Answer answer;
  answer.unit = "c/a";
  answer.rationale = "Seen.";
  answer.author.name = "A. Person";
  answer.artifacts = {*photo};
  if (!(*writer)->append("answer", to_json(answer).get_object())) {
    return 3;
  }
  return (*writer)->close(Verdicts{}) ? 0 : 4;
}

/// A kill during an amendment loses neither the run nor a durable answer, and a second amendment ends well.
void check_amended(const fs::path& directory, const std::vector<Observation>& observations) {
  const auto report = verify_bundle(directory);
  INFO(faults(report));
  CHECK(report.valid);
  const auto before = Bundle::open(directory);
  REQUIRE(before);
  CHECK(before->observations() == observations);
  CHECK_FALSE(BundleWriter::resume(directory));  // the run has ended
  REQUIRE(whole_amendment(directory) == 0);
  const auto after = verify_bundle(directory);
  INFO(faults(after));
  CHECK(after.valid);
  CHECK(after.closed);
  const auto bundle = Bundle::open(directory);
  REQUIRE(bundle);
  CHECK(bundle->record().answers.size() == before->record().answers.size() + 1);
  CHECK(bundle->observations() == observations);
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* bytes, size_t size) {
  static const auto next = real<ssize_t (*)(int, const void*, size_t)>("write");
  if (steps_left == 1 && half_written) {
    next(descriptor, bytes, size / 2);
  }
  step();
  return next(descriptor, bytes, size);
}

int fsync(int descriptor) {
  static const auto next = real<int (*)(int)>("fsync");
  step();
  return next(descriptor);
}

int fdatasync(int descriptor) {
  static const auto next = real<int (*)(int)>("fdatasync");
  step();
  return next(descriptor);
}

int rename(const char* from, const char* to) noexcept {
  static const auto next = real<int (*)(const char*, const char*)>("rename");
  step();
  return next(from, to);
}
}

TEST_CASE("a run killed at any step leaves a bundle that verifies, goes on and closes") {
  bool ended = false;
  int deaths = 0;
  for (int steps = 1; !ended && steps < 1000; ++steps) {
    for (const bool half : {false, true}) {
      const TempFolder folder;
      const auto directory = folder.path() / "b";
      const auto child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        steps_left = steps;
        half_written = half;
        ::_exit(whole_run(directory, 3, -1));
      }
      int status = 0;
      REQUIRE(::waitpid(child, &status, 0) == child);
      INFO("killed at step " << steps << (half ? ", half written" : ""));
      ended = WIFEXITED(status);
      if (ended) {
        CHECK(WEXITSTATUS(status) == 0);
      } else {
        ++deaths;
      }
      check_left(directory);
    }
  }
  CHECK(ended);
  CHECK(deaths > 80);
}

TEST_CASE("an amendment killed at any step loses nothing and can be made again") {
  bool ended = false;
  int deaths = 0;
  for (int steps = 1; !ended && steps < 1000; ++steps) {
    for (const bool half : {false, true}) {
      const TempFolder folder;
      const auto directory = folder.path() / "b";
      REQUIRE(whole_run(directory, 2, -1) == 0);
      const auto observations = Bundle::open(directory)->observations();
      const auto child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        steps_left = steps;
        half_written = half;
        ::_exit(whole_amendment(directory));
      }
      int status = 0;
      REQUIRE(::waitpid(child, &status, 0) == child);
      INFO("killed at step " << steps << (half ? ", half written" : ""));
      ended = WIFEXITED(status);
      if (ended) {
        CHECK(WEXITSTATUS(status) == 0);
      } else {
        ++deaths;
      }
      check_amended(directory, observations);
    }
  }
  CHECK(ended);
  CHECK(deaths > 30);
}

TEST_CASE("a run that has not ended cannot be amended") {
  const TempFolder folder;
  const auto directory = folder.path() / "b";
  {
    auto writer = BundleWriter::create(directory, RunPlan{}, {});
    REQUIRE(writer);
    REQUIRE((*writer)->append("run_started", {}));
  }
  const auto refused = BundleWriter::amend(directory);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what.find("assay resume") != std::string::npos);
}

TEST_CASE("a run killed at a random moment keeps every event it had reported") {
  std::mt19937 random{20261123};
  for (int round = 0; round < 50; ++round) {
    const TempFolder folder;
    int pipe[2] = {-1, -1};
    REQUIRE(::pipe(pipe) == 0);
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(pipe[0]);
      ::_exit(whole_run(folder.path() / "b", 40, pipe[1]));
    }
    ::close(pipe[1]);
    // The moment: after some reported events and then an arbitrary bit of work of ours.
    const auto wait_for = std::uniform_int_distribution<std::size_t>{0, 40}(random);
    char byte = 0;
    std::size_t reported = 0;
    while (reported < wait_for && ::read(pipe[0], &byte, 1) == 1) {
      ++reported;
    }
    auto spin = std::uniform_int_distribution<unsigned>{0, 200'000}(random);
    while (spin > 0) {
      asm volatile("" : "+r"(spin));
      --spin;
    }
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    while (::read(pipe[0], &byte, 1) == 1) {
      ++reported;
    }
    ::close(pipe[0]);
    INFO("round " << round << ", " << reported << " events reported");
    CHECK(check_left(folder.path() / "b") >= reported);
  }
}

TEST_CASE("a full disk is an error that names the file, and the bundle goes on when there is room again") {
  const TempFolder folder;
  auto writer = BundleWriter::create(folder.path() / "b", RunPlan{}, {});
  REQUIRE(writer);
  REQUIRE((*writer)->append("note", {{"text", "before"}}));
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  // Room for half of the next line only.
  const auto journal = fs::file_size(folder.path() / "b/journal.jsonl");
  const rlimit full{journal + 100, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &full) == 0);
  const auto event = (*writer)->append("note", {{"text", std::string(5000, 'x')}});
  const auto artifact = (*writer)->artifact("big", "text/plain", std::string(100'000, 'x'));
  const auto closed = (*writer)->close(Verdicts{});
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, handler);

  REQUIRE_FALSE(event);
  CHECK(event.error().kind == ErrorKind::io);
  CHECK(event.error().what.find("journal.jsonl") != std::string::npos);
  REQUIRE_FALSE(artifact);
  CHECK(artifact.error().kind == ErrorKind::io);
  CHECK(artifact.error().what.find("artifacts/") != std::string::npos);
  CHECK_FALSE(closed);
  CHECK(fs::file_size(folder.path() / "b/journal.jsonl") == journal);
  CHECK(fs::is_empty(folder.path() / "b/artifacts"));
  CHECK(faults(verify_bundle(folder.path() / "b")).empty());
  REQUIRE((*writer)->append("note", {{"text", "after"}}));
  REQUIRE((*writer)->close(Verdicts{}));
  CHECK(verify_bundle(folder.path() / "b").closed);
  CHECK(faults(verify_bundle(folder.path() / "b")).empty());
}

#include "harness/expr/compiled.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include "harness/expr/expr.hpp"
#include "harness/expr/remembered.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

using namespace assay;
using expr::Remembered;

Evaluated run(const std::string& program) {
  const Evaluation evaluation{program, "case.yaml:1:1", json::object{{"n", 3}, {"obs", json::object{}}}, nullptr};
  return evaluate({&evaluation, 1}, {}).front();
}

void append(const std::filesystem::path& file, std::string_view text) {
  std::ofstream{file, std::ios::app} << text;
}

}  // namespace

TEST_CASE("compiled: what ran once is compiled in this process, and says the same again") {
  const std::string program = "[.n, \"compiled\"] | tojson";
  REQUIRE(expr::compiled().find(program) == nullptr);
  const auto first = run(program);
  REQUIRE(first.error.empty());
  const auto second = run(program);
  REQUIRE(expr::compiled().find(program) != nullptr);
  CHECK(second.error.empty());
  CHECK(second.items == first.items);
}

TEST_CASE("compiled: what does not compile is left to the worker each time") {
  for (int i = 0; i < 2; ++i) {
    CHECK(run("[.n | unheard_of]").error.find("unheard_of/0 is not defined") != std::string::npos);
  }
  CHECK(expr::compiled().find("[.n | unheard_of]") == nullptr);
}

TEST_CASE("compiled: a loop in a program of this process ends its worker only") {
  const std::string program = "if .n == 3 then 1 else [range(0; 1e12)] | length end";
  REQUIRE(run(program).error.empty());
  REQUIRE(run(program).error.empty());
  REQUIRE(expr::compiled().find(program) != nullptr);
  std::array<Evaluation, 2> both{Evaluation{program, "a:1:1", json::object{{"n", 4}}, nullptr},
                                 Evaluation{program, "b:1:1", json::object{{"n", 3}}, nullptr}};
  const auto ended = evaluate(both, {.time = std::chrono::milliseconds{200}});
  CHECK(ended[0].error.starts_with("stopped: it needed more than"));
  CHECK(ended[1].error.empty());
  CHECK(ended[1].items.size() == 1);
}

TEST_CASE("compiled: what is remembered is known to another process by its whole text") {
  const TempFolder folder;
  Remembered writer;
  CHECK_FALSE(writer.contains("1 + 1"));
  writer.use(folder.path() / "cache");
  const std::array<std::string_view, 2> sound{"1 + 1", "2"};
  writer.add(sound);
  Remembered reader;
  reader.use(folder.path() / "cache");
  CHECK(reader.contains("1 + 1"));
  CHECK(reader.contains("2"));
  CHECK_FALSE(reader.contains("1 + 1 "));
  CHECK_FALSE(reader.contains(""));
}

TEST_CASE("compiled: a damaged or foreign file is no memory") {
  const TempFolder folder;
  const auto file = folder.path() / "programs";
  const std::array<std::string_view, 1> sound{"1 + 1"};
  const auto knows = [&] {
    Remembered reader;
    reader.use(folder.path());
    return reader.contains("1 + 1");
  };
  SECTION("other lines do no harm") {
    append(file, std::string{"\0\xff\n\n", 4} + std::string(5000, 'a') + "\n");
    Remembered writer;
    writer.use(folder.path());
    writer.add(sound);
    append(file, "0123");
    CHECK(knows());
  }
  SECTION("a file that others may write is not read") {
    Remembered writer;
    writer.use(folder.path());
    writer.add(sound);
    REQUIRE(knows());
    REQUIRE(::chmod(file.c_str(), 0666) == 0);
    CHECK_FALSE(knows());
  }
  SECTION("a link is not followed") {
    append(folder.path() / "elsewhere", "");
    std::filesystem::create_symlink(folder.path() / "elsewhere", file);
    Remembered writer;
    writer.use(folder.path());
    writer.add(sound);
    CHECK_FALSE(knows());
    CHECK(std::filesystem::file_size(folder.path() / "elsewhere") == 0);
  }
  SECTION("one that has grown too large begins anew") {
    append(file, std::string(5U << 20U, '\n'));
    REQUIRE(::chmod(file.c_str(), 0600) == 0);
    CHECK_FALSE(knows());
    Remembered writer;
    writer.use(folder.path());
    writer.add(sound);
    CHECK(knows());
  }
}

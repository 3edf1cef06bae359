#include "probes/images/byte_source.hpp"

#include <fstream>
#include <sys/resource.h>

#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"

using namespace assay;
using namespace assay::images;

namespace {

Source memory(std::string text) {
  return std::make_shared<MemorySource>(std::move(text));
}

std::string all_of(const ByteSource& source) {
  const auto text = read_text(source, 0, source.size());
  REQUIRE(text);
  return *text;
}

Source edited(Source base, std::vector<Edit> edits) {
  const auto made = EditedSource::make(std::move(base), std::move(edits));
  REQUIRE(made);
  return *made;
}

}  // namespace

TEST_CASE("a source of memory ends where its bytes end") {
  const MemorySource source{"abcdef"};
  CHECK(source.size() == 6);
  CHECK(*read_text(source, 2, 2) == "cd");
  CHECK(*read_text(source, 4, 100) == "ef");
  CHECK(read_text(source, 6, 1)->empty());
  CHECK(read_text(source, ~std::uint64_t{0}, 1)->empty());
}

TEST_CASE("an edited source is its base with pieces taken out and put in") {
  const auto base = memory("0123456789");
  CHECK(all_of(*edited(base, {})) == "0123456789");
  CHECK(all_of(*edited(base, {edit_text(0, 1, "X")})) == "X123456789");
  CHECK(all_of(*edited(base, {edit_text(9, 1, ""), edit_text(2, 3, "abcdef")})) == "01abcdef5678");
  CHECK(all_of(*edited(base, {edit_text(10, 0, "end"), {0, 2, nullptr}})) == "23456789end");
  CHECK(all_of(*edited(base, {edit_text(5, 0, "a"), edit_text(5, 0, "b")})) == "01234ab56789");
  CHECK(all_of(*edited(base, {{0, 10, nullptr}})).empty());
}

TEST_CASE("an edited source reads the same in pieces of every size and over another edited source") {
  auto once = edited(memory("0123456789"), {edit_text(2, 1, "---"), {7, 2, nullptr}});
  const auto twice = edited(once, {edit_text(0, 0, "<"), edit_text(4, 2, "+")});
  const std::string expected = "<01--+4569";
  for (std::uint64_t size = 1; size <= expected.size(); ++size) {
    std::string joined;
    for (std::uint64_t at = 0; at < twice->size(); at += size) {
      joined += *read_text(*twice, at, size);
    }
    CHECK(joined == expected);
  }
}

TEST_CASE("edits that overlap or reach behind the end are our own fault") {
  for (const auto& edits :
       {std::vector<Edit>{{0, 3, nullptr}, {2, 1, nullptr}}, {{8, 3, nullptr}}, {{11, 0, nullptr}}}) {
    const auto made = EditedSource::make(memory("0123456789"), edits);
    REQUIRE(!made);
    CHECK(made.error().kind == ErrorKind::internal);
  }
}

TEST_CASE("a slice stays within its base") {
  const SliceSource slice{memory("0123456789"), 4, 100};
  CHECK(all_of(slice) == "456789");
  CHECK(SliceSource{memory("0123"), 9, 2}.size() == 0);
}

TEST_CASE("digests are those of the standard's examples") {
  CHECK(*sha256_of(MemorySource{"abc"}) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(*digest_of(MemorySource{"xabcx"}, 1, 3, "SHA1") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(digest_of(MemorySource{"abc"}, 0, 3, "no such").error().kind == ErrorKind::unsupported);
  CHECK(!digest_of(MemorySource{"abc"}, 0, 4, "SHA256"));
}

TEST_CASE("a file is read at any place, and what is no file is refused") {
  const TempFolder folder;
  const auto path = folder.path() / "image.bin";
  std::ofstream{path, std::ios::binary} << "firmware";
  const auto source = FileSource::open(path);
  REQUIRE(source);
  CHECK(*read_text(**source, 4, 4) == "ware");
  CHECK(FileSource::open(folder.path()).error().kind == ErrorKind::bad_input);
  CHECK(FileSource::open(folder.path() / "nothing").error().kind == ErrorKind::bad_input);
  std::filesystem::resize_file(path, 2);
  CHECK(read_text(**source, 0, 8).error().kind == ErrorKind::io);
}

TEST_CASE("an image of 64 MB is edited, digested and written with little memory") {
  const TempFolder folder;
  const auto path = folder.path() / "large.bin";
  { std::ofstream{path, std::ios::binary} << "begin"; }
  std::filesystem::resize_file(path, 64U << 20U);
  const auto source = FileSource::open(path);
  REQUIRE(source);
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  const auto changed = edited(*source, {edit_text(32U << 20U, 1, "X"), edit_text(64U << 20U, 0, "tail")});
  REQUIRE(write_file(*changed, folder.path() / "changed.bin"));
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  CHECK(after.ru_maxrss - before.ru_maxrss < 8 * 1024);  // KiB
  const auto written = FileSource::open(folder.path() / "changed.bin");
  REQUIRE(written);
  CHECK((*written)->size() == (64U << 20U) + 4);
  CHECK(*sha256_of(**written) == *sha256_of(*changed));
  CHECK(*read_text(**written, 32U << 20U, 1) == "X");
}

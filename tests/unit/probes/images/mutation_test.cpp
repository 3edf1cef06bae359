#include "probes/images/mutation.hpp"

#include <algorithm>

#include "probes/images/packed.hpp"
#include "probes/images/scan.hpp"
#include "tests/support/catch.hpp"

using namespace assay;
using namespace assay::images;

namespace {

Source numbers(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += static_cast<char>('!' + i % 90);
  }
  return std::make_shared<MemorySource>(text);
}

Result<Mutation> mutated(std::string_view text, const Materials& materials) {
  const auto spec = mutation_from_text(text);
  REQUIRE(spec);
  const auto map = map_image(*materials.genuine);
  REQUIRE(map);
  auto out = mutate(*spec, materials, *map);
  if (out) {
    CHECK(out->name == name_of(*spec));
    CHECK(!out->what.empty());
  }
  return out;
}

std::string bytes_of(const Source& source) {
  const auto text = read_text(*source, 0, source->size());
  REQUIRE(text);
  return *text;
}

/// U-Boot's legacy image, as its maker builds it: both checksums are right.
std::string uimage_of(const std::string& name, const std::string& content, std::uint32_t date) {
  const auto header = [&](std::uint32_t sum) {
    auto out = big_bytes(0x27051956, 4) + big_bytes(sum, 4) + big_bytes(date, 4) + big_bytes(content.size(), 4) +
               big_bytes(0x8000, 4) + big_bytes(0x8000, 4) + big_bytes(crc32_of(content), 4) + "\5\2\2\1" + name;
    out.resize(64, '\0');
    return out;
  };
  return header(crc32_of(header(0))) + content;
}

Source memory_of(const std::string& text) {
  return std::make_shared<MemorySource>(text);
}

/// How many bits differ between two texts of one length, and in which byte the last of them is.
std::pair<int, std::size_t> difference(const std::string& a, const std::string& b) {
  REQUIRE(a.size() == b.size());
  std::pair<int, std::size_t> out{0, 0};
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto bits = __builtin_popcount(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
    out.first += bits;
    out.second = bits > 0 ? i : out.second;
  }
  return out;
}

}  // namespace

TEST_CASE("an unknown format is raw and has one payload") {
  const auto map = map_image(*numbers(1000));
  REQUIRE(map);
  CHECK(map->format == "raw");
  CHECK(map->regions == std::vector<Region>{{"content", RegionKind::payload, 0, 1000}});
  CHECK(map_image(MemorySource{""})->regions.empty());
}

TEST_CASE("one bit is flipped in each tenth of an image of any size") {
  for (const std::size_t size : {1000U, 1003U, 64U, 11U}) {
    const Materials materials{.genuine = numbers(size)};
    for (int tenth = 1; tenth <= 10; ++tenth) {
      const auto out = mutated("flip_bit:" + std::to_string(tenth), materials);
      REQUIRE(out);
      const auto [bits, at] = difference(bytes_of(materials.genuine), bytes_of(out->image));
      CHECK(bits == 1);
      CHECK(at >= size / 10 * static_cast<std::size_t>(tenth - 1));
    }
  }
  CHECK(mutated("flip_bit:1", {.genuine = numbers(1)}));
  CHECK(mutated("flip_bit:1", {.genuine = numbers(0)}).error().kind == ErrorKind::unsupported);
}

TEST_CASE("an image is cut and lengthened where it was said") {
  const Materials materials{.genuine = numbers(1010)};
  CHECK(bytes_of(mutated("truncate:10", materials)->image) == bytes_of(materials.genuine).substr(0, 101));
  CHECK(bytes_of(mutated("truncate:0", materials)->image).empty());
  CHECK(bytes_of(mutated("truncate:99", materials)->image).size() == 999);
  const auto longer = bytes_of(mutated("append:512", materials)->image);
  CHECK(longer.size() == 1522);
  CHECK(longer.starts_with(bytes_of(materials.genuine)));
}

TEST_CASE("content is swapped for other content of the same length") {
  const Materials materials{.genuine = numbers(10000)};
  const auto swapped = bytes_of(mutated("swap_content", materials)->image);
  const auto genuine = bytes_of(materials.genuine);
  CHECK(swapped.size() == genuine.size());
  CHECK(swapped.substr(0, 2952) == genuine.substr(0, 2952));
  CHECK(swapped.substr(2952, 4096) != genuine.substr(2952, 4096));
  CHECK(swapped.substr(7048) == genuine.substr(7048));
}

TEST_CASE("what the maker gave is passed on unchanged, and what it did not give is named") {
  const Materials materials{.genuine = numbers(10), .older = numbers(20)};
  CHECK(mutated("same", materials)->image == materials.genuine);
  CHECK(mutated("older", materials)->image == materials.older);
  const auto missing = mutated("other_model", materials);
  REQUIRE(!missing);
  CHECK(missing.error().kind == ErrorKind::unsupported);
  CHECK(missing.error().what == "the maker gave no image for another model");
  CHECK(mutated("other_component", materials).error().what == "the maker gave no image for another component");
  const Materials whole{.genuine = numbers(10), .other_component = numbers(30)};
  CHECK(mutated("other_component", whole)->image == whole.other_component);
}

TEST_CASE("the older image's content lies below the genuine header, as long as the genuine one's") {
  const std::string content = "the content of 2.5.0";
  const auto genuine = uimage_of("Hub 2.5.0", content, 1000);
  for (const std::string other : {"the content of 2.3.0", "longer content, of 2.3.0", "short"}) {
    INFO(other);
    auto expected = other;
    expected.resize(content.size(), '\0');
    const Materials materials{.genuine = memory_of(genuine), .older = memory_of(uimage_of("Hub 2.3.0", other, 900))};
    CHECK(bytes_of(mutated("mix_older", materials)->image) == genuine.substr(0, 64) + expected);
    // With checksums made right it is what the maker of the older content would have built under this header.
    CHECK(bytes_of(mutated("mix_older+repair", materials)->image) == uimage_of("Hub 2.5.0", expected, 1000));
  }
}

TEST_CASE("what cannot be mixed is not, with the reason") {
  const auto genuine = memory_of(uimage_of("Hub 2.5.0", "content", 1000));
  const auto why = [](const Materials& materials) {
    const auto made = mutated("mix_older", materials);
    REQUIRE(!made);
    CHECK(made.error().kind == ErrorKind::unsupported);
    return made.error().what;
  };
  CHECK(why({.genuine = genuine}) == "the maker gave no older image");
  CHECK(why({.genuine = genuine, .older = numbers(100)}) ==
        "uimage: the maker's older image is of another format (raw)");
  CHECK(why({.genuine = genuine, .older = memory_of(uimage_of("Hub 2.3.0", "", 900))}) ==
        "uimage: one of the two images has no payload that could be told apart");
  CHECK(why({.genuine = genuine, .older = memory_of(uimage_of("Hub 2.3.0", "content", 900))}) ==
        "what is put in is the same as in the genuine image");
  // Of an image that is content alone the mixed one would be the older one, which is another attack.
  CHECK(why({.genuine = numbers(100), .older = numbers(90)}).starts_with("raw: nothing of the maker's stands beside"));
}

TEST_CASE("the date of a header is another, and its checksum is made right on demand") {
  const Materials materials{.genuine = memory_of(uimage_of("Hub 2.5.0", "content", 1000))};
  const auto lied = mutated("lie_date", materials);
  const auto map = map_image(*lied->image);
  CHECK(map->facts.at("created") == 2145830400);  // 2037-12-31
  CHECK(map->doubts.size() == 1);
  CHECK(bytes_of(mutated("lie_date+repair", materials)->image) == uimage_of("Hub 2.5.0", "content", 2145830400));
  const Materials late{.genuine = memory_of(uimage_of("Hub 2.5.0", "content", 2145830400))};
  CHECK(mutated("lie_date", late).error().what == "what is put in is the same as in the genuine image");
}

TEST_CASE("a raw image allows nothing that needs a format, and says so") {
  const Materials materials{.genuine = numbers(100)};
  for (const auto* text :
       {"flip_bit:header", "flip_bit:manifest", "flip_bit:signature", "remove_signature", "resign:other_key",
        "lie_size:4", "lie_version:9", "lie_date", "bomb", "traversal", "flip_bit:3+repair"}) {
    const auto out = mutated(text, materials);
    REQUIRE(!out);
    CHECK(out.error().kind == ErrorKind::unsupported);
    CHECK(out.error().what.starts_with("raw: "));
  }
  CHECK(mutated("flip_bit:payload", materials));
}

TEST_CASE("a mutation reads the same from a catalogue and from a command line, and back") {
  const auto object = parse_json(R"({"kind": "flip_bit", "where": "tenth", "tenth": 7, "repair": true})", "test");
  const auto spec = read_mutation(object->get_object());
  REQUIRE(spec);
  CHECK(name_of(*spec) == "flip_bit:7+repair");
  CHECK(*mutation_from_text("flip_bit:7+repair") == *spec);
  for (const auto* text :
       {"flip_bit:signature", "remove_signature", "resign:expired", "swap_content+repair", "truncate:99", "append:1",
        "lie_size:1000000", "lie_version:1.2.3-rc1", "bomb", "traversal", "older", "same", "other_model",
        "lie_version:99", "other_component", "mix_older", "mix_older+repair", "lie_date+repair"}) {
    const auto read = mutation_from_text(text);
    REQUIRE(read);
    CHECK(name_of(*read) == text);
  }
}

TEST_CASE("a mutation that is written wrong is refused") {
  for (const auto* text : {"", "flip", "flip_bit:11", "flip_bit:0", "flip_bit:middle", "truncate:100", "truncate:-1",
                           "append:0", "append:99999999999", "lie_size:1", "lie_version:", "lie_version:a\"b",
                           "resign:me", "bomb:3", "same:1", "mix_older:2", "lie_date:2037", "other_component:radio"}) {
    INFO(text);
    const auto read = mutation_from_text(text);
    REQUIRE(!read);
    CHECK(read.error().kind == ErrorKind::bad_input);
  }
  for (const auto* text : {R"({})", R"({"kind": "bomb", "repair": 1})", R"({"kind": "bomb", "at": 4})",
                           R"({"kind": "flip_bit", "where": "header", "tenth": 3})", R"({"kind": 7})"}) {
    CHECK(read_mutation(parse_json(text, "test")->get_object()).error().kind == ErrorKind::bad_input);
  }
}

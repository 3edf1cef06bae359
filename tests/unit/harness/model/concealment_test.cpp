#include "harness/model/concealment.hpp"

#include <algorithm>
#include <memory>

#include "tests/support/catch.hpp"

namespace assay {

namespace {

/// The text as it is found in finders one after the other.
std::string masked(const std::vector<const ConcealedFinder*>& finders, std::string text) {
  for (const auto* finder : finders) {
    text = finder != nullptr ? finder->masked(text) : text;
  }
  return text;
}

std::string everywhere(const Concealment& list, std::string_view text) {
  return masked(list.finders(), std::string{text});
}

std::string in_bytes(const Concealment& list, std::string_view text) {
  return masked(list.finders_in_bytes(), std::string{text});
}

bool finds_nothing(const std::vector<const ConcealedFinder*>& finders) {
  return std::all_of(finders.begin(), finders.end(), [](const auto* finder) { return finder == nullptr; });
}

}  // namespace

TEST_CASE("concealment: what may be a word has other capitals in bytes alone") {
  Concealment list;
  CHECK(finds_nothing(list.finders()));
  CHECK(finds_nothing(list.finders_in_bytes()));
  list.add(Secret{"Password", "owner's"});
  list.add(Secret{"Kx8-zed9Pa", "key"});
  CHECK(everywhere(list, "Password PASSWORD Kx8-zed9Pa KX8-ZED9PA") == "{owner's} PASSWORD {key} {key}");
  CHECK(in_bytes(list, "Password PASSWORD KX8-ZED9PA") == "{owner's} {owner's} {key}");
}

TEST_CASE("concealment: bytes that were sent are looked for just so, a derived text in its forms") {
  Concealment list;
  list.add_in_bytes("hunter22", "answer");
  CHECK(finds_nothing(list.finders()));
  CHECK(in_bytes(list, "hunter22 HUNTER22 aHVudGVyMjI=") == "{answer} HUNTER22 aHVudGVyMjI=");
  list.add("hunter33", "token");
  CHECK(everywhere(list, "hunter22 hunter33 HUNTER33 aHVudGVyMzM=") == "hunter22 {token} HUNTER33 {token}");
  const auto all = list.all();
  CHECK(all.contains("hunter22"));
  CHECK(all.contains("aHVudGVyMzM="));
}

TEST_CASE("concealment: what grows is found although it was looked for before, and short texts are left") {
  Concealment list;
  list.add("first1", "one");
  CHECK(everywhere(list, "first1 second2") == "{one} second2");
  list.add("second2", "two");
  list.add(Secret{"12", "pin"});
  list.add_in_bytes("34", "answer");
  CHECK(in_bytes(list, "first1 second2 12 34") == "{one} {two} 12 34");
  auto shared = std::make_shared<Concealment>();
  shared->add("third3", "three");
  shared->add_in_bytes("fourth4", "four");
  list.share(std::move(shared));
  CHECK(everywhere(list, "first1 third3 fourth4") == "{one} {three} fourth4");
  CHECK(in_bytes(list, "first1 third3 fourth4") == "{one} {three} {four}");
  CHECK(list.all().contains("third3"));
  CHECK(list.all().contains("fourth4"));
  Concealment all{1};
  all.add("12", "pin");
  CHECK(everywhere(all, "12 345") == "{pin} 345");
}

}  // namespace assay

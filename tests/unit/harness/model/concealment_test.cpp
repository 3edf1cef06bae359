#include "harness/model/concealment.hpp"

#include "tests/support/catch.hpp"

namespace assay {

namespace {

/// With the texts of both lists written over, as bytes are.
std::string everywhere(const Concealment& list, std::string_view text) {
  return list.everywhere() != nullptr ? list.everywhere()->masked(text) : std::string{text};
}

std::string in_bytes(const Concealment& list, std::string_view text) {
  const auto once = everywhere(list, text);
  return list.in_bytes() != nullptr ? list.in_bytes()->masked(once) : once;
}

}  // namespace

TEST_CASE("concealment: what may be a word has other capitals in bytes alone") {
  Concealment list;
  CHECK(list.everywhere() == nullptr);
  CHECK(list.in_bytes() == nullptr);
  list.add(Secret{"Password", "owner's"});
  list.add(Secret{"Kx8-zed9Pa", "key"});
  CHECK(everywhere(list, "Password PASSWORD Kx8-zed9Pa KX8-ZED9PA") == "{owner's} PASSWORD {key} {key}");
  CHECK(in_bytes(list, "Password PASSWORD KX8-ZED9PA") == "{owner's} {owner's} {key}");
}

TEST_CASE("concealment: bytes that were sent are looked for just so, a derived text in its forms") {
  Concealment list;
  list.add_in_bytes("hunter22", "answer");
  CHECK(list.everywhere() == nullptr);
  CHECK(in_bytes(list, "hunter22 HUNTER22 aHVudGVyMjI=") == "{answer} HUNTER22 aHVudGVyMjI=");
  list.add("hunter33", "token");
  CHECK(everywhere(list, "hunter22 hunter33 HUNTER33 aHVudGVyMzM=") == "hunter22 {token} HUNTER33 {token}");
  Concealed all;
  list.copy_to(all);
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
  Concealment all{1};
  all.add("12", "pin");
  CHECK(everywhere(all, "12 345") == "{pin} 345");
}

}  // namespace assay

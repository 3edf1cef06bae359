#include "harness/expr/common_factors.hpp"

#include "tests/support/catch.hpp"

namespace {

using namespace assay;

// The Mersenne primes of 61, 89 and 107 bits, and products of two; computed by another program.
constexpr const char* k61 = "1fffffffffffffff";
constexpr const char* k61x89 = "3ffffffffffffffdffffffe000000000000001";
constexpr const char* k61x107 = "fffffffffffffff7ffffffffffe000000000000001";

json::value shown(std::initializer_list<const char*> moduli) {
  json::array out;
  for (const auto* modulus : moduli) {
    out.push_back(json::object{{"deep", json::array{json::object{{"modulus", modulus}}}}});
  }
  return out;
}

}  // namespace

TEST_CASE("expr: two products with a prime in common give it away, others do not") {
  CHECK(common_factors(shown({k61x89, k61x107})).pairs ==
        json::array{json::object{{"one", k61x89}, {"other", k61x107}, {"bits", 61}}});
  CHECK(common_factors(shown({k61x89, k61x89})).pairs.empty());              // the same integer: one key, and no factor
  CHECK(common_factors(shown({k61x89, "ffffffffffffffc5"})).pairs.empty());  // the largest prime of 64 bits
  CHECK(common_factors(shown({k61, k61x89})).pairs ==
        json::array{json::object{{"one", k61}, {"other", k61x89}, {"bits", 61}}});
  CHECK(common_factors(shown({"30003", "10001"})).pairs.empty() == false);  // 3 * 65537 and 65537, of 17 bits
  CHECK(common_factors(shown({"1e", "12"})).pairs.empty());                 // 2 and 3 are small factors
}

TEST_CASE("expr: zeros, odd digits and what is no integer break nothing") {
  CHECK(common_factors(shown({"0", k61x89, "", "g",
                              "00"
                              "1fffffffffffffff"}))
            .pairs == json::array{json::object{{"one", k61x89}, {"other", "001fffffffffffffff"}, {"bits", 61}}});
  const std::string huge(2049, 'f');
  CHECK(common_factors(shown({huge.c_str(), k61x89})).pairs.empty());
  CHECK(common_factors(json::object{{"modulus", 5}}).pairs.empty());
}

TEST_CASE("expr: moduli beyond the first 32 and those above 4096 bits are left out, and each is counted once") {
  json::array many;
  const auto add = [&](std::string text) { many.push_back(json::object{{"modulus", std::move(text)}}); };
  for (char last = 'a'; last < 'c'; ++last) {
    for (int number = 0; number < 16; ++number) {
      add(std::string{last, "0123456789abcdef"[number]} + "1");
    }
  }
  CHECK(common_factors(many).left_out == 0);
  add("a01");  // one of them again
  CHECK(common_factors(many).left_out == 0);
  add(k61x89);
  add(k61x107);
  add(k61x89);
  CHECK(common_factors(many).left_out == 2);
  CHECK(common_factors(many).pairs.empty());
  CHECK(common_factors(shown({k61x89, k61x107})).left_out == 0);
  const std::string longest(1024, 'f');
  const std::string longer(1025, 'f');
  CHECK(common_factors(shown({longest.c_str(), k61x89})).left_out == 0);
  CHECK(common_factors(shown({longer.c_str(), k61x89})).left_out == 1);
  CHECK(common_factors(shown({"", "g"})).left_out == 0);
}

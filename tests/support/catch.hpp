#pragma once

// Debian 12 has Catch2 2.13 (one header), newer systems have 3: the tests build with both.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include "harness/model/result.hpp"

/// A failed `REQUIRE(result)` prints the error.
template <class T>
struct Catch::StringMaker<assay::Result<T>> {
  static std::string convert(const assay::Result<T>& result) { return result ? "a value" : describe(result.error()); }
};

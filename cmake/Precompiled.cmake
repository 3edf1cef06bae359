# Precompiled headers, each used by many units with the same flags: Boost.JSON with Boost.Describe cost 3 s in nearly every
# unit, Catch2 as much again in the tests. They only save time: every file includes what it needs.
# It shows a unit more of `std` than the unit includes: beware of functions of ours that are called as one of `std`
# (`quoted` of a std::string). Units with coroutines are compiled several at a time (assay_join); clang has Asio
# precompiled for them besides, which g++ gains too little from.
set(ASSAY_PCH_BASE
  <algorithm> <array> <charconv> <chrono> <cstdint> <filesystem> <fstream> <functional> <iostream> <map> <memory>
  <optional> <set> <span> <sstream> <string> <string_view> <utility> <variant> <vector>
  <boost/describe.hpp> <boost/json.hpp>)
if(EXISTS /usr/include/catch2/catch_all.hpp)
  set(ASSAY_PCH_CATCH <catch2/catch_all.hpp>)
else()
  set(ASSAY_PCH_CATCH <catch2/catch.hpp>)
endif()
set(ASSAY_PCH_ASIO <boost/asio.hpp> <openssl/ssl.h>)

# assay_join(target [header]): its units are compiled eight at a time, so that a header (Asio, CLI11) is read once for all of
# them and a template made once. Precompiled beside: `header`, where it gains.
# g++ takes a coroutine's frame with a type of the unit's own for one that leaks, because the unit is an included file.
function(assay_join target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  if(ARGC GREATER 1 AND TARGET assay_pch_${ARGV1})
    target_precompile_headers(${target} REUSE_FROM assay_pch_${ARGV1})
  endif()
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endfunction()

# assay_precompile(name LINK libs HEADERS headers): the unit that holds one of them.
function(assay_precompile name)
  cmake_parse_arguments(PCH "" "" "LINK;HEADERS" ${ARGN})
  file(WRITE ${PROJECT_BINARY_DIR}/generated/pch/${name}.cpp.new "// ${name}: see cmake/Precompiled.cmake\n")
  file(COPY_FILE ${PROJECT_BINARY_DIR}/generated/pch/${name}.cpp.new ${PROJECT_BINARY_DIR}/generated/pch/${name}.cpp ONLY_IF_DIFFERENT)
  add_library(assay_pch_${name} OBJECT ${PROJECT_BINARY_DIR}/generated/pch/${name}.cpp)
  target_link_libraries(assay_pch_${name} PRIVATE assay_options ${PCH_LINK})
  target_precompile_headers(assay_pch_${name} PRIVATE ${PCH_HEADERS})
endfunction()

set(ASSAY_PCH_COROUTINES LINK assay_asio Boost::json OpenSSL::SSL HEADERS ${ASSAY_PCH_BASE} ${ASSAY_PCH_ASIO})
assay_precompile(base LINK Boost::json HEADERS ${ASSAY_PCH_BASE})
if(ASSAY_TESTS)
  assay_precompile(test LINK Boost::json HEADERS ${ASSAY_PCH_BASE} ${ASSAY_PCH_CATCH})
  assay_is_test(assay_pch_test)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  assay_precompile(coroutines ${ASSAY_PCH_COROUTINES})
  if(ASSAY_TESTS)
    assay_precompile(coroutines_test ${ASSAY_PCH_COROUTINES} ${ASSAY_PCH_CATCH})
    assay_is_test(assay_pch_coroutines_test)
  endif()
endif()
if(ASSAY_FUZZ)
  assay_precompile(parsers LINK Boost::json HEADERS ${ASSAY_PCH_BASE})
  target_compile_options(assay_pch_parsers PRIVATE -O1)
endif()

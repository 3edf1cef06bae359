# Precompiled headers, each used by many units with the same flags: Boost.JSON with Boost.Describe cost 3 s in nearly every
# unit, Catch2 as much again in the tests. They only save time: every file includes what it needs.
# Units with coroutines do without: g++ 12 confuses the types of `co_await` expressions after it has read a precompiled
# header. They are compiled several at a time instead (assay_join).
set(ASSAY_PCH_BASE
  <algorithm> <array> <charconv> <chrono> <cstdint> <filesystem> <fstream> <functional> <iostream> <map> <memory>
  <optional> <set> <span> <sstream> <string> <string_view> <utility> <variant> <vector>
  <boost/describe.hpp> <boost/json.hpp>)
if(EXISTS /usr/include/catch2/catch_all.hpp)
  set(ASSAY_PCH_CATCH <catch2/catch_all.hpp>)
else()
  set(ASSAY_PCH_CATCH <catch2/catch.hpp>)
endif()

# assay_join(target): its units are compiled four at a time, so that a heavy header (Asio, CLI11) is read once for the four.
# g++ takes a coroutine's frame with a type of the unit's own for one that leaks, because the unit is an included file.
function(assay_join target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 4)
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

assay_precompile(base LINK Boost::json HEADERS ${ASSAY_PCH_BASE})
if(ASSAY_TESTS)
  assay_precompile(test LINK Boost::json HEADERS ${ASSAY_PCH_BASE} ${ASSAY_PCH_CATCH})
endif()

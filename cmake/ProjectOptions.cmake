# One interface target with the language level, the warnings and the sanitizer of the preset.
option(ASSAY_WARNINGS_AS_ERRORS "Treat warnings as errors" OFF)
option(ASSAY_TESTS "Build the tests" ON)
option(ASSAY_FUZZ "Build the fuzz targets (clang)" OFF)
option(ASSAY_COVERAGE "Instrument for gcov" OFF)
set(ASSAY_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # Without these two, ccache gives up on every unit that uses a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()

# Opens an expression for what tests do without: they are not optimised, which fortified headers need, and not fuzzed.
set(ASSAY_UNLESS_TEST "$<$<NOT:$<BOOL:$<TARGET_PROPERTY:ASSAY_TEST>>>:")

add_library(assay_options INTERFACE)
target_include_directories(assay_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
# -fPIE for libraries and programs alike: they share their precompiled headers, which demand equal flags.
target_compile_options(assay_options INTERFACE -fPIE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Wimplicit-fallthrough)
target_link_options(assay_options INTERFACE -pie)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 warns of std::string's own code once it comes from a precompiled header (GCC bug 105651 and its kin).
  target_compile_options(assay_options INTERFACE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
  # Collecting garbage costs g++ a tenth of its time; a unit needs under 1 GB without.
  target_compile_options(assay_options INTERFACE --param=ggc-min-heapsize=600000)
endif()
if(ASSAY_WARNINGS_AS_ERRORS)
  target_compile_options(assay_options INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" AND NOT ASSAY_SANITIZE)
  target_compile_options(assay_options INTERFACE -U_FORTIFY_SOURCE ${ASSAY_UNLESS_TEST}-D_FORTIFY_SOURCE=2> -fstack-protector-strong)
  target_link_options(assay_options INTERFACE -Wl,-z,relro,-z,now)
endif()
if(ASSAY_SANITIZE)
  # null, vptr, alignment and object-size double the build time of coroutine units and find nothing the others do not.
  target_compile_options(assay_options INTERFACE -fsanitize=${ASSAY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(assay_options INTERFACE -fsanitize=${ASSAY_SANITIZE})
  if(ASSAY_SANITIZE MATCHES "undefined")
    target_compile_options(assay_options INTERFACE -fno-sanitize=null,vptr,alignment,object-size)
    # clang 14 cannot assemble a coroutine with the check of function pointer types.
    target_compile_options(assay_options INTERFACE $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
  endif()
  if(ASSAY_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(assay_options INTERFACE -Wno-tsan)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumented code hides from g++ which alternative of a variant is alive.
    target_compile_options(assay_options INTERFACE -Wno-maybe-uninitialized)
  endif()
  target_compile_definitions(assay_options INTERFACE ASSAY_SANITIZED=1)
endif()
if(ASSAY_COVERAGE)
  target_compile_options(assay_options INTERFACE --coverage)
  target_link_options(assay_options INTERFACE --coverage)
endif()
if(ASSAY_FUZZ)
  target_compile_options(assay_options INTERFACE ${ASSAY_UNLESS_TEST}-fsanitize=fuzzer-no-link>)
endif()

# assay_optimise_less(target): the command line is glue; a second look of the optimiser costs more than it gives.
function(assay_optimise_less target)
  if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" AND NOT ASSAY_SANITIZE)
    target_compile_options(${target} PRIVATE -O1)
  endif()
endfunction()

# assay_is_test(target): runs once after it is compiled, so it is compiled the quickest way. What it tests is not.
function(assay_is_test target)
  set_target_properties(${target} PROPERTIES ASSAY_TEST ON)
  target_compile_options(${target} PRIVATE -O0)
endfunction()

# assay_add_room(name LINK row…): the folder's *.cpp as one static library that links only its row of the table in
# docs/architecture.md. Unit tests of tests/unit/<same path>/ become one test program.
function(assay_add_room name)
  cmake_parse_arguments(ROOM "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  if(sources)
    add_library(assay_${name} STATIC ${sources})
    target_link_libraries(assay_${name} PUBLIC assay_options ${ROOM_LINK})
  else()
    add_library(assay_${name} INTERFACE)
    target_link_libraries(assay_${name} INTERFACE assay_options ${ROOM_LINK})
  endif()
endfunction()

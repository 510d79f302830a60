# Builds and runs the consumer's program in both ways, and asks for versions that there are not.
cmake_minimum_required(VERSION 3.24)
set(project "${CMAKE_CURRENT_LIST_DIR}/project")
set(installation "${WORK}/installation")
file(REMOVE_RECURSE "${WORK}")

# Sets <result>_status and <result>_output.
function(run result)
  execute_process(
    COMMAND ${ARGN}
    RESULT_VARIABLE status
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output)
  set(${result}_status "${status}" PARENT_SCOPE)
  set(${result}_output "${output}" PARENT_SCOPE)
endfunction()

function(must_work title)
  run(it ${ARGN})
  if(NOT it_status EQUAL 0)
    message(FATAL_ERROR "${title} failed (${it_status}):\n${it_output}")
  endif()
  set(output "${it_output}" PARENT_SCOPE)
endfunction()

function(configure_command variable name)
  set(${variable}
      "${CMAKE_COMMAND}" -S "${project}" -B "${WORK}/${name}" -G "${GENERATOR}" "-DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}"
      "-DCMAKE_CXX_COMPILER=${COMPILER}" ${ARGN}
      PARENT_SCOPE)
endfunction()

function(must_print_8 name)
  configure_command(configure "${name}" ${ARGN})
  must_work("${name}: configure" ${configure})
  must_work("${name}: build" "${CMAKE_COMMAND}" --build "${WORK}/${name}")
  must_work("${name}: run" "${WORK}/${name}/consumer")
  if(NOT output STREQUAL "8\n")
    message(FATAL_ERROR "${name}: the program prints '${output}' instead of 8")
  endif()
endfunction()

function(must_be_refused version)
  configure_command(configure "version-${version}" "-DCMAKE_PREFIX_PATH=${installation}" "-DMOEPLAN_WANTED_VERSION=${version}")
  run(it ${configure})
  # The reason matters: an installation that is not found at all is refused too.
  if(it_status EQUAL 0 OR NOT it_output MATCHES "moeplanConfig.cmake, version: 0\\.")
    message(FATAL_ERROR "version ${version} must be refused because of the version (${it_status}):\n${it_output}")
  endif()
endfunction()

must_print_8(add_subdirectory "-DMOEPLAN_SUBDIRECTORY=${SOURCE}")

must_work("install" "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${installation}")
must_print_8(find_package "-DCMAKE_PREFIX_PATH=${installation}" -DMOEPLAN_WANTED_VERSION=0.1)

must_be_refused(7.0)
must_be_refused(0.0)

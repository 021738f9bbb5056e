# cmake -DSOURCE=<source tree> -DOUTPUT=<file> -P git_commit.cmake
# Writes `#define SAFE_GIT_COMMIT "<commit>"`, and touches the file only where that has changed. What counts as a
# modification is what programs are built from, files that git does not know yet included: another README is no other
# program.
set(parts CMakeLists.txt CMakePresets.json common manifest packer trainer)

function(ask_git variable)
  execute_process(COMMAND git -C ${SOURCE} ${ARGN} OUTPUT_VARIABLE text RESULT_VARIABLE code ERROR_QUIET)
  if(NOT code EQUAL 0)
    set(text "")
  endif()
  set(${variable} "${text}" PARENT_SCOPE)
endfunction()

# A tree that was unpacked into somebody else's repository has no commit of its own.
ask_git(prefix rev-parse --show-prefix)
ask_git(commit rev-parse HEAD)
string(STRIP "${prefix}" prefix)
string(STRIP "${commit}" commit)
if(NOT prefix STREQUAL "" OR NOT commit MATCHES "^[0-9a-f]+$")
  set(commit unknown)
else()
  # The options keep the user's settings out of the digest.
  ask_git(difference diff HEAD --binary --full-index --no-color --no-ext-diff --no-textconv --no-renames --unified=3
          --src-prefix=a/ --dst-prefix=b/ -- ${parts})
  ask_git(untracked ls-files --others --exclude-standard -- ${parts})
  string(REPLACE "\n" ";" names "${untracked}")
  foreach(name IN LISTS names)
    set(digest "")
    if(NOT name STREQUAL "" AND EXISTS "${SOURCE}/${name}" AND NOT IS_DIRECTORY "${SOURCE}/${name}")
      file(SHA256 "${SOURCE}/${name}" digest)
    endif()
    string(APPEND difference "${digest}  ${name}\n")
  endforeach()
  if(NOT difference STREQUAL "")
    string(SHA256 digest "${difference}")
    string(SUBSTRING ${digest} 0 12 digest)
    string(APPEND commit "-modified-${digest}")
  endif()
endif()

set(text "#define SAFE_GIT_COMMIT \"${commit}\"\n")
set(before "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT before STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()

# SPDX-License-Identifier: MIT
# kernel_check for AArch64, cross-compiled and run under QEMU when the test runs. Emulation is slow
# at -O0, which gets fewer cases.

# biglittle_aarch64_check(FORM COMPILER OPTIMIZATION CASES OPTION...)
function(biglittle_aarch64_check form compiler optimization cases)
  set(name kernel_check_${form}_aarch64_${compiler}_${optimization})
  add_test(NAME ${name}
           COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/aarch64_check.sh ${PROJECT_SOURCE_DIR}
                   ${CMAKE_CURRENT_BINARY_DIR}/${name} ${compiler} ${cases} -${optimization}
                   ${ARGN})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77)
endfunction()

set(aarch64_neon -march=armv8-a)
set(aarch64_neon_dot -march=armv8.2-a+dotprod)
set(aarch64_portable -march=armv8-a -DBL_FORM=BL_FORM_PORTABLE)
foreach(form neon neon_dot portable)
  biglittle_aarch64_check(${form} gcc O0 100 ${aarch64_${form}})
  biglittle_aarch64_check(${form} gcc O2 400 ${aarch64_${form}})
  biglittle_aarch64_check(${form} gcc O3 400 ${aarch64_${form}})
endforeach()
biglittle_aarch64_check(neon clang O2 400 ${aarch64_neon})
biglittle_aarch64_check(neon_dot clang O2 400 ${aarch64_neon_dot})

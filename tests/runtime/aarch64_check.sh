#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Compiles kernel_check.c for AArch64 and runs it under QEMU:
#   aarch64_check.sh SOURCE_ROOT PROGRAM gcc|clang CASES OPTION...
# Without the tools exits with 77, which ctest takes for a skipped test, or fails where the
# environment says BIGLITTLE_REQUIRE_ENGINES=1.
set -euo pipefail
root=$1 program=$2 compiler=$3 cases=$4
shift 4

without() {
  echo "$1 is not there: install the Debian package $2" >&2
  [ "${BIGLITTLE_REQUIRE_ENGINES-}" = 1 ] && exit 1
  exit 77
}

case "$compiler" in
  gcc)
    command=(aarch64-linux-gnu-gcc)
    command -v "${command[0]}" >/dev/null || without "${command[0]}" gcc-aarch64-linux-gnu
    ;;
  clang)
    command=(clang --target=aarch64-linux-gnu)
    command -v clang >/dev/null || without clang clang
    # Clang takes start files and libgcc from GCC.
    command -v aarch64-linux-gnu-gcc >/dev/null ||
      without aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
    ;;
esac
"${command[@]}" -E -include stdio.h -x c /dev/null >/dev/null 2>&1 ||
  without "the C library for AArch64" libc6-dev-arm64-cross
command -v qemu-aarch64 >/dev/null || without qemu-aarch64 qemu-user

# Contraction is asked for, so that a result that depended on it would differ.
"${command[@]}" -std=c99 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror \
  -ffp-contract=fast -static "-DBL_CHECK_CASES=$cases" "$@" -I"$root/runtime" \
  "$root/tests/runtime/kernel_check.c" "$root/runtime/bl_runtime.c" -o "$program"
exec qemu-aarch64 -cpu max "$program"

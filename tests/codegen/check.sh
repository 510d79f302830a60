#!/usr/bin/env bash
# Compiles a file to x86-64 assembly and holds its extern "C" functions to what their names promise.
#   check.sh COMPILER FILE FLAG...
#   constant_...    nothing but constants put into registers or into the result, and ret: no call, load, division or jump
#   nodivision_...  no division, no call and no jump to another function
# Exit status 77: this compiler does not make x86-64 code, nothing was checked.
set -euo pipefail

compiler=$1
file=$2
shift 2

case $("$compiler" -dumpmachine) in
  x86_64-*) ;;
  *)
    echo "skipped: $compiler does not compile for x86-64"
    exit 77
    ;;
esac

# Without what distributions add to every function, and with every function's own body: two equal ones may otherwise become one
# (g++), and a switch an indirect jump that looks like a tail call.
flags=(-std=c++20 -S -o - -fcf-protection=none -fno-stack-protector -fomit-frame-pointer -fno-jump-tables
  -fno-asynchronous-unwind-tables)
if ! "$compiler" --version | grep -q clang; then
  flags+=(-fno-ipa-icf)
fi

assembly=$("$compiler" "${flags[@]}" "$@" "$file")
awk -v file="$file" -f "$(dirname "${BASH_SOURCE[0]}")/check.awk" <<<"$assembly"

#!/usr/bin/env bash
# Compiles a file that must not compile and looks for the expected texts in what the compiler says.
#   check.sh COMPILER FILE [FLAG...]
# The file says what it expects in comments at the beginning of a line:
#   // expect: TEXT         the diagnostic contains TEXT, letter for letter; may be repeated, all are needed
#   // expect-gcc: TEXT     the same, only for g++
#   // expect-clang: TEXT   the same, only for clang++
#   // std: c++26           another standard than c++20
#   // compiler: clang++-19 another compiler; where it is not installed, the test is skipped (exit status 77)
set -euo pipefail
export LC_ALL=C  # plain quotation marks in the diagnostics

compiler=$1
file=$2
shift 2

values() { sed -n "s|^// $1: *||p" "$file" | sed 's/[[:space:]]*$//'; }

std=$(values std)
other_compiler=$(values compiler)
if [ -n "$other_compiler" ]; then
  if ! command -v "$other_compiler" >/dev/null; then
    echo "skipped: $other_compiler is not installed"
    exit 77
  fi
  compiler=$other_compiler
fi

# The source line under a message could hold the expected text by itself, hence no carets.
if "$compiler" --version | grep -q clang; then
  kind=clang
  flags=(-fno-caret-diagnostics -fno-color-diagnostics)
else
  kind=gcc
  flags=(-fno-diagnostics-show-caret -fdiagnostics-color=never)
fi
# To assembly and not -fsyntax-only, with which g++ leaves some templates alone.
flags+=("-std=${std:-c++20}" -fmessage-length=0 -S -o /dev/null "$@")

mapfile -t expected < <(values expect && values "expect-$kind")
if [ ${#expected[@]} -eq 0 ]; then
  echo "$file: no '// expect: TEXT' for $kind" >&2
  exit 1
fi

if diagnostic=$("$compiler" "${flags[@]}" "$file" 2>&1); then
  echo "$file: compiles with $compiler, but must not" >&2
  exit 1
fi

status=0
for text in "${expected[@]}"; do
  if ! grep -qF -e "$text" <<<"$diagnostic"; then
    echo "$file: the diagnostic of $compiler does not contain: $text" >&2
    status=1
  fi
done
if [ $status -ne 0 ]; then
  printf 'The diagnostic:\n%s\n' "$diagnostic" >&2
fi
exit $status

#!/usr/bin/env bash
# Does check.sh fail where it must?     self_test.sh COMPILER
set -euo pipefail

check=$(dirname "${BASH_SOURCE[0]}")/check.sh
compiler=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0

returns() {  # returns STATUS TITLE; the file comes from standard input
  cat >"$folder/case.cpp"
  local actual=0
  "$check" "$compiler" "$folder/case.cpp" >"$folder/output" 2>&1 || actual=$?
  if [ "$actual" -ne "$1" ]; then
    echo "$2: exit status $actual instead of $1"
    cat "$folder/output"
    status=1
  fi
}

returns 0 "the expected text is found" <<'END'
// expect: the_reason_[63, 4];*
static_assert(false, "the_reason_[63, 4];*");
END
returns 1 "a file that compiles" <<'END'
// expect: anything
int answer = 42;
END
returns 1 "one of two texts is missing" <<'END'
// expect: first_reason
// expect: second_reason
static_assert(false, "first_reason");
END
returns 1 "nothing is expected" <<'END'
static_assert(false, "first_reason");
END
returns 1 "the text stands only in the source line under the message" <<'END'
// expect: first_reason
int first = second;  // first_reason
END
returns 1 "each compiler's own texts" <<'END'
// expect-gcc: only_a_text_that_is_not_there
// expect-clang: only_a_text_that_is_not_there
static_assert(false, "first_reason");
END
returns 0 "the standard" <<'END'
// std: c++17
// expect: too_old
static_assert(__cplusplus > 201703L, "too_old");
END
returns 77 "a compiler that is not installed" <<'END'
// compiler: no-such-compiler++-1
// expect: anything
END
exit $status

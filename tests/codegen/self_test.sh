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
  local level actual
  for level in -O1 -O2; do
    actual=0
    "$check" "$compiler" "$folder/case.cpp" "$level" >"$folder/output" 2>&1 || actual=$?
    if [ "$actual" -eq 77 ]; then
      cat "$folder/output"
      exit 77
    fi
    if [ "$actual" -ne "$1" ]; then
      echo "$2, $level: exit status $actual instead of $1"
      cat "$folder/output"
      status=1
    fi
  done
}

returns 0 "constants of many types" <<'END'
struct pair { long first, second; };
extern "C" int constant_int() { return 128; }
extern "C" int constant_equal_to_another() { return 128; }
extern "C" int constant_zero() { return 0; }
extern "C" bool constant_true() { return true; }
extern "C" long constant_negative() { return -7; }
extern "C" unsigned long constant_64_bits() { return 0x123456789abcdef0; }
extern "C" pair constant_pair() { return {1, 1L << 40}; }
extern "C" void constant_nothing() {}
END
returns 1 "a load" <<'END'
extern int there;
extern "C" int constant_load() { return there; }
END
returns 1 "a load from an argument" <<'END'
extern "C" int constant_load(const int* there) { return *there; }
END
returns 1 "a call" <<'END'
int there();
extern "C" int constant_call() { return there() + 1; }
END
returns 1 "a tail call" <<'END'
int there();
extern "C" int constant_tail() { return there(); }
END
returns 1 "arithmetic" <<'END'
extern "C" int constant_sum(int a, int b) { return a + b; }
END
returns 1 "an address" <<'END'
static int there;
extern "C" int* constant_address() { return &there; }
END
returns 1 "no function to check" <<'END'
extern "C" int something_else() { return 1; }
END
returns 1 "the second of two functions" <<'END'
extern int there;
extern "C" int constant_good() { return 1; }
extern "C" int constant_bad() { return there; }
END
returns 0 "no division" <<'END'
extern "C" unsigned nodivision_by_constant(unsigned n) { return n / 7; }
extern "C" unsigned long nodivision_loop(const unsigned long* p, unsigned long n) {
  unsigned long sum = 0;
  for (unsigned long i = 0; i != n; ++i) { if (p[i] % 3 == 1) sum += p[i]; }
  return sum;
}
extern "C" int nodivision_switch(int n, int a) {
  switch (n) {
    case 0: return a + 1;
    case 1: return a * 77;
    case 2: return a ^ 3;
    case 3: return a - 99;
    case 4: return a << 2;
    case 5: return ~a;
    default: return 3;
  }
}
int something_else(int a, int b) { return a / b; }
END
returns 1 "a division" <<'END'
extern "C" unsigned nodivision_unsigned(unsigned a, unsigned b) { return a / b; }
END
returns 1 "a remainder" <<'END'
extern "C" long nodivision_signed(long a, long b) { return a % b; }
END
returns 1 "a division by a call" <<'END'
extern "C" unsigned __int128 nodivision_wide(unsigned __int128 a, unsigned __int128 b) { return a / b; }
END
returns 1 "a division of floating point" <<'END'
extern "C" double nodivision_double(double a, double b) { return a / b; }
END
returns 1 "a tail call in place of a division" <<'END'
int there(int, int);
extern "C" int nodivision_tail(int a, int b) { return there(b, a); }
END
returns 1 "a tail call through a pointer" <<'END'
extern "C" int nodivision_pointer(int (*there)(int), int a) { return there(a + 1); }
END
exit $status

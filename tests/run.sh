#!/usr/bin/env bash
# Builds and runs all tests, with g++ and, where it is installed, clang++ and its sanitizers.
#   tests/run.sh [COMPILER...]      for instance: tests/run.sh clang++-19
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

.ci/setup

compilers=("$@")
if [ ${#compilers[@]} -eq 0 ]; then
  compilers=(g++)
  # The first that is installed: the system's own clang++, or else the newest with a version in its name.
  for clang in clang++ clang++-{22,21,20,19,18,17,16,15,14}; do
    if command -v "$clang" >/dev/null; then
      compilers+=("$clang")
      break
    fi
  done
fi

# clang's programs run under the address and undefined behaviour sanitizers, if it has them.
preset_for() {  # preset_for COMPILER
  case $1 in
    *clang*)
      if "$1" -fsanitize=address,undefined -x c++ -o /dev/null - <<<'int main() {}' 2>/dev/null; then echo sanitize; else echo clang; fi
      ;;
    *) echo gcc ;;
  esac
}

run_tests() {  # run_tests COMPILER
  local build=build/$1 preset targets=(all)
  preset=$(preset_for "$1")
  # Whether a header compiles alone, sanitizers do not change.
  if [ "$preset" != sanitize ]; then targets+=(all_verify_interface_header_sets); fi
  rm -f "$build/ctest.log"
  cmake --preset "$preset" -B "$build" -DCMAKE_CXX_COMPILER="$1" &&
    cmake --build "$build" --target "${targets[@]}" &&
    ctest --test-dir "$build" --output-on-failure --no-tests=error --parallel "$(nproc)" | tee "$build/ctest.log"
}

failed=()
for compiler in "${compilers[@]}"; do
  echo "=== $compiler: $(command -v "$compiler" >/dev/null && "$compiler" --version | head -n 1)"
  run_tests "$compiler" || failed+=("$compiler")
done

echo
for compiler in "${compilers[@]}"; do
  echo "=== $compiler"
  sed -n '/tests passed/,$p' "build/$compiler/ctest.log" 2>/dev/null || echo "no test was run"
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "FAILED with: ${failed[*]}"
  exit 1
fi

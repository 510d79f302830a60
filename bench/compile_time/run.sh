#!/usr/bin/env bash
# What <moeplan/moeplan.hpp> costs to include, next to <string_view>, and what each *.cpp in this folder costs on top of it.
#   run.sh [RUNS [COMPILER...]]     RUNS: 15; compilers: g++ and clang++ where installed
# The candidates take turns, and the median of each counts, so that a machine that slows down slows down all of them.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
runs=${1:-15}
shift $(($# > 0 ? 1 : 0))
compilers=("$@")
if [ ${#compilers[@]} -eq 0 ]; then
  for compiler in g++ clang++; do
    if command -v "$compiler" >/dev/null; then compilers+=("$compiler"); fi
  done
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/empty.cpp"
echo '#include <string_view>' >"$work/string_view.cpp"
echo '#include <moeplan/moeplan.hpp>' >"$work/moeplan.cpp"
candidates=("$work"/{empty,string_view,moeplan}.cpp)
for file in "$here"/*.cpp; do
  if [ -e "$file" ]; then candidates+=("$file"); fi
done

median() { sort -n "$1" | awk '{ value[NR] = $1 } END { m = int((NR + 1) / 2); print (NR % 2 ? value[m] : (value[m] + value[m + 1]) / 2) }'; }

for compiler in "${compilers[@]}"; do
  rm -f "$work"/*.times
  for ((run = 0; run <= runs; ++run)); do
    for file in "${candidates[@]}"; do
      start=$(date +%s%N)
      "$compiler" -std=c++20 -fsyntax-only -I "$here/../../include" "$file"
      end=$(date +%s%N)
      # The first round only warms the caches.
      if [ "$run" -gt 0 ]; then echo $(((end - start) / 1000)) >>"$work/$(basename "$file" .cpp).times"; fi
    done
  done

  echo "$compiler ($("$compiler" -dumpversion)), median of $runs runs"
  empty=$(median "$work/empty.times")
  string_view=$(median "$work/string_view.times")
  moeplan=$(median "$work/moeplan.times")
  awk -v e="$empty" -v s="$string_view" -v m="$moeplan" 'BEGIN {
    row = "  %-34s %8.1f ms   %5.2f of <string_view>, %5.2f without the empty file\n"
    printf "  %-34s %8.1f ms\n", "empty file", e / 1000
    printf row, "#include <string_view>", s / 1000, 1, 1
    printf row, "#include <moeplan/moeplan.hpp>", m / 1000, m / s, (m - e) / (s - e)
  }'
  for file in "${candidates[@]:3}"; do
    name=$(basename "$file" .cpp)
    awk -v name="$name.cpp" -v t="$(median "$work/$name.times")" -v m="$moeplan" 'BEGIN {
      printf "  %-34s %8.1f ms   of which %.1f ms on top of the include, %.2f of it\n", name, t / 1000, (t - m) / 1000, (t - m) / m
    }'
  done
done

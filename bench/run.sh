#!/usr/bin/env bash
# Builds the benchmarks and prints, for each row, its time as a ratio to the baseline row above it in the same run. Ratios hold on any
# machine; the nanoseconds beside them, and the budgets, are those of a current server processor.
#   bench/run.sh [NAME...]     names of the *_bench.cpp beside this script: check, memory, ...; all by default
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake --preset bench >/dev/null
cmake --build --preset bench >/dev/null

names=("$@")
if [ "${#names[@]}" -eq 0 ]; then
  for source in bench/*_bench.cpp; do names+=("$(basename "$source" _bench.cpp)"); done
fi
for name in "${names[@]}"; do
  echo "== $name"
  "build/bench/bench/${name}_bench" --benchmark_format=json --benchmark_min_time=0.2 2>/dev/null | awk '
    BEGIN {
      budget["check_a_legal_deployment_for_ok"] = budget["check_a_legal_deployment_with_memory_for_ok"] = 1000
      budget["cost_of/deepseek_v3"] = 1000
      budget["eplb_of/deepseek_v3_on_32_gpus"] = 1000000
      budget["replay_of/sixteen_stages_128_micro_batches"] = 100000
      budget["dense_coordinates_of_a_rank"] = budget["expert_coordinates_of_a_rank"] = 10
      budget["first_member/one_axis"] = budget["first_member/join"] = budget["first_member/expert_join"] = 5
      budget["further_members/one_axis"] = budget["further_members/join"] = 5
    }
    function print_row() {
      if (row == "") return
      if (row ~ /^baseline/) base = ns
      printf "  %-48s %10.2f ns %8.3f of the baseline%s\n", row, ns, ns / base, row in budget ? "   budget " budget[row] " ns" : ""
      row = ""
    }
    /"name":/ { print_row(); row = $2; gsub(/[",]/, "", row) }
    /"cpu_time":/ { ns = $2 + 0 }
    /"per_member":/ { ns = ($2 + 0) * 1e9 }
    END { print_row() }'
done

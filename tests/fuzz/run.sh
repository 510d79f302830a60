#!/usr/bin/env bash
# Runs fuzzers that are built, each for so many seconds, as many at once as there are cores.
#   tests/fuzz/run.sh BUILD_DIRECTORY SECONDS [TARGET...]
# What a fuzzer finds new goes to BUILD_DIRECTORY/corpus/TARGET, from where the next run takes it; an input that it fails on to
# BUILD_DIRECTORY/failures. The seeds in corpus/ stay as they are.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

build=$(cd "$1" && pwd)
seconds=$2
shift 2
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then targets=(config deployment flags check loads report); fi

fuzz() {  # fuzz TARGET
  local target=$1 found=$build/corpus/$1 log=$build/failures/$1.log
  mkdir -p "$found"
  local arguments=("$found" "$here/corpus/$target")
  # The repository has more examples of these.
  case $target in
    config) arguments+=("$here/../data/models") ;;
    deployment) arguments+=("$here/../../examples/deployments") ;;
    loads) arguments+=("$here/../../examples/loads") ;;
    report) arguments+=("$here/../../examples/reports") ;;
  esac
  if [ -f "$here/$target.dict" ]; then arguments+=("-dict=$here/$target.dict"); fi
  # A message would be printed for every new input; only the end of the log is of interest.
  if ! "$build/tests/fuzz/fuzz_$target" "-max_total_time=$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 \
    "-artifact_prefix=$build/failures/$target-" "${arguments[@]}" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    echo "fuzz_$target failed; the whole log is $log" >&2
    return 1
  fi
  echo "=== fuzz_$target: $seconds seconds"
  grep -E '^(Done|stat::number_of_executed_units|stat::peak_rss_mb)' "$log" || true
}
export -f fuzz
export here build seconds

mkdir -p "$build/failures"
printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'fuzz "$1"' fuzz

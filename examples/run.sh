#!/usr/bin/env bash
# Builds the examples and lets the moeplan tool check and explain DeepSeek-V3 on 2048 GPUs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT

step() {  # step TITLE COMMAND...: one line when all goes well, everything when not
  echo "$1 ..." >&2
  shift
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
}

step "Setting up" .ci/setup
step "Configuring build/examples" cmake -S . -B build/examples -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=g++ \
  -DMOEPLAN_BUILD_TESTS=OFF -DMOEPLAN_BUILD_BENCHMARKS=OFF -DMOEPLAN_BUILD_EXAMPLES=ON
step "Building" cmake --build build/examples
echo >&2

build/examples/examples/moeplan check --explain examples/deployments/deepseek-v3-2048.json

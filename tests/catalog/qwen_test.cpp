#include <moeplan/catalog/qwen.hpp>

#include <moeplan/memory/parameters.hpp>

#include "support/both_times.hpp"

// The parameters of the published checkpoints, from the safetensors headers on the Hugging Face hub.

using namespace moeplan;

namespace {

BOTH_TIMES("Qwen3-30B-A3B: 30.5B, 3.3B active", [] {
  const auto p = parameters(catalog::qwen3_30b_a3b);
  EXPECT(p.total() == 30'532'122'624);
  EXPECT(p.active() == 3'353'032'704);
});

BOTH_TIMES("Qwen3-235B-A22B: 235B, 22B active", [] {
  const auto p = parameters(catalog::qwen3_235b_a22b);
  EXPECT(p.total() == 235'093'634'560);
  EXPECT(p.active() == 22'190'763'520);
});

BOTH_TIMES("Qwen3-32B is dense", [] {
  const auto p = parameters(catalog::qwen3_32b);
  EXPECT(p.total() == 32'762'123'264);
  EXPECT(p.active() == p.total());
});

} // namespace

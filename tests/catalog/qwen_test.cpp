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

BOTH_TIMES("Qwen1.5-MoE-A2.7B", [] {
  const auto p = parameters(catalog::qwen1_5_moe_a2_7b);
  EXPECT(p.total() == 14'315'784'192);
  EXPECT(p.active() == 2'689'173'504);
});

BOTH_TIMES("Qwen2-57B-A14B", [] {
  const auto p = parameters(catalog::qwen2_57b_a14b);
  EXPECT(p.total() == 57'408'658'944);
  EXPECT(p.active() == 14'249'270'784);
});

BOTH_TIMES("Qwen3-Coder-480B-A35B", [] {
  const auto p = parameters(catalog::qwen3_coder_480b_a35b);
  EXPECT(p.total() == 480'154'875'392);
  EXPECT(p.active() / 1'000'000'000 == 35);
});

BOTH_TIMES("Qwen3-Next: 80B, 3B active", [] {
  const auto p = parameters(catalog::qwen3_next_80b_a3b);
  EXPECT(p.total() == 79'674'391'296);
  EXPECT(p.active() == 3'874'929'408);
  // The checkpoint holds a module for multi-token prediction that config.json does not tell of.
  model with_module = catalog::qwen3_next_80b_a3b;
  with_module.mtp_layers = 1;
  EXPECT(p.total() + parameters(with_module).mtp == 81'324'862'720);
});

} // namespace

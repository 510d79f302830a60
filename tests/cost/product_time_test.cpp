#include <moeplan/cost/product_time.hpp>

#include <cstdint>

#include <moeplan/catalog/gpus.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

/// Rates whose reciprocals are exact.
constexpr gpu round_rates{.bf16_flops = 1 << 10, .fp8_flops = 1 << 11, .fp4_flops = 1 << 12};

constexpr flops<saturating_count> all_parts{.attention_projections = 1 << 12,
                                            .core_attention = 1 << 13,
                                            .indexer_projections = 1 << 14,
                                            .indexer_scores = 1 << 15,
                                            .linear_projections = 1 << 16,
                                            .delta_rule = 1 << 17,
                                            .dense_mlp = 1 << 18,
                                            .router = 1 << 19,
                                            .routed_experts = 1 << 20,
                                            .shared_experts = 1 << 21,
                                            .mtp_projections = 1 << 22,
                                            .head = 1 << 23};

constexpr product_seconds at_bf16(const gpu& g) {
  product_types types;
  types.indexer_scores = number_type::bf16;
  return product_rates{g, types}.seconds(all_parts);
}

BOTH_TIMES("all in one type: FLOPs over the peak", [] {
  const product_seconds s = at_bf16(round_rates);
  EXPECT(s.with_weights == (4 + 16 + 64 + 256 + 512 + 1024 + 2048 + 4096 + 8192));
  EXPECT(s.without_weights == 8 + 32 + 128);
});

BOTH_TIMES("training in FP8: linear layers alone, and what an indexer scores", [] {
  const workload fp8 = training{.precision = {.fp8 = fp8_recipe::blockwise}};
  const product_seconds s = product_rates{round_rates, product_types_of(fp8)}.seconds(all_parts);
  // Routers and heads stay in bf16.
  EXPECT(s.with_weights == (4 + 16 + 64 + 256 + 1024 + 2048 + 4096) / 2.0 + 512 + 8192);
  EXPECT(s.without_weights == 8 + 16 + 128);
  EXPECT(product_types_of(training{}) == product_types{});
});

BOTH_TIMES("what a format of weights multiplies in", [] {
  EXPECT(multiplied_type(weight_format::bf16) == number_type::bf16);
  EXPECT(multiplied_type(weight_format::fp8_block) == number_type::fp8);
  EXPECT(multiplied_type(weight_format::mxfp8) == number_type::fp8);
  EXPECT(multiplied_type(weight_format::int8_channel) == number_type::int8);
  EXPECT(multiplied_type(weight_format::int4_group128) == number_type::bf16); // weights alone
  EXPECT(multiplied_type(weight_format::nvfp4) == number_type::fp4);
});

BOTH_TIMES("which layers are quantised while serving", [] {
  serving v{.weights = weight_format::fp8_block};
  product_types p = product_types_of(v);
  EXPECT(p.attention == number_type::fp8 && p.mlps == number_type::fp8 && p.routed_experts == number_type::fp8);
  EXPECT(p.mtp_projections == number_type::bf16); // never quantised
  EXPECT(p.core_attention == number_type::bf16);
  v.cache = cache_format::fp8;
  EXPECT(product_types_of(v).core_attention == number_type::fp8);
  v.quantised = quantised_parts::mlps;
  p = product_types_of(v);
  EXPECT(p.attention == number_type::bf16 && p.mlps == number_type::fp8 && p.routed_experts == number_type::fp8);
  v.quantised = quantised_parts::routed_experts;
  p = product_types_of(v);
  EXPECT(p.attention == number_type::bf16 && p.mlps == number_type::bf16 && p.routed_experts == number_type::fp8);
});

BOTH_TIMES("peaks by type", [] {
  EXPECT(peak_flops(catalog::b200_sxm, number_type::bf16) == 2'250'000'000'000'000);
  EXPECT(peak_flops(catalog::b200_sxm, number_type::fp32) == 2'250'000'000'000'000);
  EXPECT(peak_flops(catalog::b200_sxm, number_type::int8) == 4'500'000'000'000'000);
  EXPECT(peak_flops(catalog::b200_sxm, number_type::fp4) == 9'000'000'000'000'000);
  EXPECT(peak_flops(catalog::a100_80gb_sxm, number_type::fp8) == 0);
});

BOTH_TIMES("a rate that is not known makes what needs it infinite, and nothing else", [] {
  const gpu only_bf16{.bf16_flops = 1 << 10};
  flops<saturating_count> f{.routed_experts = 1 << 20, .head = 1 << 12};
  product_types types;
  EXPECT((product_rates{only_bf16, types}.seconds(f).with_weights == 1024 + 4));
  types.routed_experts = number_type::fp8;
  EXPECT((product_rates{only_bf16, types}.seconds(f).with_weights == __builtin_inf()));
  f.routed_experts = 0;
  EXPECT((product_rates{only_bf16, types}.seconds(f).with_weights == 4));
});

BOTH_TIMES("experts that capacity leaves a part of the tokens", [] {
  const flops<saturating_count> f{.routed_experts = 1 << 20, .shared_experts = 1 << 10};
  EXPECT((product_rates{round_rates, product_types{}, 0.75}.seconds(f).with_weights == 768 + 1));
});

BOTH_TIMES("times add up", [] {
  product_seconds s{1, 2};
  s += product_seconds{3, 4};
  s += 2.0 * product_seconds{0.5, 0.25};
  EXPECT(s.with_weights == 5 && s.without_weights == 6.5);
});

} // namespace

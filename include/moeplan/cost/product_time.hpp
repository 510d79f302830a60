#pragma once

#include <cstdint>

#include <moeplan/cost/flops.hpp>
#include <moeplan/describe/cache_format.hpp>
#include <moeplan/describe/cluster.hpp>
#include <moeplan/describe/number_type.hpp>
#include <moeplan/describe/weight_format.hpp>
#include <moeplan/describe/workload.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// How long products of matrices take at a GPU's peak, each in the type of numbers that it multiplies in.

namespace moeplan {

/// In which type the products of a deployment multiply. What is in no member multiplies in bf16: the state of linear attention, routers
/// and heads.
struct product_types {
  number_type attention = number_type::bf16; ///< projections, those of linear attention and of indexers too
  /// Queries times keys, probabilities times values: in FP8 where keys and values are kept in it (FlashAttention-3, arXiv 2407.08608,
  /// section 3.3), else in bf16, in training too.
  number_type core_attention = number_type::bf16;
  number_type mlps = number_type::bf16; ///< of dense layers, and shared experts
  number_type routed_experts = number_type::bf16;
  number_type mtp_projections = number_type::bf16;
  /// Scores of an indexer: FP8 in any run (DeepSeek-V3.2, arXiv 2512.02556, section 2.1).
  number_type indexer_scores = number_type::fp8;

  friend constexpr bool operator==(const product_types&, const product_types&) noexcept = default;
};

/// In which type linear layers with such weights multiply: 8-bit weights with 8-bit activations, 4-bit floating point with activations
/// of the same type at best, and 4-bit integers, which are for weights alone (AWQ, GPTQ), in bf16.
[[nodiscard]] constexpr number_type multiplied_type(weight_format format) noexcept {
  const number_type kept = sizes_of(format).numbers;
  return kept == number_type::int4 ? number_type::bf16 : kept;
}

/// Training in FP8 multiplies linear layers of attention, MLPs and multi-token prediction in it, forward and backward.
[[nodiscard]] constexpr product_types product_types_of(const workload& w) noexcept {
  product_types p;
  if (w.is_training()) {
    if (w.train.precision.fp8 != fp8_recipe::none) p.attention = p.mlps = p.routed_experts = p.mtp_projections = number_type::fp8;
    return p;
  }
  p.routed_experts = multiplied_type(w.serve.weights);
  if (w.serve.cache != cache_format::bf16) p.core_attention = number_type::fp8;
  if (w.serve.quantised != quantised_parts::routed_experts) p.mlps = p.routed_experts;
  if (w.serve.quantised == quantised_parts::linear_layers) p.attention = p.routed_experts;
  return p;
}

/// The dense peak of a GPU in a type of numbers, in FLOPs a second; 0: not known. Types that have no rate of their own here take that of
/// the type as wide, and types wider than 16 bits that of bf16: none is faster on the GPUs of the catalog.
[[nodiscard]] constexpr std::int64_t peak_flops(const gpu& g, number_type type) noexcept {
  switch (type) {
    case number_type::fp8:
    case number_type::int8: return g.fp8_flops;
    case number_type::fp4:
    case number_type::int4: return g.fp4_flops;
    case number_type::none:
    case number_type::fp32:
    case number_type::bf16:
    case number_type::fp16:
    case number_type::int32:
    case number_type::int64: break;
  }
  return g.bf16_flops;
}

/// Seconds of some products on one GPU, those with weights apart: the passes of a training step do them differently often.
struct product_seconds {
  double with_weights = 0;
  double without_weights = 0;

  constexpr product_seconds& operator+=(const product_seconds& b) noexcept {
    with_weights += b.with_weights;
    without_weights += b.without_weights;
    return *this;
  }
  friend constexpr product_seconds operator*(double n, const product_seconds& s) noexcept {
    return {n * s.with_weights, n * s.without_weights};
  }
};

/// Seconds that FLOPs take at the peak. All types use the same multipliers, so that times add up.
class product_rates {
public:
  /// Of routed experts' FLOPs only `kept` are done, where capacity drops tokens.
  constexpr product_rates(const gpu& g, const product_types& types, double kept = 1) noexcept
      : attention_{seconds_per_flop(g, types.attention)},
        mlps_{seconds_per_flop(g, types.mlps)},
        routed_{kept * seconds_per_flop(g, types.routed_experts)},
        mtp_{seconds_per_flop(g, types.mtp_projections)},
        core_{seconds_per_flop(g, types.core_attention)},
        scores_{seconds_per_flop(g, types.indexer_scores)},
        others_{seconds_per_flop(g, number_type::bf16)} {}

  /// Infinite where a rate that it takes is not known. A count that has overflowed is taken as 2^64 - 1, which is no more than it is.
  [[nodiscard]] constexpr product_seconds seconds(const flops<saturating_count>& f) const noexcept {
    product_seconds s;
    s.with_weights = times(f.attention_projections + f.indexer_projections + f.linear_projections, attention_) +
                     times(f.dense_mlp + f.shared_experts, mlps_) + times(f.routed_experts, routed_) +
                     times(f.mtp_projections, mtp_) + times(f.router + f.head, others_);
    s.without_weights = times(f.core_attention, core_) + times(f.indexer_scores, scores_) + times(f.delta_rule, others_);
    return s;
  }

private:
  [[nodiscard]] static constexpr double seconds_per_flop(const gpu& g, number_type type) noexcept {
    const std::int64_t rate = peak_flops(g, type);
    return rate > 0 ? 1 / static_cast<double>(rate) : __builtin_inf();
  }

  [[nodiscard]] static constexpr double times(saturating_count f, double seconds) noexcept {
    if (f == 0) return 0; // However long one would take.
    return static_cast<double>(f.bits) * seconds;
  }

  double attention_;
  double mlps_;
  double routed_;
  double mtp_;
  double core_;
  double scores_;
  double others_;
};

} // namespace moeplan

// Models of publications that are not in the catalog.
#pragma once

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpt_oss.hpp>
#include <moeplan/describe/model.hpp>

namespace moeplan_test {

inline constexpr moeplan::model deepseek_v3_without_mtp = [] {
  moeplan::model m = moeplan::catalog::deepseek_v3;
  m.mtp_layers = 0;
  return m;
}();

/// As Megatron Bridge counted it until 2026: an MLP with a gate and an activation other than SiLU as one without a gate (flop_utils.py,
/// gated_linear_multiplier).
inline constexpr moeplan::model gpt_oss_120b_counted_without_gates = [] {
  moeplan::model m = moeplan::catalog::gpt_oss_120b;
  m.gated_mlp = false;
  return m;
}();

/// GPT: multi-head attention, an MLP four times as wide as the model, without gates. The head is the embedding.
constexpr moeplan::model gpt(std::int64_t layers, std::int64_t hidden, std::int64_t heads) {
  return {.layers = layers,
          .hidden_size = hidden,
          .vocabulary_size = 51200,
          .intermediate_size = 4 * hidden,
          .gated_mlp = false,
          .attention = moeplan::attention::multi_head(heads, hidden / heads),
          .tied_embeddings = true};
}

inline constexpr moeplan::model gpt_22b = gpt(48, 6144, 64);
inline constexpr moeplan::model gpt_175b = gpt(96, 12288, 96);
inline constexpr moeplan::model gpt_530b = gpt(105, 20480, 128);
inline constexpr moeplan::model gpt_1t = gpt(128, 25600, 160);

} // namespace moeplan_test

#pragma once

#include <moeplan/describe/model.hpp>
#include <moeplan/number/extremes.hpp>

/// @file
/// What the heads of softmax attention have to be given of each token.

namespace moeplan::detail {

/// Width, in numbers: the hidden state, or latents where queries have them too and they are less; with the rotary part of keys or without.
[[nodiscard]] constexpr double attention_inputs(const model& m, bool with_rotary_keys) noexcept {
  const attention& a = m.attention;
  const auto hidden = static_cast<double>(m.hidden_size);
  if (a.kind != attention_kind::latent || a.q_lora_rank == 0) return hidden;
  return least(hidden, static_cast<double>(a.q_lora_rank + a.kv_lora_rank + (with_rotary_keys ? a.qk_rope_head_dim : 0)));
}

} // namespace moeplan::detail

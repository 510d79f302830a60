#pragma once

#include <cstdint>

/// @file
/// Which tokens of a sequence a pass through a model works on.

namespace moeplan {

/// How latent attention multiplies. Its projections take as much either way.
enum class latent_attention_form : std::uint16_t {
  expanded, ///< keys and values are projected up, head by head ("MHA mode"): training, and prompts
  absorbed  ///< queries are projected down and meet the compressed vectors ("MQA mode"): decoding (arXiv 2405.04434, section 2.1.2)
};

/// New tokens of one sequence, behind those whose keys and values are there already. Precondition wherever it is used: nothing is
/// negative, and logits <= tokens.
struct pass_tokens {
  std::int64_t cached = 0;             ///< tokens before the new ones, without them
  std::int64_t tokens = 0;             ///< new ones
  std::int64_t logits = 0;             ///< of these, those that the head makes logits for
  bool multi_token_prediction = false; ///< modules for it work too, and their heads: in training, or to draft tokens
  latent_attention_form latent = latent_attention_form::expanded;

  /// Training: a sequence from its start, with logits for each token.
  [[nodiscard]] static constexpr pass_tokens whole_sequence(std::int64_t length) noexcept {
    return {.tokens = length, .logits = length, .multi_token_prediction = true};
  }

  /// Prefill: a prompt, or the part behind a cached prefix. Only its last token needs logits.
  [[nodiscard]] static constexpr pass_tokens prompt(std::int64_t length, std::int64_t cached = 0) noexcept {
    return {.cached = cached, .tokens = length, .logits = length > 0 ? 1 : 0};
  }

  /// Decoding: one token behind those of the cache.
  [[nodiscard]] static constexpr pass_tokens next_token(std::int64_t cached) noexcept {
    return {.cached = cached, .tokens = 1, .logits = 1, .latent = latent_attention_form::absorbed};
  }

  friend constexpr bool operator==(const pass_tokens&, const pass_tokens&) noexcept = default;
};

} // namespace moeplan

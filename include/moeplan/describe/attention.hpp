#pragma once

#include <cstdint>

#include <moeplan/describe/attention_window.hpp>
#include <moeplan/describe/sparse_indexer.hpp>

/// @file
/// Attention as far as its tensors' shapes go.

namespace moeplan {

enum class attention_kind : std::uint16_t {
  grouped_query, ///< MHA, GQA and MQA: `kv_heads` heads of keys and values (arXiv 2305.13245)
  latent         ///< MLA: keys and values from a compressed latent vector (DeepSeek-V2, arXiv 2405.04434)
};

/// RMS norms of queries and keys. Latent attention has its own, on the compressed vectors.
enum class query_key_norm : std::uint16_t {
  none,
  per_head,  ///< head_dim weights each (Qwen3)
  full_width ///< as wide as the projection (OLMoE, MiniMax-M2)
};

/// Make one with multi_head(), grouped_query(), multi_query() or latent().
struct attention {
  attention_kind kind = attention_kind::grouped_query;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;         ///< grouped_query; 0: hidden size / heads
  std::int64_t q_lora_rank = 0;      ///< latent; 0: queries are projected without compression
  std::int64_t kv_lora_rank = 0;     ///< latent
  std::int64_t qk_nope_head_dim = 0; ///< latent: the part of a head without rotary embedding
  std::int64_t qk_rope_head_dim = 0; ///< latent: the part with it, one for all heads in the keys
  std::int64_t v_head_dim = 0;       ///< latent
  bool qkv_bias = false;
  bool output_bias = false;
  query_key_norm norm = query_key_norm::none;
  bool output_gate = false;  ///< grouped_query: a gate as wide as the queries before the output projection (Qwen3-Next)
  bool sinks = false;        ///< one learned logit a head, which draws attention and adds no value (gpt-oss)
  sparse_indexer indexer{};  ///< latent: chooses the tokens attended to (DeepSeek-V3.2)
  attention_window window{}; ///< of layers that do not attend to all tokens (gpt-oss, Llama 4)

  [[nodiscard]] static constexpr attention multi_head(std::int64_t heads, std::int64_t head_dim) noexcept {
    return grouped_query(heads, heads, head_dim);
  }

  [[nodiscard]] static constexpr attention grouped_query(std::int64_t heads, std::int64_t kv_heads,
                                                         std::int64_t head_dim) noexcept {
    return {.heads = heads, .kv_heads = kv_heads, .head_dim = head_dim};
  }

  [[nodiscard]] static constexpr attention multi_query(std::int64_t heads, std::int64_t head_dim) noexcept {
    return grouped_query(heads, 1, head_dim);
  }

  struct latent_sizes {
    std::int64_t q_lora_rank = 0;
    std::int64_t kv_lora_rank = 0;
    std::int64_t qk_nope_head_dim = 0;
    std::int64_t qk_rope_head_dim = 0;
    std::int64_t v_head_dim = 0;
  };

  [[nodiscard]] static constexpr attention latent(std::int64_t heads, latent_sizes sizes) noexcept {
    return {.kind = attention_kind::latent,
            .heads = heads,
            .kv_heads = heads,
            .q_lora_rank = sizes.q_lora_rank,
            .kv_lora_rank = sizes.kv_lora_rank,
            .qk_nope_head_dim = sizes.qk_nope_head_dim,
            .qk_rope_head_dim = sizes.qk_rope_head_dim,
            .v_head_dim = sizes.v_head_dim};
  }

  friend constexpr bool operator==(const attention&, const attention&) noexcept = default;
};

} // namespace moeplan

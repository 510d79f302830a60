#pragma once

#include <cstdint>

/// @file
/// How keys and values of served sequences are kept.

namespace moeplan {

enum class cache_format : std::uint16_t {
  bf16,
  fp8,       ///< scales belong to layers and are not counted (vLLM --kv-cache-dtype fp8)
  fp8_ds_mla ///< latent attention: the latent in fp8 with a scale of fp32 for 128 numbers, the rotary part in bf16: 656 bytes a token
             ///< of DeepSeek-V3.2 (vLLM flashmla_sparse.py)
};

/// Tokens in a block of the paged cache, by default. Some kernels demand others: FlashMLA 64.
namespace cache_block {
inline constexpr std::int64_t vllm = 16;   ///< vLLM CacheConfig.DEFAULT_BLOCK_SIZE
inline constexpr std::int64_t sglang = 1;  ///< SGLang ServerArgs.page_size
inline constexpr std::int64_t trtllm = 32; ///< TensorRT-LLM KvCacheConfig.tokens_per_block
} // namespace cache_block

/// What is kept of a sequence in layers whose attention looks back no further than a window.
enum class windowed_cache : std::uint16_t {
  window, ///< the blocks that the window touches (vLLM SlidingWindowManager, ChunkedLocalAttentionManager)
  all     ///< every block, as in other layers (vLLM --disable-hybrid-kv-cache-manager)
};

} // namespace moeplan

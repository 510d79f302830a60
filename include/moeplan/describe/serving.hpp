#pragma once

#include <cstdint>

#include <moeplan/describe/cache_format.hpp>
#include <moeplan/describe/number_type.hpp>
#include <moeplan/describe/weight_format.hpp>
#include <moeplan/number/bytes.hpp>

/// @file
/// A serving (inference) deployment.

namespace moeplan {

/// What DP ranks are to each other when they serve a model with experts.
enum class data_parallelism : std::uint16_t {
  attention, ///< they share the experts, and only attention works on each one's own requests (data-parallel attention)
  replicas   ///< each has the whole model, its experts too, and serves alone
};

struct serving {
  std::int64_t batch = 1;             ///< sequences in flight at once, on one data-parallel replica
  std::int64_t sequence_length = 0;   ///< tokens, prompt and answer together; has no default: 0 is a finding
  std::int64_t redundant_experts = 0; ///< copies of routed experts a layer, beside the experts themselves
  std::int64_t decode_context = 1;    ///< TP or CP ranks that share the keys and values of a sequence while decoding
  moeplan::data_parallelism data_parallelism = moeplan::data_parallelism::attention;
  bool elastic_ep = false;                ///< the number of EP ranks may change while serving
  std::int64_t vocabulary_multiple = 128; ///< the vocabulary is padded to a multiple of this times TP; 0: not padded
  weight_format weights = weight_format::bf16;
  quantised_parts quantised = quantised_parts::linear_layers; ///< what `weights` is for
  cache_format cache = cache_format::bf16;
  std::int64_t block_size = cache_block::vllm; ///< tokens in a block of the paged cache
  windowed_cache windows = windowed_cache::window;
  /// What one step may add to a sequence, and windows hold too: 1 while decoding, or a chunk of a prompt (vLLM
  /// --max-num-batched-tokens). Of a sequence with no more tokens it adds all.
  std::int64_t step_tokens = 1;
  number_type linear_state = number_type::bf16; ///< the recurrent state of linear attention (vLLM's default; SGLang's is fp32)
  /// Multi-token prediction modules are loaded, and draft tokens (speculative decoding).
  bool drafts = false;
  /// Latent attention whose up-projection of keys and values is quantised has it in bf16 too, for decoding (vLLM mla_attention.py,
  /// process_weights_after_loading: W_UK_T, W_UV).
  bool absorbed_projections = false;
  /// Of each GPU, for what is neither weights nor cache: activations, CUDA graphs, communication buffers.
  bytes reserve{};

  /// Tokens that a step adds to each sequence: `step_tokens`, or all that the sequence has where these are fewer.
  [[nodiscard]] constexpr std::int64_t new_tokens() const noexcept {
    return step_tokens < sequence_length ? step_tokens : sequence_length;
  }

  friend constexpr bool operator==(const serving&, const serving&) noexcept = default;
};

} // namespace moeplan

#pragma once

#include <cstdint>

#include <moeplan/cost/block_communications.hpp>
#include <moeplan/cost/communication.hpp>
#include <moeplan/cost/exchange_format.hpp>
#include <moeplan/cost/expert_traffic.hpp>
#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/mesh/group_axes.hpp>
#include <moeplan/number/count.hpp>

/// @file
/// What ranks communicate for each block of a model, for one micro-batch of a training run.

namespace moeplan {

namespace detail {

/// Adds the communications of all blocks but the exchange of experts to a list. Widths are numbers a token, of the block as a whole.
class block_traffic_builder : public block_recorder {
public:
  using block_recorder::block_recorder;

  constexpr void add_attention() noexcept {
    const activation_shape& s = shape();
    const attention& a = s.rank.attention;
    begin(traffic_block::softmax_attention, purpose::context, is_full() || selects(&recompute_modules::core_attention));
    if (s.context_ranks > 1) add_context_exchange();
    if (s.tensor_ranks == 1) return;
    begin(traffic_block::softmax_attention, purpose::attention, is_full());
    if (a.kind == attention_kind::latent)
      add_latent_inputs();
    else
      add_column_parallel(s.hidden, "attention.py linear_qkv");
    add_row_parallel("attention.py linear_proj");
    if (!s.rank.has_linear_attention()) return;
    begin(traffic_block::linear_attention, purpose::attention, is_full());
    add_column_parallel(s.hidden, "gated_delta_net.py in_proj");
    add_row_parallel("gated_delta_net.py out_proj");
  }

  constexpr void add_dense_mlp() noexcept {
    if (shape().tensor_ranks == 1) return;
    begin(traffic_block::dense_mlp, purpose::mlp, is_full() || selects(&recompute_modules::mlp));
    add_column_parallel(shape().hidden, "mlp.py linear_fc1");
    add_row_parallel("mlp.py linear_fc2");
  }

  constexpr void add_shared_experts() noexcept {
    const activation_shape& s = shape();
    const bool none = s.rank.experts.shared_intermediate_size == 0;
    if (s.tensor_ranks == 1 || none || s.train.assumptions.shared_experts != held::sharded) return;
    const bool with_layer = is_full() || selects(&recompute_modules::moe);
    const bool alone = selects(&recompute_modules::shared_experts);
    // A checkpoint within that of the layer is passed twice.
    begin(traffic_block::moe_mlp, purpose::shared_experts, with_layer || alone, with_layer && alone ? 2 : 1);
    add_column_parallel(s.hidden, "shared_experts.py linear_fc1");
    add_row_parallel("shared_experts.py linear_fc2");
  }

  /// Embedding, head, and the inputs of modules for multi-token prediction.
  constexpr void add_ends() noexcept {
    const activation_shape& s = shape();
    if (s.tensor_ranks == 1) return;
    begin(traffic_block::embedding, purpose::embedding, false);
    const saturating_count hidden = activations(s.tokens, s.hidden);
    forward(s.sequence_parallel ? collective::reduce_scatter : collective::all_reduce, groups::tp, s.tensor_ranks, hidden,
            "tensor_parallel/layers.py VocabParallelEmbedding");
    if (s.sequence_parallel)
      backward(collective::all_gather, groups::tp, s.tensor_ranks, hidden, "tensor_parallel/mappings.py _ReduceScatterToSequence");

    begin(traffic_block::mtp_input, purpose::multi_token_input, is_full());
    add_column_parallel(s.hidden * 2, "multi_token_prediction.py eh_proj");
    forward(collective::all_gather, groups::tp, s.tensor_ranks, hidden,
            "multi_token_prediction.py gather_from_tensor_model_parallel_region");
    if (s.sequence_parallel)
      backward(collective::all_gather, groups::tp, s.tensor_ranks, hidden,
               "multi_token_prediction.py scatter_to_sequence_parallel_region");

    begin(traffic_block::head, purpose::head, false);
    add_column_parallel(s.hidden, "gpt_model.py output_layer", false);
    begin(traffic_block::head, purpose::loss, false);
    const saturating_count numbers = s.tokens * 4; // fp32
    const char* const source = "tensor_parallel/cross_entropy.py";
    forward(collective::all_reduce, groups::tp, s.tensor_ranks, numbers, source); // the largest logit
    if (s.train.kernels.fused_cross_entropy)
      forward(collective::all_reduce, groups::tp, s.tensor_ranks, numbers * 2, source); // the target's and the sum of exponentials
    else
      forward(collective::all_reduce, groups::tp, s.tensor_ranks, numbers, source, 2);
  }

private:
  /// What TP ranks gather for a linear layer: quantised, where it multiplies in FP8, and for blocks of numbers once for each
  /// direction that it is multiplied in (Transformer Engine, distributed.py gather_along_first_dim). Without sequence parallelism
  /// nothing is gathered.
  [[nodiscard]] constexpr saturating_count gathered(saturating_count width, std::int64_t directions) const noexcept {
    const activation_shape& s = shape();
    if (!s.keeps_fp8()) return activations(s.tokens, width);
    const exchange_format format = quantised_format(s.train.precision.fp8);
    return s.tokens * bytes_of_row<saturating_count>(format, width) * (format.block > 0 ? directions : 1);
  }

  /// A linear layer whose outputs TP ranks share; the head never multiplies in FP8. With sequence parallelism the input is
  /// gathered, and gathered again for the gradient of the weights, since what is kept is each rank's part (arXiv 2205.05198,
  /// section 4.2.2; layers.py LinearWithGradAccumulationAndAsyncCommunication).
  constexpr void add_column_parallel(saturating_count width, const char* source, bool in_fp8 = true) noexcept {
    const activation_shape& s = shape();
    const saturating_count size = activations(s.tokens, width);
    const saturating_count input = in_fp8 ? gathered(width, 1) : size;
    if (!s.sequence_parallel) return backward(collective::all_reduce, groups::tp, s.tensor_ranks, size, source);
    forward(collective::all_gather, groups::tp, s.tensor_ranks, input, source);
    backward(collective::all_gather, groups::tp, s.tensor_ranks, input, source);
    backward(collective::reduce_scatter, groups::tp, s.tensor_ranks, size, source);
  }

  /// A linear layer to the hidden size whose inputs TP ranks share.
  constexpr void add_row_parallel(const char* source) noexcept {
    const activation_shape& s = shape();
    const saturating_count size = activations(s.tokens, s.hidden);
    if (!s.sequence_parallel) return forward(collective::all_reduce, groups::tp, s.tensor_ranks, size, source);
    forward(collective::reduce_scatter, groups::tp, s.tensor_ranks, size, source);
    backward(collective::all_gather, groups::tp, s.tensor_ranks, gathered(s.hidden, 2),
             source); // for gradients of inputs and weights
  }

  /// Latent attention. Down-projections that all ranks hold work on each rank's part of the tokens, and only what is compressed is
  /// gathered; those that ranks share gather their input, and then their output.
  constexpr void add_latent_inputs() noexcept {
    const activation_shape& s = shape();
    const attention& a = s.rank.attention;
    const bool shared = s.train.assumptions.latent_down_projections == held::sharded;
    const bool up_again = selects(&recompute_modules::latent_up_projection);
    const char* const rows = "multi_latent_attention.py gather_from_sequence_parallel_region";
    const char* const parts = "multi_latent_attention.py gather_from_tensor_model_parallel_region";
    const bool whole_layer = is_full();
    if (a.q_lora_rank > 0) {
      if (shared) add_shared_down_projection(a.q_lora_rank, a.q_lora_rank, "multi_latent_attention.py linear_q_down_proj", parts);
      recomputes(whole_layer || up_again);
      add_column_parallel(a.q_lora_rank, "multi_latent_attention.py linear_q_up_proj");
    } else {
      recomputes(whole_layer || up_again);
      add_column_parallel(s.hidden, "multi_latent_attention.py linear_q_proj");
    }
    recomputes(whole_layer);
    if (shared) {
      add_shared_down_projection(saturating_count{a.kv_lora_rank} + a.qk_rope_head_dim, a.kv_lora_rank,
                                 "multi_latent_attention.py linear_kv_down_proj", parts);
    } else if (s.sequence_parallel) {
      const saturating_count keys = activations(s.tokens, a.qk_rope_head_dim);
      forward(collective::all_gather, groups::tp, s.tensor_ranks, keys, rows);
      backward(collective::reduce_scatter, groups::tp, s.tensor_ranks, keys, rows);
    }
    recomputes(whole_layer || up_again);
    add_column_parallel(a.kv_lora_rank, "multi_latent_attention.py linear_kv_up_proj");
    recomputes(whole_layer);
  }

  /// `scattered` of the gathered outputs are divided by tokens again, so that their gradients are gathered.
  constexpr void add_shared_down_projection(saturating_count outputs, saturating_count scattered, const char* source,
                                            const char* gathers) noexcept {
    const activation_shape& s = shape();
    add_column_parallel(s.hidden, source);
    forward(collective::all_gather, groups::tp, s.tensor_ranks, activations(s.tokens, outputs), gathers);
    if (s.sequence_parallel)
      backward(collective::all_gather, groups::tp, s.tensor_ranks, activations(s.tokens, scattered),
               "multi_latent_attention.py scatter_to_sequence_parallel_region");
  }

  /// Keys and values as attention takes them: of latent attention those of all heads, after the up-projection.
  constexpr void add_context_exchange() noexcept {
    const activation_shape& s = shape();
    const std::int64_t n = s.context_ranks;
    const saturating_count block = activations(s.tokens, s.keys + s.values);
    const saturating_count heads = activations(s.tokens, s.queries + s.keys + s.values);
    const saturating_count output = activations(s.tokens, s.outputs);
    switch (s.train.context) {
      case context_exchange::ring: {
        const char* const source = "context_parallel.py AttnFuncWithCPAndKVP2P";
        forward(collective::shift, groups::cp, n, block, source, n - 1);
        backward(collective::shift, groups::cp, n, block, source,
                 saturating_count{2} * (n - 1)); // their gradients travel with them
        break;
      }
      case context_exchange::all_gather: {
        const char* const source = "context_parallel.py AttnFuncWithCPAndKVAllGather";
        forward(collective::all_gather, groups::cp, n, block * n, source);
        backward(collective::all_gather, groups::cp, n, block * n, source); // each rank keeps its part
        backward(collective::reduce_scatter, groups::cp, n, block * n, source);
        break;
      }
      case context_exchange::all_to_all: {
        const char* const source = "context_parallel.py AttnFuncWithCPAndQKVOA2A";
        forward(collective::all_to_all, groups::cp, n, heads, source);
        forward(collective::all_to_all, groups::cp, n, output, source);
        backward(collective::all_to_all, groups::cp, n, output, source);
        backward(collective::all_to_all, groups::cp, n, heads, source);
        break;
      }
    }
  }
};

} // namespace detail

/// What ranks communicate for one of each block and one micro-batch, as Megatron-LM with Transformer Engine does it. Collectives of
/// one rank are left out.
///
/// TP ranks add up activations in their own type, and gather what linear layers multiply in FP8 in that. Norms of gradients, losses and
/// loads of experts, which are a few numbers, are not counted; nor is context parallelism of linear attention. Precondition: a training
/// run that `check` accepts.
[[nodiscard]] constexpr block_communications block_communications_of(const activation_shape& s,
                                                                     const exchange_formats& formats) noexcept {
  block_communications list;
  detail::block_traffic_builder builder{s, list};
  builder.add_attention();
  builder.add_dense_mlp();
  if (s.experts > 0) {
    builder.add_shared_experts();
    detail::expert_traffic_builder{s, formats, list}.add_exchange();
  }
  builder.add_ends();
  return list;
}

} // namespace moeplan

#pragma once

#include <cstdint>

#include <moeplan/verify/rule.hpp>

/// @file
/// In which order a search decides the parts of a strategy, and which of them is the last that a rule depends on.

namespace moeplan {

/// The parts of a strategy, from the outermost loop to the innermost. What costs most to compute depends on the outer ones.
enum class decision : std::uint16_t {
  nothing,       ///< what all strategies of a search share
  tensor,        ///< TP
  context,       ///< CP
  sequence,      ///< SP
  experts,       ///< EP
  expert_tensor, ///< ETP
  layout,
  stages, ///< PP
  schedule,
  virtual_stages, ///< VPP
  data,           ///< DP
  order,          ///< of ranks; gone through last, since what takes time and memory does not depend on it
  sharding,
  micro_batch,
  recompute
};

/// The last part that a rule other than those on memory depends on: once it is decided, so is the rule. A rule that is not listed
/// is judged last, which is always right and only slower.
[[nodiscard]] constexpr decision decided_by(rule id) noexcept {
  switch (id) {
    case rule::cluster_has_gpus:
    case rule::nvlink_domain_is_whole_nodes:
    case rule::dp_can_be_derived:
    case rule::layers_are_at_least_1:
    case rule::hidden_size_is_at_least_1:
    case rule::vocabulary_is_at_least_1:
    case rule::heads_are_at_least_1:
    case rule::kv_heads_are_at_least_1:
    case rule::sizes_are_not_negative:
    case rule::dense_layers_have_an_mlp:
    case rule::experts_have_an_mlp:
    case rule::latent_attention_is_complete:
    case rule::hidden_divides_by_heads:
    case rule::heads_divide_by_kv_heads:
    case rule::moe_layers_are_well_formed:
    case rule::top_k_is_within_experts:
    case rule::experts_divide_by_groups:
    case rule::group_top_k_is_within_groups:
    case rule::top_k_fits_chosen_groups:
    case rule::top_k_reaches_chosen_groups:
    case rule::groups_hold_two_experts:
    case rule::softmax_layers_are_well_formed:
    case rule::windowed_layers_are_well_formed:
    case rule::linear_value_heads_divide_by_key_heads:
    case rule::vocabulary_multiple_is_not_negative:
    case rule::redundant_experts_are_not_negative:
    case rule::top_1_needs_pre_softmax:
    case rule::selection_bias_needs_sigmoid:
    case rule::capacity_needs_other_balancing:
    case rule::padding_needs_capacity:
    case rule::padding_excludes_deepep:
    case rule::shared_overlap_needs_all_to_all:
    case rule::expert_overlap_allows_one_mtp_layer:
    case rule::global_batch_is_at_least_1:
    case rule::batch_is_at_least_1:
    case rule::sequence_length_is_at_least_1:
    case rule::sequence_fits_positions:
    case rule::workload_is_training:
    case rule::workload_is_serving:
    case rule::dp_replicate_is_at_least_1:
    case rule::decode_context_is_at_least_1:
    case rule::offload_is_a_share:
    case rule::busiest_share_is_a_share:
    case rule::block_size_is_at_least_1:
    case rule::step_tokens_is_at_least_1:
    case rule::latent_cache_needs_latent_attention:
    case rule::linear_state_has_a_type: return decision::nothing;

    case rule::tp_is_at_least_1:
    case rule::heads_divide_by_tp:
    case rule::kv_heads_fit_tp:
    case rule::hidden_divides_by_tp:
    case rule::dense_mlp_divides_by_tp:
    case rule::shared_experts_divide_by_tp:
    case rule::vocabulary_divides_by_tp:
    case rule::kv_heads_divide_by_tp: return decision::tensor;

    case rule::cp_is_at_least_1:
    case rule::sequence_divides_by_cp:
    case rule::sequence_divides_by_twice_cp:
    case rule::heads_divide_by_cp:
    case rule::kv_heads_divide_by_cp:
    case rule::context_is_all_to_all:
    case rule::kv_heads_fit_cp:
    case rule::linear_heads_divide_by_tp_and_cp:
    case rule::sparse_attention_needs_all_gather:
    case rule::tp_excludes_cp:
    case rule::tp_divides_by_decode_context:
    case rule::decode_context_covers_cp:
    case rule::decode_context_fits_kv_heads:
    case rule::decode_context_is_1_or_cp:
    case rule::heads_divide_by_tp_and_cp: return decision::context;

    case rule::sp_is_at_least_1:
    case rule::sp_is_1_or_tp:
    case rule::sequence_divides_by_cp_and_tp:
    case rule::tensor_overlap_needs_sp: return decision::sequence;

    case rule::ep_is_at_least_1:
    case rule::ep_needs_experts:
    case rule::ep_is_at_most_experts:
    case rule::experts_divide_by_ep:
    case rule::redundant_experts_need_ep:
    case rule::redundant_experts_fit_ranks:
    case rule::expert_overlap_needs_ep:
    case rule::expert_overlap_needs_all_to_all:
    case rule::expert_overlap_excludes_shared_overlap:
    case rule::delayed_gradient_needs_expert_overlap:
    case rule::tp_needs_ep:
    case rule::elastic_ep_needs_ep:
    case rule::ep_excludes_cp: return decision::experts;

    case rule::etp_is_at_least_1:
    case rule::etp_is_1:
    case rule::expert_mlp_divides_by_etp:
    case rule::deepep_needs_expert_ranks:
    case rule::deepep_reaches_160_ranks:
    case rule::experts_are_cut_or_spread: return decision::expert_tensor;

    case rule::layout_is_not_negative:
    case rule::layout_holds_every_layer:
    case rule::layout_holds_every_mtp_layer:
    case rule::mtp_is_on_one_stage:
    case rule::decoder_layers_precede_mtp:
    case rule::first_stage_has_layers:
    case rule::last_stage_has_layers: return decision::layout;

    case rule::pp_is_at_least_1:
    case rule::layers_divide_by_pp:
    case rule::middle_layers_divide_by_stages:
    case rule::layout_divides_by_pp:
    case rule::mtp_is_in_last_chunk:
    case rule::tp_excludes_pp:
    case rule::tied_embeddings_exclude_pp:
    case rule::elastic_ep_excludes_pp: return decision::stages;

    case rule::dualpipe_needs_even_pp: return decision::schedule;

    case rule::vpp_is_at_least_1:
    case rule::vpp_needs_pp:
    case rule::stage_layers_divide_by_vpp:
    case rule::first_stage_divides_by_vpp:
    case rule::last_stage_divides_by_vpp:
    case rule::middle_stage_divides_by_vpp:
    case rule::layout_matches_vpp:
    case rule::vpp_is_1:
    case rule::stages_are_at_most_layers:
    case rule::expert_overlap_needs_vpp:
    case rule::schedule_has_two_chunks:
    case rule::schedule_has_one_chunk:
    case rule::virtual_stages_are_at_most_64: return decision::virtual_stages;

    case rule::dp_is_at_least_1:
    case rule::overflow:
    case rule::gpus_divide_by_model_parallel:
    case rule::stage_divides_by_expert_ranks:
    case rule::gpus_are_available:
    case rule::gpus_divide_over_nodes:
    case rule::dp_divides_by_replicate:
    case rule::ranks_divide_by_replicate:
    case rule::edp_divides_by_replicate:
    case rule::ep_divides_sharded_ranks:
    case rule::replicas_hold_experts:
    case rule::cp_excludes_dp:
    case rule::experts_use_every_rank:
    case rule::moe_dp_excludes_etp:
    case rule::moe_dp_excludes_pp:
    case rule::moe_dp_is_1_or_cp:
    case rule::replicas_are_on_one_node:
    case rule::attention_dp_excludes_tp:
    case rule::experts_fill_tp: return decision::data;

    case rule::order_names_tp:
    case rule::order_names_cp:
    case rule::order_names_ep:
    case rule::order_names_dp:
    case rule::order_names_pp:
    case rule::pipeline_groups_agree:
    case rule::order_ends_with_pp:
    case rule::order_is_fixed: return decision::order;

    case rule::micro_batch_is_at_least_1:
    case rule::tokens_divide_by_twice_cp:
    case rule::dispatched_tokens_divide_by_tp:
    case rule::global_batch_divides_by_dp:
    case rule::micro_batches_fill_a_group:
    case rule::micro_batches_divide_by_pp:
    case rule::stages_have_micro_batches:
    case rule::micro_batches_divide_into_rounds:
    case rule::dualpipe_halves_micro_batches:
    case rule::dualpipe_needs_twice_pp_micro_batches: return decision::micro_batch;

    default: return decision::recompute;
  }
}

} // namespace moeplan

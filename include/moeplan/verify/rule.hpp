#pragma once

#include <cstdint>

#include <moeplan/number/sequence.hpp>
#include <moeplan/text/text.hpp>
#include <moeplan/verify/facts.hpp>

/// @file
/// What a rule is. The rules themselves are in verify/rules/, one table a topic.

namespace moeplan {

/// Identifies a rule. 16 bits wide because clang 14 prints 8-bit enumerators in diagnostics as characters.
enum class rule : std::uint16_t {
  // rules/world.hpp
  tp_is_at_least_1,
  pp_is_at_least_1,
  vpp_is_at_least_1,
  ep_is_at_least_1,
  etp_is_at_least_1,
  dp_is_at_least_1,
  cp_is_at_least_1,
  sp_is_at_least_1,
  overflow,
  cluster_has_gpus,
  dp_can_be_derived,
  gpus_divide_by_model_parallel,
  stage_divides_by_expert_ranks,
  gpus_are_available,
  no_gpu_is_idle,
  order_names_tp,
  order_names_cp,
  order_names_ep,
  order_names_dp,
  order_names_pp,
  pipeline_groups_agree,
  order_ends_with_pp,
  etp_is_given,
  mapping_is_folded,

  // rules/model.hpp
  layers_are_at_least_1,
  hidden_size_is_at_least_1,
  vocabulary_is_at_least_1,
  heads_are_at_least_1,
  kv_heads_are_at_least_1,
  sizes_are_not_negative,
  dense_layers_have_an_mlp,
  experts_have_an_mlp,
  latent_attention_is_complete,
  hidden_divides_by_heads,
  heads_divide_by_kv_heads,
  moe_layers_are_well_formed,
  top_k_is_within_experts,
  experts_divide_by_groups,
  group_top_k_is_within_groups,
  top_k_fits_chosen_groups,
  top_k_reaches_chosen_groups,

  // rules/tensor.hpp
  heads_divide_by_tp,
  kv_heads_fit_tp,
  hidden_divides_by_tp,
  dense_mlp_divides_by_tp,
  shared_experts_divide_by_tp,
  expert_mlp_divides_by_etp,
  vocabulary_divides_by_tp,
  vocabulary_multiple_is_not_negative,
  sp_is_1_or_tp,
  sequence_divides_by_cp,
  sequence_divides_by_twice_cp,
  sequence_divides_by_cp_and_tp,
  heads_divide_by_cp,
  kv_heads_divide_by_cp,
  sp_accompanies_tp_and_ep,
  tensor_overlap_needs_sp,

  // rules/experts.hpp
  ep_needs_experts,
  ep_is_at_most_experts,
  experts_divide_by_ep,
  redundant_experts_are_not_negative,
  redundant_experts_need_ep,
  redundant_experts_fit_ranks,
  top_1_needs_pre_softmax,
  selection_bias_needs_sigmoid,
  capacity_needs_other_balancing,
  padding_needs_capacity,
  padding_excludes_deepep,
  deepep_needs_expert_ranks,
  shared_overlap_needs_all_to_all,
  expert_overlap_needs_ep,
  expert_overlap_needs_vpp,
  expert_overlap_needs_all_to_all,
  expert_overlap_excludes_full_recompute,
  expert_overlap_excludes_shared_overlap,
  expert_overlap_allows_one_mtp_layer,
  delayed_gradient_needs_expert_overlap,

  // rules/pipeline.hpp
  layout_is_not_negative,
  vpp_needs_pp,
  layers_divide_by_pp,
  stage_layers_divide_by_vpp,
  first_stage_has_layers,
  last_stage_has_layers,
  first_stage_divides_by_vpp,
  last_stage_divides_by_vpp,
  middle_layers_divide_by_stages,
  middle_stage_divides_by_vpp,
  layout_divides_by_pp,
  layout_matches_vpp,
  layout_holds_every_layer,
  layout_holds_every_mtp_layer,
  mtp_is_on_one_stage,
  mtp_is_in_last_chunk,
  decoder_layers_precede_mtp,

  // rules/batch.hpp
  micro_batch_is_at_least_1,
  global_batch_is_at_least_1,
  batch_is_at_least_1,
  sequence_length_is_at_least_1,
  global_batch_divides_by_dp,
  sequence_fits_positions,
};

inline constexpr std::size_t rule_count = static_cast<std::size_t>(rule::sequence_fits_positions) + 1;

enum class severity : std::uint16_t {
  error,   ///< the deployment cannot run, or runs wrongly
  warning, ///< it runs, and the framework itself warns
  advice   ///< it runs, and something is worth knowing
};

/// Whom a rule binds.
enum class scope : std::uint16_t {
  arithmetic, ///< everybody
  megatron    ///< a policy of Megatron-LM
};

/// A number that a rule is about, by the name under which messages and JSON show it.
struct operand {
  text name{};
  std::int64_t facts::*value = nullptr;
};

/// Legal values of one operand next to the one described, in ascending order.
using legal_values = sequence<std::int64_t, 2>;

/// One entry of a table of rules.
struct rule_entry {
  rule id{};
  text name{};
  moeplan::severity severity = severity::error;
  moeplan::scope scope = scope::arithmetic;
  std::uint32_t needs = 0; ///< bits of `known`: the rule is judged only where they are set
  text message{};          ///< {name} stands for the operand of that name
  operand operands[8]{};
  text source{};
  bool (*holds)(const facts&) = nullptr;
  legal_values (*legal)(const facts&) = nullptr; ///< for the operand `changes`; null: nothing to suggest
  text changes{};
};

} // namespace moeplan

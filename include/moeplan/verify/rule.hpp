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
  etp_is_1,
  order_is_fixed,
  gpus_divide_over_nodes,

  // rules/nodes.hpp
  nvlink_domain_is_whole_nodes,
  tp_stays_together,
  cp_stays_together,
  etp_stays_together,
  ep_stays_together,
  experts_fill_domains,
  model_parallel_fills_nodes,

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
  groups_hold_two_experts,
  softmax_layers_are_well_formed,
  windowed_layers_are_well_formed,
  linear_value_heads_divide_by_key_heads,

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
  kv_heads_divide_by_tp,
  context_is_all_to_all,
  kv_heads_fit_cp,
  tokens_divide_by_twice_cp,
  dispatched_tokens_divide_by_tp,
  linear_heads_divide_by_tp_and_cp,
  sparse_attention_needs_all_gather,

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
  deepep_reaches_160_ranks,
  tp_excludes_pp,
  tp_excludes_cp,
  tp_needs_ep,
  ep_divides_dp,

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
  vpp_is_1,
  stages_are_at_most_layers,
  tied_embeddings_exclude_pp,
  micro_batches_fill_a_group,
  micro_batches_divide_by_pp,
  stages_have_micro_batches,
  micro_batches_divide_into_rounds,
  micro_batches_cover_stages,
  dualpipe_halves_micro_batches,
  dualpipe_needs_twice_pp_micro_batches,

  // rules/batch.hpp
  micro_batch_is_at_least_1,
  global_batch_is_at_least_1,
  batch_is_at_least_1,
  sequence_length_is_at_least_1,
  global_batch_divides_by_dp,
  sequence_fits_positions,
  workload_is_training,
  workload_is_serving,

  // rules/sharding.hpp
  dp_replicate_is_at_least_1,
  dp_divides_by_replicate,
  ranks_divide_by_replicate,
  edp_divides_by_replicate,
  ep_divides_sharded_ranks,

  // rules/serving.hpp
  replicas_hold_experts,
  decode_context_is_at_least_1,
  expert_share_fills_blocks,
  elastic_ep_excludes_pp,
  dp_needs_experts,
  elastic_ep_needs_ep,
  cp_excludes_dp,
  tp_divides_by_decode_context,
  decode_context_covers_cp,
  decode_context_fits_kv_heads,
  experts_are_cut_or_spread,
  experts_use_every_rank,
  moe_dp_excludes_etp,
  moe_dp_excludes_pp,
  moe_dp_is_1_or_cp,
  replicas_are_on_one_node,
  attention_dp_excludes_tp,
  decode_context_is_1_or_cp,
  ep_excludes_cp,
  experts_fill_tp,
  heads_divide_by_tp_and_cp,
  ep_is_at_most_256,

  // rules/memory.hpp
  recompute_layers_is_at_least_1,
  schedule_has_two_chunks,
  schedule_has_one_chunk,
  virtual_stages_are_at_most_64,
  dualpipe_needs_even_pp,
  offload_is_a_share,
  busiest_share_is_a_share,
  block_size_is_at_least_1,
  step_tokens_is_at_least_1,
  latent_cache_needs_latent_attention,
  linear_state_has_a_type,
  stage_fits_memory,
  one_request_fits_memory,
};

inline constexpr std::size_t rule_count = static_cast<std::size_t>(rule::one_request_fits_memory) + 1;

enum class severity : std::uint16_t {
  error,   ///< the deployment cannot run, or runs wrongly
  warning, ///< it runs, and the framework itself warns
  advice   ///< it runs, and something is worth knowing
};

/// Whom a rule binds: one bit a profile.
namespace scope {
[[nodiscard]] constexpr std::uint32_t of(profile p) noexcept { return 1U << static_cast<unsigned>(p); }
inline constexpr std::uint32_t arithmetic = ~0U; ///< everybody
inline constexpr std::uint32_t megatron = of(profile::megatron);
inline constexpr std::uint32_t torchtitan = of(profile::torchtitan);
inline constexpr std::uint32_t vllm = of(profile::vllm);
inline constexpr std::uint32_t sglang = of(profile::sglang);
inline constexpr std::uint32_t trtllm = of(profile::trtllm);
inline constexpr std::uint32_t deepspeed = of(profile::deepspeed);
inline constexpr std::uint32_t serving = vllm | sglang | trtllm; ///< frameworks that serve
} // namespace scope

/// A number that a rule is about, by the name under which messages and JSON show it.
struct operand {
  text name{};
  std::int64_t facts::*value = nullptr;
};

/// The operands of all rules, named as they are shown unless two rules show different numbers under one name.
namespace operands {
inline constexpr operand attended_tokens{"attended_tokens", &facts::attended_tokens};
inline constexpr operand available{"available", &facts::available};
inline constexpr operand available_gpus{"gpus", &facts::available};
inline constexpr operand batch{"batch", &facts::batch};
inline constexpr operand block_size{"block_size", &facts::block_size};
inline constexpr operand capacity_bytes{"capacity_bytes", &facts::capacity_bytes};
inline constexpr operand chunks{"chunks", &facts::chunks};
inline constexpr operand cluster_total{"gpus", &facts::cluster_total};
inline constexpr operand copies{"copies", &facts::moe_dp};
inline constexpr operand cp{"cp", &facts::cp};
inline constexpr operand cp_domains{"touched", &facts::cp_domains};
inline constexpr operand decode_context{"decode_context", &facts::decode_context};
inline constexpr operand dense_layers{"dense_layers", &facts::dense_layers};
inline constexpr operand dense_stride{"dense_stride", &facts::dense_before_pp};
inline constexpr operand dp{"dp", &facts::dp};
inline constexpr operand dp_replicate{"dp_replicate", &facts::dp_replicate};
inline constexpr operand dp_shard{"dp_shard", &facts::dp_shard};
inline constexpr operand edp{"edp", &facts::edp};
inline constexpr operand edp_if_tp{"edp_if_tp", &facts::edp_if_etp_is_tp};
inline constexpr operand ep{"ep", &facts::ep};
inline constexpr operand ep_domains{"touched", &facts::ep_domains};
inline constexpr operand etp{"etp", &facts::etp};
inline constexpr operand etp_domains{"touched", &facts::etp_domains};
inline constexpr operand every{"every", &facts::moe_every};
inline constexpr operand expert_intermediate_size{"expert_intermediate_size", &facts::expert_mlp};
inline constexpr operand expert_ranks{"expert_ranks", &facts::expert_ranks};
inline constexpr operand expert_stride{"expert_stride", &facts::expert_before_pp};
inline constexpr operand experts{"experts", &facts::experts};
inline constexpr operand fewest_cp_domains{"fewest", &facts::fewest_cp_domains};
inline constexpr operand fewest_ep_domains{"fewest", &facts::fewest_ep_domains};
inline constexpr operand fewest_etp_domains{"fewest", &facts::fewest_etp_domains};
inline constexpr operand fewest_tp_domains{"fewest", &facts::fewest_tp_domains};
inline constexpr operand first_full_layer{"first", &facts::first_full_layer};
inline constexpr operand first_layers{"first", &facts::first_layers};
inline constexpr operand first_moe_layer{"first", &facts::first_moe_layer};
inline constexpr operand first_softmax_layer{"first", &facts::first_softmax_layer};
inline constexpr operand full_every{"every", &facts::full_every};
inline constexpr operand full_phase{"phase", &facts::full_phase};
inline constexpr operand fullest_stage{"stage", &facts::fullest_stage};
inline constexpr operand global_batch{"global_batch", &facts::global_batch};
inline constexpr operand gpus{"gpus", &facts::gpus};
inline constexpr operand gpus_per_node{"gpus_per_node", &facts::gpus_per_node};
inline constexpr operand group_top_k{"group_top_k", &facts::group_top_k};
inline constexpr operand groups{"groups", &facts::groups};
inline constexpr operand heads{"heads", &facts::heads};
inline constexpr operand hidden_size{"hidden_size", &facts::hidden_size};
inline constexpr operand intermediate_size{"intermediate_size", &facts::dense_mlp};
inline constexpr operand kv_heads{"kv_heads", &facts::kv_heads};
inline constexpr operand kv_lora_rank{"kv_lora_rank", &facts::kv_lora_rank};
inline constexpr operand last{"last", &facts::last_layers};
inline constexpr operand last_chunk{"last_chunk", &facts::last_chunk};
inline constexpr operand layers{"layers", &facts::layers};
inline constexpr operand layers_after_mtp{"layers", &facts::layers_after_mtp};
inline constexpr operand linear_key_heads{"key_heads", &facts::linear_key_heads};
inline constexpr operand linear_value_heads{"value_heads", &facts::linear_value_heads};
inline constexpr operand listed_layers{"listed", &facts::listed_layers};
inline constexpr operand listed_mtp{"listed", &facts::listed_mtp};
inline constexpr operand max_positions{"max_positions", &facts::max_positions};
inline constexpr operand micro_batch{"micro_batch", &facts::micro_batch};
inline constexpr operand micro_batches{"micro_batches", &facts::micro_batches};
inline constexpr operand middle_layers{"middle_layers", &facts::middle_layers};
inline constexpr operand middle_stages{"middle_stages", &facts::middle_stages};
inline constexpr operand missing_bytes{"missing_bytes", &facts::missing_bytes};
inline constexpr operand model_parallel{"model_parallel", &facts::model_parallel};
inline constexpr operand moe_dp{"moe_dp", &facts::moe_dp};
inline constexpr operand mtp_layers{"mtp_layers", &facts::mtp_layers};
inline constexpr operand mtp_stage{"mtp_stage", &facts::mtp_stage};
inline constexpr operand mtp_stages{"mtp_stages", &facts::mtp_stages};
inline constexpr operand nodes{"nodes", &facts::nodes};
inline constexpr operand nvlink_domain{"nvlink_domain", &facts::nvlink_domain};
inline constexpr operand nvlink_gpus{"nvlink_gpus", &facts::nvlink_gpus};
inline constexpr operand one_request_bytes{"request_bytes", &facts::one_request_bytes};
inline constexpr operand peak_bytes{"peak_bytes", &facts::peak_bytes};
inline constexpr operand phase{"phase", &facts::moe_phase};
inline constexpr operand physical_experts{"experts", &facts::physical_experts};
inline constexpr operand pp{"pp", &facts::pp};
inline constexpr operand qk_head_dim{"qk_head_dim", &facts::qk_head_dim};
inline constexpr operand ranks{"ranks", &facts::sharing_gpus};
inline constexpr operand recompute_layers{"recompute_layers", &facts::recompute_layers};
inline constexpr operand redundant_experts{"redundant_experts", &facts::redundant_experts};
inline constexpr operand request_missing_bytes{"missing_bytes", &facts::request_missing_bytes};
inline constexpr operand reserve_bytes{"reserve_bytes", &facts::reserve_bytes};
inline constexpr operand rounds{"rounds", &facts::rounds};
inline constexpr operand sequence_length{"sequence_length", &facts::sequence_length};
inline constexpr operand share{"share", &facts::expert_share};
inline constexpr operand shared{"shared", &facts::shared_mlp};
inline constexpr operand shared_intermediate_size{"shared_intermediate_size", &facts::shared_mlp};
inline constexpr operand sharing_gpus{"gpus", &facts::sharing_gpus};
inline constexpr operand slots{"layers", &facts::slots};
inline constexpr operand smallest_size{"smallest_size", &facts::smallest_size};
inline constexpr operand softmax_every{"every", &facts::softmax_every};
inline constexpr operand softmax_phase{"phase", &facts::softmax_phase};
inline constexpr operand sp{"sp", &facts::sp};
inline constexpr operand stage_gpus{"stage_gpus", &facts::stage_gpus};
inline constexpr operand stages{"stages", &facts::listed_stages};
inline constexpr operand step_tokens{"step_tokens", &facts::step_tokens};
inline constexpr operand tokens{"tokens", &facts::micro_batch_tokens};
inline constexpr operand top_k{"top_k", &facts::top_k};
inline constexpr operand tp{"tp", &facts::tp};
inline constexpr operand tp_domains{"touched", &facts::tp_domains};
inline constexpr operand v_head_dim{"v_head_dim", &facts::v_head_dim};
inline constexpr operand vocabulary_multiple{"vocabulary_multiple", &facts::vocabulary_multiple};
inline constexpr operand vocabulary_size{"vocabulary_size", &facts::vocabulary_size};
inline constexpr operand vpp{"vpp", &facts::vpp};
} // namespace operands

/// Legal values of one operand next to the one described, in ascending order.
using legal_values = sequence<std::int64_t, 2>;

/// One entry of a table of rules. Its parts are as plain as they can be: the tables are a large part of what including the library costs.
struct rule_entry {
  rule id{};
  const char* name = "";
  moeplan::severity severity = severity::error;
  std::uint32_t scope = scope::arithmetic; ///< bits of `scope`
  std::uint32_t needs = 0;                 ///< bits of `known`: the rule is judged only where they are set
  const char* message = "";                ///< {name} stands for the operand of that name
  const operand* operands[8]{};
  const char* source = "";
  bool (*holds)(const facts&) = nullptr;
  legal_values (*legal)(const facts&) = nullptr; ///< for the operand `changes`; null: nothing to suggest
  const char* changes = "";
};

} // namespace moeplan

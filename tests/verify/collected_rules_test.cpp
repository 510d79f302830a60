// The rules that public frameworks and planners check, as they were collected from their sources and numbered, each with the rules of this
// library that say the same. Where there is none, or not all of it is said, the reason.
#include <moeplan/verify/rules/table.hpp>

#include "support/both_times.hpp"

#include <cstddef>
#include <initializer_list>

using namespace moeplan;

namespace {

struct collected_rule {
  int number = 0;
  text says{};
  sequence<rule, 8> rules{};
  text not_said{}; ///< why there is no rule, or what is left out

  constexpr collected_rule(int n, text statement, std::initializer_list<rule> implemented_by, text reason)
      : number{n}, says{statement}, not_said{reason} {
    for (const rule r : implemented_by) complete = rules.push_back(r) && complete;
  }
  bool complete = true;
};

constexpr collected_rule collected[] = {
    {1, "tp x pp x cp divides the world", {rule::gpus_divide_by_model_parallel, rule::dp_can_be_derived}, ""},
    {2, "etp x ep x pp divides the world", {rule::stage_divides_by_expert_ranks, rule::etp_is_given}, ""},
    {3, "both grids cover the GPUs of a stage", {rule::stage_divides_by_expert_ranks}, ""},
    {4, "the pipeline groups of both grids are equal", {rule::pipeline_groups_agree}, ""},
    {5, "an order that does not end with pp needs equal DP and EDP", {rule::order_ends_with_pp}, ""},
    {6,
     "an axis that the order leaves out has size 1",
     {rule::order_names_tp, rule::order_names_cp, rule::order_names_ep, rule::order_names_dp, rule::order_names_pp},
     ""},
    {7,
     "one generator of ranks does not have EP and CP",
     {},
     "each grid has a generator of its own, so no deployment can violate it"},
    {8,
     "a degree is at least 1",
     {rule::tp_is_at_least_1, rule::pp_is_at_least_1, rule::vpp_is_at_least_1, rule::ep_is_at_least_1, rule::etp_is_at_least_1,
      rule::dp_is_at_least_1, rule::cp_is_at_least_1, rule::sp_is_at_least_1},
     ""},
    {9,
     "torchtitan: dp_replicate x dp_shard x cp x tp x pp is the world",
     {rule::dp_divides_by_replicate, rule::dp_replicate_is_at_least_1, rule::gpus_divide_by_model_parallel,
      rule::gpus_are_available, rule::no_gpu_is_idle},
     ""},
    {10, "torchtitan: ep divides dp_shard x cp x tp", {rule::ep_divides_sharded_ranks, rule::etp_is_1}, ""},
    {11,
     "DeepSpeed: pp, then tp, then ep x etp divide what is left of the world",
     {rule::gpus_divide_by_model_parallel, rule::stage_divides_by_expert_ranks},
     ""},
    {12, "DeepSpeed's older path: ep divides dp", {rule::ep_divides_dp}, ""},
    {13,
     "nanotron: tp x pp x cp x dp is the world",
     {rule::gpus_are_available, rule::no_gpu_is_idle},
     "no profile of nanotron; the product itself is arithmetic"},
    {14,
     "calculon, SimuMax: the same, and a fixed order",
     {rule::gpus_are_available, rule::stage_divides_by_expert_ranks},
     "no profile of planners; the arithmetic is everybody's"},
    {15, "Galvatron: a tp of its own in each layer", {}, "a deployment has one TP for all layers"},
    {16, "TensorRT-LLM: tp x pp x cp is the world", {rule::attention_dp_excludes_tp, rule::gpus_are_available}, ""},
    {17, "TensorRT-LLM: moe_tp x moe_ep is tp, with Helix tp x cp", {rule::experts_fill_tp}, ""},
    {18, "TensorRT-LLM: attention is divided over tp x cp", {rule::heads_divide_by_tp_and_cp, rule::decode_context_is_1_or_cp}, ""},
    {19, "TensorRT-LLM: EP and CP together only with Helix", {rule::ep_excludes_cp}, ""},
    {20,
     "TensorRT-LLM: dp is tp with attention data parallelism, else 1",
     {rule::attention_dp_excludes_tp},
     "moe_cluster and the head's own tensor parallelism are kernels' options, which no deployment describes"},
    {21,
     "vLLM: EP is dp x pcp x tp or 1, and then the experts are cut",
     {rule::experts_use_every_rank, rule::experts_are_cut_or_spread, rule::workload_is_serving},
     ""},
    {22, "vLLM: the world fits into the node, or nnodes is given", {rule::gpus_are_available, rule::gpus_divide_over_nodes}, ""},
    {23,
     "vLLM: nnodes divides the world",
     {rule::gpus_divide_over_nodes},
     "which DP ranks are local to a launcher is no part of a deployment"},
    {24, "SGLang: nnodes divides tp x pp", {rule::gpus_divide_over_nodes}, ""},
    {25,
     "SGLang: tp is a stage; attention and experts divide it",
     {rule::replicas_hold_experts, rule::stage_divides_by_expert_ranks},
     ""},
    {26, "SGLang: moe_dp", {rule::moe_dp_excludes_etp, rule::moe_dp_excludes_pp, rule::moe_dp_is_1_or_cp}, ""},
    {27,
     "SGLang: replicas stay on one node",
     {rule::replicas_are_on_one_node},
     "the degree of dense layers beside attention, the head's and the scheduler's options are not described"},
    {28,
     "aiconfigurator: tp x attention_dp x cp is moe_tp x moe_ep",
     {rule::stage_divides_by_expert_ranks},
     "no profile of planners; the arithmetic is everybody's"},
    {29, "DeepSpeed Ulysses: sp divides the world", {rule::gpus_divide_by_model_parallel, rule::context_is_all_to_all}, ""},
    {30, "tp divides the heads", {rule::heads_divide_by_tp}, ""},
    {31, "heads of keys and values over tp: three policies", {rule::kv_heads_fit_tp, rule::kv_heads_divide_by_tp}, ""},
    {32,
     "heads of keys and values divide the heads",
     {rule::heads_divide_by_kv_heads, rule::heads_are_at_least_1, rule::kv_heads_are_at_least_1},
     ""},
    {33, "heads divide the hidden size", {rule::hidden_divides_by_heads, rule::hidden_size_is_at_least_1}, ""},
    {34,
     "tp and etp divide what they cut",
     {rule::hidden_divides_by_tp, rule::dense_mlp_divides_by_tp, rule::shared_experts_divide_by_tp, rule::expert_mlp_divides_by_etp,
      rule::vocabulary_divides_by_tp},
     ""},
    {35,
     "the padded vocabulary",
     {rule::vocabulary_multiple_is_not_negative, rule::vocabulary_divides_by_tp, rule::vocabulary_is_at_least_1},
     ""},
    {36, "SP needs TP", {rule::sp_is_1_or_tp}, ""},
    {37, "SP: the sequence divides over cp and tp", {rule::sequence_divides_by_cp_and_tp, rule::tokens_divide_by_twice_cp}, ""},
    {38, "CP: the sequence divides into 2 x cp, or cp", {rule::sequence_divides_by_twice_cp, rule::sequence_divides_by_cp}, ""},
    {39, "CP by all-to-all: the heads divide", {rule::heads_divide_by_cp, rule::kv_heads_divide_by_cp, rule::kv_heads_fit_cp}, ""},
    {40, "hierarchical CP", {}, "exchange in two levels and a kind for each layer are not described"},
    {41,
     "linear and sparse attention",
     {rule::linear_heads_divide_by_tp_and_cp, rule::linear_value_heads_divide_by_key_heads,
      rule::sparse_attention_needs_all_gather},
     ""},
    {42, "hybrid CP", {}, "a context parallelism that changes from batch to batch is not described"},
    {43, "tp and ep without SP", {rule::sp_accompanies_tp_and_ep}, ""},
    {44,
     "overlapped tensor parallelism needs SP",
     {rule::tensor_overlap_needs_sp},
     "distributed saved activations are not described"},
    {45,
     "the fused down-projection of latent attention",
     {},
     "whether projections are fused is not described; attention is of one kind by construction"},
    {46, "shards of weights", {}, "TP alone says how often weights are cut"},
    {47,
     "torchtitan: tokens divide over cp x tp before the dispatch",
     {rule::dispatched_tokens_divide_by_tp},
     "back ends of attention are not described"},
    {48,
     "vLLM: prefill and decode context parallelism",
     {rule::cp_excludes_dp, rule::tp_divides_by_decode_context, rule::decode_context_covers_cp, rule::decode_context_fits_kv_heads,
      rule::decode_context_is_at_least_1},
     "blocks of the cache and back ends are not described"},
    {49, "EP needs experts", {rule::ep_needs_experts}, ""},
    {50, "ep divides the experts", {rule::experts_divide_by_ep}, ""},
    {51, "ep is at most the experts", {rule::ep_is_at_most_experts}, ""},
    {52,
     "redundant experts",
     {rule::redundant_experts_are_not_negative, rule::redundant_experts_need_ep, rule::experts_divide_by_ep},
     ""},
    {53, "hierarchical placement of experts", {}, "a precondition of the placement, which is computed, not of a deployment"},
    {54, "copies of an expert are at most the GPUs", {rule::redundant_experts_fit_ranks}, ""},
    {55, "top-k is from 1 to the experts", {rule::top_k_is_within_experts}, ""},
    {56,
     "group-limited routing",
     {rule::experts_divide_by_groups, rule::group_top_k_is_within_groups, rule::top_k_fits_chosen_groups,
      rule::top_k_reaches_chosen_groups, rule::groups_hold_two_experts},
     ""},
    {57, "top-1 needs pre-softmax", {rule::top_1_needs_pre_softmax}, ""},
    {58, "the selection bias needs sigmoid", {rule::selection_bias_needs_sigmoid}, "biases of experts' matrices are not described"},
    {59, "capacity", {rule::capacity_needs_other_balancing, rule::padding_needs_capacity, rule::padding_excludes_deepep}, ""},
    {60,
     "dispatchers",
     {rule::deepep_needs_expert_ranks, rule::shared_overlap_needs_all_to_all},
     "sequences of different lengths are not described"},
    {61,
     "overlapped expert parallelism",
     {rule::expert_overlap_needs_ep, rule::expert_overlap_needs_vpp, rule::expert_overlap_needs_all_to_all,
      rule::expert_overlap_excludes_full_recompute, rule::expert_overlap_excludes_shared_overlap,
      rule::expert_overlap_allows_one_mtp_layer, rule::delayed_gradient_needs_expert_overlap},
     "in which precision is not judged"},
    {62, "kernels reach so many ranks", {rule::deepep_reaches_160_ranks, rule::ep_is_at_most_256}, ""},
    {63,
     "an expert's share and blocks of quantised weights",
     {rule::expert_share_fills_blocks, rule::expert_mlp_divides_by_etp},
     ""},
    {64,
     "aiconfigurator: slots of experts",
     {rule::experts_divide_by_ep, rule::redundant_experts_are_not_negative},
     "no profile of planners"},
    {65, "vLLM: elastic expert parallelism", {rule::elastic_ep_needs_ep, rule::elastic_ep_excludes_pp}, ""},
    {66,
     "DeepSpeed: AutoEP with AutoTP",
     {rule::tp_excludes_pp, rule::tp_excludes_cp, rule::tp_needs_ep, rule::etp_is_1},
     "ZeRO's stage and offloading beside them are not judged"},
    {67, "torchtitan: a dispatcher needs EP", {rule::deepep_needs_expert_ranks}, "buffers' capacity is not described"},
    {68, "quantile balancing", {}, "that kind of balancing is not described"},
    {69,
     "which layers hold experts",
     {rule::moe_layers_are_well_formed, rule::sizes_are_not_negative},
     "latent experts are not described"},
    {70,
     "layers divide by pp unless the layout is uneven",
     {rule::layers_divide_by_pp, rule::stages_are_at_most_layers, rule::layers_are_at_least_1},
     ""},
    {71, "a stage's layers divide by vpp", {rule::stage_layers_divide_by_vpp}, ""},
    {72, "one way to say what the stages hold", {rule::layout_matches_vpp}, "a layout is of one kind by construction"},
    {73,
     "vpp needs pp",
     {rule::vpp_needs_pp, rule::vpp_is_1},
     "whether stages exchange activations at the same time as they compute is not described"},
    {74,
     "first and last stage",
     {rule::first_stage_has_layers, rule::last_stage_has_layers, rule::first_stage_divides_by_vpp, rule::last_stage_divides_by_vpp,
      rule::middle_layers_divide_by_stages, rule::middle_stage_divides_by_vpp},
     ""},
    {75,
     "a listed layout",
     {rule::layout_is_not_negative, rule::layout_divides_by_pp, rule::layout_matches_vpp, rule::layout_holds_every_layer,
      rule::layout_holds_every_mtp_layer, rule::mtp_is_on_one_stage, rule::mtp_is_in_last_chunk, rule::decoder_layers_precede_mtp},
     ""},
    {76,
     "interleaving needs enough micro-batches",
     {rule::micro_batches_fill_a_group},
     "groups are of PP micro-batches, Megatron-LM's default; another size is not described"},
    {77, "groups of micro-batches", {rule::micro_batches_divide_by_pp}, "as above"},
    {78,
     "overlapped exchange between stages",
     {},
     "whether stages exchange activations at the same time as they compute, and whether the embedding's gradient waits, is not "
     "described; the type of what they exchange is the weights' or activations' by construction"},
    {79,
     "torchtitan: virtual stages",
     {rule::layout_divides_by_pp, rule::stages_are_at_most_layers, rule::tied_embeddings_exclude_pp, rule::schedule_has_two_chunks,
      rule::micro_batches_cover_stages},
     "1F1B and GPipe with several stages a rank are described by the name of those with one; embedding and head weigh one layer or "
     "none"},
    {80, "PyTorch's schedules", {rule::stages_have_micro_batches, rule::micro_batches_divide_into_rounds}, ""},
    {81,
     "DualPipe",
     {rule::dualpipe_needs_even_pp, rule::dualpipe_halves_micro_batches, rule::dualpipe_needs_twice_pp_micro_batches,
      rule::schedule_has_one_chunk, rule::schedule_has_two_chunks},
     ""},
    {82,
     "zero-bubble schedules",
     {rule::schedule_has_two_chunks, rule::schedule_has_one_chunk, rule::tied_embeddings_exclude_pp},
     "torchtitan refuses tied embeddings with any pipeline; the authors' fork of Megatron-LM with any schedule, 1F1B too "
     "(zbpp_utils.py, validate_arguments), as it does PP 1 and gradients that are not fused, but there is no profile of it, and "
     "nothing in the schedules needs it"},
    {83, "positions beside multi-token prediction", {}, "not described"},
    {84, "offloading", {rule::offload_is_a_share}, "only that of optimizer states is described, not that of activations"},
    {85,
     "SGLang, vLLM: micro-batches of a pipeline; DP needs experts",
     {rule::dp_needs_experts},
     "a server's micro-batches are not described"},
    {86,
     "the global batch divides by micro-batch x dp",
     {rule::global_batch_divides_by_dp, rule::micro_batch_is_at_least_1, rule::global_batch_is_at_least_1},
     ""},
    {87, "DeepSpeed: the same", {rule::global_batch_divides_by_dp}, ""},
    {88, "Galvatron: batches of a searched plan", {rule::global_batch_divides_by_dp}, "no profile of planners"},
    {89,
     "torchtitan: tokens of a step; sequences fit the positions",
     {rule::global_batch_divides_by_dp, rule::sequence_fits_positions, rule::sequence_length_is_at_least_1,
      rule::workload_is_training},
     ""},
    {90, "llm-analysis: the same", {rule::global_batch_divides_by_dp}, "no profile of planners"},
    {91,
     "instances of the distributed optimizer",
     {rule::ranks_divide_by_replicate, rule::edp_divides_by_replicate, rule::dp_replicate_is_at_least_1},
     ""},
    {92, "FSDP", {}, "which of Megatron-LM's implementations shards is not described; others shard beside PP and EP"},
    {93, "overlapped gathering of parameters", {}, "whether it overlaps is not described"},
    {94, "Muon", {}, "formats of checkpoints are not described, nor is which implementation shards or offloads"},
    {95,
     "precision",
     {},
     "one type of each tensor and one FP8 recipe by construction; precision of single layers is not described"},
    {96,
     "recompute",
     {rule::expert_overlap_excludes_full_recompute, rule::recompute_layers_is_at_least_1},
     "none, selective or full by construction, and a method with full; a module that a model does not have is dropped from "
     "nothing"},
    {97,
     "DeepSpeed: partitions of hpZ and MiCS divide the ranks",
     {rule::ranks_divide_by_replicate},
     "which of the two shards what is not described"},
    {98,
     "calculon: options need their degree",
     {rule::tensor_overlap_needs_sp, rule::vpp_needs_pp},
     "recompute is a member of training alone"},
    {99, "the GPUs are there", {rule::gpus_are_available, rule::no_gpu_is_idle, rule::cluster_has_gpus}, ""},
    {100,
     "calculon: what is mapped to a tier of the network fits into it, or fills it",
     {rule::tp_stays_together, rule::cp_stays_together, rule::etp_stays_together, rule::ep_stays_together},
     "a deployment maps nothing to tiers: the order of ranks does, and a group that is larger than a tier reaches the next one; a "
     "second tier of memory is not described"},
    {101,
     "EP and TP stay within the NVLink domain",
     {rule::tp_stays_together, rule::etp_stays_together, rule::ep_stays_together, rule::cp_stays_together},
     "advice is given where another order of ranks would do it, not where a group is larger than a domain, as DeepSeek-V3's EP 64 "
     "is"},
    {102,
     "dlrover: EP is whole nodes",
     {rule::experts_fill_domains, rule::cluster_has_gpus},
     "no profile of dlrover: advice for Megatron-LM, which runs the others too; nodes are equal by construction"},
    {103,
     "DeepSpeed's elastic training: model parallelism divides a node",
     {rule::model_parallel_fills_nodes},
     "advice, for whether training is elastic is not described; aiconfigurator's separate attention ranks are not either"},
    {104, "every rank's peak fits into the GPU's memory", {rule::stage_fits_memory}, ""},
    {105, "one request's keys and values fit", {rule::one_request_fits_memory}, ""},
    {106,
     "grouped products of experts need compute capability 8.0",
     {},
     "neither kernels of matrix products nor compute capabilities are described"},
};

/// Rules that the library has of its own.
struct own_rule {
  rule id{};
  text reason{};
};
constexpr own_rule own[] = {
    {rule::overflow, "ranks are 64-bit integers"},
    {rule::mapping_is_folded, "the library reads documents that multiply all degrees"},
    {rule::dense_layers_have_an_mlp, "a size"},
    {rule::softmax_layers_are_well_formed, "a set of layers"},
    {rule::windowed_layers_are_well_formed, "a set of layers"},
    {rule::experts_have_an_mlp, "a size"},
    {rule::latent_attention_is_complete, "a size"},
    {rule::batch_is_at_least_1, "a count"},
    {rule::virtual_stages_are_at_most_64, "the library computes memory of as many"},
    {rule::busiest_share_is_a_share, "a share"},
    {rule::block_size_is_at_least_1, "a size"},
    {rule::step_tokens_is_at_least_1, "a count"},
    {rule::latent_cache_needs_latent_attention, "the library describes caches of either attention by one name each"},
    {rule::linear_state_has_a_type, "the library has a type for what is not there"},
    {rule::nvlink_domain_is_whole_nodes, "the library describes NVLink domains by their number of GPUs"},
    {rule::order_is_fixed, "the library describes the order of ranks, which only Megatron-LM lets one choose"},
};

constexpr bool is_own(rule id) {
  for (const own_rule& o : own)
    if (o.id == id) return true;
  return false;
}

constexpr bool is_collected(rule id) {
  for (const collected_rule& c : collected)
    for (const rule r : c.rules)
      if (r == id) return true;
  return false;
}

BOTH_TIMES("every collected rule is listed", [] {
  int expected = 1;
  for (const collected_rule& c : collected) EXPECT(c.number == expected++);
  EXPECT(expected == 107);
});

BOTH_TIMES("each is implemented or has a reason why not", [] {
  for (const collected_rule& c : collected) {
    EXPECT(c.complete && !c.says.empty());
    EXPECT(!c.rules.empty() || !c.not_said.empty());
  }
});

BOTH_TIMES("every rule was collected or is the library's own", [] {
  for (std::size_t i = 0; i < rule_count; ++i) EXPECT(is_collected(static_cast<rule>(i)) != is_own(static_cast<rule>(i)));
});

} // namespace

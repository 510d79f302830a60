#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>
#include <moeplan/verify/rules/experts.hpp>
#include <moeplan/verify/rules/pipeline.hpp>

/// @file
/// Rules on what memory depends on, and on whether it suffices. The last two are judged only where no other rule is violated.

namespace moeplan::holds {

constexpr bool recompute_layers_is_at_least_1(const facts& f) noexcept { return f.recompute_layers >= 1; }
constexpr bool schedule_has_two_chunks(const facts& f) noexcept { return !f.placed_in_a_v || f.chunks == 2; }
constexpr bool schedule_has_one_chunk(const facts& f) noexcept { return !f.one_chunk_schedule || f.chunks == 1; }
constexpr bool virtual_stages_are_at_most_64(const facts& f) noexcept { return f.chunks <= detail::most_virtual_stages; }
constexpr bool dualpipe_needs_even_pp(const facts& f) noexcept { return !f.is_dualpipe || f.pp % 2 == 0; }
constexpr bool offload_is_a_share(const facts& f) noexcept { return !f.offloads_too_much; }
constexpr bool busiest_share_is_a_share(const facts& f) noexcept { return !f.busiest_takes_too_much; }
constexpr bool block_size_is_at_least_1(const facts& f) noexcept { return f.block_size >= 1; }
constexpr bool step_tokens_is_at_least_1(const facts& f) noexcept { return f.step_tokens >= 1; }
constexpr bool latent_cache_needs_latent_attention(const facts& f) noexcept { return !f.latent_cache || f.latent_attention; }
constexpr bool linear_state_has_a_type(const facts& f) noexcept { return !f.linear_state_is_none; }
constexpr bool stage_fits_memory(const facts& f) noexcept { return f.peak_bytes <= f.capacity_bytes; }
constexpr bool one_request_fits_memory(const facts& f) noexcept { return f.one_request_bytes <= f.capacity_bytes; }

} // namespace moeplan::holds

namespace moeplan::detail {

/// Whether every rule on VPP accepts one, of a layout that is not listed.
[[nodiscard]] constexpr bool allows_vpp(const facts& f, std::int64_t vpp) noexcept {
  facts changed = f;
  changed.vpp = vpp;
  const bool divides = holds::stage_layers_divide_by_vpp(changed) && holds::first_stage_divides_by_vpp(changed) &&
                       holds::last_stage_divides_by_vpp(changed) && holds::middle_stage_divides_by_vpp(changed);
  return divides && holds::vpp_needs_pp(changed) && suits_schedule(f, "vpp", vpp) &&
         (!under(f, scope::serving | scope::deepspeed) || vpp == 1) &&
         (!under(f, scope::torchtitan | scope::trtllm) || holds::stages_are_at_most_layers(changed)) &&
         (!under(f, scope::megatron) || holds::expert_overlap_needs_vpp(changed));
}

} // namespace moeplan::detail

namespace moeplan::legal {

constexpr legal_values one_chunk(const facts& f) noexcept {
  return f.layout == layout_kind::listed ? legal_values{} : detail::only(1);
}
/// Where a layout that is not listed can halve what is on each rank, and the framework knows virtual stages.
constexpr legal_values two_chunks(const facts& f) noexcept {
  const bool even = f.layout == layout_kind::even && f.slots % f.pp == 0 && f.slots / f.pp % 2 == 0;
  const bool balanced = f.layout == layout_kind::balanced && f.layers / f.pp >= 2;
  return f.pp > 1 && !detail::under(f, scope::serving | scope::deepspeed) && (even || balanced) ? detail::only(2) : legal_values{};
}
constexpr legal_values fewer_virtual_stages(const facts& f) noexcept {
  if (f.layout == layout_kind::listed) return {};
  return detail::nearest_allowed(f, f.vpp, detail::most_virtual_stages, detail::allows_vpp);
}
/// Of an even layout, only what divides its layers; of a balanced one, what leaves a layer to each virtual stage. Without a pipeline
/// another schedule is meant.
constexpr legal_values even_pp(const facts& f) noexcept {
  legal_values v;
  if (f.pp == 1 || (f.layout != layout_kind::even && f.layout != layout_kind::balanced)) return v;
  for (const std::int64_t pp : detail::multiples(2, f.pp))
    if (f.layout == layout_kind::even ? f.slots % pp == 0 : (f.vpp > 1 ? f.vpp : 1) <= f.layers / pp) v.push_back(pp);
  return v;
}

} // namespace moeplan::legal

namespace moeplan::rules {

inline constexpr rule_entry memory[] = {
    {.id = rule::recompute_layers_is_at_least_1,
     .name = "recompute_layers_is_at_least_1",
     .needs = known::training,
     .message = "{recompute_layers} layers are computed again at a time; that is at least 1",
     .operands = {&operands::recompute_layers},
     .source = "Megatron-LM transformer_config.py, recompute_num_layers",
     .holds = holds::recompute_layers_is_at_least_1,
     .legal = detail::one,
     .changes = "recompute_layers"},
    {.id = rule::schedule_has_two_chunks,
     .name = "schedule_has_two_chunks",
     .needs = known::training | known::chunks,
     .message = "the schedule goes through the pipeline there and back, so that each rank has two virtual stages, not {chunks}",
     .operands = {&operands::chunks},
     .source = "arXiv 2405.15362, figure 1; DualPipe dualpipev.py",
     .holds = holds::schedule_has_two_chunks,
     .legal = legal::two_chunks,
     .changes = "vpp"},
    {.id = rule::schedule_has_one_chunk,
     .name = "schedule_has_one_chunk",
     .needs = known::training | known::chunks,
     .message = "the schedule knows no virtual stages; each rank has {chunks}",
     .operands = {&operands::chunks},
     .source = "arXiv 2401.10241, section 3; DualPipe dualpipe.py",
     .holds = holds::schedule_has_one_chunk,
     .legal = legal::one_chunk,
     .changes = "vpp"},
    {.id = rule::virtual_stages_are_at_most_64,
     .name = "virtual_stages_are_at_most_64",
     .needs = known::training | known::chunks,
     .message = "each rank has {chunks} virtual stages, and the memory of training is computed of at most 64",
     .operands = {&operands::chunks},
     .source = "a limit of this library",
     .holds = holds::virtual_stages_are_at_most_64,
     .legal = legal::fewer_virtual_stages,
     .changes = "vpp"},
    {.id = rule::dualpipe_needs_even_pp,
     .name = "dualpipe_needs_even_pp",
     .needs = known::training | known::pp,
     .message = "DualPipe feeds the pipeline from both ends, which takes an even number of stages, not PP {pp}",
     .operands = {&operands::pp},
     .source = "DualPipe dualpipe.py",
     .holds = holds::dualpipe_needs_even_pp,
     .legal = legal::even_pp,
     .changes = "pp"},
    {.id = rule::offload_is_a_share,
     .name = "offload_is_a_share",
     .needs = known::training,
     .message = "more than all of the optimizer's states are to be in the host's memory; the share is from 0 to 1",
     .source = "Megatron-LM arguments.py, --optimizer-offload-fraction",
     .holds = holds::offload_is_a_share},
    {.id = rule::busiest_share_is_a_share,
     .name = "busiest_share_is_a_share",
     .needs = known::training,
     .message = "the busiest rank is to get more than all routed tokens; the share is from 0 to 1",
     .source = "a share",
     .holds = holds::busiest_share_is_a_share},
    {.id = rule::block_size_is_at_least_1,
     .name = "block_size_is_at_least_1",
     .needs = known::serving,
     .message = "a block of the cache holds {block_size} tokens; it holds at least 1",
     .operands = {&operands::block_size},
     .source = "vLLM --block-size",
     .holds = holds::block_size_is_at_least_1,
     .legal = detail::one,
     .changes = "block_size"},
    {.id = rule::step_tokens_is_at_least_1,
     .name = "step_tokens_is_at_least_1",
     .needs = known::serving,
     .message = "a step adds {step_tokens} tokens to a sequence; it adds at least 1",
     .operands = {&operands::step_tokens},
     .source = "vLLM --max-num-batched-tokens",
     .holds = holds::step_tokens_is_at_least_1,
     .legal = detail::one,
     .changes = "step_tokens"},
    {.id = rule::latent_cache_needs_latent_attention,
     .name = "latent_cache_needs_latent_attention",
     .needs = known::serving | known::model,
     .message = "the cache format fp8_ds_mla holds compressed keys and values; this model's attention is not latent",
     .source = "vLLM flashmla_sparse.py",
     .holds = holds::latent_cache_needs_latent_attention},
    {.id = rule::linear_state_has_a_type,
     .name = "linear_state_has_a_type",
     .needs = known::serving | known::linear_attention,
     .message = "the state of linear attention has no type of numbers; bf16 or fp32",
     .source = "vLLM --mamba-ssm-cache-dtype",
     .holds = holds::linear_state_has_a_type},
    {.id = rule::stage_fits_memory,
     .name = "stage_fits_memory",
     .needs = known::memory,
     .message =
         "stage {stage} needs {peak_bytes} bytes on each of its ranks, {missing_bytes} more than the {capacity_bytes} that a "
         "GPU has for it besides the {reserve_bytes} set aside",
     .operands = {&operands::fullest_stage, &operands::peak_bytes, &operands::capacity_bytes, &operands::missing_bytes,
                  &operands::reserve_bytes},
     .source = "memory of every rank: llm-analysis analysis.py:1613; calculon llm.py:1932",
     .holds = holds::stage_fits_memory},
    {.id = rule::one_request_fits_memory,
     .name = "one_request_fits_memory",
     .needs = known::memory | known::serving,
     .message = "weights and one sequence of {sequence_length} tokens take {request_bytes} bytes on a rank, {missing_bytes} more "
                "than the {capacity_bytes} that a GPU has for them",
     .operands = {&operands::sequence_length, &operands::one_request_bytes, &operands::capacity_bytes,
                  &operands::request_missing_bytes},
     .source = "vLLM kv_cache_utils.py, check_enough_kv_cache_memory",
     .holds = holds::one_request_fits_memory},
};

} // namespace moeplan::rules

#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Rules on how layers are laid out over pipeline stages, and on the micro-batches that pass through them.

namespace moeplan::holds {

constexpr bool layout_is_not_negative(const facts& f) noexcept { return f.knows(known::layout); }
constexpr bool vpp_needs_pp(const facts& f) noexcept { return f.vpp == 1 || f.pp > 1; }
constexpr bool layers_divide_by_pp(const facts& f) noexcept { return f.layout != layout_kind::even || f.slots % f.pp == 0; }
constexpr bool stage_layers_divide_by_vpp(const facts& f) noexcept {
  return f.layout != layout_kind::even || f.slots % f.pp != 0 || f.slots / f.pp % f.vpp == 0;
}
constexpr bool first_stage_has_layers(const facts& f) noexcept { return !f.first_given || f.first_layers >= 1; }
constexpr bool last_stage_has_layers(const facts& f) noexcept { return !f.last_given || f.last_layers >= 1; }
constexpr bool first_stage_divides_by_vpp(const facts& f) noexcept {
  return !f.first_given || f.first_layers < 1 || f.first_layers % f.vpp == 0;
}
constexpr bool last_stage_divides_by_vpp(const facts& f) noexcept {
  return !f.last_given || f.last_layers < 1 || f.last_layers % f.vpp == 0;
}
constexpr bool middle_layers_divide_by_stages(const facts& f) noexcept {
  if (f.layout != layout_kind::first_last) return true;
  if ((f.first_given && f.first_layers < 1) || (f.last_given && f.last_layers < 1)) return true; // Other rules say so.
  if (f.middle_stages <= 0) return f.middle_stages == 0 && f.middle_layers == 0;
  return f.middle_layers > 0 && f.middle_layers % f.middle_stages == 0;
}
constexpr bool middle_stage_divides_by_vpp(const facts& f) noexcept {
  if (f.layout != layout_kind::first_last || f.middle_stages <= 0 || f.middle_layers <= 0) return true;
  if (f.middle_layers % f.middle_stages != 0) return true;
  return f.middle_layers / f.middle_stages % f.vpp == 0;
}
constexpr bool layout_divides_by_pp(const facts& f) noexcept {
  return f.layout != layout_kind::listed || (f.listed_stages > 0 && f.listed_stages % f.pp == 0);
}
constexpr bool layout_matches_vpp(const facts& f) noexcept {
  if (f.layout != layout_kind::listed || f.listed_stages < 1 || f.listed_stages % f.pp != 0) return true;
  return f.listed_stages / f.pp == f.vpp;
}
constexpr bool layout_holds_every_layer(const facts& f) noexcept {
  return f.layout != layout_kind::listed || f.listed_layers == f.layers;
}
constexpr bool layout_holds_every_mtp_layer(const facts& f) noexcept {
  return f.layout != layout_kind::listed || !f.places_mtp || f.listed_mtp == f.mtp_layers;
}
constexpr bool mtp_is_on_one_stage(const facts& f) noexcept { return f.mtp_stages <= 1; }
constexpr bool mtp_is_in_last_chunk(const facts& f) noexcept { return f.mtp_stages == 0 || f.mtp_stage >= f.last_chunk; }
constexpr bool decoder_layers_precede_mtp(const facts& f) noexcept { return f.layers_after_mtp == 0; }
constexpr bool vpp_is_1(const facts& f) noexcept { return f.vpp == 1; }
constexpr bool stages_are_at_most_layers(const facts& f) noexcept {
  return f.layout != layout_kind::balanced ||
         f.vpp <= f.layers / f.pp; // The other layouts put layers on every stage, or list them.
}
constexpr bool tied_embeddings_exclude_pp(const facts& f) noexcept { return f.pp == 1 || !f.tied_embeddings; }
constexpr bool micro_batches_fill_a_group(const facts& f) noexcept { return !detail::interleaves(f) || f.micro_batches >= f.pp; }
constexpr bool micro_batches_divide_by_pp(const facts& f) noexcept {
  return !detail::interleaves(f) || f.micro_batches < f.pp || f.micro_batches % f.pp == 0;
}
constexpr bool stages_have_micro_batches(const facts& f) noexcept { return !detail::is_plain_1f1b(f) || f.micro_batches >= f.pp; }
constexpr bool micro_batches_divide_into_rounds(const facts& f) noexcept {
  return !detail::interleaves(f) || detail::divide_into_rounds(f.micro_batches, f.pp);
}
constexpr bool micro_batches_cover_stages(const facts& f) noexcept {
  const bool needs_as_many = detail::is_plain_1f1b(f) || f.is_dualpipe || f.schedule == schedule::dualpipe_v; // other rules
  return f.pp == 1 || needs_as_many || f.micro_batches / f.chunks >= f.pp;
}
constexpr bool dualpipe_halves_micro_batches(const facts& f) noexcept { return !f.is_dualpipe || f.micro_batches % 2 == 0; }
constexpr bool dualpipe_needs_twice_pp_micro_batches(const facts& f) noexcept {
  return (!f.is_dualpipe && f.schedule != schedule::dualpipe_v) || f.micro_batches / 2 >= f.pp;
}

} // namespace moeplan::holds

namespace moeplan::legal {

constexpr legal_values vpp_needs_pp(const facts& f) noexcept {
  return f.layout == layout_kind::listed ? legal_values{} : detail::only(1);
}
constexpr legal_values layers_divide_by_pp(const facts& f) noexcept { return detail::legal_pp(f, f.slots); }
constexpr legal_values stage_layers_divide_by_vpp(const facts& f) noexcept { return detail::divisors(f.slots / f.pp, f.vpp); }
constexpr legal_values first_stage_divides_by_vpp(const facts& f) noexcept { return detail::multiples(f.vpp, f.first_layers); }
constexpr legal_values last_stage_divides_by_vpp(const facts& f) noexcept { return detail::multiples(f.vpp, f.last_layers); }
constexpr legal_values middle_stage_divides_by_vpp(const facts& f) noexcept {
  return detail::divisors(f.middle_layers / f.middle_stages, f.vpp);
}
constexpr legal_values layout_divides_by_pp(const facts& f) noexcept { return detail::legal_pp(f, f.listed_stages); }
constexpr legal_values layout_matches_vpp(const facts& f) noexcept {
  const std::int64_t vpp = f.listed_stages / f.pp;
  const bool interleaves = f.pp > 1 && !detail::under(f, scope::serving | scope::deepspeed);
  return vpp == 1 || interleaves ? detail::only(vpp) : legal_values{};
}
constexpr legal_values stages_are_at_most_layers(const facts& f) noexcept {
  return f.layers < f.vpp ? legal_values{} : detail::only(f.layers / f.vpp);
}

} // namespace moeplan::legal

namespace moeplan::rules {

inline constexpr rule_entry pipeline[] = {
    {.id = rule::layout_is_not_negative,
     .name = "layout_is_not_negative",
     .message = "a number of stages or layers in the layout is negative, or their sum does not fit into 64 bits (the model has "
                "{layers} layers)",
     .operands = {&operands::layers},
     .source = "a count",
     .holds = holds::layout_is_not_negative},
    {.id = rule::vpp_needs_pp,
     .name = "vpp_needs_pp",
     .needs = known::pp | known::vpp,
     .message = "VPP {vpp} interleaves the stages of a pipeline, but PP is {pp}",
     .operands = {&operands::vpp, &operands::pp},
     .source = "Megatron-LM parallel_state.py:827",
     .holds = holds::vpp_needs_pp,
     .legal = legal::vpp_needs_pp,
     .changes = "vpp"},
    {.id = rule::layers_divide_by_pp,
     .name = "layers_divide_by_pp",
     .needs = known::model | known::pp,
     .message = "{layers} layers (embedding and loss included where they count as one) cannot be divided evenly over PP {pp}; "
                "another layout "
                "than `even` may",
     .operands = {&operands::slots, &operands::pp},
     .source = "Megatron-LM arguments.py:985, transformer_config.py:2373",
     .holds = holds::layers_divide_by_pp,
     .legal = legal::layers_divide_by_pp,
     .changes = "pp"},
    {.id = rule::stage_layers_divide_by_vpp,
     .name = "stage_layers_divide_by_vpp",
     .needs = known::model | known::pp | known::vpp,
     .message = "{layers} layers over PP {pp} cannot be divided evenly over VPP {vpp}",
     .operands = {&operands::slots, &operands::pp, &operands::vpp},
     .source = "Megatron-LM arguments.py:968, transformer_config.py:2405; calculon llm.py:1049",
     .holds = holds::stage_layers_divide_by_vpp,
     .legal = legal::stage_layers_divide_by_vpp,
     .changes = "vpp"},
    {.id = rule::first_stage_has_layers,
     .name = "first_stage_has_layers",
     .message = "the first stage is to have {first} layers; it has at least 1",
     .operands = {&operands::first_layers},
     .source = "Megatron-LM transformer_config.py:2303",
     .holds = holds::first_stage_has_layers,
     .legal = detail::one_a_virtual_stage,
     .changes = "first"},
    {.id = rule::last_stage_has_layers,
     .name = "last_stage_has_layers",
     .message = "the last stage is to have {last} layers; it has at least 1",
     .operands = {&operands::last},
     .source = "Megatron-LM transformer_config.py:2322",
     .holds = holds::last_stage_has_layers,
     .legal = detail::one_a_virtual_stage,
     .changes = "last"},
    {.id = rule::first_stage_divides_by_vpp,
     .name = "first_stage_divides_by_vpp",
     .needs = known::vpp,
     .message = "the first stage's {first} layers cannot be divided evenly over VPP {vpp}",
     .operands = {&operands::first_layers, &operands::vpp},
     .source = "Megatron-LM transformer_config.py:2306",
     .holds = holds::first_stage_divides_by_vpp,
     .legal = legal::first_stage_divides_by_vpp,
     .changes = "first"},
    {.id = rule::last_stage_divides_by_vpp,
     .name = "last_stage_divides_by_vpp",
     .needs = known::vpp,
     .message = "the last stage's {last} layers cannot be divided evenly over VPP {vpp}",
     .operands = {&operands::last, &operands::vpp},
     .source = "Megatron-LM transformer_config.py:2325",
     .holds = holds::last_stage_divides_by_vpp,
     .legal = legal::last_stage_divides_by_vpp,
     .changes = "last"},
    {.id = rule::middle_layers_divide_by_stages,
     .name = "middle_layers_divide_by_stages",
     .needs = known::model | known::pp,
     .message = "the {middle_layers} layers that the first and last stage leave cannot be divided evenly over the {middle_stages} "
                "stages between them",
     .operands = {&operands::middle_layers, &operands::middle_stages},
     .source = "Megatron-LM transformer_config.py:2340",
     .holds = holds::middle_layers_divide_by_stages},
    {.id = rule::middle_stage_divides_by_vpp,
     .name = "middle_stage_divides_by_vpp",
     .needs = known::model | known::pp | known::vpp,
     .message = "the layers of each stage between first and last, {middle_layers} / {middle_stages}, cannot be divided evenly over "
                "VPP {vpp}",
     .operands = {&operands::middle_layers, &operands::middle_stages, &operands::vpp},
     .source = "Megatron-LM transformer_config.py:2358",
     .holds = holds::middle_stage_divides_by_vpp,
     .legal = legal::middle_stage_divides_by_vpp,
     .changes = "vpp"},
    {.id = rule::layout_divides_by_pp,
     .name = "layout_divides_by_pp",
     .needs = known::layout | known::pp,
     .message = "the layout's {stages} virtual stages cannot be divided evenly over PP {pp}",
     .operands = {&operands::stages, &operands::pp},
     .source = "Megatron-LM pipeline_parallel_layer_layout.py:41",
     .holds = holds::layout_divides_by_pp,
     .legal = legal::layout_divides_by_pp,
     .changes = "pp"},
    {.id = rule::layout_matches_vpp,
     .name = "layout_matches_vpp",
     .needs = known::layout | known::pp | known::vpp,
     .message = "the layout's {stages} virtual stages on PP {pp} contradict VPP {vpp}",
     .operands = {&operands::stages, &operands::pp, &operands::vpp},
     .source = "Megatron-LM transformer_config.py:2279",
     .holds = holds::layout_matches_vpp,
     .legal = legal::layout_matches_vpp,
     .changes = "vpp"},
    {.id = rule::layout_holds_every_layer,
     .name = "layout_holds_every_layer",
     .needs = known::layout | known::model,
     .message = "the layout holds {listed} decoder layers, the model has {layers}",
     .operands = {&operands::listed_layers, &operands::layers},
     .source = "Megatron-LM pipeline_parallel_layer_layout.py:107",
     .holds = holds::layout_holds_every_layer},
    {.id = rule::layout_holds_every_mtp_layer,
     .name = "layout_holds_every_mtp_layer",
     .needs = known::layout | known::model,
     .message = "the layout holds {listed} multi-token prediction layers, the model has {mtp_layers}",
     .operands = {&operands::listed_mtp, &operands::mtp_layers},
     .source = "Megatron-LM pipeline_parallel_layer_layout.py:112",
     .holds = holds::layout_holds_every_mtp_layer},
    {.id = rule::mtp_is_on_one_stage,
     .name = "mtp_is_on_one_stage",
     .scope = scope::megatron,
     .needs = known::layout,
     .message = "the layout spreads multi-token prediction over {mtp_stages} stages; it belongs on one",
     .operands = {&operands::mtp_stages},
     .source = "Megatron-LM pipeline_parallel_layer_layout.py:128",
     .holds = holds::mtp_is_on_one_stage},
    {.id = rule::mtp_is_in_last_chunk,
     .name = "mtp_is_in_last_chunk",
     .scope = scope::megatron,
     .needs = known::layout | known::pp,
     .message = "multi-token prediction is on virtual stage {mtp_stage} (from 0), but belongs to the last of a rank's virtual "
                "stages, from {last_chunk} on",
     .operands = {&operands::mtp_stage, &operands::last_chunk},
     .source = "Megatron-LM pipeline_parallel_layer_layout.py:121",
     .holds = holds::mtp_is_in_last_chunk},
    {.id = rule::decoder_layers_precede_mtp,
     .name = "decoder_layers_precede_mtp",
     .scope = scope::megatron,
     .needs = known::layout,
     .message = "{layers} decoder layers come after multi-token prediction, which is on virtual stage {mtp_stage} (from 0)",
     .operands = {&operands::layers_after_mtp, &operands::mtp_stage},
     .source = "Megatron-LM pipeline_parallel_layer_layout.py:117",
     .holds = holds::decoder_layers_precede_mtp},
    {.id = rule::vpp_is_1,
     .name = "vpp_is_1",
     .scope = scope::serving | scope::deepspeed,
     .needs = known::vpp,
     .message = "this framework has no virtual stages: VPP is 1, not {vpp}",
     .operands = {&operands::vpp},
     .source = "vLLM ParallelConfig; SGLang server_args.py; TensorRT-LLM mapping.py; DeepSpeed runtime/pipe/schedule.py",
     .holds = holds::vpp_is_1,
     .legal = legal::vpp_needs_pp,
     .changes = "vpp"},
    {.id = rule::stages_are_at_most_layers,
     .name = "stages_are_at_most_layers",
     .scope = scope::torchtitan | scope::trtllm,
     .needs = known::model | known::pp | known::vpp,
     .message = "PP {pp} x VPP {vpp} stages are more than the {layers} layers, and none may be empty",
     .operands = {&operands::pp, &operands::vpp, &operands::layers},
     .source = "torchtitan pipeline_parallel.py:393; TensorRT-LLM mapping.py, pp_layers",
     .holds = holds::stages_are_at_most_layers,
     .legal = legal::stages_are_at_most_layers,
     .changes = "pp"},
    {.id = rule::tied_embeddings_exclude_pp,
     .name = "tied_embeddings_exclude_pp",
     .scope = scope::torchtitan,
     .needs = known::pp,
     .message = "torchtitan cannot tie the embeddings of the first and the last stage; PP is {pp}",
     .operands = {&operands::pp},
     .source = "torchtitan decoder.py:169",
     .holds = holds::tied_embeddings_exclude_pp,
     .legal = detail::one,
     .changes = "pp"},
    {.id = rule::micro_batches_fill_a_group,
     .name = "micro_batches_fill_a_group",
     .scope = scope::megatron,
     .needs = known::micro_batches | known::pp | known::chunks,
     .message =
         "a step has {micro_batches} micro-batches; interleaving the {chunks} virtual stages of each rank takes at least PP {pp}",
     .operands = {&operands::micro_batches, &operands::chunks, &operands::pp},
     .source = "Megatron-LM schedules.py:1161",
     .holds = holds::micro_batches_fill_a_group,
     .legal = detail::legal_global_batch,
     .changes = "global_batch"},
    {.id = rule::micro_batches_divide_by_pp,
     .name = "micro_batches_divide_by_pp",
     .scope = scope::megatron,
     .needs = known::micro_batches | known::pp | known::chunks,
     .message =
         "the {micro_batches} micro-batches of a step cannot be divided evenly into groups of PP {pp}, in which they pass through "
         "the {chunks} virtual stages of each rank",
     .operands = {&operands::micro_batches, &operands::pp, &operands::chunks},
     .source = "Megatron-LM schedules.py:1172",
     .holds = holds::micro_batches_divide_by_pp,
     .legal = detail::legal_global_batch,
     .changes = "global_batch"},
    {.id = rule::stages_have_micro_batches,
     .name = "stages_have_micro_batches",
     .scope = scope::torchtitan,
     .needs = known::micro_batches | known::pp | known::chunks,
     .message = "a step has {micro_batches} micro-batches; 1F1B takes at least one for each of PP {pp} stages",
     .operands = {&operands::micro_batches, &operands::pp},
     .source = "PyTorch pipelining/schedules.py, Schedule1F1B",
     .holds = holds::stages_have_micro_batches,
     .legal = detail::legal_global_batch,
     .changes = "global_batch"},
    {.id = rule::micro_batches_divide_into_rounds,
     .name = "micro_batches_divide_into_rounds",
     .scope = scope::torchtitan,
     .needs = known::micro_batches | known::pp | known::chunks,
     .message =
         "the {micro_batches} micro-batches of a step cannot be divided evenly into {rounds} rounds, the most of at least PP {pp}",
     .operands = {&operands::micro_batches, &operands::rounds, &operands::pp},
     .source = "PyTorch pipelining/schedules.py, ScheduleInterleaved1F1B",
     .holds = holds::micro_batches_divide_into_rounds,
     .legal = detail::legal_global_batch,
     .changes = "global_batch"},
    {.id = rule::micro_batches_cover_stages,
     .name = "micro_batches_cover_stages",
     .severity = severity::warning,
     .scope = scope::torchtitan,
     .needs = known::micro_batches | known::pp | known::chunks,
     .message =
         "a step has {micro_batches} micro-batches, fewer than PP {pp} x {chunks} virtual stages, so that some stage always waits",
     .operands = {&operands::micro_batches, &operands::pp, &operands::chunks},
     .source = "torchtitan pipeline_parallel.py:305",
     .holds = holds::micro_batches_cover_stages},
    {.id = rule::dualpipe_halves_micro_batches,
     .name = "dualpipe_halves_micro_batches",
     .needs = known::micro_batches,
     .message = "DualPipe takes half of the micro-batches from either end of the pipeline, but a step has {micro_batches}",
     .operands = {&operands::micro_batches},
     .source = "arXiv 2412.19437, section 3.2.1; DualPipe dualpipe.py:333",
     .holds = holds::dualpipe_halves_micro_batches,
     .legal = detail::legal_global_batch,
     .changes = "global_batch"},
    {.id = rule::dualpipe_needs_twice_pp_micro_batches,
     .name = "dualpipe_needs_twice_pp_micro_batches",
     .needs = known::micro_batches | known::pp,
     .message = "a step has {micro_batches} micro-batches; DualPipe and DualPipeV take at least two for each of PP {pp} ranks",
     .operands = {&operands::micro_batches, &operands::pp},
     .source = "DualPipe dualpipe.py:333, dualpipev.py:318; PyTorch pipelining/schedules.py, ScheduleDualPipeV",
     .holds = holds::dualpipe_needs_twice_pp_micro_batches,
     .legal = detail::legal_global_batch,
     .changes = "global_batch"},
};

} // namespace moeplan::rules

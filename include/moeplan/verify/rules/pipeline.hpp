#pragma once

#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Rules on how layers are laid out over pipeline stages.

namespace moeplan::rules {

inline constexpr rule_entry pipeline[] = {
    {.id = rule::layout_is_not_negative,
     .name = "layout_is_not_negative",
     .message = "a number of stages or layers in the layout is negative, or their sum does not fit into 64 bits (the model has "
                "{layers} layers)",
     .operands = {{"layers", &facts::layers}},
     .source = "a count",
     .holds = [](const facts& f) { return f.knows(known::layout); }},
    {.id = rule::vpp_needs_pp,
     .name = "vpp_needs_pp",
     .needs = known::pp | known::vpp,
     .message = "VPP {vpp} interleaves the stages of a pipeline, but PP is {pp}",
     .operands = {{"vpp", &facts::vpp}, {"pp", &facts::pp}},
     .source = "Megatron-LM parallel_state.py:827",
     .holds = [](const facts& f) { return f.vpp == 1 || f.pp > 1; },
     .legal = [](const facts& f) { return f.layout == layout_kind::listed ? legal_values{} : detail::only(1); },
     .changes = "vpp"},
    {.id = rule::layers_divide_by_pp,
     .name = "layers_divide_by_pp",
     .needs = known::model | known::pp,
     .message = "{layers} layers (embedding and loss included where they count as one) cannot be divided evenly over PP {pp}; "
                "another layout "
                "than `even` may",
     .operands = {{"layers", &facts::slots}, {"pp", &facts::pp}},
     .source = "Megatron-LM arguments.py:985, transformer_config.py:2373",
     .holds = [](const facts& f) { return f.layout != layout_kind::even || f.slots % f.pp == 0; },
     .legal = [](const facts& f) { return detail::divisors(f.slots, f.pp); },
     .changes = "pp"},
    {.id = rule::stage_layers_divide_by_vpp,
     .name = "stage_layers_divide_by_vpp",
     .needs = known::model | known::pp | known::vpp,
     .message = "{layers} layers over PP {pp} cannot be divided evenly over VPP {vpp}",
     .operands = {{"layers", &facts::slots}, {"pp", &facts::pp}, {"vpp", &facts::vpp}},
     .source = "Megatron-LM arguments.py:968, transformer_config.py:2405; calculon llm.py:1049",
     .holds = [](const facts& f) { return f.layout != layout_kind::even || f.slots % f.pp != 0 || f.slots / f.pp % f.vpp == 0; },
     .legal = [](const facts& f) { return detail::divisors(f.slots / f.pp, f.vpp); },
     .changes = "vpp"},
    {.id = rule::first_stage_has_layers,
     .name = "first_stage_has_layers",
     .message = "the first stage is to have {first} layers; it has at least 1",
     .operands = {{"first", &facts::first_layers}},
     .source = "Megatron-LM transformer_config.py:2303",
     .holds = [](const facts& f) { return !f.first_given || f.first_layers >= 1; },
     .legal = detail::one_a_virtual_stage,
     .changes = "first"},
    {.id = rule::last_stage_has_layers,
     .name = "last_stage_has_layers",
     .message = "the last stage is to have {last} layers; it has at least 1",
     .operands = {{"last", &facts::last_layers}},
     .source = "Megatron-LM transformer_config.py:2322",
     .holds = [](const facts& f) { return !f.last_given || f.last_layers >= 1; },
     .legal = detail::one_a_virtual_stage,
     .changes = "last"},
    {.id = rule::first_stage_divides_by_vpp,
     .name = "first_stage_divides_by_vpp",
     .needs = known::vpp,
     .message = "the first stage's {first} layers cannot be divided evenly over VPP {vpp}",
     .operands = {{"first", &facts::first_layers}, {"vpp", &facts::vpp}},
     .source = "Megatron-LM transformer_config.py:2306",
     .holds = [](const facts& f) { return !f.first_given || f.first_layers < 1 || f.first_layers % f.vpp == 0; },
     .legal = [](const facts& f) { return detail::multiples(f.vpp, f.first_layers); },
     .changes = "first"},
    {.id = rule::last_stage_divides_by_vpp,
     .name = "last_stage_divides_by_vpp",
     .needs = known::vpp,
     .message = "the last stage's {last} layers cannot be divided evenly over VPP {vpp}",
     .operands = {{"last", &facts::last_layers}, {"vpp", &facts::vpp}},
     .source = "Megatron-LM transformer_config.py:2325",
     .holds = [](const facts& f) { return !f.last_given || f.last_layers < 1 || f.last_layers % f.vpp == 0; },
     .legal = [](const facts& f) { return detail::multiples(f.vpp, f.last_layers); },
     .changes = "last"},
    {.id = rule::middle_layers_divide_by_stages,
     .name = "middle_layers_divide_by_stages",
     .needs = known::model | known::pp,
     .message = "the {middle_layers} layers that the first and last stage leave cannot be divided evenly over the {middle_stages} "
                "stages between them",
     .operands = {{"middle_layers", &facts::middle_layers}, {"middle_stages", &facts::middle_stages}},
     .source = "Megatron-LM transformer_config.py:2340",
     .holds =
         [](const facts& f) {
           if (f.layout != layout_kind::first_last) return true;
           if ((f.first_given && f.first_layers < 1) || (f.last_given && f.last_layers < 1)) return true; // Other rules say so.
           if (f.middle_stages <= 0) return f.middle_stages == 0 && f.middle_layers == 0;
           return f.middle_layers > 0 && f.middle_layers % f.middle_stages == 0;
         }},
    {.id = rule::middle_stage_divides_by_vpp,
     .name = "middle_stage_divides_by_vpp",
     .needs = known::model | known::pp | known::vpp,
     .message = "the layers of each stage between first and last, {middle_layers} / {middle_stages}, cannot be divided evenly over "
                "VPP {vpp}",
     .operands = {{"middle_layers", &facts::middle_layers}, {"middle_stages", &facts::middle_stages}, {"vpp", &facts::vpp}},
     .source = "Megatron-LM transformer_config.py:2358",
     .holds =
         [](const facts& f) {
           if (f.layout != layout_kind::first_last || f.middle_stages <= 0 || f.middle_layers <= 0) return true;
           if (f.middle_layers % f.middle_stages != 0) return true;
           return f.middle_layers / f.middle_stages % f.vpp == 0;
         },
     .legal = [](const facts& f) { return detail::divisors(f.middle_layers / f.middle_stages, f.vpp); },
     .changes = "vpp"},
    {.id = rule::layout_divides_by_pp,
     .name = "layout_divides_by_pp",
     .needs = known::layout | known::pp,
     .message = "the layout's {stages} virtual stages cannot be divided evenly over PP {pp}",
     .operands = {{"stages", &facts::listed_stages}, {"pp", &facts::pp}},
     .source = "Megatron-LM pipeline_parallel_layer_layout.py:41",
     .holds =
         [](const facts& f) { return f.layout != layout_kind::listed || (f.listed_stages > 0 && f.listed_stages % f.pp == 0); },
     .legal = [](const facts& f) { return detail::divisors(f.listed_stages, f.pp); },
     .changes = "pp"},
    {.id = rule::layout_matches_vpp,
     .name = "layout_matches_vpp",
     .needs = known::layout | known::pp | known::vpp,
     .message = "the layout's {stages} virtual stages on PP {pp} contradict VPP {vpp}",
     .operands = {{"stages", &facts::listed_stages}, {"pp", &facts::pp}, {"vpp", &facts::vpp}},
     .source = "Megatron-LM transformer_config.py:2279",
     .holds =
         [](const facts& f) {
           if (f.layout != layout_kind::listed || f.listed_stages < 1 || f.listed_stages % f.pp != 0) return true;
           return f.listed_stages / f.pp == f.vpp;
         },
     .legal =
         [](const facts& f) { return f.pp == 1 && f.listed_stages != 1 ? legal_values{} : detail::only(f.listed_stages / f.pp); },
     .changes = "vpp"},
    {.id = rule::layout_holds_every_layer,
     .name = "layout_holds_every_layer",
     .needs = known::layout | known::model,
     .message = "the layout holds {listed} decoder layers, the model has {layers}",
     .operands = {{"listed", &facts::listed_layers}, {"layers", &facts::layers}},
     .source = "Megatron-LM pipeline_parallel_layer_layout.py:107",
     .holds = [](const facts& f) { return f.layout != layout_kind::listed || f.listed_layers == f.layers; }},
    {.id = rule::layout_holds_every_mtp_layer,
     .name = "layout_holds_every_mtp_layer",
     .needs = known::layout | known::model,
     .message = "the layout holds {listed} multi-token prediction layers, the model has {mtp_layers}",
     .operands = {{"listed", &facts::listed_mtp}, {"mtp_layers", &facts::mtp_layers}},
     .source = "Megatron-LM pipeline_parallel_layer_layout.py:112",
     .holds = [](const facts& f) { return f.layout != layout_kind::listed || !f.places_mtp || f.listed_mtp == f.mtp_layers; }},
    {.id = rule::mtp_is_on_one_stage,
     .name = "mtp_is_on_one_stage",
     .scope = scope::megatron,
     .needs = known::layout,
     .message = "the layout spreads multi-token prediction over {mtp_stages} stages; it belongs on one",
     .operands = {{"mtp_stages", &facts::mtp_stages}},
     .source = "Megatron-LM pipeline_parallel_layer_layout.py:128",
     .holds = [](const facts& f) { return f.mtp_stages <= 1; }},
    {.id = rule::mtp_is_in_last_chunk,
     .name = "mtp_is_in_last_chunk",
     .scope = scope::megatron,
     .needs = known::layout | known::pp,
     .message = "multi-token prediction is on virtual stage {mtp_stage} (from 0), but belongs to the last of a rank's virtual "
                "stages, from {last_chunk} on",
     .operands = {{"mtp_stage", &facts::mtp_stage}, {"last_chunk", &facts::last_chunk}},
     .source = "Megatron-LM pipeline_parallel_layer_layout.py:121",
     .holds = [](const facts& f) { return f.mtp_stages == 0 || f.mtp_stage >= f.last_chunk; }},
    {.id = rule::decoder_layers_precede_mtp,
     .name = "decoder_layers_precede_mtp",
     .scope = scope::megatron,
     .needs = known::layout,
     .message = "{layers} decoder layers come after multi-token prediction, which is on virtual stage {mtp_stage} (from 0)",
     .operands = {{"layers", &facts::layers_after_mtp}, {"mtp_stage", &facts::mtp_stage}},
     .source = "Megatron-LM pipeline_parallel_layer_layout.py:117",
     .holds = [](const facts& f) { return f.layers_after_mtp == 0; }},
};

} // namespace moeplan::rules

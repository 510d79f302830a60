#pragma once

#include <moeplan/describe/training.hpp>
#include <moeplan/io/assumptions_object.hpp>
#include <moeplan/io/enumerator_names.hpp>
#include <moeplan/io/kernels_object.hpp>
#include <moeplan/io/precision_object.hpp>

/// @file
/// The object "training" of a deployment file.

namespace moeplan::io {

template <template <class> class Object>
void list_members(Object<routing>& object) {
  object.member("balancing", &routing::balancing, balancing_names, "Megatron-LM --moe-router-load-balancing-type");
  object.member("capacity_factor", &routing::capacity_factor, "0: no token is dropped", "Megatron-LM --moe-expert-capacity-factor");
  object.member("pad_to_capacity", &routing::pad_to_capacity, "Megatron-LM --moe-pad-expert-input-to-capacity");
  object.member("pre_softmax", &routing::pre_softmax, "Megatron-LM --moe-router-pre-softmax");
  object.member("load", &routing::load, routing_load_names, "moeplan's own: what load balancing aims at");
  object.share("busiest_share", &routing::busiest_share, "0: as load says", "moeplan's own: it has to be measured");
}

template <template <class> class Object>
void list_members(Object<overlap>& object) {
  object.member("tensor_parallel", &overlap::tensor_parallel, "Megatron-LM --tp-comm-overlap");
  object.member("shared_experts", &overlap::shared_experts, "Megatron-LM --moe-shared-expert-overlap");
  object.member("expert_parallel", &overlap::expert_parallel, "Megatron-LM --overlap-moe-expert-parallel-comm");
  object.member("delayed_weight_gradient", &overlap::delayed_weight_gradient, "Megatron-LM --delay-wgrad-compute");
}

template <template <class> class Object>
void list_members(Object<training>& object) {
  object.member("global_batch", &training::global_batch, "micro_batch x DP: one micro-batch a step",
                "Megatron-LM --global-batch-size");
  object.stated("micro_batch", &training::micro_batch, "moeplan's own: Megatron-LM has no default");
  object.stated("sequence_length", &training::sequence_length, "must be given: 0 is an error");
  object.part("precision", &training::precision, "an object with weights, gradients and more");
  object.member("optimizer", &training::optimizer, optimizer_names, "Megatron-LM --optimizer");
  object.member("sharding", &training::sharding, sharding_names, "Megatron-LM: none without --use-distributed-optimizer");
  object.share("optimizer_offload", &training::optimizer_offload, "0: its states stay on the GPU",
               "Megatron-LM: none without --optimizer-cpu-offload");
  object.member("recompute", &training::recompute, recompute_names, "Megatron-LM --recompute-granularity");
  object.member("recompute_modules", &training::recompute_modules, recompute_module_names, "Megatron-LM --recompute-modules");
  object.member("recompute_method", &training::recompute_method, recompute_method_names,
                "moeplan's own: Megatron-LM has no default");
  object.member("recompute_layers", &training::recompute_layers, "moeplan's own: Megatron-LM has no default");
  object.member("schedule", &training::schedule, schedule_names, "Megatron-LM schedules.py");
  object.member("context", &training::context, context_names, "Megatron-LM --cp-comm-type (p2p)");
  object.member("dispatcher", &training::dispatcher, dispatcher_names, "Megatron-LM --moe-token-dispatcher-type");
  object.part("routing", &training::routing, "an object with balancing, capacity_factor and more");
  object.part("overlap", &training::overlap, "an object with tensor_parallel, expert_parallel and more");
  object.member("dp_replicate", &training::dp_replicate, "torchtitan data_parallel_replicate_degree");
  object.part("kernels", &training::kernels, "an object with flash_attention, fused_cross_entropy and more");
  object.part("assumptions", &training::assumptions, "an object with latent_down_projections, shared_experts and more",
              assumption_sets);
  object.member("vocabulary_multiple", &training::vocabulary_multiple, "Megatron-LM --make-vocab-size-divisible-by");
  object.member("reserve_bytes", &training::reserve, "moeplan's own: nothing is set aside");
}

} // namespace moeplan::io

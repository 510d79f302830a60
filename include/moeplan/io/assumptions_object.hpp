#pragma once

#include <moeplan/describe/assumptions.hpp>
#include <moeplan/io/enumerator_names.hpp>

/// @file
/// The object "assumptions" of a deployment file. In its place may stand a name of assumption_sets.

namespace moeplan::io {

template <template <class> class Object>
void list_members(Object<assumptions>& object) {
  object.member("latent_down_projections", &assumptions::latent_down_projections, held_names,
                "Megatron-LM multi_latent_attention.py: duplicated");
  object.member("latent_rope_queries", &assumptions::latent_rope_queries, held_names, "Megatron-LM multi_latent_attention.py");
  object.member("shared_experts", &assumptions::shared_experts, held_names, "Megatron-LM shared_experts.py");
  object.member("shared_experts_state", &assumptions::shared_experts_state, state_group_names, "Megatron-LM shared_experts.py");
  object.member("router_state", &assumptions::router_state, state_group_names, "Megatron-LM router.py");
  object.member("dense_states", &assumptions::dense_states, dense_shards_names,
                "Megatron-LM parallel_state.py: data parallelism with context parallelism");
}

} // namespace moeplan::io

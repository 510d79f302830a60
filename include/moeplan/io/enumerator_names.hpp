#pragma once

#include <string_view>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/io/json_reader.hpp>

/// @file
/// How deployment files spell enumerators: as in C++, but for 1f1b, which no name of C++ can be.

namespace moeplan::io {

inline constexpr named<mapping> mapping_names[] = {{"folded", mapping::folded}, {"product", mapping::product}};

inline constexpr named<profile> profile_names[] = {{"universal", profile::universal},   {"megatron", profile::megatron},
                                                   {"torchtitan", profile::torchtitan}, {"vllm", profile::vllm},
                                                   {"sglang", profile::sglang},         {"trtllm", profile::trtllm},
                                                   {"deepspeed", profile::deepspeed}};

inline constexpr named<data_parallelism> data_parallelism_names[] = {{"attention", data_parallelism::attention},
                                                                     {"replicas", data_parallelism::replicas}};

inline constexpr named<recompute> recompute_names[] = {
    {"none", recompute::none}, {"selective", recompute::selective}, {"full", recompute::full}};

inline constexpr named<recompute_method> recompute_method_names[] = {{"uniform", recompute_method::uniform},
                                                                     {"block", recompute_method::block}};

/// Which member of recompute_modules a name stands for.
inline constexpr named<bool recompute_modules::*> recompute_module_names[] = {
    {"core_attention", &recompute_modules::core_attention},
    {"mlp", &recompute_modules::mlp},
    {"moe", &recompute_modules::moe},
    {"moe_activation", &recompute_modules::moe_activation},
    {"layer_norm", &recompute_modules::layer_norm},
    {"latent_up_projection", &recompute_modules::latent_up_projection},
    {"shared_experts", &recompute_modules::shared_experts}};

inline constexpr named<context_exchange> context_names[] = {
    {"ring", context_exchange::ring}, {"all_gather", context_exchange::all_gather}, {"all_to_all", context_exchange::all_to_all}};

inline constexpr named<token_dispatcher> dispatcher_names[] = {{"all_gather", token_dispatcher::all_gather},
                                                               {"all_to_all", token_dispatcher::all_to_all},
                                                               {"flex", token_dispatcher::flex},
                                                               {"deepep", token_dispatcher::deepep}};

inline constexpr named<load_balancing> balancing_names[] = {{"none", load_balancing::none},
                                                            {"auxiliary_loss", load_balancing::auxiliary_loss},
                                                            {"sequence_auxiliary_loss", load_balancing::sequence_auxiliary_loss},
                                                            {"global_auxiliary_loss", load_balancing::global_auxiliary_loss},
                                                            {"sinkhorn", load_balancing::sinkhorn}};

inline constexpr named<routing_load> routing_load_names[] = {{"balanced", routing_load::balanced}, {"worst", routing_load::worst}};

inline constexpr named<number_type> number_type_names[] = {
    {"none", number_type::none}, {"fp32", number_type::fp32}, {"bf16", number_type::bf16}, {"fp16", number_type::fp16},
    {"fp8", number_type::fp8},   {"int8", number_type::int8}, {"fp4", number_type::fp4},   {"int4", number_type::int4}};

/// Of tensors alone: no member of a deployment may be one of them.
inline constexpr named<number_type> index_type_names[] = {{"int32", number_type::int32}, {"int64", number_type::int64}};

inline constexpr named<fp8_recipe> fp8_recipe_names[] = {{"none", fp8_recipe::none},
                                                         {"delayed", fp8_recipe::delayed},
                                                         {"tensorwise", fp8_recipe::tensorwise},
                                                         {"blockwise", fp8_recipe::blockwise},
                                                         {"mxfp8", fp8_recipe::mxfp8}};

inline constexpr named<optimizer> optimizer_names[] = {
    {"adam", optimizer::adam}, {"sgd_momentum", optimizer::sgd_momentum}, {"muon", optimizer::muon}, {"none", optimizer::none}};

inline constexpr named<sharding> sharding_names[] = {{"none", sharding::none},
                                                     {"optimizer", sharding::optimizer},
                                                     {"gradients", sharding::gradients},
                                                     {"parameters", sharding::parameters}};

inline constexpr named<schedule> schedule_names[] = {{"gpipe", schedule::gpipe},
                                                     {"1f1b", schedule::one_forward_one_backward},
                                                     {"zb_h1", schedule::zb_h1},
                                                     {"zb_h2", schedule::zb_h2},
                                                     {"zb_v", schedule::zb_v},
                                                     {"v_half", schedule::v_half},
                                                     {"v_min", schedule::v_min},
                                                     {"dualpipe", schedule::dualpipe},
                                                     {"dualpipe_v", schedule::dualpipe_v}};

inline constexpr named<weight_format> weight_format_names[] = {{"bf16", weight_format::bf16},
                                                               {"fp8_tensor", weight_format::fp8_tensor},
                                                               {"fp8_channel", weight_format::fp8_channel},
                                                               {"fp8_block", weight_format::fp8_block},
                                                               {"mxfp8", weight_format::mxfp8},
                                                               {"int8_channel", weight_format::int8_channel},
                                                               {"int4_group128", weight_format::int4_group128},
                                                               {"int4_group32", weight_format::int4_group32},
                                                               {"mxfp4", weight_format::mxfp4},
                                                               {"nvfp4", weight_format::nvfp4}};

inline constexpr named<quantised_parts> quantised_parts_names[] = {{"linear_layers", quantised_parts::linear_layers},
                                                                   {"mlps", quantised_parts::mlps},
                                                                   {"routed_experts", quantised_parts::routed_experts}};

inline constexpr named<cache_format> cache_format_names[] = {
    {"bf16", cache_format::bf16}, {"fp8", cache_format::fp8}, {"fp8_ds_mla", cache_format::fp8_ds_mla}};

inline constexpr named<windowed_cache> windowed_cache_names[] = {{"window", windowed_cache::window}, {"all", windowed_cache::all}};

inline constexpr named<held> held_names[] = {{"sharded", held::sharded}, {"replicated", held::replicated}};

inline constexpr named<state_group> state_group_names[] = {{"dense", state_group::dense}, {"experts", state_group::experts}};

inline constexpr named<dense_shards> dense_shards_names[] = {{"dp_and_cp_ranks", dense_shards::dp_and_cp_ranks},
                                                             {"dp_ranks", dense_shards::dp_ranks}};

/// Whole sets of assumptions; the first is the default.
inline constexpr named<assumptions> assumption_sets[] = {{"megatron", assumptions::megatron()},
                                                         {"megatron_estimator", assumptions::megatron_estimator()},
                                                         {"memory_analysis", assumptions::memory_analysis()}};

/// The name of a value. Precondition: it is in the table, as every enumerator is in its own.
template <class T, std::size_t N>
[[nodiscard]] constexpr const char* name_in(const named<T> (&names)[N], T value) noexcept {
  for (const named<T>& n : names)
    if (n.value == value) return n.name;
  return "";
}

/// What a tensor's type is called.
[[nodiscard]] constexpr const char* name_of_type(number_type type) noexcept {
  const char* const name = name_in(number_type_names, type);
  return *name != '\0' ? name : name_in(index_type_names, type);
}

} // namespace moeplan::io

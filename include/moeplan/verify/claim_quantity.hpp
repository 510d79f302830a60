#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/text/text.hpp>
#include <moeplan/verify/claim_input.hpp>

/// @file
/// The quantities that deployment reports make claims about.

namespace moeplan {

/// What a claim is about. What each is computed from is in verify/claim_formulas.hpp.
enum class claim_quantity : std::uint16_t {
  // GPUs
  folded_gpus,  ///< that a strategy takes: TP x CP x DP x PP
  product_gpus, ///< all degrees multiplied
  available_gpus,
  over_capacity,   ///< GPUs taken over GPUs there are: "64x", "100%"
  gpus_for_memory, ///< the fewest that hold a model's weights
  group_members,   ///< of a group, as its degree demands
  deployable,      ///< whether a strategy breaks no rule under the folded mapping

  // What each GPU gets
  experts_per_gpu,
  layers_per_stage,
  heads_per_gpu,
  hidden_per_gpu,
  expert_hidden_per_gpu,
  sequences_per_gpu,
  expert_modules, ///< experts of all layers
  expert_modules_per_gpu,
  expert_share, ///< of all experts, on one GPU: "1/8"
  variance,     ///< of how many items the parts get, dealt out as evenly as can be

  micro_batches, ///< of a step on each pipeline: gradient accumulation steps

  // Memory of a GPU, unless it says otherwise
  model_size, ///< weights of the whole model
  parameter_memory,
  gradient_memory,
  optimizer_memory,
  activation_memory,
  total_memory,
  layer_memory,      ///< weights of one layer
  memory_of_a_stage, ///< of several equal layers
  cluster_memory,    ///< of all GPUs
  used_memory,
  left_memory,
  memory_utilisation,
  cluster_memory_utilisation, ///< of all GPUs' memory together
  memory_saving,              ///< share of activations that recomputing saves

  // Speed
  throughput, ///< sequences that pass
  latency,
  layer_latency,
  batch_in_flight, ///< by Little's law
  token_throughput,
  ratio_to_target, ///< of any two numbers
  pipeline_bubble, ///< idle share of a pipeline step
  compute_utilisation,
  communication_overhead,
  scaling_efficiency,
};

inline constexpr std::size_t claim_quantity_count = static_cast<std::size_t>(claim_quantity::scaling_efficiency) + 1;

struct claim_quantity_entry {
  claim_quantity id{};
  const char* name = "";
  moeplan::dimension dimension = dimension::number;
  bool exact = true; ///< a claim about it is a whole number or an answer, not a rounded number
};

inline constexpr claim_quantity_entry claim_quantity_table[] = {
    {claim_quantity::folded_gpus, "folded_gpus"},
    {claim_quantity::product_gpus, "product_gpus"},
    {claim_quantity::available_gpus, "available_gpus"},
    {claim_quantity::over_capacity, "over_capacity", dimension::share, false},
    {claim_quantity::gpus_for_memory, "gpus_for_memory"},
    {claim_quantity::group_members, "group_members"},
    {claim_quantity::deployable, "deployable", dimension::answer},
    {claim_quantity::experts_per_gpu, "experts_per_gpu"},
    {claim_quantity::layers_per_stage, "layers_per_stage"},
    {claim_quantity::heads_per_gpu, "heads_per_gpu"},
    {claim_quantity::hidden_per_gpu, "hidden_per_gpu"},
    {claim_quantity::expert_hidden_per_gpu, "expert_hidden_per_gpu"},
    {claim_quantity::sequences_per_gpu, "sequences_per_gpu"},
    {claim_quantity::expert_modules, "expert_modules"},
    {claim_quantity::expert_modules_per_gpu, "expert_modules_per_gpu"},
    {claim_quantity::expert_share, "expert_share", dimension::share, false},
    {claim_quantity::variance, "variance"},
    {claim_quantity::micro_batches, "micro_batches"},
    {claim_quantity::model_size, "model_size", dimension::bytes, false},
    {claim_quantity::parameter_memory, "parameter_memory", dimension::bytes, false},
    {claim_quantity::gradient_memory, "gradient_memory", dimension::bytes, false},
    {claim_quantity::optimizer_memory, "optimizer_memory", dimension::bytes, false},
    {claim_quantity::activation_memory, "activation_memory", dimension::bytes, false},
    {claim_quantity::total_memory, "total_memory", dimension::bytes, false},
    {claim_quantity::layer_memory, "layer_memory", dimension::bytes, false},
    {claim_quantity::memory_of_a_stage, "stage_memory", dimension::bytes, false},
    {claim_quantity::cluster_memory, "cluster_memory", dimension::bytes, false},
    {claim_quantity::used_memory, "used_memory", dimension::bytes, false},
    {claim_quantity::left_memory, "left_memory", dimension::bytes, false},
    {claim_quantity::memory_utilisation, "memory_utilisation", dimension::share, false},
    {claim_quantity::cluster_memory_utilisation, "cluster_memory_utilisation", dimension::share, false},
    {claim_quantity::memory_saving, "memory_saving", dimension::share, false},
    {claim_quantity::throughput, "throughput", dimension::sample_rate, false},
    {claim_quantity::latency, "latency", dimension::time, false},
    {claim_quantity::layer_latency, "layer_latency", dimension::time, false},
    {claim_quantity::batch_in_flight, "batch_in_flight"},
    {claim_quantity::token_throughput, "token_throughput", dimension::token_rate, false},
    {claim_quantity::ratio_to_target, "ratio_to_target", dimension::share, false},
    {claim_quantity::pipeline_bubble, "bubble", dimension::share, false},
    {claim_quantity::compute_utilisation, "compute_utilisation", dimension::share, false},
    {claim_quantity::communication_overhead, "communication_overhead", dimension::share, false},
    {claim_quantity::scaling_efficiency, "scaling_efficiency", dimension::share, false},
};

[[nodiscard]] constexpr const claim_quantity_entry& entry(claim_quantity q) noexcept {
  return claim_quantity_table[static_cast<std::size_t>(q)];
}

[[nodiscard]] constexpr text name_of(claim_quantity q) noexcept { return entry(q).name; }

} // namespace moeplan

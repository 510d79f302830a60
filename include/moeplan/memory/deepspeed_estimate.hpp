#pragma once

#include <cstdint>

#include <moeplan/number/bytes.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/ratio.hpp>

/// @file
/// DeepSpeed's own estimators of model states, number for number, for those who plan with them. What a strategy really needs is
/// states_of().

namespace moeplan {

/// What estimate_zero2_model_states_mem_needs takes (DeepSpeed, runtime/zero/stage_1_and_2.py), with its defaults.
struct deepspeed_zero2 {
  count total_params{};
  std::int64_t gpus_per_node = 1;
  std::int64_t nodes = 1;
  bool cpu_offload = true;              ///< gradients and optimizer states are in the host's memory
  ratio additional_buffer_factor{3, 2}; ///< by which the host's memory is multiplied

  friend constexpr bool operator==(const deepspeed_zero2&, const deepspeed_zero2&) noexcept = default;
};

/// What estimate_zero3_model_states_mem_needs takes (DeepSpeed, runtime/zero/stage3.py), with its defaults.
struct deepspeed_zero3 {
  count total_params{};
  count largest_layer_params{}; ///< of the module that holds the most parameters directly
  std::int64_t gpus_per_node = 1;
  std::int64_t nodes = 1;
  bool cpu_offload = true;
  bool cpu_offload_params = true; ///< parameters too are in the host's memory; means nothing without cpu_offload
  bool zero_init = true;          ///< the model is built in shards (deepspeed.zero.Init), never whole in each process
  ratio additional_buffer_factor{3, 2};

  friend constexpr bool operator==(const deepspeed_zero3&, const deepspeed_zero3&) noexcept = default;
};

/// Bytes of parameters, gradients and optimizer states.
struct deepspeed_estimate {
  bytes gpu{};           ///< of one GPU
  bytes cpu{};           ///< of one node's host
  bytes largest_layer{}; ///< the part of `gpu` for the one layer that is gathered; ZeRO-2: 0

  friend constexpr bool operator==(const deepspeed_estimate&, const deepspeed_estimate&) noexcept = default;
};

namespace detail {

/// The whole part of a double, as Python's int(). Precondition: 0 <= x.
[[nodiscard]] constexpr bytes whole_bytes(double x) noexcept {
  // Not a comparison with what a 64-bit integer holds but with what it can be converted from: 2^64.
  if (!(x < 18446744073709551616.0)) return bytes{count{std::uint64_t{1} << 63} + count{std::uint64_t{1} << 63}};
  return bytes{static_cast<std::uint64_t>(x)};
}

/// n times the factor, as Python has it where n is an integer.
[[nodiscard]] constexpr bytes buffered(count n, ratio factor) noexcept {
  if (n.overflowed() || factor.overflowed()) return bytes{n + factor.numerator};
  return whole_bytes(static_cast<double>(n.value()) * factor.to_double());
}

/// The host's bytes where nodes share `each` bytes a parameter. In doubles and in DeepSpeed's order, see estimate().
[[nodiscard]] constexpr bytes shared_by_nodes(const deepspeed_zero3& z, std::int64_t each) noexcept {
  if (z.total_params.overflowed() || z.additional_buffer_factor.overflowed())
    return bytes{z.total_params + z.additional_buffer_factor.numerator};
  const double share = 1.0 / static_cast<double>(z.nodes);
  const double factor = z.additional_buffer_factor.to_double();
  if (z.zero_init) {
    const count all = z.total_params * each;
    return all.overflowed() ? bytes{all} : whole_bytes(static_cast<double>(all.value()) * share * factor);
  }
  // Each process of the node builds the model in fp32 before it is sharded.
  const double shares = static_cast<double>(each) * share;
  if (static_cast<double>(4 * z.gpus_per_node) >= shares)
    return buffered(z.total_params * (4 * z.gpus_per_node), z.additional_buffer_factor);
  return whole_bytes(static_cast<double>(z.total_params.value()) * shares * factor);
}

} // namespace detail

/// Model states under ZeRO-2: fp16 parameters whole (2 bytes), and over all GPUs 18 bytes a parameter: gradients in fp16 and fp32,
/// parameters in fp32, two moments.
///
/// Where it differs from what DeepSpeed does, by its source: experts are sharded over their own, smaller group (expert_dp_process_group)
/// and spread over EP, while here every parameter is on every rank; buckets and padding are not counted; fp32 gradients are there only
/// during the step. With offload it takes the processes of all nodes for those of one host.
///
/// Precondition: GPUs and nodes at least 1; total_params below 2^53 / 18, about 5 x 10^14: DeepSpeed divides as doubles and truncates,
/// which up to there is integer division.
[[nodiscard]] constexpr deepspeed_estimate estimate(const deepspeed_zero2& z) noexcept {
  const count gpus = count{z.gpus_per_node} * z.nodes;
  const count weights = 2 * z.total_params;
  if (!z.cpu_offload)
    return {.gpu = bytes{weights + 18 * z.total_params / gpus},
            .cpu = detail::buffered(z.total_params * (4 * z.gpus_per_node), z.additional_buffer_factor)};
  const count each = 4 * gpus < 16 ? count{16} : 4 * gpus;
  return {.gpu = bytes{weights}, .cpu = detail::buffered(z.total_params * each, z.additional_buffer_factor)};
}

/// Model states under ZeRO-3: one layer gathered (fp16 parameters and gradients, 4 bytes) and over all GPUs 18 bytes a parameter; with
/// offload to the host's memory 16 of them or all.
///
/// Where it differs from what DeepSpeed does, by its source: parameters below stage3_param_persistence_threshold stay gathered, and up to
/// stage3_max_live_parameters and a prefetch bucket are gathered at once, not one layer; gradients are made fp32 one sub-group
/// (sub_group_size) at a time; `largest_layer_params` of its own counting is a module's without its children, so that experts in
/// modules of their own are never gathered together here.
///
/// The host's bytes are DeepSpeed's doubles: total x 18 x (1 / nodes) x factor, truncated. Where `nodes` is no power of two, 1 / nodes is
/// rounded, and a number that is whole in exact arithmetic can come out one less: 7 x 10^9 parameters on 3 nodes with 16 bytes of each
/// offloaded give 55,999,999,999 bytes and not 56 x 10^9.
///
/// Precondition as for ZeRO-2.
[[nodiscard]] constexpr deepspeed_estimate estimate(const deepspeed_zero3& z) noexcept {
  const count gpus = count{z.gpus_per_node} * z.nodes;
  const count layer = 4 * z.largest_layer_params;
  deepspeed_estimate e{.largest_layer = bytes{layer}};
  if (!z.cpu_offload) {
    e.gpu = bytes{layer + 18 * z.total_params / gpus};
    e.cpu = detail::buffered((z.zero_init ? z.largest_layer_params : z.total_params) * (4 * z.gpus_per_node),
                             z.additional_buffer_factor);
    return e;
  }
  e.gpu = bytes{z.cpu_offload_params ? layer : layer + 2 * z.total_params / gpus};
  e.cpu = detail::shared_by_nodes(z, z.cpu_offload_params ? 18 : 16);
  return e;
}

} // namespace moeplan

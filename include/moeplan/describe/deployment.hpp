#pragma once

#include <cstdint>

#include <moeplan/describe/cluster.hpp>
#include <moeplan/describe/layout.hpp>
#include <moeplan/describe/model.hpp>
#include <moeplan/describe/strategy.hpp>
#include <moeplan/describe/workload.hpp>

/// @file
/// Everything that a question about a deployment needs.

namespace moeplan {

/// Whose rules apply: arithmetic always, and with it the policies of one framework. What a degree means does not change with the profile;
/// a framework that means something else by the same word has rules that say what it would make of the degrees.
enum class profile : std::uint16_t {
  universal,  ///< arithmetic alone: what no framework can do otherwise
  megatron,   ///< Megatron-LM
  torchtitan, ///< torchtitan: no ETP, experts on the ranks that weights are sharded over
  vllm,       ///< vLLM: experts on all ranks of a stage, EP derived
  sglang,     ///< SGLang: its tp is a whole stage, with data-parallel attention in it
  trtllm,     ///< TensorRT-LLM: its tp is TP x DP, of which one is 1
  deepspeed   ///< DeepSpeed: Ulysses for CP, AutoEP for experts
};

/// A model on a cluster under a strategy. A plain value: compare it, copy it, use it as a template argument.
struct deployment {
  moeplan::model model{};
  moeplan::cluster cluster{};
  moeplan::strategy strategy{};
  moeplan::layout layout{};
  moeplan::workload workload{};
  moeplan::profile profile = moeplan::profile::megatron;

  friend constexpr bool operator==(const deployment&, const deployment&) noexcept = default;
};

} // namespace moeplan

#pragma once

#include <cstdint>

/// @file
/// What updates the parameters, and over how many ranks its state is spread.

namespace moeplan {

enum class optimizer : std::uint16_t {
  adam,         ///< two moments a parameter
  sgd_momentum, ///< one moment a parameter
  muon,         ///< one moment for matrices of the layers; Adam for embedding, head, norms and biases (arXiv 2502.16982)
  none          ///< no state: no master weights, no moments
};

/// What data-parallel ranks hold once and not each for itself. Each step includes those before it.
enum class sharding : std::uint16_t {
  none,
  optimizer, ///< master weights and moments: ZeRO-1 (arXiv 1910.02054), Megatron-LM's --use-distributed-optimizer
  gradients, ///< ZeRO-2
  parameters ///< ZeRO-3, FSDP
};

} // namespace moeplan

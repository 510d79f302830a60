#pragma once

#include <cstdint>

#include <moeplan/describe/assumptions.hpp>
#include <moeplan/describe/kernels.hpp>
#include <moeplan/describe/optimizer.hpp>
#include <moeplan/describe/precision.hpp>
#include <moeplan/describe/recompute.hpp>
#include <moeplan/describe/schedule.hpp>
#include <moeplan/number/bytes.hpp>
#include <moeplan/number/optional_integer.hpp>
#include <moeplan/number/ratio.hpp>

/// @file
/// A training run. Defaults are Megatron-LM's (megatron/training/arguments.py) where it has one.

namespace moeplan {

/// How context-parallel ranks exchange keys and values (--cp-comm-type).
enum class context_exchange : std::uint16_t {
  ring,       ///< p2p: zig-zag halves of 2 x CP chunks, to balance a causal mask
  all_gather, ///< all keys and values to every rank, in the same chunks
  all_to_all  ///< Ulysses: from sequence to heads and back (arXiv 2309.14509)
};

/// How tokens travel to their experts (--moe-token-dispatcher-type).
enum class token_dispatcher : std::uint16_t {
  all_gather,
  all_to_all,
  flex,  ///< Megatron-LM's own back end of the flexible dispatcher
  deepep ///< the flexible dispatcher on DeepEP (--moe-enable-deepep)
};

/// How the router is kept balanced (--moe-router-load-balancing-type).
enum class load_balancing : std::uint16_t { none, auxiliary_loss, sequence_auxiliary_loss, global_auxiliary_loss, sinkhorn };

/// How the tokens of a step fall on the ranks that hold experts: what memory must be there for.
enum class routing_load : std::uint16_t {
  balanced, ///< every expert gets as many
  worst     ///< as many tokens as possible choose the experts of one rank
};

struct routing {
  load_balancing balancing = load_balancing::auxiliary_loss;
  ratio capacity_factor{0};     ///< 0: no token is dropped
  bool pad_to_capacity = false; ///< every expert gets exactly its capacity
  bool pre_softmax = false;     ///< scores before the choice of the top k, not after
  routing_load load = routing_load::balanced;
  ratio busiest_share{0}; ///< share of all routed copies that goes to the busiest EP rank, where that was measured; 0: as load says

  friend constexpr bool operator==(const routing&, const routing&) noexcept = default;
};

/// What runs at the same time as something else.
struct overlap {
  bool tensor_parallel = false;         ///< --tp-comm-overlap
  bool shared_experts = false;          ///< --moe-shared-expert-overlap
  bool expert_parallel = false;         ///< --overlap-moe-expert-parallel-comm
  bool delayed_weight_gradient = false; ///< --delay-wgrad-compute

  friend constexpr bool operator==(const overlap&, const overlap&) noexcept = default;
};

struct training {
  /// Sequences a step; absent: micro_batch x DP, one micro-batch a step, which is all a stage holds.
  optional_integer global_batch{};
  std::int64_t micro_batch = 1;     ///< sequences
  std::int64_t sequence_length = 0; ///< tokens; has no default: 0 is a finding
  moeplan::recompute recompute = moeplan::recompute::none;
  moeplan::recompute_modules recompute_modules{}; ///< what selective recompute drops
  moeplan::recompute_method recompute_method = moeplan::recompute_method::uniform;
  /// Full recompute: layers in a group, or layers of each virtual stage (--recompute-num-layers).
  std::int64_t recompute_layers = 1;
  context_exchange context = context_exchange::ring;
  token_dispatcher dispatcher = token_dispatcher::all_gather;
  moeplan::routing routing{};
  moeplan::overlap overlap{};
  /// Copies of what data parallelism shards (HSDP; --num-distributed-optimizer-instances); 1: it is sharded over all ranks.
  std::int64_t dp_replicate = 1;
  moeplan::precision precision{};
  moeplan::optimizer optimizer = moeplan::optimizer::adam;
  moeplan::sharding sharding = moeplan::sharding::none;
  ratio optimizer_offload{0}; ///< share of master weights and moments in the host's memory (--optimizer-offload-fraction)
  moeplan::schedule schedule = moeplan::schedule::one_forward_one_backward;
  moeplan::kernels kernels{};
  moeplan::assumptions assumptions{};
  bytes reserve{}; ///< of each GPU, for what is no tensor: the CUDA context, communication libraries, fragmentation
  std::int64_t vocabulary_multiple = 128; ///< the vocabulary is padded to a multiple of this times TP; 0: not padded

  friend constexpr bool operator==(const training&, const training&) noexcept = default;
};

} // namespace moeplan

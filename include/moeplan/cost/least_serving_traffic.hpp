#pragma once

#include <cstdint>

#include <moeplan/cost/attention_inputs.hpp>
#include <moeplan/cost/block_flops.hpp>
#include <moeplan/cost/group_links.hpp>
#include <moeplan/cost/least_ranks.hpp>
#include <moeplan/cost/link_bytes.hpp>
#include <moeplan/cost/placed_links.hpp>
#include <moeplan/cost/product_time.hpp>
#include <moeplan/cost/topology.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/mesh/group_axes.hpp>
#include <moeplan/mesh/stage_layers.hpp>

/// @file
/// What the stages of a deployment that serves have to send and receive at least, whatever implementation does it.

namespace moeplan {

/// What has to be communicated in a step, in which each sequence gets `step_tokens` tokens further; serving_traffic has what vLLM does.
///
/// - Between TP ranks: each needs the inputs of its part of attention and MLPs for all tokens, in the type that it multiplies them
///   in, and of latent attention what is compressed where queries are too and that is less; and each token the sum of what the
///   parts put out, in bf16.
/// - Between expert ranks: each token by one TP rank alone to as few ranks and domains as have room for its experts, in the type that these
///   multiply in if it is 8 bits or less, without scales, and back in bf16. Where no data-parallel attention ranks share experts, every
///   rank may have all tokens instead, and put out a sum for those that have an expert on it.
/// - Between stages: each token once, by one TP rank alone.
///
/// Left out, since it can be avoided or is little: embeddings, logits, which ranks can draw the next token from each for its part of
/// the vocabulary, routing, and what ranks exchange that share keys and values of a sequence.
///
/// In double. It refers to the deployment, which must outlive it. Precondition: a deployment that serves and that `check` accepts, with
/// DP given. Of a cluster that does not say how many GPUs a node has, each is taken as a domain of its own.
class least_serving_traffic {
public:
  constexpr explicit least_serving_traffic(const deployment& d) noexcept
      : deployment_{&d},
        where_{d.strategy, d.cluster.gpus_per_node.given ? d.cluster.nvlink_gpus() : 1},
        tokens_{static_cast<double>(d.workload.serve.batch) * static_cast<double>(d.workload.serve.new_tokens()) /
                static_cast<double>(d.strategy[axis::cp])},
        activations_{tokens_ * static_cast<double>(d.model.hidden_size) * 2} {
    place(0);
  }

  explicit least_serving_traffic(deployment&&) = delete;

  /// Sets the pipeline rank that the following are about. Precondition: 0 <= rank < PP.
  constexpr void begin(std::int64_t rank) noexcept {
    if (rank > 0 && !where_.stages_lie_alike()) place(rank);
    rank_ = rank;
  }

  /// Whether all stages use the same links for what goes on within them, and no NVLink domain has GPUs of several.
  [[nodiscard]] constexpr bool stages_lie_alike() const noexcept { return where_.stages_lie_alike(); }

  /// Of the blocks of a virtual stage, within the stage.
  [[nodiscard]] constexpr link_bytes of_blocks(const stage_blocks& n) const noexcept {
    return static_cast<double>(n.full_attention + n.windowed_attention) * softmax_attention_ +
           static_cast<double>(n.linear_attention) * linear_attention_ + static_cast<double>(n.dense_mlp) * dense_mlp_ +
           static_cast<double>(n.moe_mlp) * experts_;
  }

  /// To and from the stages before and behind a virtual stage. Nothing goes between two on the same rank.
  [[nodiscard]] constexpr link_bytes of_transfers(std::int64_t stage) const noexcept {
    const deployment& d = *deployment_;
    const std::int64_t ranks = d.strategy[axis::pp];
    const double size = activations_ / static_cast<double>(d.strategy[axis::tp]);
    link_bytes sum;
    if (ranks == 1 || tensors_.leave_domains()) return sum; // One of the TP ranks may be close to the next stage.
    if (stage > 0) {
      const double far = size * detail::far_share(where_, rank_, (stage - 1) % ranks);
      sum += {{0, size - far}, {0, far}};
    }
    if (stage + 1 < virtual_stages(d.strategy, d.layout)) {
      const double far = size * detail::far_share(where_, rank_, (stage + 1) % ranks);
      sum += {{size - far, 0}, {far, 0}};
    }
    return sum;
  }

private:
  [[nodiscard]] constexpr group_links links_of(group_axes along, std::int64_t ranks) const noexcept {
    return detail::links_of(where_, along, ranks, rank_);
  }

  constexpr void place(std::int64_t rank) noexcept {
    rank_ = rank;
    tensors_ = links_of(groups::tp, deployment_->strategy[axis::tp]);
    const product_types types = product_types_of(deployment_->workload);
    linear_attention_ = tensor_parallel(hidden(), types.attention);
    dense_mlp_ = tensor_parallel(hidden(), types.mlps);
    softmax_attention_ = tensor_parallel(detail::attention_inputs(deployment_->model, true), types.attention);
    if (deployment_->model.has_experts()) experts_ = of_experts(types.routed_experts);
  }

  [[nodiscard]] constexpr double hidden() const noexcept { return static_cast<double>(deployment_->model.hidden_size); }

  /// Bytes of a number on its way to a product in some type.
  [[nodiscard]] static constexpr double multiplied(number_type type) noexcept {
    return bits(type) <= 8 ? static_cast<double>(bits(type)) / 8 : 2;
  }

  /// A block of which each TP rank has a part: inputs so wide to all, and sums of the hidden size.
  [[nodiscard]] constexpr link_bytes tensor_parallel(double inputs, number_type type) const noexcept {
    return tensors_.gather(tokens_ * inputs * multiplied(type)) + tensors_.scatter(activations_);
  }

  [[nodiscard]] constexpr link_bytes of_experts(number_type type) const noexcept {
    const deployment& d = *deployment_;
    const strategy& s = d.strategy;
    const experts& e = d.model.experts;
    const std::int64_t copies = d.workload.redundant_experts();
    const group_links links = links_of(groups::etp_ep, s[axis::etp] * s[axis::ep]);
    const std::int64_t ranks = least_ranks(e, s[axis::ep], copies);
    const double own = tokens_ / static_cast<double>(s[axis::tp]) * hidden();
    const auto near = static_cast<double>(ranks * s[axis::etp]);
    const auto far = static_cast<double>(s[axis::etp] == 1 ? least_ranks(e, links.even_domains(), copies) : 1);
    const link_bytes exchanged = links.spread(own * multiplied(type), near, far) + links.collect(own * 2, near, far);
    const bool shared = d.workload.serve.data_parallelism == data_parallelism::attention && s[axis::dp] > 1;
    return shared ? exchanged : least(exchanged, of_sum(links, ranks, type));
  }

  /// All ranks get all tokens, and add up what those put out that have experts of a token: so many at least. Where one has room for all of
  /// them, its ETP ranks have parts of the sum, and no other rank has any.
  [[nodiscard]] constexpr link_bytes of_sum(const group_links& links, std::int64_t ranks, number_type type) const noexcept {
    const strategy& s = deployment_->strategy;
    const link_bytes all = links.gather(tokens_ * hidden() * multiplied(type));
    if (ranks == s[axis::ep]) return all + links.scatter(activations_);
    return all + links_of(groups::etp, s[axis::etp]).scatter(activations_ / static_cast<double>(s[axis::ep]));
  }

  const deployment* deployment_;
  topology where_;
  double tokens_;      ///< of a rank; CP ranks divide them
  double activations_; ///< bytes of all tokens' hidden states
  std::int64_t rank_ = 0;
  group_links tensors_{};
  link_bytes softmax_attention_{};
  link_bytes linear_attention_{};
  link_bytes dense_mlp_{};
  link_bytes experts_{}; ///< of an MoE layer
};

} // namespace moeplan

#pragma once

#include <cstdint>

#include <moeplan/balance/capacity.hpp>
#include <moeplan/cost/attention_inputs.hpp>
#include <moeplan/cost/block_flops.hpp>
#include <moeplan/cost/group_links.hpp>
#include <moeplan/cost/least_ranks.hpp>
#include <moeplan/cost/link_bytes.hpp>
#include <moeplan/cost/placed_links.hpp>
#include <moeplan/cost/stage_weights.hpp>
#include <moeplan/cost/topology.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/mesh/group_axes.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/extremes.hpp>
#include <moeplan/pipeline/stage_placement.hpp>

/// @file
/// What the stages of a training run have to send and receive at least, whatever implementation does it.

namespace moeplan {

/// How often a pipeline rank passes each kind of block in a step.
struct block_passes {
  double full_attention = 0;
  double windowed_attention = 0;
  double linear_attention = 0;
  double dense_mlp = 0;
  double moe_mlp = 0;
  double heads = 0;

  constexpr void add(const stage_blocks& n, double times) noexcept {
    full_attention += times * static_cast<double>(n.full_attention);
    windowed_attention += times * static_cast<double>(n.windowed_attention);
    linear_attention += times * static_cast<double>(n.linear_attention);
    dense_mlp += times * static_cast<double>(n.dense_mlp);
    moe_mlp += times * static_cast<double>(n.moe_mlp);
    heads += times * static_cast<double>(n.heads);
  }
};

/// What has to be communicated in a training step for what the deployment says; training_traffic has what Megatron-LM does.
///
/// - Between TP ranks: each needs all tokens that its part of a block works on, and each token the sum of what the parts put out; backward
///   the gradients of both. Latent attention brings what is compressed, rotary keys with it, where queries are compressed too and that is
///   less than the hidden state. Inputs are kept for the backward pass.
/// - Between CP ranks: each needs keys and values of the tokens before its own, tokens being divided in their order, and with
///   sliding windows those of so many before; or what these follow from, where it is less: latents, or hidden states. With an
///   all-to-all each gets heads in place of tokens, or that. What an indexer chooses and what of a chunked window lies on other
///   ranks is not known, and left out.
/// - Between expert ranks: what the dispatcher sends, each token by one TP rank alone; in FP8 to experts that multiply in it, without
///   scales, and back in the type of activations. Where a token goes once to several of its experts, it goes to as few ranks and domains
///   as have room for them. What shared experts need and put out may travel with it.
/// - Between stages: each token once, by one TP rank alone. Where TP ranks all have it, one of them may be close to the next stage.
/// - Between ranks that hold the same weights: gradients are added up once a step, and sharded weights gathered once a step, in FP8 if
///   they multiply in it. The two ranks that DualPipe places a stage on share that work.
/// - Computed again: only what brings inputs, of the blocks and modules that are.
///
/// What linear layers that multiply in FP8 gather is in it already (Transformer Engine, module/layernorm_linear.py). Left out,
/// since it is little or can be avoided: embeddings, their gradients too, and the inputs of multi-token prediction, routing and
/// probabilities, losses, the gradients of what TP ranks hold whole and of tied embeddings, and context parallelism of linear
/// attention.
///
/// In double. It refers to the deployment, which must outlive it. Precondition: a training run that `check` accepts, with DP given. Of a
/// cluster that does not say how many GPUs a node has, each is taken as a domain of its own.
class least_training_traffic {
public:
  constexpr explicit least_training_traffic(const deployment& d) noexcept
      : deployment_{&d},
        where_{d.strategy, d.cluster.gpus_per_node.given ? d.cluster.nvlink_gpus() : 1},
        tokens_{static_cast<double>(d.workload.train.micro_batch) * static_cast<double>(d.workload.train.sequence_length) /
                static_cast<double>(d.strategy[axis::cp])},
        hidden_{static_cast<double>(d.model.hidden_size)},
        type_{bytes_of(d.workload.train.precision.weights)},
        multiplied_{fp8() ? 1 : type_} {
    place(0);
  }

  explicit least_training_traffic(deployment&&) = delete;

  /// Whether all stages use the same links for what goes on within them, and no NVLink domain has GPUs of several.
  [[nodiscard]] constexpr bool stages_lie_alike() const noexcept { return where_.stages_lie_alike(); }

  /// Sets the pipeline rank that the following are about. Precondition: 0 <= rank < PP.
  constexpr void begin(std::int64_t rank) noexcept {
    rank_ = rank;
    if (rank > 0 && !stages_lie_alike()) place(rank);
  }

  /// Of all micro-batches, within the stage: blocks so often, and computed again so often.
  [[nodiscard]] constexpr link_bytes of_blocks(const block_passes& once, const block_passes& again) const noexcept {
    return once.full_attention * full_attention_.once + again.full_attention * full_attention_.again +
           once.windowed_attention * windowed_attention_.once + again.windowed_attention * windowed_attention_.again +
           once.linear_attention * linear_attention_.once + again.linear_attention * linear_attention_.again +
           once.dense_mlp * dense_mlp_.once + again.dense_mlp * dense_mlp_.again + once.moe_mlp * moe_mlp_.once +
           again.moe_mlp * moe_mlp_.again + once.heads * head_.once;
  }

  /// To and from the stages before and behind one of the rank's virtual stages. Nothing goes between two on the same rank.
  [[nodiscard]] constexpr link_bytes of_transfers(std::int64_t chunk, double micro_batches) const noexcept {
    const deployment& d = *deployment_;
    if (!sequence_parallel() && tensors_.leave_domains()) return {};
    const schedule order = d.workload.train.schedule;
    const std::int64_t ranks = d.strategy[axis::pp];
    const std::int64_t stage = virtual_stage(order, ranks, rank_, chunk);
    double far = 0;
    double all = 0;
    for (const std::int64_t other : {stage - 1, stage + 1}) {
      if (other < 0 || other >= virtual_stages(d.strategy, d.layout)) continue;
      const std::int64_t to = rank_of_stage(order, ranks, other, chunk);
      if (to == rank_) continue;
      far += detail::far_share(where_, rank_, to);
      all += 1;
    }
    // Activations one way, their gradients the other.
    const double size = micro_batches * tokens_ / tensor_ranks() * hidden_ * type_;
    return {{size * (all - far), size * (all - far)}, {size * far, size * far}};
  }

  /// Once a step, for the weights that the rank holds.
  [[nodiscard]] constexpr link_bytes of_update(const stage_weight_counts<double>& held) const noexcept {
    parameter_group<double> dense = held.parameters.dense;
    dense.others += held.tied_heads - held.looked_up; // Few rows of an embedding change.
    const link_bytes sum = shared(dense, dense_) + shared(held.parameters.experts, experts_of_update_);
    const std::int64_t ranks = deployment_->strategy[axis::pp];
    const std::int64_t other = ranks - 1 - rank_;
    if (deployment_->workload.train.schedule != schedule::dualpipe || other == rank_) return sum;
    // Each stage is on two pipeline ranks (arXiv 2412.19437, section 3.2.1). Where these add up their gradients first, each has
    // half of them left; where they do it last, the shard that it has added up.
    const double size = gradients(dense) / dense_.ranks + gradients(held.parameters.experts) / experts_of_update_.ranks;
    const double far = detail::far_share(where_, rank_, other);
    return 0.5 * sum + link_bytes{{size * (1 - far), size * (1 - far)}, {size * far, size * far}};
  }

private:
  /// One block for one micro-batch: forward and backward, and what is done again where it is recomputed.
  struct passes {
    link_bytes once{};
    link_bytes again{};

    constexpr passes& operator+=(const passes& b) noexcept {
      once += b.once;
      again += b.again;
      return *this;
    }
  };

  /// Ranks that hold the same weights.
  struct sharing_ranks {
    double ranks = 1;
    double shard_ranks = 1;
    group_links shards{}; ///< of a sharded state; all ranks where it is not
    group_links copies{};
  };

  [[nodiscard]] static constexpr double bytes_of(number_type type) noexcept { return static_cast<double>(bits(type)) / 8; }

  [[nodiscard]] constexpr const training& train() const noexcept { return deployment_->workload.train; }
  [[nodiscard]] constexpr bool fp8() const noexcept { return train().precision.fp8 != fp8_recipe::none; }
  [[nodiscard]] constexpr bool sequence_parallel() const noexcept { return deployment_->strategy[axis::sp] > 1; }
  [[nodiscard]] constexpr bool recomputes_all() const noexcept { return train().recompute == recompute::full; }
  [[nodiscard]] constexpr bool selects(bool recompute_modules::*module) const noexcept {
    return train().recompute == recompute::selective && train().recompute_modules.*module;
  }
  /// Whether a module is computed again, by itself or with everything else.
  [[nodiscard]] constexpr bool repeats(bool recompute_modules::*module) const noexcept {
    return recomputes_all() || selects(module);
  }
  [[nodiscard]] constexpr double tensor_ranks() const noexcept { return static_cast<double>(deployment_->strategy[axis::tp]); }

  [[nodiscard]] constexpr group_links links_of(group_axes along, std::int64_t ranks) const noexcept {
    return detail::links_of(where_, along, ranks, rank_);
  }

  /// Looks at where the groups of a stage lie.
  constexpr void place(std::int64_t rank) noexcept {
    rank_ = rank;
    const model& m = deployment_->model;
    const strategy& s = deployment_->strategy;
    tensors_ = links_of(groups::tp, s[axis::tp]);
    linear_attention_ = tensor_parallel(hidden_, recomputes_all());
    dense_mlp_ = tensor_parallel(hidden_, repeats(&recompute_modules::mlp));
    full_attention_ = windowed_attention_ = attention_projections();
    if (s[axis::cp] > 1) add_context();
    moe_mlp_ = {};
    if (m.has_experts()) add_experts();
    head_.once = tensors_.gather(tokens_ * hidden_ * type_) + tensors_.scatter(tokens_ * hidden_ * type_);
    dense_ = sharing(groups::dp_cp, s[axis::dp] * s[axis::cp]);
    if (m.has_experts())
      experts_of_update_ = sharing(groups::edp, s[axis::tp] * s[axis::cp] * s[axis::dp] / (s[axis::etp] * s[axis::ep]));
  }

  /// What TP ranks of sequence parallelism gather of each token for a linear layer; without it all have it.
  [[nodiscard]] constexpr link_bytes inputs(double width) const noexcept {
    return sequence_parallel() ? tensors_.gather(tokens_ * width * multiplied_) : link_bytes{};
  }

  /// A block that TP ranks share: each gets inputs so wide of all tokens, and gives outputs of the hidden size. Without sequence
  /// parallelism all have the inputs, and get the whole sum of outputs, and backward that of the inputs' gradients.
  [[nodiscard]] constexpr passes tensor_parallel(double width, bool again) const noexcept {
    const double gathered = sequence_parallel() ? multiplied_ : type_;
    const double both = tokens_ * (width + hidden_);
    return {tensors_.gather(both * gathered) + tensors_.scatter(both * type_), again ? inputs(width) : link_bytes{}};
  }

  [[nodiscard]] constexpr passes attention_projections() const noexcept {
    const model& m = deployment_->model;
    passes p = tensor_parallel(detail::attention_inputs(m, true), recomputes_all());
    if (selects(&recompute_modules::latent_up_projection)) p.again = inputs(detail::attention_inputs(m, false));
    return p;
  }

  /// Between ranks that each have a part of the tokens. Where TP ranks need the same, each brings its part.
  constexpr void add_context() noexcept {
    const attention& a = deployment_->model.attention;
    if (a.indexer.top_k > 0) return;
    const group_links context = links_of(groups::cp, deployment_->strategy[axis::cp]);
    const double own = tokens_ / tensor_ranks();
    const double all = own * static_cast<double>(deployment_->strategy[axis::cp]);
    if (train().context == context_exchange::all_to_all) {
      const passes p = heads_for_tokens(context, own, all);
      full_attention_ += p;
      windowed_attention_ += p;
      return;
    }
    passes before = keys_and_values(context, all / 2); // Half of the others' tokens come before a rank's own, on average.
    if (context.leave_domains() && context.even_domains() == 1)
      before.once.network = before.again.network = {}; // It depends on their order.
    full_attention_ += before;
    if (a.window.tokens > 0 && a.window.kind == window_kind::sliding)
      windowed_attention_ += keys_and_values(context, tokens_in_reach() / tensor_ranks());
  }

  /// Numbers of a token, of all heads.
  struct attention_widths {
    double queries = 0;
    double keys_and_values = 0; ///< a rotary part that all heads share once
    double outputs = 0;
    double latent_queries = 0; ///< what queries follow from; hidden states, if nothing less
    double latents = 0;        ///< the same of keys and values
  };

  [[nodiscard]] constexpr attention_widths widths() const noexcept {
    const attention& a = deployment_->model.attention;
    const auto heads = static_cast<double>(a.heads);
    const auto head = static_cast<double>(a.head_dim);
    if (a.kind != attention_kind::latent)
      return {heads * head, 2 * static_cast<double>(a.kv_heads) * head, heads * head, hidden_, hidden_};
    const auto plain = static_cast<double>(a.qk_nope_head_dim);
    const auto rotary = static_cast<double>(a.qk_rope_head_dim);
    const auto value = static_cast<double>(a.v_head_dim);
    const double query_latent = a.q_lora_rank > 0 ? static_cast<double>(a.q_lora_rank) : hidden_;
    return {heads * (plain + rotary), heads * (plain + value) + rotary, heads * value, detail::least(query_latent, hidden_),
            detail::least(static_cast<double>(a.kv_lora_rank) + rotary, hidden_)};
  }

  /// Keys and values of so many tokens, or what they follow from, and their gradients back.
  [[nodiscard]] constexpr passes keys_and_values(const group_links& context, double tokens) const noexcept {
    const attention_widths w = widths();
    const link_bytes there = context.gather(tokens * detail::least(w.keys_and_values * type_, w.latents * multiplied_));
    const link_bytes back = context.scatter(tokens * detail::least(w.keys_and_values, w.latents) * type_);
    return {there + back, repeats(&recompute_modules::core_attention) ? there : link_bytes{}};
  }

  /// All tokens of a part of the heads, for a part of the tokens of all; or what all heads follow from. And outputs the other way.
  [[nodiscard]] constexpr passes heads_for_tokens(const group_links& context, double own, double all) const noexcept {
    const attention_widths w = widths();
    const auto brought = [&](double bytes, link_bytes (group_links::*collective)(double) const noexcept) {
      const auto whole = [&](double width) { return (context.*collective)(all * width * bytes); };
      const link_bytes queries = least(context.exchange(own * w.queries * type_), whole(w.latent_queries));
      const link_bytes others = least(context.exchange(own * w.keys_and_values * type_), whole(w.latents));
      return least(queries + others, whole(hidden_));
    };
    const link_bytes there = brought(multiplied_, &group_links::gather);
    const link_bytes back = brought(type_, &group_links::scatter);
    // Or the projection of outputs comes first, and its sums are exchanged.
    const link_bytes heads = context.exchange(own * w.outputs * type_);
    const link_bytes outputs = least(heads, context.scatter(all * hidden_ * type_));
    const link_bytes gradients = least(heads, context.gather(all * hidden_ * multiplied_));
    return {there + back + outputs + gradients, repeats(&recompute_modules::core_attention) ? there : link_bytes{}};
  }

  /// Tokens before a rank's own that its first ones attend to: those of the rank before at most.
  [[nodiscard]] constexpr double tokens_in_reach() const noexcept {
    const auto before = static_cast<double>(deployment_->model.attention.window.tokens - 1);
    return detail::least(tokens_, before * static_cast<double>(train().micro_batch));
  }

  constexpr void add_experts() noexcept {
    const strategy& s = deployment_->strategy;
    const bool repeated = repeats(&recompute_modules::moe);
    if (s[axis::etp] * s[axis::ep] > 1) moe_mlp_ = routed_experts(repeated);
    const bool divided = train().assumptions.shared_experts == held::sharded;
    if (deployment_->model.experts.shared_intermediate_size == 0 || !divided) return;
    const passes shared = tensor_parallel(hidden_, repeated);
    moe_mlp_ = {most(moe_mlp_.once, shared.once), most(moe_mlp_.again, shared.again)};
    if (selects(&recompute_modules::shared_experts)) moe_mlp_.again += inputs(hidden_);
  }

  /// To experts and back, forward and backward.
  [[nodiscard]] constexpr passes routed_experts(bool again) const noexcept {
    const strategy& s = deployment_->strategy;
    const experts& e = deployment_->model.experts;
    const std::int64_t expert_ranks = s[axis::etp] * s[axis::ep];
    const double numbers = tokens_ / tensor_ranks() * hidden_;
    const double kept = kept_choices(train().routing);
    link_bytes there; // each way once
    link_bytes back;
    switch (train().dispatcher) {
      case token_dispatcher::all_gather: {
        const group_links links = links_of(groups::etp_ep, expert_ranks);
        const double all = static_cast<double>(expert_ranks) * numbers;
        there = links.gather(all * multiplied_);
        back = links.scatter(all * type_);
        break;
      }
      case token_dispatcher::all_to_all: {
        const group_links links = links_of(groups::ep, s[axis::ep]);
        const group_links tensors = links_of(groups::etp, s[axis::etp]);
        const double copies = static_cast<double>(e.top_k) * kept * numbers;
        const double gathered = copies * static_cast<double>(s[axis::etp]);
        there = links.exchange(copies * multiplied_) + tensors.gather(gathered * multiplied_);
        back = links.exchange(copies * type_) + tensors.scatter(gathered * type_);
        break;
      }
      case token_dispatcher::flex:
      case token_dispatcher::deepep: {
        const group_links links = links_of(groups::etp_ep, expert_ranks);
        const double near = least_ranks_on_average(e, s[axis::ep], kept) * static_cast<double>(s[axis::etp]);
        const double far = least_ranks_on_average(e, s[axis::etp] == 1 ? links.even_domains() : 1, kept);
        there = links.spread(numbers * multiplied_, near, far);
        back = links.collect(numbers * type_, near, far);
        break;
      }
    }
    return {2.0 * (there + back), again ? there : link_bytes{}};
  }

  [[nodiscard]] constexpr sharing_ranks sharing(group_axes group, std::int64_t ranks) const noexcept {
    const bool sharded = train().sharding != sharding::none;
    const std::int64_t copies = sharded ? detail::least(ranks, train().dp_replicate) : 1;
    const std::int64_t shards = ranks / copies;
    sharing_ranks r{.ranks = static_cast<double>(ranks), .shard_ranks = static_cast<double>(shards)};
    if (copies == 1) {
      r.shards = links_of(group, ranks);
      return r;
    }
    if (shards > 1) r.shards = group_links{where_.domain_spread_of(group, rank_, group_part::neighbours, shards)};
    const group_part part = shards == 1 ? group_part::all : group_part::spread;
    r.copies = group_links{where_.domain_spread_of(group, rank_, part, copies)};
    return r;
  }

  [[nodiscard]] constexpr double gradients(const parameter_group<double>& held) const noexcept {
    return held.trained() * bytes_of(train().precision.gradients);
  }

  [[nodiscard]] constexpr link_bytes shared(const parameter_group<double>& held, const sharing_ranks& by) const noexcept {
    const double all = gradients(held);
    if (train().sharding == sharding::none) return by.shards.reduce(all);
    link_bytes added_up = by.shards.scatter(all);
    if (by.ranks > by.shard_ranks) added_up.nvlink.received = added_up.network.received = 0; // Copies may have the sum first.
    const double weights = held.linear * multiplied_ + (held.routers + held.others) * type_;
    return added_up + by.copies.reduce(all / by.shard_ranks) + by.shards.gather(weights);
  }

  const deployment* deployment_;
  topology where_;
  double tokens_; ///< of a micro-batch on all TP ranks together
  double hidden_;
  double type_;       ///< bytes of an activation
  double multiplied_; ///< of one that a linear layer multiplies, or of a weight of it
  std::int64_t rank_ = 0;
  group_links tensors_{};
  passes full_attention_{};
  passes windowed_attention_{};
  passes linear_attention_{};
  passes dense_mlp_{};
  passes moe_mlp_{};
  passes head_{};
  sharing_ranks dense_{};
  sharing_ranks experts_of_update_{};
};

} // namespace moeplan

#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/cost/communication.hpp>
#include <moeplan/cost/exchange_format.hpp>
#include <moeplan/cost/flops.hpp>
#include <moeplan/cost/least_traffic.hpp>
#include <moeplan/cost/link_sum.hpp>
#include <moeplan/cost/memory_traffic.hpp>
#include <moeplan/cost/pipeline_bound.hpp>
#include <moeplan/cost/product_time.hpp>
#include <moeplan/cost/serving_traffic.hpp>
#include <moeplan/cost/stage_compute.hpp>
#include <moeplan/cost/step_time.hpp>
#include <moeplan/cost/training_flops.hpp>
#include <moeplan/cost/training_traffic.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/mesh/gpus.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/bytes.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/uint256.hpp>
#include <moeplan/pipeline/pipeline_shape.hpp>
#include <moeplan/pipeline/stage_placement.hpp>

/// @file
/// What a step of a deployment costs, and how long it takes at least.

namespace moeplan {

namespace not_a_constant {
inline void an_efficiency_is_not_above_0_and_at_most_1() noexcept {}
} // namespace not_a_constant

/// The pipeline rank whose GPUs move most bytes in a step, and how many: on average over its GPUs, and at least.
struct busiest_stage {
  std::int64_t stage = 0;
  double bytes = 0;

  constexpr void consider(std::int64_t another, double its_bytes) noexcept {
    if (its_bytes > bytes) *this = {another, its_bytes};
  }

  friend constexpr bool operator==(const busiest_stage&, const busiest_stage&) noexcept = default;
};

/// The cost of one step: of training, or of serving, where each sequence of the batch gets `step_tokens` tokens and then has
/// `sequence_length`.
struct deployment_cost {
  training_flops<saturating_count> of_sequence{}; ///< of all GPUs that work on a sequence; serving: forward alone
  saturating_count sequences;                     ///< of a step, in all data-parallel copies
  saturating_count tokens;                        ///< of a step: trained on, or put in; while decoding as many come out
  saturating_count gpus;
  bool trains = true;
  std::int64_t peak_flops = 0; ///< of a GPU, in the type that its experts or MLPs multiply in; 0: not known

  busiest_stage memory{};  ///< read and written
  busiest_stage nvlink{};  ///< sent to GPUs of the same node or rack
  busiest_stage network{}; ///< sent to others

  step_time bound{};    ///< what no implementation of the deployment beats
  step_time estimate{}; ///< the same with the efficiencies that were given: never less; the bound itself where none were

  /// FLOPs of the step by component, all GPUs together: forward and backward passes and what is recomputed.
  [[nodiscard]] constexpr flops<uint256> step_flops() const noexcept {
    return sequences_of_step() * (uint256{passes()} * wide(of_sequence.forward) + wide(of_sequence.recomputed));
  }

  /// FLOPs that the result needs; and those that are done, with what is recomputed.
  [[nodiscard]] constexpr uint256 model_flops() const noexcept {
    return sequences_of_step() * (uint256{passes()} * wide(of_sequence.forward).total());
  }
  [[nodiscard]] constexpr uint256 hardware_flops() const noexcept { return step_flops().total(); }

  /// What limits the step. Precondition: bound.step().known.
  [[nodiscard]] constexpr step_resource limit() const noexcept { return bound.limit(); }

  /// The most tokens a second, of all GPUs together, that are possible; 0 where the bound is not known.
  [[nodiscard]] constexpr double tokens_per_second() const noexcept { return in_a_second(static_cast<double>(tokens.bits)); }

  /// The most model FLOPs a second and GPU that are possible; 0 where the bound is not known.
  [[nodiscard]] constexpr double flops_per_second() const noexcept {
    return in_a_second(model_flops().to_double()) / static_cast<double>(gpus.bits);
  }

  /// The most MFU that is possible, of `peak_flops`; 0 where the bound or the peak is not known. Of FP8 runs some publish that of the
  /// peak of bf16: divide flops_per_second() by it.
  [[nodiscard]] constexpr double utilisation() const noexcept {
    return peak_flops > 0 ? flops_per_second() / static_cast<double>(peak_flops) : 0;
  }

  friend constexpr bool operator==(const deployment_cost&, const deployment_cost&) noexcept = default;

private:
  [[nodiscard]] constexpr std::int64_t passes() const noexcept { return trains ? 3 : 1; }
  [[nodiscard]] constexpr uint256 sequences_of_step() const noexcept { return wide(sequences); }

  [[nodiscard]] constexpr double in_a_second(double amount) const noexcept {
    const known_seconds step = bound.step();
    return step.known && step.seconds > 0 ? amount / step.seconds : 0;
  }

  [[nodiscard]] static constexpr uint256 wide(saturating_count n) noexcept {
    return n.overflowed() ? uint256::top() : uint256{n.value()};
  }
  [[nodiscard]] static constexpr flops<uint256> wide(const flops<saturating_count>& f) noexcept {
    return {wide(f.attention_projections), wide(f.core_attention), wide(f.indexer_projections), wide(f.indexer_scores),
            wide(f.linear_projections),    wide(f.delta_rule),     wide(f.dense_mlp),           wide(f.router),
            wide(f.routed_experts),        wide(f.shared_experts), wide(f.mtp_projections),     wide(f.head)};
  }
};

namespace detail {

/// What a step takes of each resource at its peak, in seconds.
struct step_demand {
  known_seconds compute{};
  known_seconds memory{};
  known_seconds nvlink{};
  known_seconds network{};
  double first_to_last = 0; ///< compute, with what ranks wait for each other
  double one_pass = 0;      ///< of it, one micro-batch on the first virtual stage, forward and backward
  known_seconds update_memory{};
  known_seconds update_nvlink{};
  known_seconds update_network{};

  [[nodiscard]] constexpr step_time with(const efficiencies& e) const noexcept {
    step_time t{over(compute, e.compute), over(memory, e.memory), over(nvlink, e.nvlink), over(network, e.network), {}};
    if (!compute.known) return t;
    // The weights of the first virtual stage are updated after its last backward pass has begun and before its first forward pass of
    // the next step ends.
    double update = one_pass / e.compute;
    for (const known_seconds& part :
         {over(update_memory, e.memory), over(update_nvlink, e.nvlink), over(update_network, e.network)})
      if (part.known && part.seconds > update) update = part.seconds;
    t.pipeline = {true, lowered((first_to_last - one_pass) / e.compute + update)};
    if (t.pipeline.seconds < t.compute.seconds) t.pipeline = t.compute;
    return t;
  }

private:
  /// Below what rounding may have added: sums of up to 2^12 terms and a few products.
  [[nodiscard]] static constexpr double lowered(double seconds) noexcept { return seconds * (1 - 0x1p-40); }

  [[nodiscard]] static constexpr known_seconds over(const known_seconds& s, double efficiency) noexcept {
    return {s.known, lowered(s.seconds / efficiency)};
  }
};

/// Tokens travel to their experts in FP8 where those multiply in it or in less, and back in bf16.
[[nodiscard]] constexpr exchange_formats least_formats(const training& t) noexcept {
  return t.precision.fp8 == fp8_recipe::none ? exchange_formats::activations(t.precision.weights) : exchange_formats::deepseek_v3();
}

/// The exchange that sends least: each token once to each rank.
[[nodiscard]] constexpr serving_exchange least_exchange(const product_types& types) noexcept {
  serving_exchange e{.dispatcher = token_dispatcher::deepep};
  if (bits(types.routed_experts) <= 8) e.dispatch = exchange_format::fp8_block();
  return e;
}

/// What the stages of a training run move. What blocks put on links is added up once, where all stages lie alike.
template <int OnUse>
class training_stages {
public:
  constexpr explicit training_stages(const deployment& d) noexcept
      : deployment_{&d}, traffic_{d, least_formats(d.workload.train), expected_sizes::left_out} {}

  [[nodiscard]] constexpr std::int64_t stages_alike(std::int64_t rank) const noexcept { return traffic_.stages_alike(rank); }

  constexpr void prepare(link_sum& sum) noexcept {
    if (!sum.stages_lie_alike()) return;
    for (const block_communication& b : traffic_.blocks()) {
      sum.begin_stage();
      sum(b.each);
      (b.each.pass == communication_pass::recompute ? again_ : once_)[static_cast<std::size_t>(b.block)] += sum.step;
    }
  }

  /// A rank, which the following are about, and others that do the same.
  constexpr void begin(std::int64_t rank) noexcept { held_ = traffic_.weights_of(rank); }

  [[nodiscard]] constexpr memory_bytes memory() const noexcept {
    return training_memory_traffic(held_, deployment_->strategy, deployment_->workload.train);
  }

  constexpr void add_links(std::int64_t rank, link_sum& sum) const noexcept {
    if (!sum.stages_lie_alike()) return traffic_.visit_stage(rank, sum);
    const block_times times = traffic_.times_of_blocks(rank);
    for (std::size_t block = 0; block < traffic_blocks; ++block) {
      sum.step += static_cast<double>(times.once[block].bits) * once_[block];
      sum.step += static_cast<double>(times.again[block].bits) * again_[block];
    }
    traffic_.visit_beside_blocks(rank, held_, sum);
  }

private:
  const deployment* deployment_;
  training_traffic<OnUse> traffic_;
  stage_weight_counts held_{};
  link_bytes once_[traffic_blocks]{}; ///< one of each block, for one micro-batch
  link_bytes again_[traffic_blocks]{};
};

/// What the stages of a deployment that serves move.
template <int OnUse>
class serving_stages {
public:
  constexpr explicit serving_stages(const deployment& d) noexcept
      : deployment_{&d}, traffic_{d, least_exchange(product_types_of(d.workload))}, memory_{d} {}

  /// Of few stages each is looked at.
  [[nodiscard]] static constexpr std::int64_t stages_alike(std::int64_t /*rank*/) noexcept { return 1; }

  static constexpr void prepare(link_sum& /*sum*/) noexcept {}
  constexpr void begin(std::int64_t rank) noexcept { rank_ = rank; }

  [[nodiscard]] constexpr memory_bytes memory() const noexcept {
    const deployment& d = *deployment_;
    memory_bytes sum;
    for (std::int64_t stage = rank_; stage < virtual_stages(d.strategy, d.layout); stage += d.strategy[axis::pp])
      sum += memory_.of_stage(contents(d.model, d.strategy, d.layout, stage));
    return sum;
  }

  constexpr void add_links(std::int64_t rank, link_sum& sum) const noexcept { traffic_.visit_stage(rank, sum); }

private:
  const deployment* deployment_;
  serving_traffic<OnUse> traffic_;
  serving_memory_traffic memory_;
  std::int64_t rank_ = 0;
};

/// Adds up the cost of a deployment. `Compute` and `Stages` are those of training, or of serving.
template <class Compute, class Stages>
class cost_builder {
public:
  constexpr cost_builder(const deployment& d, const pipeline_shape& shape, const Compute& compute, Stages& stages) noexcept
      : deployment_{&d}, shape_{shape}, compute_{&compute}, stages_{&stages} {}

  constexpr deployment_cost build(const efficiencies& e) noexcept {
    const gpu& g = deployment_->cluster.gpu;
    if (deployment_->cluster.gpus_per_node.given) {
      const least_traffic least{*deployment_};
      link_sum links{least};
      stages_->prepare(links);
      add_stages(&links);
      demand_.nvlink = seconds_of(cost_.nvlink.bytes, g.nvlink_bandwidth);
      demand_.network = seconds_of(cost_.network.bytes, g.network_bandwidth);
    } else {
      add_stages(nullptr);
    }
    demand_.memory = seconds_of(cost_.memory.bytes, g.memory_bandwidth);
    const product_types types = product_types_of(deployment_->workload);
    cost_.of_sequence = compute_->of_sequence();
    cost_.gpus = gpus<saturating_count>(deployment_->strategy);
    cost_.trains = deployment_->workload.is_training();
    cost_.peak_flops = moeplan::peak_flops(g, deployment_->model.has_experts() ? types.routed_experts : types.mlps);
    cost_.bound = demand_.with({});
    cost_.estimate = e == efficiencies{} ? cost_.bound : demand_.with(e);
    return cost_;
  }

private:
  /// Those that do the same are looked at once. Without links where it is not known which there are.
  constexpr void add_stages(link_sum* links) noexcept {
    const bool splits = splits_backward(shape_.schedule) || deployment_->workload.train.overlap.delayed_weight_gradient;
    pipeline_bound_builder<double, Compute> least{shape_, splits, *compute_};
    for (std::int64_t rank = 0; rank < shape_.ranks;) {
      const std::int64_t end = rank + stages_->stages_alike(rank);
      if (compute_->known()) least.add(rank, end - rank);
      stages_->begin(rank);
      const memory_bytes moved = stages_->memory();
      cost_.memory.consider(rank, static_cast<double>(moved.step.bits));
      if (rank == 0 && chunks_of_rank(shape_) == 1) {
        if (compute_->known()) demand_.one_pass = (*compute_)(0).total();
        demand_.update_memory = seconds_of(static_cast<double>(moved.update.bits), deployment_->cluster.gpu.memory_bandwidth);
      }
      if (links != nullptr) add_links(rank, links->stages_lie_alike() ? rank + 1 : end, *links);
      rank = end;
    }
    const pipeline_bound<double> bound = least.build();
    demand_.compute = {compute_->known(), bound.busiest};
    // Where steps follow each other, a server's pipeline never runs empty: other sequences fill it.
    demand_.first_to_last = deployment_->workload.is_training() ? bound.first_to_last : bound.busiest;
  }

  constexpr void add_links(std::int64_t first, std::int64_t end, link_sum& sum) noexcept {
    const gpu& g = deployment_->cluster.gpu;
    for (std::int64_t rank = first; rank < end; ++rank) {
      sum.begin_stage();
      stages_->add_links(rank, sum);
      cost_.nvlink.consider(rank, sum.step.nvlink);
      cost_.network.consider(rank, sum.step.network);
      if (rank > 0 || chunks_of_rank(shape_) > 1) continue;
      demand_.update_nvlink = seconds_of(sum.update.nvlink, g.nvlink_bandwidth);
      demand_.update_network = seconds_of(sum.update.network, g.network_bandwidth);
    }
  }

  [[nodiscard]] static constexpr known_seconds seconds_of(double amount, bytes rate) noexcept {
    if (amount == 0) return {true, 0};
    if (rate == bytes{}) return {};
    return {true, amount / static_cast<double>(rate.amount.bits)};
  }

  const deployment* deployment_;
  pipeline_shape shape_;
  const Compute* compute_;
  Stages* stages_;
  step_demand demand_{};
  deployment_cost cost_{};
};

template <int OnUse>
[[nodiscard]] constexpr deployment_cost training_cost(const deployment& d, const efficiencies& e) noexcept {
  const training& t = d.workload.train;
  const training_compute compute{d};
  training_stages<OnUse> stages{d};
  deployment_cost c = cost_builder{d, pipeline_shape_of(d, d.strategy[axis::dp]), compute, stages}.build(e);
  c.sequences =
      t.global_batch.given ? saturating_count{t.global_batch.number} : saturating_count{t.micro_batch} * d.strategy[axis::dp];
  c.tokens = c.sequences * t.sequence_length;
  return c;
}

template <int OnUse>
[[nodiscard]] constexpr deployment_cost serving_cost(const deployment& d, const efficiencies& e) noexcept {
  const serving& v = d.workload.serve;
  const serving_compute compute{d};
  serving_stages<OnUse> stages{d};
  const std::int64_t ranks = d.strategy[axis::pp];
  const pipeline_shape shape{.ranks = ranks, .chunks = virtual_stages(d.strategy, d.layout) / ranks, .micro_batches = v.batch};
  deployment_cost c = cost_builder{d, shape, compute, stages}.build(e);
  c.sequences = saturating_count{v.batch} * d.strategy[axis::dp];
  c.tokens = c.sequences * v.new_tokens();
  return c;
}

} // namespace detail

/// The cost of one step of a deployment, with the time that no implementation of it beats, by resource, and what limits it.
///
/// Each of these is a lower bound; the step is as long as the longest, since at best everything else is done meanwhile.
/// - compute: the matrix products of the busiest rank at the dense peaks (training_compute, serving_compute).
/// - memory: what has to be read and written whatever kernels do (training_memory_traffic, serving_memory_traffic).
/// - nvlink, network: what each link has to carry whatever algorithm does it (least_traffic), on the rank where it is most.
/// - pipeline: compute in whatever order of passes (pipeline_bound_of); and what the update of the first virtual stage takes longer than
///   one micro-batch on it, since its weights are updated between the last backward pass and the first forward pass of the next step
///   (only where a rank has one virtual stage).
///
/// It holds for tokens that experts get evenly, from all ranks alike, as balanced routers have it, for steps that follow each other, and for
/// the work that the deployment says: with less recomputation, a router that keeps tokens where they are, or activations that TP ranks and
/// stages exchange in a shorter type than their own, a step may be faster. Tokens go to experts in FP8 where these multiply in it.
/// Nor does it hold for a framework that sends something else than the deployment's does: that keeps weights gathered over several
/// micro-batches (ZeRO-3), exchanges latents between CP ranks in place of up-projected keys and values, or sends once what TP ranks without
/// sequence parallelism all have; that computes again what was not kept before its gradient comes; nor for decoding whose tokens crowd on
/// few experts.
/// A rate that the GPU's description lacks, or a cluster that does not say how many GPUs a node has, leaves a resource unknown.
///
/// Computed in double and lowered by 2^-40, so that it never exceeds the exact bound, with less than 2^-39 between the two (as long as
/// there are fewer than 2^11 virtual stages). With efficiencies `estimate` has the same times at those parts of the peaks.
///
/// Precondition: a deployment that `check` accepts, folded, with DP given (resolve()); efficiencies that are valid(), else a constant
/// expression does not compile and no resource of the estimate is known.
template <int OnUse = 0>
[[nodiscard]] constexpr deployment_cost cost(const deployment& d, const efficiencies& e = {}) noexcept {
  const bool valid = e.valid();
  if (!valid) not_a_constant::an_efficiency_is_not_above_0_and_at_most_1();
  const efficiencies used = valid ? e : efficiencies{};
  deployment_cost c = d.workload.is_training() ? detail::training_cost<OnUse>(d, used) : detail::serving_cost<OnUse>(d, used);
  if (!valid) c.estimate = {};
  return c;
}

} // namespace moeplan

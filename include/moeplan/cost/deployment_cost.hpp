#pragma once

#include <cstdint>

#include <moeplan/cost/alike_stages.hpp>
#include <moeplan/cost/block_flops.hpp>
#include <moeplan/cost/flops.hpp>
#include <moeplan/cost/flops_convention.hpp>
#include <moeplan/cost/least_serving_traffic.hpp>
#include <moeplan/cost/least_training_traffic.hpp>
#include <moeplan/cost/link_bytes.hpp>
#include <moeplan/cost/memory_traffic.hpp>
#include <moeplan/cost/pipeline_bound.hpp>
#include <moeplan/cost/product_time.hpp>
#include <moeplan/cost/recomputed_blocks.hpp>
#include <moeplan/cost/stage_compute.hpp>
#include <moeplan/cost/stage_weights.hpp>
#include <moeplan/cost/step_time.hpp>
#include <moeplan/cost/training_flops.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/rank_model.hpp>
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
inline void an_efficiency_is_not_from_a_millionth_to_1() noexcept {}
} // namespace not_a_constant

/// The pipeline rank whose GPUs move most bytes in a step, and how many: on average over its GPUs, at least, and of a link that carries
/// both ways in the direction in which it is more. Over the network on average over all GPUs where stages share NVLink domains.
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
  busiest_stage nvlink{};  ///< between GPUs of the same node or rack
  busiest_stage network{}; ///< between others

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

  [[nodiscard]] constexpr step_time with(const efficiencies& e) const noexcept {
    step_time t{over(compute, e.compute), over(memory, e.memory), over(nvlink, e.nvlink), over(network, e.network), {}};
    if (!compute.known) return t;
    t.pipeline = over({true, first_to_last}, e.compute);
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

/// The stages of a training run, looked at one after the other.
class training_stages {
public:
  constexpr explicit training_stages(const deployment& d) noexcept
      : deployment_{&d}, compute_{d}, weights_{d, rank_model(d.model, d.strategy)}, alike_{d}, traffic_{d} {}

  [[nodiscard]] constexpr pipeline_shape shape() const noexcept {
    return pipeline_shape_of(*deployment_, deployment_->strategy[axis::dp]);
  }
  [[nodiscard]] constexpr bool splits_backward() const noexcept {
    const training& t = deployment_->workload.train;
    return moeplan::splits_backward(t.schedule) || t.overlap.delayed_weight_gradient;
  }

  [[nodiscard]] constexpr bool compute_known() const noexcept { return compute_.known(); }
  [[nodiscard]] constexpr training_flops<saturating_count> of_sequence() const noexcept { return compute_.of_sequence(); }

  /// How many ranks from this one on do the same.
  [[nodiscard]] constexpr std::int64_t ranks_alike(std::int64_t rank) const noexcept { return alike_(rank); }
  [[nodiscard]] constexpr bool lie_alike() const noexcept { return traffic_.stages_lie_alike(); }

  constexpr void begin() noexcept {
    held_ = {};
    once_ = again_ = {};
  }

  /// The next chunk of a rank that does its passes for so many micro-batches.
  constexpr stage_work<double> add(std::int64_t stage, std::int64_t micro_batches) noexcept {
    const deployment& d = *deployment_;
    constexpr flops_convention how = flops_convention::exact();
    const stage_contents held = contents(d.model, d.strategy, d.layout, stage);
    const stage_blocks blocks = blocks_of_stage(d.model, held, 0, how);
    const stage_blocks recomputed = recomputed_blocks_of_stage(d.model, held, blocks, d.workload.train);
    held_ += weights_.of_stage(held);
    once_.add(blocks, static_cast<double>(micro_batches));
    again_.add(recomputed, static_cast<double>(micro_batches));
    return compute_known() ? compute_.of(blocks, recomputed) : stage_work<double>{};
  }

  [[nodiscard]] constexpr memory_bytes<double> memory() const noexcept {
    return training_memory_traffic(held_, deployment_->strategy, deployment_->workload.train);
  }

  /// What the GPUs of this rank send and receive, if it does what was added.
  [[nodiscard]] constexpr link_bytes links(std::int64_t rank, const pipeline_shape& shape) noexcept {
    traffic_.begin(rank);
    link_bytes all = traffic_.of_update(held_) + traffic_.of_blocks(once_, again_);
    for (std::int64_t chunk = 0; chunk < chunks_of_rank(shape); ++chunk)
      all += traffic_.of_transfers(chunk, static_cast<double>(passes_of_chunk(shape, chunk)));
    return all;
  }

private:
  const deployment* deployment_;
  training_compute compute_;
  stage_weights<double> weights_;
  alike_stages alike_;
  least_training_traffic traffic_;
  stage_weight_counts<double> held_{};
  block_passes once_{};
  block_passes again_{};
};

/// The same of a deployment that serves, whose micro-batches are sequences.
class serving_stages {
public:
  constexpr explicit serving_stages(const deployment& d) noexcept : deployment_{&d}, compute_{d}, memory_{d}, traffic_{d} {}

  [[nodiscard]] constexpr pipeline_shape shape() const noexcept {
    const deployment& d = *deployment_;
    const std::int64_t ranks = d.strategy[axis::pp];
    return {.ranks = ranks, .chunks = virtual_stages(d.strategy, d.layout) / ranks, .micro_batches = d.workload.serve.batch};
  }
  [[nodiscard]] static constexpr bool splits_backward() noexcept { return false; }

  [[nodiscard]] constexpr bool compute_known() const noexcept { return compute_.known(); }
  [[nodiscard]] constexpr training_flops<saturating_count> of_sequence() const noexcept { return compute_.of_sequence(); }

  /// Of few stages each is looked at.
  [[nodiscard]] static constexpr std::int64_t ranks_alike(std::int64_t /*rank*/) noexcept { return 1; }
  [[nodiscard]] constexpr bool lie_alike() const noexcept { return traffic_.stages_lie_alike(); }

  constexpr void begin() noexcept {
    moved_ = {};
    blocks_ = {};
  }

  constexpr stage_work<double> add(std::int64_t stage, std::int64_t /*sequences*/) noexcept {
    const deployment& d = *deployment_;
    const stage_contents held = contents(d.model, d.strategy, d.layout, stage);
    const stage_blocks blocks = served_blocks_of_stage(d.model, held, d.workload.serve);
    moved_ += memory_.of_stage(held);
    blocks_ += blocks;
    return compute_known() ? compute_.of(blocks) : stage_work<double>{};
  }

  [[nodiscard]] constexpr memory_bytes<double> memory() const noexcept {
    return {.step = static_cast<double>(moved_.step.bits), .experts = moved_.experts};
  }

  [[nodiscard]] constexpr link_bytes links(std::int64_t rank, const pipeline_shape& shape) noexcept {
    traffic_.begin(rank);
    link_bytes all = traffic_.of_blocks(blocks_);
    for (std::int64_t stage = rank; stage < shape.ranks * shape.chunks; stage += shape.ranks) all += traffic_.of_transfers(stage);
    return all;
  }

private:
  const deployment* deployment_;
  serving_compute compute_;
  serving_memory_traffic memory_;
  least_serving_traffic traffic_;
  memory_bytes<> moved_{};
  stage_blocks blocks_{};
};

/// Adds up the cost of a deployment. `Stages` are those of training, or of serving.
template <class Stages>
class cost_builder {
public:
  constexpr explicit cost_builder(const deployment& d) noexcept : deployment_{&d}, stages_{d}, shape_{stages_.shape()} {}

  constexpr deployment_cost build(const efficiencies& e) noexcept {
    const deployment& d = *deployment_;
    add_stages();
    demand_.memory = seconds_of(cost_.memory.bytes, d.cluster.gpu.memory_bandwidth);
    if (links_known()) {
      demand_.nvlink = seconds_of(cost_.nvlink.bytes, d.cluster.gpu.nvlink_bandwidth);
      demand_.network = seconds_of(cost_.network.bytes, d.cluster.gpu.network_bandwidth);
    }
    const product_types types = product_types_of(d.workload);
    cost_.of_sequence = stages_.of_sequence();
    cost_.gpus = gpus<saturating_count>(d.strategy);
    cost_.trains = d.workload.is_training();
    cost_.peak_flops = moeplan::peak_flops(d.cluster.gpu, d.model.has_experts() ? types.routed_experts : types.mlps);
    cost_.bound = demand_.with({});
    cost_.estimate = e == efficiencies{} ? cost_.bound : demand_.with(e);
    return cost_;
  }

private:
  [[nodiscard]] constexpr bool links_known() const noexcept { return deployment_->cluster.gpus_per_node.given; }

  /// Those that do the same are looked at once.
  constexpr void add_stages() noexcept {
    pipeline_bound_builder<double> least{shape_, stages_.splits_backward()};
    for (std::int64_t rank = 0; rank < shape_.ranks;) {
      const std::int64_t end = rank + stages_.ranks_alike(rank);
      least.begin(rank, end - rank);
      stages_.begin();
      for (std::int64_t chunk = 0; chunk < chunks_of_rank(shape_); ++chunk) {
        const std::int64_t stage = virtual_stage(shape_.schedule, shape_.ranks, rank, chunk);
        least.add(chunk, stages_.add(stage, passes_of_chunk(shape_, chunk)));
      }
      least.end();
      const memory_bytes<double> moved = stages_.memory();
      cost_.memory.consider(rank, moved.step + moved.experts);
      if (links_known()) add_links(rank, end);
      rank = end;
    }
    // What one GPU of a domain has for the network, any other may pass on, of another stage too.
    if (links_known() && !stages_.lie_alike()) cost_.network.bytes = network_.busier() / static_cast<double>(shape_.ranks);
    const pipeline_bound<double> bound = least.build();
    demand_.compute = {stages_.compute_known(), bound.busiest};
    // Where steps follow each other, a server's pipeline never runs empty: other sequences fill it.
    demand_.first_to_last = deployment_->workload.is_training() ? bound.first_to_last : bound.busiest;
  }

  /// Of ranks that do the same those that lie alike are looked at once.
  constexpr void add_links(std::int64_t first, std::int64_t end) noexcept {
    const std::int64_t alike = stages_.lie_alike() ? end - first : 1;
    for (std::int64_t rank = first; rank < end; rank += alike) {
      const link_bytes links = stages_.links(rank, shape_);
      cost_.nvlink.consider(rank, links.nvlink.busier());
      cost_.network.consider(rank, links.network.busier());
      network_ += static_cast<double>(alike) * links.network;
    }
  }

  [[nodiscard]] static constexpr known_seconds seconds_of(double amount, bytes rate) noexcept {
    if (amount == 0) return {true, 0};
    if (rate == bytes{}) return {};
    return {true, amount / static_cast<double>(rate.amount.bits)};
  }

  const deployment* deployment_;
  Stages stages_;
  pipeline_shape shape_;
  step_demand demand_{};
  both_ways network_{}; ///< of all pipeline ranks
  deployment_cost cost_{};
};

[[nodiscard]] constexpr deployment_cost training_cost(const deployment& d, const efficiencies& e) noexcept {
  const training& t = d.workload.train;
  deployment_cost c = cost_builder<training_stages>{d}.build(e);
  c.sequences =
      t.global_batch.given ? saturating_count{t.global_batch.number} : saturating_count{t.micro_batch} * d.strategy[axis::dp];
  c.tokens = c.sequences * t.sequence_length;
  return c;
}

[[nodiscard]] constexpr deployment_cost serving_cost(const deployment& d, const efficiencies& e) noexcept {
  const serving& v = d.workload.serve;
  deployment_cost c = cost_builder<serving_stages>{d}.build(e);
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
/// - nvlink, network: what each link has to carry, in the direction in which it is more, whatever is sent and whatever algorithm does it
///   (least_training_traffic, least_serving_traffic; group_links), on the rank where it is most.
/// - pipeline: compute in whatever order of passes, with what ranks wait for each other (pipeline_bound_of).
///
/// It holds on average for tokens that experts get evenly, from all ranks alike, as balanced routers have it, for steps that follow each
/// other, and for what the deployment says: its dispatcher, its exchange between CP ranks, its types of numbers, and its recomputation, of
/// which every product counts. It takes for granted that TP ranks divide each linear layer by columns and the next one by rows, that each
/// updates the weights that it holds for itself, and that backward passes are whole where the schedule does not split them. With a
/// router that keeps tokens where they are or has them crowd on few experts while decoding, with sequences that share what they attend to,
/// with recomputation that stops at the last product that is needed, or with activations that travel in a shorter type than that in which
/// they are multiplied or kept, a step may be faster.
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
  if (!valid) not_a_constant::an_efficiency_is_not_from_a_millionth_to_1();
  const efficiencies used = valid ? e : efficiencies{};
  deployment_cost c = d.workload.is_training() ? detail::training_cost(d, used) : detail::serving_cost(d, used);
  if (!valid) c.estimate = {};
  return c;
}

} // namespace moeplan

#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/chunk_memory.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/memory/stage_memory.hpp>
#include <moeplan/memory/stage_parts.hpp>
#include <moeplan/memory/states.hpp>
#include <moeplan/memory/workspace.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/always_inline.hpp>
#include <moeplan/number/bytes.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/pipeline_shape.hpp>
#include <moeplan/pipeline/stage_placement.hpp>

/// @file
/// Does it fit? The memory of every pipeline stage.

namespace moeplan {

namespace detail {

/// Sums up tensors that live for the whole run.
struct standing_tensors {
  saturating_count bytes;
  constexpr void operator()(const tensor& t) noexcept { bytes += allocated(bytes_of(t)); }
};

/// The largest sum of activations over the moments at which a rank can peak.
struct activation_peak {
  const chunk_memory* chunks = nullptr;
  std::int64_t number_of_chunks = 1;
  saturating_count forward_buffers{};  ///< what passes between stages, while a forward pass runs
  saturating_count backward_buffers{}; ///< while a backward pass runs
  saturating_count highest{};          ///< with the buffers
  saturating_count buffers{};          ///< of it
  pipeline_moment at{};

  /// The chunk whose pass decides where the peak is: of two at once the backward pass.
  [[nodiscard]] constexpr bool in_backward_pass() const noexcept { return at.backward_chunk() >= 0; }
  [[nodiscard]] constexpr std::int64_t chunk() const noexcept {
    return in_backward_pass() ? at.backward_chunk() : at.forward_chunk();
  }
  [[nodiscard]] constexpr const work_place& place() const noexcept {
    return in_backward_pass() ? chunks[chunk()].backward_at : chunks[chunk()].forward_at;
  }

  [[MOEPLAN_NEVER_INLINE]] constexpr void operator()(const pipeline_moment& moment) noexcept {
    saturating_count others;
    for (std::int64_t c = 0; c < number_of_chunks; ++c) {
      const held_activations held = moment.held(c);
      others += chunks[c].kept * held.whole + chunks[c].for_weights * held.weight_gradient;
    }
    const std::int64_t f = moment.forward_chunk();
    const std::int64_t b = moment.backward_chunk();
    if (f >= 0) others = others - chunks[f].kept + chunks[f].forward_peak;
    if (b >= 0) others = others - chunks[b].kept + chunks[b].backward_peak;
    const saturating_count passing = b >= 0 ? backward_buffers : forward_buffers;
    const bool first = at.forward_chunk() < 0 && at.backward_chunk() < 0; // It counts even if nothing is held.
    if (!first && !(others + passing > highest)) return;
    highest = others + passing;
    buffers = passing;
    at = moment;
  }
};

/// How many ranks share states.
struct state_ranks {
  std::int64_t dense = 1;
  std::int64_t experts = 1;
};

/// Of data parallelism on both grids, of which dp_replicate copies share nothing.
[[nodiscard]] constexpr state_ranks state_ranks_of(const strategy& s, const training& t) noexcept {
  const bool by_dp = t.assumptions.dense_states == dense_shards::dp_ranks;
  const std::int64_t dense = by_dp ? s[axis::dp] : s[axis::dp] * s[axis::cp];
  const std::int64_t experts = s[axis::tp] * s[axis::cp] * s[axis::dp] / (s[axis::etp] * s[axis::ep]);
  return {dense > t.dp_replicate ? dense / t.dp_replicate : 1, experts > t.dp_replicate ? experts / t.dp_replicate : 1};
}

} // namespace detail

/// The memory of a training run, stage by stage. What stages have in common is computed once, when it is made; it refers to the
/// deployment, which must outlive it. A template so that only who asks for memory compiles it.
template <int OnUse = 0>
class training_memory {
public:
  using stage_bytes = saturating_stage_memory;

  static constexpr std::int64_t most_chunks = 64;

  /// Precondition: a training run that `check` accepts.
  constexpr explicit training_memory(const deployment& d) noexcept
      : deployment_{&d},
        strategy_{detail::with_dp(d)},
        shape_{activation_shape_of(d.model, rank_model(d.model, strategy_), strategy_, d.workload.train)},
        parts_{parts_of_rank<saturating_count>(d.model, shape_.rank, strategy_, d.workload.train.vocabulary_multiple,
                                               d.workload.train.assumptions)},
        blocks_{block_memories_of(d.model, shape_)},
        ranks_{detail::state_ranks_of(strategy_, d.workload.train)},
        pipeline_{pipeline_shape_of(d, strategy_[axis::dp])} {}

  /// Of no run yet: to be assigned.
  constexpr training_memory() noexcept = default;

  /// The same for a caller that has computed `parts`, the parameters of this deployment's ranks, for another one: they depend on
  /// TP, EP and ETP alone. Precondition: as above, and DP is given.
  constexpr training_memory(const deployment& d, const model& rank, const rank_parts<saturating_count>& parts) noexcept
      : deployment_{&d},
        strategy_{d.strategy},
        shape_{activation_shape_of(d.model, rank, strategy_, d.workload.train)},
        parts_{parts},
        blocks_{block_memories_of(d.model, shape_)},
        ranks_{detail::state_ranks_of(strategy_, d.workload.train)},
        pipeline_{pipeline_shape_of(d, strategy_[axis::dp])} {}

  /// The same where `others` are the blocks of a deployment that differs in EP, ETP and what turn_to() allows alone.
  constexpr training_memory(const deployment& d, const model& rank, const rank_parts<saturating_count>& parts,
                            const block_memories& others) noexcept
      : deployment_{&d},
        strategy_{d.strategy},
        shape_{activation_shape_of(d.model, rank, strategy_, d.workload.train)},
        parts_{parts},
        blocks_{with_expert_blocks(others, d.model, shape_)},
        ranks_{detail::state_ranks_of(strategy_, d.workload.train)},
        pipeline_{pipeline_shape_of(d, strategy_[axis::dp])} {}

  /// Turns to a deployment that differs from the one so far in nothing but PP, VPP, DP, layout, schedule, sharding and global batch, without
  /// computing what both share. Precondition: as above, and DP is given.
  constexpr void turn_to(const deployment& d) noexcept {
    deployment_ = &d;
    strategy_ = d.strategy;
    shape_.train = d.workload.train;
    ranks_ = detail::state_ranks_of(strategy_, d.workload.train);
    pipeline_ = pipeline_shape_of(d, strategy_[axis::dp]);
  }

  explicit training_memory(deployment&&) = delete;

  [[nodiscard]] constexpr std::int64_t stages() const noexcept { return strategy_[axis::pp]; }
  [[nodiscard]] constexpr const deployment& run() const noexcept { return *deployment_; }
  [[nodiscard]] constexpr const moeplan::strategy& strategy() const noexcept { return strategy_; } ///< with DP
  [[nodiscard]] constexpr const activation_shape& shape() const noexcept { return shape_; }
  [[nodiscard]] constexpr const rank_parts<saturating_count>& parts() const noexcept { return parts_; }
  [[nodiscard]] constexpr const detail::state_ranks& ranks() const noexcept { return ranks_; }
  [[nodiscard]] constexpr const pipeline_shape& pipeline() const noexcept { return pipeline_; }
  [[nodiscard]] constexpr const block_memories& blocks() const noexcept { return blocks_; }

  /// Virtual stages of each rank.
  [[nodiscard]] constexpr std::int64_t chunks() const noexcept {
    return chunks_of_rank(strategy_, deployment_->layout, pipeline_.schedule);
  }

  /// What a rank holds of its chunk `chunk`.
  [[nodiscard]] constexpr stage_contents contents_of(std::int64_t rank, std::int64_t chunk) const noexcept {
    return contents(deployment_->model, strategy_, deployment_->layout,
                    virtual_stage(pipeline_.schedule, strategy_[axis::pp], rank, chunk));
  }

  /// Precondition: 0 <= rank < stages().
  [[nodiscard]] constexpr stage_bytes stage(std::int64_t rank) const noexcept {
    last_stage last;
    return stage(rank, last);
  }

  /// Calls visit with every stage, from the first to the last. Stages that hold the same are computed once.
  template <class Visit>
  constexpr void visit_stages(Visit& visit) const noexcept {
    last_stage last;
    for (std::int64_t rank = 0; rank < stages(); ++rank) visit(stage(rank, last));
  }

  /// fp32 copies of gradients that the optimizer's step makes.
  [[nodiscard]] constexpr saturating_count gradient_copies(const rank_parameters<saturating_count>& p) const noexcept {
    const training& t = deployment_->workload.train;
    const bool copies = t.optimizer != optimizer::none && t.precision.gradients != number_type::fp32 &&
                        t.precision.gradients != number_type::none && t.precision.first_moment == number_type::fp32;
    if (!copies) return 0;
    const std::int64_t dense = t.sharding >= sharding::optimizer ? ranks_.dense : 1;
    const std::int64_t experts = t.sharding >= sharding::optimizer ? ranks_.experts : 1;
    return (detail::divided_up<saturating_count>(p.dense.trained(), dense) +
            detail::divided_up<saturating_count>(p.experts.trained(), experts)) *
           4;
  }

  /// Calls visit(const tensor&) for the workspace of a rank that holds `n`.
  template <class Visit>
  constexpr void visit_workspace(const stage_parts& n, Visit& visit) const noexcept {
    visit_sharding_workspace(deployment_->workload.train, parts_, n, visit);
    if (deployment_->profile == profile::megatron) visit_megatron_workspace(shape_, n, visit);
  }

  /// What a rank holds of its neighbours' tensors is in the buffers: the gradient that it received last, and the gradient and the input
  /// that it is done with until the next ones take their places (Megatron-LM schedules.py, output_tensor_grad, input_tensor_grad,
  /// output_tensor).
  [[nodiscard]] constexpr detail::activation_peak peak_of(std::int64_t rank, const chunk_memory* chunks, std::int64_t number,
                                                          bool is_first, bool is_last) const noexcept {
    const std::int64_t received = is_last ? 0 : 1;
    const std::int64_t done_with = is_first || pipeline_.micro_batches == 1 ? 0 : 1;
    detail::activation_peak peak{.chunks = chunks,
                                 .number_of_chunks = number,
                                 .forward_buffers = blocks_.residual * (received + done_with * (is_last ? 2 : 1)),
                                 .backward_buffers = blocks_.residual * (received + done_with)};
    visit_peaks(pipeline_, rank, peak);
    return peak;
  }

private:
  /// The last stage computed, whose results the next one can use if it holds the same.
  struct last_stage {
    stage_contents contents{};
    stage_parts parts{};
    chunk_memory chunk{};
    stage_bytes bytes{};
    saturating_count gradient_copies{};
    bool known = false;
  };

  [[nodiscard]] constexpr stage_bytes stage(std::int64_t rank, last_stage& last) const noexcept {
    const std::int64_t number = chunks();
    return number == 1 ? stage_of_one(rank, last) : stage_of_several(rank, number);
  }

  [[nodiscard]] constexpr stage_bytes stage_of_one(std::int64_t rank, last_stage& last) const noexcept {
    const stage_contents held = contents_of(rank, 0);
    const stage_parts n = parts_of_stage(deployment_->model, held);
    if (!last.known || !(n == last.parts) || !n.alike()) {
      last = {held, n, chunk_memory_of(deployment_->model, blocks_, deployment_->workload.train, held, n), {}, {}, true};
      const rank_parameters<saturating_count> parameters = parameters_of_stage(parts_, n);
      add_static(last.bytes, parameters, n);
      last.gradient_copies = gradient_copies(parameters);
    }
    stage_bytes result = last.bytes;
    result.stage = rank;
    add_peak(result, &last.chunk, 1, held.embedding, held.loss);
    if (result.place.layer >= 0) result.place.layer += held.first_layer - last.contents.first_layer;
    consider_update(result, last.bytes.workspace, last.gradient_copies);
    consider_start(result);
    return result;
  }

  [[nodiscard]] constexpr stage_bytes stage_of_several(std::int64_t rank, std::int64_t number) const noexcept {
    chunk_memory all_chunks[most_chunks]{};
    rank_parameters<saturating_count> parameters;
    stage_parts all;
    stage_bytes result;
    result.stage = rank;
    for (std::int64_t c = 0; c < number; ++c) {
      const stage_contents held = contents_of(rank, c);
      const stage_parts n = parts_of_stage(deployment_->model, held);
      parameters += parameters_of_stage(parts_, n);
      all_chunks[c] = chunk_memory_of(deployment_->model, blocks_, deployment_->workload.train, held, n);
      all += n;
    }
    add_static(result, parameters, all);
    const saturating_count workspace = result.workspace;
    add_peak(result, all_chunks, number, false, false);
    consider_update(result, workspace, gradient_copies(parameters));
    consider_start(result);
    return result;
  }

  constexpr void add_static(stage_bytes& result, const rank_parameters<saturating_count>& parameters,
                            const stage_parts& n) const noexcept {
    const training& t = deployment_->workload.train;
    model_states<saturating_count> states = states_of(parameters.dense, t, ranks_.dense);
    states += states_of(parameters.experts, t, ranks_.experts);
    result.layers = n.layers;
    result.dense_parameters = parameters.dense.total();
    result.expert_parameters = parameters.experts.total();
    result.weights = states.weights + states.quantised_weights;
    result.gradients = states.gradients;
    result.optimizer = states.optimizer;
    result.host = states.host;
    detail::standing_tensors standing;
    visit_workspace(n, standing);
    result.workspace = standing.bytes;
  }

  /// The optimizer's step may be the peak: gradients of another type are copied to fp32 first, unless the optimizer takes them as they
  /// are (Megatron-LM optimizer.py, _copy_model_grads_to_main_grads).
  constexpr void consider_update(stage_bytes& result, saturating_count workspace, saturating_count copies) const noexcept {
    if (copies == 0 || !(workspace + copies > result.workspace + result.activations)) return;
    result.activations = 0;
    result.workspace = workspace + copies;
    result.time = peak_time::update;
    result.chunk = 0;
    result.place = {};
  }

  /// So may the start: before there are states and activations, weights are moved into one buffer (Megatron-LM
  /// param_and_grad_buffer.py).
  constexpr void consider_start(stage_bytes& result) const noexcept {
    if (deployment_->profile != profile::megatron) return;
    if (!(result.weights + result.weights + result.gradients > result.peak())) return;
    result.optimizer = 0;
    result.host = 0;
    result.activations = 0;
    result.workspace = result.weights;
    result.time = peak_time::start;
    result.chunk = 0;
    result.place = {};
  }

  constexpr void add_peak(stage_bytes& result, const chunk_memory* chunks, std::int64_t number, bool is_first,
                          bool is_last) const noexcept {
    const detail::activation_peak peak = peak_of(result.stage, chunks, number, is_first, is_last);
    result.workspace += peak.buffers;
    result.activations = peak.highest - peak.buffers;
    result.time = peak.in_backward_pass() ? peak_time::backward_pass : peak_time::forward_pass;
    result.chunk = peak.chunk();
    result.place = peak.place();
  }

  const deployment* deployment_ = nullptr;
  moeplan::strategy strategy_{};
  activation_shape shape_{};
  rank_parts<saturating_count> parts_{};
  block_memories blocks_{};
  detail::state_ranks ranks_{};
  pipeline_shape pipeline_{};
};

} // namespace moeplan
